"""The free-response curve: lesions hit against false marks a stack, at every limit of confidence.

A mark is a part of the mask that hangs together over slices; it hits the lesions that it overlaps, and is a
false one where it overlaps none. A lesion is a part of the reference that hangs together. Source: the
free-response operating characteristic of Bunch 1977 (not verified here).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from core.agreement.bootstrap import DRAWS
from models.evaluation.intervals import ratio

TOGETHER = np.ones((3, 3, 3), int)
TOGETHER[[0, 2]] = ndimage.generate_binary_structure(2, 1)  # corners touch within a slice only
FALSE_MARKS = (0.25, 0.5, 1.0, 2.0, 4.0)  # a stack, at which sensitivity is read off the curve
POINTS = 40  # of the curve that are kept


@dataclass(frozen=True)
class Mark:
    """A part found. peak: its highest confidence. hits: numbers of the lesions that it overlaps."""

    peak: float
    hits: tuple[int, ...]


@dataclass(frozen=True)
class Marked:
    """The marks of a stack and how many lesions it has."""

    marks: tuple[Mark, ...]
    lesions: int


def marked(chances: np.ndarray, extent: float, reference: np.ndarray) -> Marked:
    """Marks are parts above ``extent``. chances, reference: (frames, rows, columns), in spatial order."""
    parts, _ = ndimage.label(chances > extent, TOGETHER)
    lesions, number = ndimage.label(reference > 0, TOGETHER)
    found = []
    for label, box in enumerate(ndimage.find_objects(parts), 1):
        inside = parts[box] == label
        hits = np.unique(lesions[box][inside])
        peak = float(np.asarray(chances[box], np.float32)[inside].max())
        found.append(Mark(peak, tuple(int(one) for one in hits if one)))
    return Marked(tuple(found), int(number))


def counts_at(one: Marked, limit: float) -> tuple[int, int]:
    """Lesions hit, and false marks, of marks whose peak is ``limit`` or more."""
    kept = [mark for mark in one.marks if mark.peak >= limit]
    hit = {lesion for mark in kept for lesion in mark.hits}
    return len(hit), sum(not mark.hits for mark in kept)


def curve(
    stacks: Sequence[Marked], in_masks: Sequence[Marked], subjects: Sequence[str], *, draws: int = DRAWS
) -> dict[str, Any]:
    """The curve over all stacks, the sensitivity at ``FALSE_MARKS``, and the operating point.

    in_masks: the marks of the masks that the model gives. Each sensitivity on the curve is that at the lowest
    limit with no more false marks a stack; intervals draw patients at that limit. ``lesions``, ``stacks``,
    ``patients``: of how many.
    """
    limits = _limits(stacks)
    found = np.array([[counts_at(one, at) for one in stacks] for at in limits], float).reshape(
        len(limits), len(stacks), 2
    )
    lesions = np.array([one.lesions for one in stacks], float)
    hits, false = found[:, :, 0].sum(axis=1), found[:, :, 1].mean(axis=1) if len(stacks) else np.zeros(0)
    several = max(lesions.sum(), 1.0)
    kept = np.unique(np.linspace(0, len(limits) - 1, min(POINTS, len(limits))).round().astype(int))
    return {
        "stacks": len(stacks),
        "patients": len(set(subjects)),
        "lesions": int(lesions.sum()),
        "operating_point": _point(in_masks, subjects, 0.0, draws) | {"limit": None},
        "at_false_marks": [
            {"false_marks": most, **_point(stacks, subjects, _lowest(limits, false, most), draws)}
            for most in FALSE_MARKS
        ],
        "curve": [[round(false[at], 4), round(hits[at] / several, 4), round(limits[at], 4)] for at in kept],
    }


def _limits(stacks: Sequence[Marked]) -> list[float]:
    """Every limit that makes a difference, the highest first, and one above all."""
    peaks = sorted({mark.peak for one in stacks for mark in one.marks}, reverse=True)
    return [float("inf"), *peaks] if not peaks else [peaks[0] + 1e-3, *peaks]


def _lowest(limits: Sequence[float], false: np.ndarray, most: float) -> float:
    """The lowest limit with at most so many false marks a stack."""
    return next(limits[at] for at in reversed(range(len(limits))) if false[at] <= most + 1e-9)


def _point(stacks: Sequence[Marked], subjects: Sequence[str], limit: float, draws: int) -> dict[str, Any]:
    counts = np.array([counts_at(one, limit) for one in stacks], float).reshape(len(stacks), 2)
    lesions = np.array([one.lesions for one in stacks], float)
    return {
        "limit": round(limit, 4) if np.isfinite(limit) else None,
        "sensitivity": ratio(counts[:, 0], lesions, subjects, is_proportion=True, draws=draws),
        "false_marks_a_stack": ratio(counts[:, 1], np.ones(len(stacks)), subjects, draws=draws),
    }
