"""Parts of a column from chances of pixels: bodies, and the discs between them and at its ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from scipy import ndimage

from models.sparcc.anatomy.levels import C2, L5, Found
from models.sparcc.anatomy.targets import CHANNELS

LIMIT = 0.5
MIN_SIZE = 0.3  # share of the usual volume of a body below which a part is none
OFF_COLUMN_MM = 25.0  # forward or back from the line of the column
FAR = 2.1  # times the usual distance between bodies: what lies beyond an end is another thing
OFF_DISC_MM = 30.0  # from the middle between two bodies, beyond which nothing is their disc


def bodies_of(
    chances: np.ndarray, spacing_mm: tuple[float, float], step_mm: float
) -> tuple[np.ndarray, list[Found]]:
    """Bodies as labels from 1 (frames, rows, columns), and each by its place, size and looks.

    Parts are told apart after a shrinking by two pixels in the plane, as neighbours may touch, and grown back
    within what hangs together.
    """
    body = (chances[CHANNELS.index("body")] > LIMIT) & (
        chances[CHANNELS.index("body")] >= chances[CHANNELS.index("disc")]
    )
    cross = ndimage.generate_binary_structure(2, 1)[None]
    seeds, count = ndimage.label(ndimage.binary_erosion(body, cross, iterations=2))
    if not count:
        return np.zeros(body.shape, np.uint16), []
    nearest = ndimage.distance_transform_edt(
        seeds == 0, sampling=(step_mm, *spacing_mm), return_distances=False, return_indices=True
    )
    parts, _ = ndimage.label(body)
    grown = np.where(body & (parts == parts[tuple(nearest)]), seeds[tuple(nearest)], 0)
    volumes = np.bincount(grown.ravel(), minlength=count + 1)[1:]
    usual = np.median(volumes[volumes >= 0.1 * volumes.max()])
    kept = [number + 1 for number in np.flatnonzero(volumes >= MIN_SIZE * usual)]
    found = [_found(grown == number, label, chances, spacing_mm) for label, number in enumerate(kept, 1)]
    found = [one for one, near in zip(found, _on_column(found), strict=True) if near]
    found = [one for one, joined in zip(found, _joined(found), strict=True) if joined]
    labels = np.zeros(body.shape, np.uint16)
    for number, one in enumerate(found, 1):
        labels[grown == kept[one.label - 1]] = number
    return labels, [replace(one, label=number) for number, one in enumerate(found, 1)]


def _found(mask: np.ndarray, label: int, chances: np.ndarray, spacing_mm: tuple[float, float]) -> Found:
    places = np.argwhere(mask)
    rows = places[:, 1] * spacing_mm[0]
    centre = (-float(places[:, 2].mean()) * spacing_mm[1], -float(rows.mean()))
    largest = mask[mask.sum(axis=(1, 2)).argmax()]
    heights = largest.sum(axis=0)
    height = float(np.quantile(heights[heights > 0], 0.75)) * spacing_mm[0]
    maps = dict(zip(CHANNELS, chances, strict=False))  # a network of an earlier version has no map of C2
    lowest, first = (
        float(maps[name][mask].astype(float).mean()) if name in maps else 0.0 for name in (L5, C2)
    )
    return Found(label, centre, height, lowest, first=first)


def _on_column(found: list[Found]) -> list[bool]:
    """Whether each body lies on the line of the column, a parabola through most of them."""
    if len(found) < 4:
        return [True] * len(found)
    ahead, up = np.array([body.centre for body in found]).T
    weight = np.ones(len(found))
    for _ in range(5):
        line = np.polynomial.Polynomial.fit(up, ahead, 2, w=weight)
        off = np.abs(line(up) - ahead)
        weight = 1 / np.maximum(off, 3.0)
    return list(off <= OFF_COLUMN_MM)


def _joined(found: list[Found]) -> list[bool]:
    """Whether each body is joined to the column: not one or two beyond an end of it that lie far off."""
    order = np.argsort([-body.centre[1] for body in found])
    apart = np.linalg.norm(np.diff([found[place].centre for place in order], axis=0), axis=1)
    joined = np.ones(len(found), dtype=bool)
    if len(found) >= 4:
        far = apart > FAR * np.median(apart)
        for strays in (1, 2):
            if far[strays - 1]:
                joined[order[:strays]] = False
            if far[len(far) - strays]:
                joined[order[len(order) - strays :]] = False
    return list(joined)


def discs_of(
    chances: np.ndarray, labels: np.ndarray, bodies: Sequence[Found], spacing_mm: tuple[float, float]
) -> tuple[np.ndarray, list[Found]]:
    """Discs from head to foot as 1, 2 ... (frames, rows, columns), 1 above the uppermost body, and the bodies
    with what lies below each. A pixel belongs to the nearest place between two bodies, or half a distance
    beyond an end.
    """
    found = np.zeros(labels.shape, np.uint16)
    column = sorted(bodies, key=lambda body: -body.centre[1])
    disc = (chances[CHANNELS.index("disc")] > LIMIT) & (labels == 0)
    if len(column) < 2 or not disc.any():
        return found, list(bodies)
    centres = np.array([body.centre for body in column])
    ends = 2 * centres[[0, -1]] - centres[[1, -2]]
    middles = np.array([(a + b) / 2 for a, b in pairwise([ends[0], *centres, ends[1]])])
    places = np.argwhere(disc)
    away = np.linalg.norm(-places[:, None, :0:-1] * np.array(spacing_mm[::-1]) - middles[None], axis=2)
    nearest = away.argmin(axis=1)
    near = away.min(axis=1) <= OFF_DISC_MM
    found[tuple(places[near].T)] = 1 + nearest[near]
    volumes = np.bincount(nearest[near], minlength=len(middles))
    usual = max(float(np.median(volumes[1:-1])), 1.0)
    below = {body.label: float(volume) / usual for body, volume in zip(column, volumes[1:], strict=True)}
    return found, [replace(body, disc_below=below[body.label]) for body in bodies]
