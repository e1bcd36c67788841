"""From masks of oedema to yes or no: of a slice, and of a segment of the spine.

Rules of an attention U-Net on 330 patients with axial spondyloarthritis (2024): an image is positive where
the mask found is not empty, a true positive only where it overlaps the reference; a segment (cervical,
thoracic, lumbar stack) is positive with at least two positive images, which need not be neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from core.errors import InputError


class ImageRule(StrEnum):
    """When a slice counts as positive."""

    ANY_PIXEL = "any_pixel"  # a mask that is not empty
    OVERLAP = "overlap"  # the same, but on a slice with oedema only a mask that meets it


def positive_images(
    found: np.ndarray, rule: ImageRule = ImageRule.ANY_PIXEL, reference: np.ndarray | None = None
) -> np.ndarray:
    """(frames,) whether each slice is positive. found, reference: masks (frames, rows, columns).

    By ``OVERLAP`` a mask elsewhere on a slice with oedema does not find it, and on one without it is a false
    alarm as before. That rule needs a reference: raises InputError without one, or with one of another size.
    """
    is_any = np.asarray(found > 0).any(axis=(1, 2))
    if rule is ImageRule.ANY_PIXEL:
        return np.asarray(is_any)
    if reference is None:
        raise InputError(
            "the rule overlap without reference masks", "it compares with them", "use any_pixel instead"
        )
    if reference.shape != found.shape:
        raise InputError(
            f"reference masks of shape {reference.shape}",
            f"{found.shape} is needed",
            "give those of the stack",
        )
    meets = ((found > 0) & (reference > 0)).any(axis=(1, 2))
    return np.asarray(np.where((reference > 0).any(axis=(1, 2)), meets, is_any))


@dataclass(frozen=True)
class SegmentRule:
    """When a segment is positive: from ``min_slices`` positive slices on, in a row where ``contiguous``."""

    min_slices: int = 2
    contiguous: bool = False

    def __post_init__(self) -> None:
        if self.min_slices < 1:
            raise InputError(f"min_slices {self.min_slices}", "at least 1 is needed", "give a larger number")

    def is_positive(self, positive: np.ndarray, places_mm: np.ndarray | None = None) -> bool:
        """positive (frames,): slices in spatial order, or in any order with their places along the normal."""
        slices = np.asarray(positive, dtype=bool)
        if places_mm is not None:
            slices = slices[np.argsort(places_mm, kind="stable")]
        if not self.contiguous:
            return int(slices.sum()) >= self.min_slices
        return _longest_run(slices) >= self.min_slices


def _longest_run(flags: np.ndarray) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(int), [0]])))
    return int((edges[1::2] - edges[::2]).max()) if len(edges) else 0


@dataclass(frozen=True)
class Confusion:
    """Slices or segments by reference and decision."""

    true_positive: int
    false_negative: int
    false_positive: int
    true_negative: int

    def __add__(self, other: Confusion) -> Confusion:
        """Both together."""
        return Confusion(
            self.true_positive + other.true_positive,
            self.false_negative + other.false_negative,
            self.false_positive + other.false_positive,
            self.true_negative + other.true_negative,
        )


def confusion(decided: np.ndarray, reference: np.ndarray) -> Confusion:
    """The four counts of decisions (n,) against the reference (n,), both booleans."""
    yes, truth = np.asarray(decided, dtype=bool), np.asarray(reference, dtype=bool)
    return Confusion(
        int((yes & truth).sum()),
        int((~yes & truth).sum()),
        int((yes & ~truth).sum()),
        int((~yes & ~truth).sum()),
    )


def stack_confusion(
    found: np.ndarray,
    reference: np.ndarray,
    *,
    image_rule: ImageRule = ImageRule.ANY_PIXEL,
    segment_rule: SegmentRule | None = None,
    places_mm: np.ndarray | None = None,
) -> tuple[Confusion, Confusion]:
    """Of the slices of a stack, and of the stack as one segment; the same rule says whether its reference is
    positive.
    """
    rule = segment_rule or SegmentRule()
    truth = positive_images(reference)
    decided = positive_images(found, image_rule, reference)
    segment = (rule.is_positive(decided, places_mm), rule.is_positive(truth, places_mm))
    return confusion(decided, truth), confusion(np.array(segment[:1]), np.array(segment[1:]))
