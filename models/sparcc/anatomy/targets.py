"""What a network of bodies and discs is to find on labelled volumes, and where that is not known.

A volume has bodies labelled or discs, never both, and not all that it shows: no value is asked for where the
labels say nothing. Between two labelled bodies the disc is drawn by rule (their facing halves' convex hull
less the bodies) and counts half: an aid in training, never a reference in a test.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from models.sparcc.anatomy.volumes import LabelledStack

CHANNELS = ("body", "disc", "L5", "C2")
FULL, HALF = 2, 1  # weights of what is known and of what is drawn by rule
BAND_MM = 45.0  # to either side of the column beyond its labelled ends, where more of it may lie
BELOW_MM = 120.0
THICKEST = 16  # pixels: a thicker gap is none of a disc but of masks that end before the body does
END = {True: "S1", False: "L5-S1"}  # below which nothing is to be found: of bodies, of discs


@dataclass(frozen=True)
class Targets:
    """wanted, weight: (channels, slices, rows, columns) uint8, of ``CHANNELS``; weight 0 (not known) to 2."""

    wanted: np.ndarray
    weight: np.ndarray


def targets_of(stack: LabelledStack) -> Targets:
    """The targets of a volume of the lumbar spine, which shows no C2."""
    wanted = np.zeros((len(CHANNELS), *stack.labels.shape), np.uint8)
    weight = np.full(wanted.shape, FULL, np.uint8)
    beyond = _beyond_labels(stack)
    body, disc, lowest, _ = range(len(CHANNELS))
    if stack.has_bodies:
        wanted[body] = stack.labels > 0
        weight[body][beyond & (stack.labels == 0)] = 0
        wanted[disc], weight[disc] = _drawn_discs(stack.labels)
        weight[disc][beyond & (stack.labels == 0)] = 0
        if "L5" in stack.names:
            wanted[lowest] = stack.labels == 1 + stack.names.index("L5")
        else:
            weight[lowest] = 0
    else:
        wanted[disc] = stack.labels > 0
        weight[disc][beyond & (stack.labels == 0)] = 0
        weight[body][stack.labels == 0] = 0
        weight[lowest][stack.labels == 0] = 0
    return Targets(wanted, weight)


def _beyond_labels(stack: LabelledStack) -> np.ndarray:
    """Where bodies and discs that nobody labelled may lie: above the uppermost label, below the lowest."""
    centres = [np.argwhere(stack.labels == value)[:, 1:].mean(axis=0) for value in _values(stack.labels)]
    grid = np.moveaxis(np.indices(stack.labels.shape[1:]), 0, -1).astype(float)
    spacing = np.array(stack.spacing_mm[1:])
    above = _past(grid, centres[-2], centres[-1], stack.labels == _values(stack.labels)[-1], spacing)
    if stack.names[0] == END[stack.has_bodies]:
        beyond = above[0]
    else:
        below, along = _past(grid, centres[1], centres[0], stack.labels == 1, spacing)
        beyond = above[0] | (below & (along < BELOW_MM))
    return np.broadcast_to(beyond, stack.labels.shape)


def _values(labels: np.ndarray) -> list[int]:
    return [int(value) for value in np.unique(labels) if value]


def _past(
    grid: np.ndarray, inner: np.ndarray, outer: np.ndarray, last: np.ndarray, spacing: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(rows, columns): beyond the last label seen from the one before, near the column; and mm beyond."""
    along = (outer - inner) * spacing
    along /= np.linalg.norm(along)
    apart = (grid - outer) * spacing
    far = ((np.argwhere(last)[:, 1:] - outer) * spacing @ along).max()
    past = apart @ along - far
    aside = np.abs(apart @ np.array([-along[1], along[0]]))
    return (past > 0) & (aside < BAND_MM), past


def _drawn_discs(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Discs between labelled bodies by rule, and the weights of that channel."""
    wanted = np.zeros(labels.shape, np.uint8)
    weight = np.full(labels.shape, FULL, np.uint8)
    values = _values(labels)
    for place, picture in enumerate(labels):
        for lower, upper in pairwise(values):
            hull = _between(picture == lower, picture == upper) & (picture == 0)
            gap = cv2.morphologyEx(hull.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0
            ring = cv2.dilate(hull.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
            weight[place][ring & (picture == 0)] = 0
            if gap.any() and gap.sum() < THICKEST * np.ptp(np.argwhere(gap)[:, 1]):
                weight[place][gap] = HALF
                wanted[place][gap] = 1
    return wanted, weight


def _between(lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """The convex hull of the facing halves of two bodies of one slice."""
    hull = np.zeros(lower.shape, np.uint8)
    if lower.sum() < 20 or upper.sum() < 20:
        return hull > 0
    below, above = np.argwhere(lower), np.argwhere(upper)
    along = above.mean(axis=0) - below.mean(axis=0)
    facing = [
        below[(below - below.mean(axis=0)) @ along > 0],
        above[(above - above.mean(axis=0)) @ along < 0],
    ]
    points = np.concatenate(facing)[:, ::-1].astype(np.int32)
    cv2.fillConvexPoly(hull, cv2.convexHull(points), 1)
    return hull > 0
