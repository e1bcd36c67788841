"""How many millimetres of the patient a pixel is, by one rule, and which words of the header say so.

A radiograph is a shadow: what lies between tube and detector is drawn larger than it is. So the spacing is,
in this order (PS3.3, 10.7.1.3 and C.8.11.4):

1. PixelSpacing where it was calibrated: it states how, or differs from the spacing at the detector;
2. the spacing at the detector (ImagerPixelSpacing, or PixelSpacing equal to it) or on the scanned film
   (NominalScannedPixelSpacing), divided by the magnification: DistanceSourceToDetector /
   DistanceSourceToPatient, else EstimatedRadiographicMagnificationFactor, which is an estimate of it, else 1;
3. the region of an ultrasound picture.

A value that cannot be right is left out, and said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from data.dicom.classify import PROJECTION
from data.dicom.pixel_values import functional, functional_of_frames, header_value, number
from data.dicom.ultrasound.areas import areas_of

Pair = tuple[float, float]

SMALLEST, LARGEST = 0.001, 20.0  # mm between pixels; outside of it is a wrong header
LARGEST_OF_RADIOGRAPH = 2.0  # mm; a film of 1000 pixels would be two metres long
LARGEST_MAGNIFICATION = 2.0  # a joint half-way to the tube; more is no film of this kind
SAME = 5e-3  # by which two spacings may differ, as a proportion, and be the same, rounded differently
ESTIMATED = "EstimatedRadiographicMagnificationFactor"
FACTORS_AGREE = 0.02  # by which a stated factor and that of the distances may differ, as a proportion


@dataclass(frozen=True)
class Spacing:
    """Millimetres between rows and between columns, the words of the header they are from, and warnings.

    mm: None where the header does not say, or nothing that can be right; ``source`` is ``""`` then.
    """

    mm: Pair | None
    source: str
    warnings: tuple[str, ...] = ()


def spacing_of(dataset: Dataset, modality: str = "") -> Spacing:
    """The spacing of a file's pixels. modality: as classified, ``""`` where that is not known."""
    warnings: list[str] = []
    may_be_film = modality in PROJECTION or not modality
    stated = {
        keyword: _plausible(dataset, keyword, may_be_film, warnings)
        for keyword in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")
    }
    mm, source = _by_rule(dataset, stated, modality, warnings)
    if mm is None:
        mm, source = _of_ultrasound(dataset, warnings)
    warnings += _not_square(dataset, mm, modality)
    if mm is None and (modality in PROJECTION or (modality == "US" and not warnings)):
        warnings.append("the file does not say how many millimetres a pixel is")
    return Spacing(mm, source, tuple(dict.fromkeys(warnings)))


def _by_rule(
    dataset: Dataset, stated: dict[str, Pair | None], modality: str, warnings: list[str]
) -> tuple[Pair | None, str]:
    own, at_detector = stated["PixelSpacing"], stated["ImagerPixelSpacing"]
    keyword = "ImagerPixelSpacing" if at_detector else "NominalScannedPixelSpacing"
    flat = at_detector or stated["NominalScannedPixelSpacing"]
    if own and not (flat and _same(own, flat) and not _calibration(dataset)):
        warnings += _calibrated(dataset, own, at_detector, modality)
        return own, "PixelSpacing" + (
            f" (calibrated: {_calibration(dataset)})" if _calibration(dataset) else ""
        )
    if flat is None:
        return None, ""
    factor, words = _magnification(dataset, warnings)
    return (flat[0] / factor, flat[1] / factor), f"{keyword} / {words}" if words else keyword


def _plausible(dataset: Dataset, keyword: str, may_be_film: bool, warnings: list[str]) -> Pair | None:
    """The pair of a keyword; None where it is missing or cannot be right, which is said."""
    value = functional(dataset, "PixelMeasuresSequence", keyword)
    if _is_missing(value):
        return None
    pair = _pair(value)
    if pair is None:
        warnings.append(f"{keyword} is not two numbers and was left out")
        return None
    largest = LARGEST_OF_RADIOGRAPH if may_be_film else LARGEST
    is_placeholder = may_be_film and pair == (1.0, 1.0)
    if is_placeholder or not all(SMALLEST <= distance <= largest for distance in pair):
        warnings.append(f"{keyword} {pair[0]:g} x {pair[1]:g} mm cannot be right and was left out")
        return None
    others = {_pair(other) for other in functional_of_frames(dataset, "PixelMeasuresSequence", keyword)}
    if len(others - {pair}) > 0:
        warnings.append(f"{keyword} is not the same for all frames and was left out")
        return None
    return pair


def _calibration(dataset: Dataset) -> str:
    """How PixelSpacing was calibrated, ``""`` where that is not said."""
    stated = str(dataset.get("PixelSpacingCalibrationType", "") or "").strip().upper()
    return stated if stated in ("GEOMETRY", "FIDUCIAL") else ""


def _calibrated(dataset: Dataset, own: Pair, at_detector: Pair | None, modality: str) -> Iterator[str]:
    """What is odd about a PixelSpacing that is taken as that of the patient."""
    if at_detector:
        factor = at_detector[0] / own[0]
        if not 1 - SAME <= factor <= LARGEST_MAGNIFICATION:
            yield (
                f"PixelSpacing {own[0]:g} mm and ImagerPixelSpacing {at_detector[0]:g} mm contradict each "
                f"other (a magnification of {factor:.2g}); PixelSpacing was taken"
            )
    elif modality in PROJECTION and not _calibration(dataset):
        factor, words = _magnification(dataset, [])
        if factor != 1:
            yield (
                "the file does not say whether PixelSpacing is calibrated to the patient; it was taken as "
                f"such, and {words} not applied"
            )


def _magnification(dataset: Dataset, warnings: list[str]) -> tuple[float, str]:
    """By how much the picture is larger than the patient, at least 1, and the words that say so."""
    by_distance, estimated = _by_distance(dataset, warnings), _estimated(dataset, warnings)
    if by_distance is None:
        return (estimated, f"{ESTIMATED} {estimated:g}") if estimated else (1.0, "")
    if estimated and abs(by_distance / estimated - 1) > FACTORS_AGREE:
        warnings.append(
            f"the magnification factor {estimated:g} and that of the distances, {by_distance:.3g}, "
            "contradict each other; that of the distances was taken"
        )
    return by_distance, f"(DistanceSourceToDetector / DistanceSourceToPatient = {by_distance:.4g})"


def _estimated(dataset: Dataset, warnings: list[str]) -> float | None:
    value = header_value(dataset, ESTIMATED)
    if _is_missing(value):
        return None
    factor = number(value)
    if 1 <= factor <= LARGEST_MAGNIFICATION:
        return factor
    warnings.append(f"the magnification factor {_shown(factor)} cannot be right and was left out")
    return None


def _by_distance(dataset: Dataset, warnings: list[str]) -> float | None:
    values = [
        header_value(dataset, keyword) for keyword in ("DistanceSourceToDetector", "DistanceSourceToPatient")
    ]
    if any(_is_missing(value) for value in values):
        return None
    to_detector, to_patient = (number(value) for value in values)
    if to_patient > 0 and to_patient <= to_detector <= LARGEST_MAGNIFICATION * to_patient:
        return to_detector / to_patient
    warnings.append(
        f"DistanceSourceToDetector {_shown(to_detector)} and DistanceSourceToPatient {_shown(to_patient)} "
        "give no magnification that can be right and were left out"
    )
    return None


def _of_ultrasound(dataset: Dataset, warnings: list[str]) -> tuple[Pair | None, str]:
    scales = [
        area.mm_per_pixel
        for area in areas_of(dataset)
        if area.mm_per_pixel is not None and area.kind in ("tissue", "doppler")
    ]
    if not scales:
        return None, ""
    if not all(_same(scale, scales[0]) for scale in scales):
        warnings.append("regions of the screen have different scales: lengths are measured in none of them")
        return None, ""
    return scales[0], "SequenceOfUltrasoundRegions"


def _not_square(dataset: Dataset, mm: Pair | None, modality: str) -> Iterator[str]:
    """What to say of pixels that are not as high as they are wide."""
    aspect = _pair(header_value(dataset, "PixelAspectRatio"))  # height, width
    if aspect and min(aspect) > 0:
        ratio = aspect[0] / aspect[1]
        if mm is None and abs(ratio - 1) > SAME:
            yield (
                f"the pixels are not square (PixelAspectRatio {aspect[0]:g}:{aspect[1]:g}) and no spacing is "
                "stated: lengths and shapes in the picture are wrong"
            )
        elif mm and abs(mm[0] / mm[1] / ratio - 1) > 0.02:
            yield (
                f"PixelAspectRatio {aspect[0]:g}:{aspect[1]:g} contradicts the spacing {mm[0]:g} x {mm[1]:g} "
                "mm, which was taken"
            )
    if mm and modality in PROJECTION and abs(mm[0] / mm[1] - 1) > 0.02:
        yield f"the pixels are not square ({mm[0]:.4g} x {mm[1]:.4g} mm)"


def _same(one: Pair, other: Pair) -> bool:
    return all(abs(a / b - 1) <= SAME for a, b in zip(one, other, strict=True))


def _pair(value: Any) -> Pair | None:
    try:
        first, second = (float(part) for part in value)
    except (TypeError, ValueError):
        return None
    return (first, second) if np.isfinite(first) and np.isfinite(second) else None


def _is_missing(value: Any) -> bool:
    return value is None or not str(value).strip()


def _shown(value: float) -> str:
    """A number of the header; a text that is none is not shown, whatever it says."""
    return f"{value:g}" if np.isfinite(value) else "(no number)"
