"""Regions of an ultrasound screen as the file states them (SequenceOfUltrasoundRegions, PS3.3, C.8.5.5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydicom.dataset import Dataset

from core.domain import Box, ScanArea
from data.dicom.pixel_values import header_value, number
from data.dicom.read import whole_number

CENTIMETRES = 3  # of PhysicalUnitsXDirection
PICTURE = 1  # of RegionSpatialFormat: rows and columns are places
SPECTRUM = 3
KINDS = {1: "tissue", 2: "doppler", 3: "spectral", 4: "spectral"}  # of RegionDataType
SMALLEST, LARGEST = 0.001, 20.0  # mm between pixels; outside of it is a wrong header
MOST = 64  # regions of a screen; more are damage


def areas_of(dataset: Dataset) -> tuple[ScanArea, ...]:
    """The regions of a file, without those that cannot lie in a picture; none where it states none."""
    try:
        regions = list(dataset.get("SequenceOfUltrasoundRegions") or [])[:MOST]
    except Exception:  # a damaged sequence fails on access, in many ways
        return ()
    found = (_area(region) for region in regions)
    return tuple(area for area in found if area is not None)


def _area(region: Dataset) -> ScanArea | None:
    ends = [
        whole_number(header_value(region, f"RegionLocation{end}"))
        for end in ("MinX0", "MinY0", "MaxX1", "MaxY1")
    ]
    x0, y0, x1, y1 = (-1 if end is None else end for end in ends)
    if not (0 <= x0 < x1 and 0 <= y0 < y1):
        return None
    return ScanArea(Box(x0, y0, x1 + 1, y1 + 1), _millimetres(region), _kind(region))


def _kind(region: Dataset) -> str:
    layout = whole_number(header_value(region, "RegionSpatialFormat"))
    kind = KINDS.get(whole_number(header_value(region, "RegionDataType")) or 0, "other")
    if layout == SPECTRUM:
        return "spectral"
    return kind if layout == PICTURE else "other"


def _millimetres(region: Dataset) -> tuple[float, float] | None:
    """Millimetres a pixel down and across; a negative step says only where 0 is."""
    units = [whole_number(header_value(region, f"PhysicalUnits{axis}Direction")) for axis in ("Y", "X")]
    steps = [abs(10 * number(header_value(region, f"PhysicalDelta{axis}"))) for axis in ("Y", "X")]
    is_right = units == [CENTIMETRES, CENTIMETRES] and all(SMALLEST <= step <= LARGEST for step in steps)
    return (steps[0], steps[1]) if is_right else None


def as_json(areas: Iterable[ScanArea]) -> list[dict[str, Any]]:
    """As JSON values, as stored with the picture."""
    return [
        {
            "box": [area.box.x0, area.box.y0, area.box.x1, area.box.y1],
            "mm": None if area.mm_per_pixel is None else list(area.mm_per_pixel),
            "kind": area.kind,
        }
        for area in areas
    ]


def from_json(stored: Iterable[Mapping[str, Any]] | None) -> tuple[ScanArea, ...]:
    """From ``as_json``; none where nothing was stored."""
    return tuple(
        ScanArea(
            Box(*(float(end) for end in area["box"])),
            None if area["mm"] is None else (float(area["mm"][0]), float(area["mm"][1])),
            str(area["kind"]),
        )
        for area in stored or ()
    )
