"""Files of ultrasound as machines write them, from drawn screens."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileDataset
from pydicom.sequence import Sequence

from core.domain import Box
from tests.helpers.drawn_ultrasound import Screen, draw
from tests.helpers.small_films import film

US, CINE = "1.2.840.10008.5.1.4.1.1.6.1", "1.2.840.10008.5.1.4.1.1.3.1"


def region(box: Box, *, kind: int = 1, mm: tuple[float, float] | None = (0.1, 0.1)) -> Dataset:
    """An item of SequenceOfUltrasoundRegions. kind: RegionDataType. mm: None without calibration."""
    item = Dataset()
    item.RegionSpatialFormat, item.RegionDataType, item.RegionFlags = 1, kind, 0
    item.RegionLocationMinX0, item.RegionLocationMinY0 = int(box.x0), int(box.y0)
    item.RegionLocationMaxX1, item.RegionLocationMaxY1 = int(box.x1) - 1, int(box.y1) - 1
    item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = 3 if mm else 0
    item.PhysicalDeltaY, item.PhysicalDeltaX = (value / 10 for value in mm) if mm else (0.0, 0.0)
    return item


def scan_file(screen: Screen | None = None, colour: np.ndarray | None = None, **tags: Any) -> FileDataset:
    """A file of a drawn screen, with its scan stated. colour: (frames,) rows, columns, 3 instead of it."""
    screen = screen or Screen(text="", seed=3)
    pixels = draw(screen) if colour is None else colour
    about: dict[str, Any] = {
        "Modality": "US", "PixelSpacing": None, "Manufacturer": "Acme", "ManufacturerModelName": "Echo 9",
        "SequenceOfUltrasoundRegions": Sequence([region(screen.box)]),
        "SeriesDescription": "MCP2 R dorsal long",
    }  # fmt: skip
    if pixels.ndim == 4:
        about |= {"NumberOfFrames": len(pixels), "FrameTime": 40}
    return film(pixels, sop_class=CINE if pixels.ndim == 4 else US, **(about | tags))
