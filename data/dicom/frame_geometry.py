"""Where the frames of a file lie in the patient, and when they were taken: what its header states.

A classic file has one position and orientation, an enhanced one has them in functional groups, shared or
one a frame (DICOM PS3.3, C.7.6.16); a cine has the time between frames (C.7.6.5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from core.domain import Point
from core.imaging.stacks import along_normal, slice_spacing
from data.dicom.pixel_values import first_item, functional, number

UNIT_LENGTH = 0.02  # by which two directions may differ from length 1 and from right angles


@dataclass(frozen=True)
class FrameGeometry:
    """What ``core.domain.Image`` holds under the same names; None where the header does not state it."""

    slice_spacing_mm: float | None = None
    orientation: tuple[Point, Point] | None = None
    positions_mm: tuple[Point, ...] | None = None
    times_ms: tuple[float, ...] | None = None

    def columns(self) -> dict[str, Any]:
        """Columns of the table ``image``: directions and positions are numbers in a row, three each."""
        return {
            "spacing_slice_mm": self.slice_spacing_mm,
            "orientation": _flat(self.orientation),
            "positions_mm": _flat(self.positions_mm),
            "frame_times_ms": list(self.times_ms) if self.times_ms is not None else None,
        }

    def fields(self) -> dict[str, Any]:
        """For ``dataclasses.replace`` of an image, and as JSON values."""
        return asdict(self)


def geometry_of(dataset: Dataset, frames: int) -> FrameGeometry:
    """The geometry of a file of that many frames."""
    orientation = _orientation(dataset)
    positions = _positions(dataset, frames)
    spacing = None
    if orientation is not None and positions is not None:
        spacing = slice_spacing(along_normal(positions, orientation))
    return FrameGeometry(spacing or _stated_spacing(dataset), orientation, positions, _times(dataset, frames))


def from_columns(row: Mapping[Any, Any]) -> FrameGeometry:
    """From a row with the columns of ``FrameGeometry.columns`` (missing values as None)."""
    orientation, positions = _points(row["orientation"]), _points(row["positions_mm"])
    times = row["frame_times_ms"]
    return FrameGeometry(
        row["spacing_slice_mm"],
        (orientation[0], orientation[1]) if orientation else None,
        positions,
        None if times is None else tuple(float(time) for time in times),
    )


def from_fields(fields: dict[str, Any]) -> FrameGeometry:
    """From ``FrameGeometry.fields`` after a passage through JSON; other keys are passed over."""
    flat = {name: _flat(fields.get(name)) for name in ("orientation", "positions_mm")}
    return from_columns(
        {
            **flat,
            "spacing_slice_mm": fields.get("slice_spacing_mm"),
            "frame_times_ms": fields.get("times_ms"),
        }
    )


def _flat(points: Sequence[Sequence[float]] | None) -> list[float] | None:
    return None if points is None else [float(value) for point in points for value in point]


def _points(values: Sequence[float] | None) -> tuple[Point, ...] | None:
    if values is None:
        return None
    return tuple((float(x), float(y), float(z)) for x, y, z in np.reshape(values, (-1, 3)))


# -- reading the header ------------------------------------------------------------------------------------


def _groups(dataset: Dataset) -> list[Dataset]:
    """The functional groups of each frame; none in a classic file."""
    try:
        return list(dataset.get("PerFrameFunctionalGroupsSequence") or [])
    except Exception:  # a damaged sequence fails on access, in many ways
        return []


def _of_frame(group: Dataset, name: str, keyword: str) -> Any:
    item = first_item(group, name)
    return None if item is None else item.get(keyword)


def _numbers(value: Any, count: int) -> tuple[float, ...] | None:
    try:
        found = tuple(float(part) for part in value)
    except (TypeError, ValueError):
        return None
    return found if len(found) == count and np.isfinite(found).all() else None


def directions_of_frames(dataset: Dataset, frames: int) -> list[list[float]] | None:
    """Directions of rows and columns of each frame, six numbers each; None unless every frame has its own."""
    stated = [
        _of_frame(group, "PlaneOrientationSequence", "ImageOrientationPatient") for group in _groups(dataset)
    ]
    found = [_numbers(value, 6) for value in stated]
    if len(found) != frames:
        return None
    return [list(one) for one in found if one is not None] if None not in found else None


def _orientation(dataset: Dataset) -> tuple[Point, Point] | None:
    """Directions of rows and columns; None unless they are the same for all frames and at right angles."""
    name, keyword = "PlaneOrientationSequence", "ImageOrientationPatient"
    stated = [_of_frame(group, name, keyword) for group in _groups(dataset)]
    own = [value for value in stated if value is not None] or [functional(dataset, name, keyword)]
    found = [_numbers(value, 6) for value in own]
    if None in found or np.ptp(np.array(found), axis=0).max() > 1e-4:
        return None
    directions = np.array(found[0]).reshape(2, 3)
    if np.abs(directions @ directions.T - np.eye(2)).max() > UNIT_LENGTH:
        return None
    row, column = _points(found[0]) or ()
    return row, column


def _positions(dataset: Dataset, frames: int) -> tuple[Point, ...] | None:
    """The position of each frame; None unless every frame has one of its own."""
    name, keyword = "PlanePositionSequence", "ImagePositionPatient"
    stated = [_of_frame(group, name, keyword) for group in _groups(dataset)]
    if frames == 1 and not any(value is not None for value in stated):
        stated = [functional(dataset, name, keyword)]
    found = [_numbers(value, 3) for value in stated]
    if len(found) != frames or None in found:
        return None
    return _points([value for place in found if place for value in place])


def _stated_spacing(dataset: Dataset) -> float | None:
    value = number(functional(dataset, "PixelMeasuresSequence", "SpacingBetweenSlices"))
    return value if np.isfinite(value) and value > 0 else None


def _times(dataset: Dataset, frames: int) -> tuple[float, ...] | None:
    """Milliseconds of each frame from the first, by FrameTimeVector or FrameTime."""
    if frames == 1:
        return None
    steps = _numbers(dataset.get("FrameTimeVector"), frames)
    step = number(dataset.get("FrameTime"))
    if steps is None and np.isfinite(step) and step > 0:
        steps = (0.0,) + (step,) * (frames - 1)
    if steps is None or min(steps) < 0:
        return None
    return tuple(float(time) for time in np.round(np.cumsum((0.0, *steps[1:])), 4))
