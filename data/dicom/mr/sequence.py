"""Which MRI sequence a file was taken with, by its tags: numbers of the scanner, and words that are not kept.

Two questions are settled apart, each by votes (``data.dicom.votes``): the weighting (T1, T2 ...) and what
became of the fat (nothing, saturated, inverted, parted by Dixon). The answer is as sure as the less sure of
the two. Where words and numbers contradict each other, nothing is said; words that repeat each other count
once.

Inversion times that null fat lie between about 80 ms (0.2 T) and 230 ms (3 T).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from core.imaging import sequences as names
from data.dicom.pixel_values import functional, header_value, number
from data.dicom.votes import Hint, plain, settle

WORDS = (
    ("SeriesDescription", 0.75),
    ("ProtocolName", 0.7),
    ("PulseSequenceName", 0.6),
    ("SequenceName", 0.6),
)
NULLS_FAT = (70.0, 300.0)  # ms
NULLS_WATER = (1500.0, 4000.0)
INVERTED, TIRM, SATURATED, WATER, FAT, IN_PHASE, OPPOSED = (
    "inverted", "TIRM", "saturated", "water", "fat", "in phase", "opposed",
)  # fmt: skip

_WEIGHTINGS = (
    (names.DIFFUSION, r"dwi|diff\w*|adc|trace|dti|b ?\d{3,4}"),
    (names.T2_STAR, r"t2 ?star|medic|merge|m ?ffe|me ?fl2d|swi|t2 ?gre|ge ?t2|t2 ?ffe"),
    (names.FLAIR, r"(?<!t1 )flair|dark ?fluid|t2 ?flair"),
    (names.T1, r"t1[a-z]?|t1 ?tse|t1 ?fse|t1 ?se|t1 ?w"),
    (names.T2, r"t2[a-z]?|t2 ?tse|t2 ?fse|t2 ?w|frfse t2"),
    (names.PD, r"pd[a-z]?|dp|proton ?density|rho"),
)
_SUPPRESSION = (
    (TIRM, r"tirm|tir2d\d?|tir"),
    (INVERTED, r"stir|short ?t(?:au|i)"),
    (SATURATED, r"fs|fat ?sat\w*|fatsat|spir|spair|chess|fat ?sup\w*|fett?ges\w*|fet ?sat|aspir"),
)
_DIXON = r"m?dixon|ideal|flex|dixon\w*|fat ?water|water ?fat|chemical ?shift|wfi"
_PARTS = (
    (WATER, r"w|water|wasser|eau|wf? ?only"),
    (FAT, r"f|fat|fett|graisse"),
    (IN_PHASE, r"in|ip|in ?phase"),
    (OPPOSED, r"op|opp|out|out ?of ?phase|opp(?:osed)? ?phase"),
)
_TYPES = {
    "WATER": WATER, "W": WATER, "FAT": FAT, "F": FAT, "IN_PHASE": IN_PHASE, "IP": IN_PHASE, "IN": IN_PHASE,
    "OPP_PHASE": OPPOSED, "OUT_PHASE": OPPOSED, "OP": OPPOSED, "OPP": OPPOSED, "OUT": OPPOSED,
}  # fmt: skip
_CONTRASTS = {
    "T1": names.T1, "T2": names.T2, "T2_STAR": names.T2_STAR, "PROTON_DENSITY": names.PD,
    "DIFFUSION": names.DIFFUSION, "FLUID_ATTENUATED": names.FLAIR,
}  # fmt: skip
_LABELS = {
    (names.T2, SATURATED): names.T2_FS, (names.T1, SATURATED): names.T1_FS,
    (names.PD, SATURATED): names.PD_FS,
    (names.T2, WATER): names.T2_WATER, (names.T1, WATER): names.T1_WATER,
    (names.T2, IN_PHASE): names.T2, (names.T1, IN_PHASE): names.T1,
}  # fmt: skip


@dataclass(frozen=True)
class Numbers:
    """What the scanner was set to; NaN and empty where the file does not say."""

    echo: float
    repetition: float
    inversion: float
    flip: float
    methods: frozenset[str]
    options: frozenset[str]
    variants: frozenset[str]
    b_value: float


def numbers_of(dataset: Dataset) -> Numbers:
    """Of a classic file, or of the first frame of an enhanced one."""
    timing, echo, change = "MRTimingAndRelatedParametersSequence", "MREchoSequence", "MRModifierSequence"
    inversion = functional(dataset, change, "InversionTimes")
    times = [dataset_number(dataset, "InversionTime"), _first_number(inversion)]
    methods = _codes(header_value(dataset, "ScanningSequence"))
    if str(functional(dataset, change, "InversionRecovery") or "").upper() == "YES":
        methods |= {"IR"}
    stated = str(header_value(dataset, "EchoPulseSequence") or "").upper()
    methods |= {"SPIN": {"SE"}, "GRADIENT": {"GR"}}.get(stated, set())
    suppression = str(functional(dataset, change, "SpectrallySelectedSuppression") or "").upper()
    options = _codes(header_value(dataset, "ScanOptions"))
    options |= {"FS"} if suppression == "FAT" else set()
    return Numbers(
        number(functional(dataset, echo, "EffectiveEchoTime") or header_value(dataset, "EchoTime")),
        number(functional(dataset, timing, "RepetitionTime")),
        next((time for time in times if time > 0), float("nan")),
        number(functional(dataset, timing, "FlipAngle")),
        frozenset(methods),
        frozenset(options),
        frozenset(_codes(header_value(dataset, "SequenceVariant"))),
        number(functional(dataset, "MRDiffusionSequence", "DiffusionBValue")),
    )


def dataset_number(dataset: Dataset, keyword: str) -> float:
    """A number of the header, NaN where it is missing or none."""
    return number(header_value(dataset, keyword))


def _first_number(value: Any) -> float:
    several = isinstance(value, list | tuple) or type(value).__name__ == "MultiValue"
    return number(value[0] if several and len(value) else value)


def _codes(value: Any) -> set[str]:
    several = isinstance(value, list | tuple) or type(value).__name__ == "MultiValue"
    return {str(one).strip().upper() for one in (value if several else [value]) if one not in (None, "")}


def sequence_of(dataset: Dataset) -> dict[str, Any]:
    """``value``, ``source``, ``confidence`` and what contradicts it, as ``votes.settle`` gives them."""
    stated = numbers_of(dataset)
    texts = [(keyword, weight, _text(header_value(dataset, keyword))) for keyword, weight in WORDS]
    group = "MRImageFrameTypeSequence"
    types = _codes(header_value(dataset, "ImageType")) | _codes(functional(dataset, group, "FrameType"))
    contrast = str(functional(dataset, group, "AcquisitionContrast") or "").strip().upper()
    fat = [*_once(_fat_by_words(texts)), *_fat_by_type(types), *_fat_by_numbers(stated)]
    fat += [Hint(INVERTED, "AcquisitionContrast", 0.85)] if contrast == "STIR" else []
    weighting = [*_once(_weighting_by_words(texts)), *_weighting_by_numbers(stated)]
    weighting += [Hint(_CONTRASTS[contrast], "AcquisitionContrast", 0.8)] if contrast in _CONTRASTS else []
    return _joined(settle(weighting), settle(_as_one_family(fat)))


def _text(value: Any) -> str:
    return plain(str(value or "").replace("*", " star "))


def _once(hints: Iterator[Hint]) -> Iterator[Hint]:
    """A protocol's name is often that of the series: words that say the same are one hint."""
    seen = set()
    for hint in hints:
        if hint.value not in seen:
            seen.add(hint.value)
            yield hint


def _joined(weighting: dict[str, Any], fat: dict[str, Any]) -> dict[str, Any]:
    """One name of the weighting and of what became of the fat."""
    kind, state = str(weighting["value"]), str(fat["value"])
    sure_of_kind, sure_of_state = float(weighting["confidence"]), float(fat["confidence"])
    sources = " + ".join(
        dict.fromkeys(one for part in (fat, weighting) for one in part["source"].split(" + ") if one)
    )
    if state in (INVERTED, TIRM):
        doubt = sure_of_kind if kind in (names.T1, names.FLAIR, names.DIFFUSION, names.T2_STAR) else 0.0
        value, sure = (names.TIRM if state == TIRM else names.STIR), sure_of_state * (1 - doubt)
        stir = {"value": value, "source": fat["source"], "confidence": round(sure, 3)}
        against = fat.get("contradicted_by", {}) | ({weighting["source"]: kind} if doubt else {})
        return stir | ({"contradicted_by": against} if against else {})
    if state in (FAT, OPPOSED):
        value, sure = (names.FAT_IMAGE if state == FAT else names.OPPOSED), sure_of_state
    elif state:
        value, sure = _LABELS.get((kind, state), ""), min(sure_of_kind, sure_of_state)
    else:
        value, sure = kind, sure_of_kind
    against = {**fat.get("contradicted_by", {}), **weighting.get("contradicted_by", {})}
    found = {
        "value": value,
        "source": sources if value else "",
        "confidence": round(sure, 3) if value else 0.0,
    }
    return found | ({"contradicted_by": against} if against else {})


def _matches(pattern: str, text: str) -> bool:
    return re.search(rf"(?<![a-z0-9])(?:{pattern})(?![a-z0-9])", text) is not None


def _weighting_by_words(texts: list[tuple[str, float, str]]) -> Iterator[Hint]:
    """One hint a text that names one weighting; none where it names two."""
    for source, weight, text in texts:
        found = [value for value, pattern in _WEIGHTINGS if _matches(pattern, text)]
        found = [one for one in found if not (one == names.T2 and {names.T2_STAR, names.FLAIR} & set(found))]
        if len(found) == 1:
            yield Hint(found[0], source, weight)


def _fat_by_type(types: set[str]) -> Iterator[Hint]:
    parts = {_TYPES[one] for one in types if one in _TYPES}
    if len(parts) == 1:
        yield Hint(parts.pop(), "ImageType", 0.85)


def _fat_by_words(texts: list[tuple[str, float, str]]) -> Iterator[Hint]:
    for source, weight, text in texts:
        found = next((value for value, pattern in _SUPPRESSION if _matches(pattern, text)), None)
        is_dixon = _matches(_DIXON, text)
        part = next((value for value, pattern in _PARTS if _matches(pattern, text)), None)
        if found is not None and not is_dixon:
            yield Hint(found, source, weight)
        elif is_dixon and part is not None:
            yield Hint(part, source, weight)


def _as_one_family(hints: list[Hint]) -> list[Hint]:
    """TIRM is a STIR: what says STIR supports TIRM where that is named."""
    has_name = any(hint.value == TIRM for hint in hints)
    return [
        Hint(TIRM, hint.source, hint.weight) if has_name and hint.value == INVERTED else hint
        for hint in hints
    ]


def _fat_by_numbers(stated: Numbers) -> Iterator[Hint]:
    if NULLS_FAT[0] <= stated.inversion <= NULLS_FAT[1] and "GR" not in stated.methods:
        yield Hint(INVERTED, "InversionTime", 0.75 if "IR" in stated.methods else 0.4)
    elif "FS" in stated.options:
        yield Hint(SATURATED, "ScanOptions", 0.7)


def _weighting_by_numbers(stated: Numbers) -> Iterator[Hint]:
    """By echo and repetition time, in milliseconds."""
    found = _weighting_of(stated)
    if found is not None:
        yield Hint(found[0], "EchoTime and RepetitionTime", found[1])


def _weighting_of(stated: Numbers) -> tuple[str, float] | None:
    if stated.b_value > 0 or "EP" in stated.methods:
        return names.DIFFUSION, 0.7
    if not np.isfinite([stated.echo, stated.repetition]).all():
        return None
    if NULLS_WATER[0] <= stated.inversion <= NULLS_WATER[1]:
        return (names.FLAIR, 0.7) if stated.echo >= 60 else None
    if "GR" in stated.methods and "SE" not in stated.methods:
        return _of_gradient_echo(stated)
    if stated.repetition <= 1100 and stated.echo <= 35:
        return names.T1, 0.7
    if stated.inversion > NULLS_FAT[1] and stated.echo <= 40:
        return names.T1, 0.6
    if stated.repetition >= 1200 and stated.echo >= 75:
        return names.T2, 0.7
    if stated.repetition >= 1500 and stated.echo <= 45:
        return names.PD, 0.6
    return None


def _of_gradient_echo(stated: Numbers) -> tuple[str, float] | None:
    if "SS" in stated.variants and stated.repetition < 12:
        return None  # balanced: of both weightings
    if stated.echo >= 12:
        return names.T2_STAR, 0.6
    if stated.flip >= 20 and stated.repetition <= 700:
        return names.T1, 0.55
    return None
