"""Words for joints, surfaces, planes and modes of ultrasound: English, German, Spanish and French, with the
short forms that people type at a machine. Patterns are for text without accents, in small letters
(``votes.plain``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.imaging.ultrasound.terms import JOINTS

# rays of the hand or foot have a number; the first pattern that fits is the kind
_RAYS = (
    ("MCP", r"mcp|mcpj|mcf|mkp|mtc ?f|metacarpo ?phalang\w*|metacarpo ?falang\w*|metakarpo ?phalang\w*|"
            r"(?!zehe)[a-z]*grund ?gelenke?|knuckles?"),
    ("PIP", r"pip|pipj|ifp|proximal interphalang\w*|interfalang\w* proximal\w*|interphalang\w* proximal\w*|"
            r"(?!zehe)[a-z]*mittel ?gelenke?"),
    ("DIP", r"dip|dipj|ifd|distal interphalang\w*|interfalang\w* distal\w*|interphalang\w* distal\w*|"
            r"(?!zehe)[a-z]*end ?gelenke?"),
    ("MTP", r"mtp|mtpj|mtf|metatarso ?phalang\w*|metatarso ?falang\w*|zehen ?grund ?gelenke?"),
    ("IP", r"ip|ipj|interphalang\w*|interfalang\w*"),
)  # fmt: skip
_WHOLE = (
    ("RC", r"radio ?[ck]arp\w*|rc|rcj"),
    ("IC", r"inter ?[ck]arp\w*|mid ?carp\w*|medio ?[ck]arp\w*|mediocarp\w*|ic|icj"),
    ("DRU", r"dru|druj|druk|drug|distal\w* radio ?ulnar\w*|radio ?ulnar\w* (?:inf\w*|distal\w*)|"
            r"radio ?cubital\w*(?: distal\w*)?"),
    ("WR", r"wr|wrists?|handgelenke?n?|hg|munecas?|poignets?|carpus|[ck]arpo"),
    ("ELB", r"elb|elbows?|ellenbogen\w*|codos?|coudes?"),
    ("KNEE", r"knees?|knie\w*|rodillas?|genoux?|suprapatell?ar\w*"),
    ("TTJ", r"ttj|tibio ?tal\w*|tibio ?tars\w*|tibio ?astragal\w*|talo ?crural\w*|osg|sprunggelenke?|ankles?|"
            r"tobillos?|chevilles?"),
)  # fmt: skip
_FINGERS = (
    (1, r"thumb|daumen\w*|pulgar|pouce|pollex"),
    (2, r"index|zeigefinger\w*|indice"),
    (3, r"middle finger|mittelfinger\w*|dedo medio|majeur"),
    (4, r"ring ?finger|ringfinger\w*|anular|annulaire"),
    (5, r"little finger|small finger|kleinfinger\w*|kleiner finger|menique|auriculaire"),
)
_NUMBER = r"(?:0?[1-5](?!\d|\s?(?:cm|mm|m?hz|khz)|d\b)|i{1,3}(?![a-z])|iv(?![a-z])|v(?![a-z]))"
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5}
_ORDINAL = r"(?:st|nd|rd|th|a|o|er|re|eme|ieme|e|te|tes|ter)"
_ORDINALS = (
    (1, r"first|erstes?|primer\w*|premier\w*"),
    (2, r"second|zweites?|segund\w*|deuxieme"),
    (3, r"third|drittes?|tercer\w*|troisieme"),
    (4, r"fourth|viertes?|cuart\w*|quatrieme"),
    (5, r"fifth|funftes?|quint\w*|cinquieme"),
)
_RAY = r"(?:dig\w*|d|fingers?|strahl|dedos?|doigts?|rays?|toes?|zehen?)"

SURFACE_WORDS = (
    ("dorsal", r"dorsal\w*|dors|dorso|extensor\w*|streckseit\w*"),
    ("volar", r"volar\w*|palmar\w*|plantar\w*|beugeseit\w*|flexor\w*"),
)
PLANE_WORDS = (
    ("longitudinal", r"longitudinal\w*|long|lng|lgs|lon|lx|langs\w*|laengs\w*|sag|sagit\w*"),
    ("transverse", r"transvers\w*|trans|trv|trx|tx|quer\w*|axial\w*|short axis"),
)
MODE_WORDS = (
    ("PD", r"p ?doppler|pdi?|pdus|pwr|cp[da]|(?:power )?angio|cfm|(?:[a-z]+ ?)?doppler(?: [a-z]+)?"),
    ("B", r"b ?mode|b ?bild|mode b|modo b|bw?|gr[ea]y ?scale|gs|gsus|graustufen\w*|grauwert\w*|"
          r"escala de grises|echelle de gris|2d"),
)  # fmt: skip


def joints_in(words: str) -> list[str]:
    """Codes of the joints that a text names; a finger joint only with the number of its ray."""
    named = [code for code, pattern in _WHOLE if _has(words, pattern)]
    if len(named) > 1 and "WR" in named:
        named.remove("WR")  # a recess of it is named
    rays = list(_ray_joints(words))
    return list(dict.fromkeys(code for code in (*rays, *named) if code in JOINTS))


def _has(words: str, pattern: str) -> bool:
    return re.search(rf"(?<![a-z])(?:{pattern})(?![a-z])", words) is not None


def _ray_joints(words: str) -> Iterator[str]:
    for kind, pattern in _RAYS:
        if kind == "IP" and any(_has(words, other) for _, other in _RAYS[1:3]):
            continue  # "interphalangeal" is part of their names
        for match in re.finditer(rf"(?<![a-z])(?:{pattern})(?![a-z])", words):
            for number in _numbers(words, match.start(), match.end()):
                code = "IP1" if kind == "IP" and number == 1 else f"{kind}{number}"
                yield code


def _numbers(words: str, start: int, end: int) -> list[int]:
    """Numbers of the rays that belong to a joint's name: behind it, before it, or of the finger named."""
    behind = re.match(rf"\s?(?:{_RAY}\s?)?({_NUMBER}(?:\s(?:and |und |y |et )?{_NUMBER})*)", words[end:])
    if behind:
        return [_value(text) for text in re.findall(_NUMBER, behind[1])]
    before = re.search(rf"(?<![a-z0-9])({_NUMBER})\s?{_ORDINAL}?\s?$", words[:start])
    if before:
        return [_value(before[1])]
    of_ray = re.findall(rf"(?<![a-z]){_RAY}\s?({_NUMBER})", words)
    if of_ray:
        return [_value(text) for text in of_ray]
    named = (*_FINGERS, *_ORDINALS)
    return list(dict.fromkeys(number for number, pattern in named if _has(words, pattern)))


def _value(text: str) -> int:
    return _ROMAN.get(text) or int(text)
