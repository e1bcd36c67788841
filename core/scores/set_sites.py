"""How open data sets call the sites of hands, feet and spine: their word -> the code of our site.

A word is that of the set's files, spelling slips included, with the side before it where the set keeps the
side elsewhere (``L BE_MCP-T`` is the key ``BE_MCP-T`` of a left hand).
"""

from __future__ import annotations

from collections.abc import Iterable

SetSites = tuple[tuple[str, str], ...]  # the set's word, our code

SIDES = {"L": "left", "R": "right"}
FINGER_LETTERS = {"T": 1, "I": 2, "M": 3, "R": 4, "S": 5}  # thumb, index, middle, ring, small
CENTRES_EROSION = {
    "R": "RAD", "U": "ULN", "L": "LUN", "S": "NAV", "Tm": "MUL", "CMC-T": "MC1", "IP": "IP1",
    **{f"MCP-{letter}": f"MCP{finger}" for letter, finger in FINGER_LETTERS.items()},
    **{f"PIP-{letter}": f"PIP{finger}" for letter, finger in FINGER_LETTERS.items() if finger > 1},
}  # fmt: skip
CENTRES_NARROWING = {
    "CMC-M": "CMC3", "CMC-R": "CMC4", "CMC-S": "CMC5", "SC": "CNL", "SR": "RC", "STT": "MNA",
    **{f"MCP-{letter}": f"MCP{finger}" for letter, finger in FINGER_LETTERS.items()},
    **{f"PIP-{letter}": f"PIP{finger}" for letter, finger in FINGER_LETTERS.items() if finger > 1},
}  # fmt: skip
WRIST_EROSION = {
    "Metacarpal1st": "MC1", "Trapzium": "MUL", "Scaphoid": "NAV", "Lunate": "LUN", "DistalRadius": "RAD",
    "DistalUlna": "ULN",
}  # fmt: skip
FINGERS_BY_NAME = {
    "IP": {1: "IP1"},
    "PIP": {1: "IP1", **{finger: f"PIP{finger}" for finger in range(2, 6)}},
    "MCP": {finger: f"MCP{finger}" for finger in range(1, 6)},
}
WRIST_BY_NAME = {
    "erosion": {"CMC": {1: "MC1"}},
    "JSN": {"CMC": {3: "CMC3", 4: "CMC4", 5: "CMC5"}},
}


def by_centres() -> SetSites:
    """``ram-h1200``: ``L BE_MCP-T``, ``R JSN_STT``."""
    return tuple(
        (f"{side} {key}_{name}", f"{side}H.{letter}.{site}")
        for side in SIDES
        for key, letter, names in (("BE", "E", CENTRES_EROSION), ("JSN", "J", CENTRES_NARROWING))
        for name, site in names.items()
    )


def of_wrists() -> SetSites:
    """``ram-w600``: ``L Trapzium`` (so spelt)."""
    return tuple(
        (f"{side} {name}", f"{side}H.E.{site}") for side in SIDES for name, site in WRIST_EROSION.items()
    )


def by_experts(codes: Iterable[str]) -> SetSites:
    """``arise-2025``: ``left PIP 2 erosion``, ``right MCP 1 JSN``. codes: the sites that there are."""
    known = set(codes)
    found = []
    for side, word in SIDES.items():
        for disease, letter in (("erosion", "E"), ("JSN", "J")):
            for joint, fingers in {**FINGERS_BY_NAME, **WRIST_BY_NAME[disease]}.items():
                for finger, site in fingers.items():
                    code = f"{side}H.{letter}.{site}"
                    found += [(f"{word} {joint} {finger} {disease}", code)] if code in known else []
    return tuple(found)


def front_corners(vertebrae: Iterable[str], edges: dict[str, str], *, side: str = "") -> SetSites:
    """Anterior corners of vertebrae: ``C3 top left`` or ``L1 top`` is ``C3S`` or ``L1S``.

    edges: the set's word -> letter of ours. side: the set's word for the front.
    """
    behind = f" {side}" if side else ""
    return tuple(
        (f"{vertebra} {word}{behind}", f"{vertebra}{letter}")
        for vertebra in vertebrae
        for word, letter in edges.items()
    )
