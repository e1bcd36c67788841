"""What is kept of how a file of slices was acquired: worked out before its words are taken out.

Sequence and region (``sequence``, ``region``) go into columns where they are certain enough. What sorts the
slices of a series into stacks is kept as a record: the contrast and the run that each frame belongs to,
whether it is a localiser or was taken as a block, and directions of frames that do not all run the same way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from core.imaging.sequences import AS_STATED, FROM_TAGS
from data.dicom.classify import SURE_ENOUGH
from data.dicom.frame_geometry import FrameGeometry, directions_of_frames
from data.dicom.mr.region import region_of
from data.dicom.mr.sequence import sequence_of
from data.dicom.pixel_values import first_item, functional, header_value, number
from data.dicom.read import whole_number
from data.dicom.votes import plain

LARGEST_NUMBER = 9999  # of a run, an echo or a time
OF_SLICES = frozenset({"MR", "CT"})
_LOCALISER = re.compile(
    r"(?<![a-z])(?:loc|localis\w*|localiz\w*|scout\w*|survey|planscan|smart ?brain|aahscout)(?![a-z])"
)
_UPRIGHT = (
    0.7  # cosine between columns and the body's axis from which the picture's height is one of the body
)


@dataclass(frozen=True)
class Acquisition:
    """Columns of the table ``image``, and the record of how sequence and region were found."""

    columns: dict[str, Any] = field(default_factory=dict)
    record: dict[str, dict[str, Any]] = field(default_factory=dict)


def as_stated(value: str) -> dict[str, Any]:
    """How a value was found that a person states."""
    return {"value": value, "source": "map file", "confidence": 1.0, "how": AS_STATED}


NOTHING = Acquisition({"sequence": None, "region": None, "slice_thickness_mm": None, "acquisition": None})


def acquisition_of(dataset: Dataset, modality: str, geometry: FrameGeometry, frames: int) -> Acquisition:
    """Of a file of slices; ``NOTHING`` of films and cines."""
    if modality not in OF_SLICES:
        return NOTHING
    sequence = sequence_of(dataset) if modality == "MR" else _unknown()
    region = region_of(dataset, _height_mm(dataset, geometry))
    thickness = number(functional(dataset, "PixelMeasuresSequence", "SliceThickness"))
    columns = {
        "sequence": _sure(sequence),
        "region": _sure(region),
        "slice_thickness_mm": float(thickness) if 0 < thickness < 1000 else None,
        "acquisition": _sorting(dataset, geometry, frames),
    }
    record = {
        name: settled | {"how": FROM_TAGS}
        for name, settled in (("sequence", sequence), ("region", region))
        if settled["value"] or "contradicted_by" in settled
    }
    return Acquisition(columns, record)


def _unknown() -> dict[str, Any]:
    return {"value": "", "source": "", "confidence": 0.0}


def _sure(settled: dict[str, Any]) -> str | None:
    return str(settled["value"]) or None if settled["confidence"] >= SURE_ENOUGH else None


def _height_mm(dataset: Dataset, geometry: FrameGeometry) -> float | None:
    """Height of the picture where its columns run along the body; None where they do not, or unstated."""
    spacing = functional(dataset, "PixelMeasuresSequence", "PixelSpacing")
    rows = whole_number(dataset.get("Rows"))
    try:
        between = float(spacing[0])
    except (TypeError, ValueError, IndexError):
        return None
    is_upright = geometry.orientation is not None and abs(geometry.orientation[1][2]) >= _UPRIGHT
    return rows * between if rows and is_upright and 0 < between < 20 else None


def _sorting(dataset: Dataset, geometry: FrameGeometry, frames: int) -> dict[str, Any]:
    """What sorts slices into stacks; only what is not the rule is noted."""
    words = " ".join(plain(header_value(dataset, name)) for name in ("SeriesDescription", "ProtocolName"))
    types = [str(one).upper() for one in header_value(dataset, "ImageType") or [] if isinstance(one, str)]
    found: dict[str, Any] = {
        "localiser": "LOCALIZER" in types or _LOCALISER.search(words) is not None,
        "volume": str(header_value(dataset, "MRAcquisitionType") or "").strip().upper() == "3D",
        "echo": _small(_first(header_value(dataset, "EchoNumbers"))),
        "run": _small(header_value(dataset, "AcquisitionNumber")),
        "time": _small(header_value(dataset, "TemporalPositionIdentifier")),
    }
    if frames > 1:
        found["contrasts"] = _numbered([_contrast_of(group) for group in _groups(dataset)], frames)
        if geometry.orientation is None:
            found["directions"] = directions_of_frames(dataset, frames)
    return {name: value for name, value in found.items() if value not in (None, False, 0)}


def _small(value: Any) -> int | None:
    """A number that counts something; a long one may be somebody's."""
    found = whole_number(value)
    return found if found is not None and 0 < found <= LARGEST_NUMBER else None


def _first(value: Any) -> Any:
    several = isinstance(value, list | tuple) or type(value).__name__ == "MultiValue"
    return (value[0] if len(value) else None) if several else value


def _groups(dataset: Dataset) -> list[Dataset]:
    try:
        return list(dataset.get("PerFrameFunctionalGroupsSequence") or [])
    except Exception:  # a damaged sequence fails on access, in many ways
        return []


def _contrast_of(group: Dataset) -> tuple[Any, ...]:
    """What tells the contrast and the run of a frame from others: its echo, kind, b-value and time."""
    values = []
    for sequence, keyword in (
        ("MREchoSequence", "EffectiveEchoTime"),
        ("MRImageFrameTypeSequence", "FrameType"),
        ("MRDiffusionSequence", "DiffusionBValue"),
        ("FrameContentSequence", "TemporalPositionIndex"),
    ):
        item = first_item(group, sequence)
        value = None if item is None else header_value(item, keyword)
        size = number(value)
        values.append(round(size, 1) if np.isfinite(size) else str(value))
    return tuple(values)


def _numbered(kinds: list[tuple[Any, ...]], frames: int) -> list[int] | None:
    """A number a frame, the same for the same kind; None where all are of one."""
    different = list(dict.fromkeys(kinds))
    return [different.index(kind) for kind in kinds] if len(kinds) == frames and len(different) > 1 else None
