"""Images of one series put together to a stack: slices in the order of their place along the slice normal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from core.domain import Image, Point
from core.errors import InputError

SAME_DIRECTION = 0.01  # largest difference of two direction cosines that are taken as one
SAME_PLACE_MM = 0.01
WIDE_GAP = 1.5  # times the usual distance, from which slices are no neighbours
EVEN = 0.02  # share of the mean distance by which distances between slices may differ and still be one number


def along_normal(positions_mm: Sequence[Point], orientation: tuple[Point, Point]) -> np.ndarray:
    """Where frames lie along the slice normal (row direction x column direction), in mm.

    Source: DICOM PS3.3, C.7.6.2.1.1 (Image Plane).
    """
    distance: np.ndarray = np.asarray(positions_mm, dtype=float) @ np.cross(*orientation)
    return distance


DIRECTIONS = (("left of", "right of"), ("in front of", "behind"), ("above", "below"))  # by the normal's axis


def places_on_axis(image: Image) -> np.ndarray | None:
    """Where frames lie along the normal, mm; None where the files do not say.

    They grow to the patient's right, to the back or to the feet, whichever the normal is nearest to, and
    whichever way the stack was taken.
    """
    if image.orientation is None or image.positions_mm is None:
        return None
    normal, axis = _normal(image.orientation)
    grows = 1.0 if axis == 1 else -1.0  # patient coordinates grow to the left, the back and the head
    return np.asarray(along_normal(image.positions_mm, image.orientation) * grows * np.sign(normal[axis]))


def on_axis(image: Image) -> tuple[Image, np.ndarray, np.ndarray]:
    """A stack with its frames in the order of ``places_on_axis``, these places, and the order of its frames.

    One whose places are not known stays as it is, and has no places.
    """
    places = places_on_axis(image)
    if places is None or image.positions_mm is None:
        return image, np.zeros(0), np.arange(len(image.frames))
    order = np.argsort(places, kind="stable")
    positions = tuple(image.positions_mm[index] for index in order)
    sorted_ = replace(image, frames=image.frames[order], colour=None, positions_mm=positions)
    return sorted_, places[order], order


def _normal(orientation: tuple[Point, Point]) -> tuple[np.ndarray, int]:
    normal = np.cross(*orientation)
    return normal, int(np.argmax(np.abs(normal)))


Corners = tuple[tuple[str, tuple[float, float]], ...]


def corners_on(one: Image, two: Image) -> tuple[Corners, Corners] | None:
    """The corners of the first stack's middle slice in pixels (x, y) of either stack; None where unknown.

    They lie at one place of the patient where both were taken without moving between.
    """
    known = [stack for stack in (one, two) if stack.orientation and stack.positions_mm and stack.spacing_mm]
    if len(known) != 2:
        return None
    rows, columns = one.frames.shape[1:]
    names = {
        "upper left": (0, 0),
        "upper right": (columns, 0),
        "lower left": (0, rows),
        "lower right": (columns, rows),
    }
    origins = [np.asarray(stack.positions_mm)[len(stack.frames) // 2] for stack in (one, two)]
    axes = [_pixel_axes(stack) for stack in (one, two)]
    there = []
    for name, (x, y) in names.items():
        away = origins[0] + x * axes[0][0] + y * axes[0][1] - origins[1]
        column, row = (float(away @ axis) / float(axis @ axis) for axis in axes[1])
        there.append((name, (column, row)))
    return tuple((name, (float(x), float(y))) for name, (x, y) in names.items()), tuple(there)


def _pixel_axes(stack: Image) -> tuple[np.ndarray, np.ndarray]:
    """mm in patient coordinates of one pixel along a row, and of one down a column."""
    assert stack.orientation is not None and stack.spacing_mm is not None
    row, column = (np.asarray(direction, dtype=float) for direction in stack.orientation)
    return row * stack.spacing_mm[1], column * stack.spacing_mm[0]


def beside_middle(places_mm: np.ndarray, orientation: tuple[Point, Point]) -> tuple[str, ...]:
    """Where each frame lies from the middle of the stack: ``3.5 mm left of the middle``.

    places_mm: of ``places_on_axis``.
    """
    before, behind = DIRECTIONS[_normal(orientation)[1]]
    middle = (float(np.min(places_mm)) + float(np.max(places_mm))) / 2
    away = np.round(np.asarray(places_mm, dtype=float) - middle, 1)
    return tuple(
        "at the middle" if not mm else f"{abs(mm):.1f} mm {before if mm < 0 else behind} the middle"
        for mm in away.tolist()
    )


def matched_frames(
    first: Sequence[float] | np.ndarray,
    second: Sequence[float] | np.ndarray,
    *,
    shift: float = 0.0,
    within: float,
) -> dict[int, int]:
    """Frame of the first stack -> frame of the second that lies nearest to it, both ways round.

    first, second: places along the normal, mm, in any order. shift: what is added to the second's. within:
    largest distance of two slices that show the same. A frame without a partner is left out.
    """
    one, two = np.asarray(first, dtype=float), np.asarray(second, dtype=float) + shift
    if not len(one) or not len(two):
        return {}
    away = np.abs(one[:, None] - two[None])
    there, back = away.argmin(axis=1), away.argmin(axis=0)
    return {
        frame: int(other)
        for frame, other in enumerate(there)
        if back[other] == frame and away[frame, other] <= within
    }


def slice_spacing(places_mm: np.ndarray) -> float | None:
    """The distance between neighbouring slices; None of fewer than two, or where distances differ.

    places_mm: along the normal, in any order.
    """
    gaps = np.diff(np.sort(places_mm))
    if not len(gaps) or gaps.min() < SAME_PLACE_MM or np.ptp(gaps) > EVEN * gaps.mean():
        return None
    return round(float(gaps.mean()), 4)


def shift_by_middles(one: Mapping[str, float], two: Mapping[str, float]) -> float | None:
    """mm to add to a second stack's places, by the middles of bodies that both name; None without one.

    The patient does not lie as before, so stacks of two visits share no places. one, two: body -> place of
    its middle along the normal, mm.
    """
    both = one.keys() & two.keys()
    return float(np.median([one[name] - two[name] for name in both])) if both else None


def are_neighbours(places_mm: np.ndarray, wide_gap: float = WIDE_GAP) -> np.ndarray:
    """Of each two slices that follow each other, whether none is missing between them; shape (n - 1,).

    places_mm: along the normal, sorted. wide_gap: times the median distance.
    """
    gaps = np.diff(np.asarray(places_mm, dtype=float))
    return np.asarray(gaps <= wide_gap * np.median(gaps)) if len(gaps) else np.zeros(0, dtype=bool)


def stack_of(series: str, images: Sequence[Image]) -> Image:
    """The slices of a series as one image, sorted by their place along the slice normal.

    images: of one frame or more, at least one; what they show is taken from the first.
    Raises InputError where a position or orientation is unknown, planes are not parallel, sizes differ, or
    two slices lie at one place: such images can be listed, but they are no stack.
    """
    first = images[0]
    problem = why_no_stack(images)
    if problem or first.orientation is None:
        raise _no_stack(series, problem)
    positions = [place for image in images for place in image.positions_mm or ()]
    places = along_normal(positions, first.orientation)
    order = np.argsort(places, kind="stable")
    if np.any(np.diff(places[order]) < SAME_PLACE_MM):
        raise _no_stack(series, "two slices lie at one place")
    return replace(
        first,
        image=series,
        frames=np.concatenate([image.frames for image in images])[order],
        colour=None,
        slice_spacing_mm=slice_spacing(places) or first.slice_spacing_mm,
        positions_mm=tuple(positions[index] for index in order),
        times_ms=None,
    )


def _no_stack(series: str, problem: str) -> InputError:
    return InputError(f"series {series[:24]} is no stack", problem, "list its images instead")


def why_no_stack(images: Sequence[Image]) -> str:
    """What stands against a stack of these images, by their geometry; ``""`` where nothing does."""
    first = images[0]
    if any(image.orientation is None or image.positions_mm is None for image in images):
        return "the files do not say where its slices lie"
    if any(image.frames.shape[1:] != first.frames.shape[1:] for image in images):
        return "its images differ in size"
    if any(image.spacing_mm != first.spacing_mm for image in images):
        return "its images differ in pixel spacing"
    turned = np.abs(np.array([image.orientation for image in images]) - np.array(first.orientation))
    if turned.max() > SAME_DIRECTION:
        return "its slices are not parallel"
    return ""
