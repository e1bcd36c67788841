"""The operating point of the finder, chosen on tuning patients: where masks end, and which of them count."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from core.domain import Image
from core.errors import InputError
from models.sparcc.oedema.finder import Patch, Point, patches
from models.sparcc.rendered import Stack

AIM = (0.80, 0.89)  # sensitivity and specificity of images of the method rebuilt here (2024)
EXTENTS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
AREAS_MM2 = (0.0, 6.0, 10.0)  # the readers of the phantom see from about 6 mm2 on


@dataclass(frozen=True)
class Seen:
    """What the network sees on a stack: chances, and the reference mask, both (frames, rows, columns)."""

    patient: str
    chances: np.ndarray
    oedema: np.ndarray
    spacing_mm: tuple[float, float]


class Looks(Protocol):
    """What gives chances of a stack: the network alone, or around the bodies as a stack is scored."""

    def chances(self, image: Image) -> np.ndarray: ...


def see(finder: Looks, stacks: Iterable[Stack]) -> list[Seen]:
    """The network's chances on rendered stacks, without those that are abstained on."""
    seen = []
    for stack in stacks:
        try:
            chances = finder.chances(stack.image())
        except InputError:
            continue
        seen.append(Seen(stack.patient, chances, stack.oedema > 0, stack.spacing_mm))
    return seen


@dataclass(frozen=True)
class Slices:
    """Slices of all stacks. peak: the highest chance of a patch that finds the slice positive by ``overlap``,
    0 where none does. positive: by the reference.
    """

    peak: np.ndarray
    positive: np.ndarray

    def thresholds(self) -> list[float]:
        """Those that part the slices."""
        peaks = np.unique(np.floor(self.peak[self.peak > 0] * 1000) / 1000)
        return [round(float(one), 3) for one in peaks]

    def at(self, threshold: float) -> tuple[float, float]:
        """Sensitivity and specificity."""
        found = self.peak >= threshold
        return float(found[self.positive].mean()), float((~found[~self.positive]).mean())


def slices_of(seen: Sequence[Seen], parts: Sequence[Sequence[Patch]], min_area_mm2: float) -> Slices:
    """The slices of all stacks from their patches."""
    peaks = []
    for one, found in zip(seen, parts, strict=True):
        positive = np.asarray(one.oedema.any(axis=(1, 2)))
        peak = np.zeros(len(positive))
        for patch in found:
            meets = not positive[patch.frame] or one.oedema[patch.frame][patch.pixels].any()
            if meets and patch.area_mm2 >= min_area_mm2:
                peak[patch.frame] = max(peak[patch.frame], patch.peak)
        peaks.append((peak, positive))
    return Slices(*(np.concatenate(part) for part in zip(*peaks, strict=True)))


def dice_at(seen: Sequence[Seen], extent: float) -> float:
    """Dice over the positive slices of all stacks together, of masks that end at ``extent``."""
    both = total = 0
    for one in seen:
        shown = one.oedema.any(axis=(1, 2))
        found, wanted = one.chances[shown] > extent, one.oedema[shown]
        both += int((found & wanted).sum())
        total += int(found.sum()) + int(wanted.sum())
    return 2 * both / total if total else 0.0


def choose(seen: Sequence[Seen]) -> tuple[Point, dict[str, Any]]:
    """The point, and what it gives on the tuning patients.

    Masks end where Dice is highest and enough is found still; the least area is the one with which most is
    found at the specificity aimed at; of the patches those count that bring images nearest to ``AIM``. Raises
    InputError where nothing was seen, the network finds nothing, or no slice shows oedema, or all do.
    """
    if not seen:
        raise InputError(
            "the tuning stacks", "a row of bodies must be found on some", "give more patients or train longer"
        )
    by_extent = {extent: [patches(one.chances, extent, one.spacing_mm) for one in seen] for extent in EXTENTS}
    dice = {extent: dice_at(seen, extent) for extent in EXTENTS}
    extent = _extent(seen, by_extent, dice)
    by_area = {area: slices_of(seen, by_extent[extent], area) for area in AREAS_MM2}
    area = max(AREAS_MM2, key=lambda one: _found_at(by_area[one], AIM[1]))
    slices = by_area[area]
    threshold = min(slices.thresholds(), key=lambda one: np.hypot(*np.subtract(slices.at(one), AIM)))
    reached = slices.at(threshold)
    figures = {
        "patients": len({one.patient for one in seen}),
        "stacks": len(seen),
        "slices": len(slices.positive),
        "positive_slices": int(slices.positive.sum()),
        "sensitivity": round(reached[0], 3),
        "specificity": round(reached[1], 3),
        "dice": round(dice[extent], 3),
        "aim": list(AIM),
    }
    return Point(threshold, extent, area), figures


def _extent(
    seen: Sequence[Seen], by_extent: dict[float, list[list[Patch]]], dice: dict[float, float]
) -> float:
    """The extent of the highest Dice with whose patches the sensitivity aimed at can be reached, else the
    least.
    """
    least = min(EXTENTS)
    every = slices_of(seen, by_extent[least], 0.0)
    if not every.peak.any() or every.positive.all() or not every.positive.any():
        raise InputError(
            f"{len(every.positive)} tuning slices",
            "some with oedema, some without, and a network that finds any are needed",
            "give more patients or train longer",
        )
    for extent in sorted(EXTENTS, key=lambda one: -dice[one]):
        found = slices_of(seen, by_extent[extent], 0.0)
        if (found.peak > 0)[found.positive].mean() >= AIM[0]:
            return extent
    return least


def _found_at(slices: Slices, specificity: float) -> float:
    """The highest sensitivity with at least that specificity."""
    reached = [slices.at(threshold) for threshold in slices.thresholds()]
    return max((found for found, right in reached if right >= specificity), default=0.0)
