"""A volume in a MetaImage file (.mha) as sagittal DICOM slices, so that it goes through the ordinary ingest.

The header says size, spacing, directions (one row an axis, towards left, back and head) and offset. The axis
that runs most from side to side counts the slices; in a slice, columns run to the back and rows to the feet.
"""

from __future__ import annotations

import io
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
from pydicom.dataset import FileDataset
from pydicom.uid import MRImageStorage

from data.datasets.frame import FilmFile
from data.datasets.pictures import new_dataset, set_pixels, uid_of
from data.dicom.read import LARGEST_SERIES, Refusal
from data.dicom.volume_planes import SAGITTAL, Grid, planes_of
from data.ingest.sources import Source

KINDS = {
    "MET_UCHAR": "u1", "MET_CHAR": "i1", "MET_USHORT": "u2", "MET_SHORT": "i2", "MET_UINT": "u4",
    "MET_INT": "i4", "MET_FLOAT": "f4", "MET_DOUBLE": "f8",
}  # fmt: skip
HEADER_BYTES = 8192
DAMAGED = "is no MetaImage volume, or is cut short; download it again"


@dataclass(frozen=True)
class Header:
    """Where the voxels lie, how their values are written, and where these begin in the file."""

    grid: Grid
    kind: np.dtype
    is_packed: bool
    begins: int


def header_of(stream: BinaryIO) -> Header:
    """The header of a volume. Raises Refusal."""
    stream.seek(0)
    start = stream.read(HEADER_BYTES)
    at = start.find(b"ElementDataFile")
    end = start.find(b"\n", at)
    if at < 0 or end < 0:
        raise Refusal(DAMAGED)
    lines = start[:end].decode("ascii", "replace").splitlines()
    said = {name.strip(): value.strip() for name, _, value in (line.partition("=") for line in lines)}
    try:
        size = tuple(int(word) for word in said["DimSize"].split())
        spacing = tuple(float(word) for word in said["ElementSpacing"].split())
        directions = np.array([float(word) for word in said["TransformMatrix"].split()]).reshape(3, 3)
        offset = np.array([float(word) for word in said["Offset"].split()])
        order = ">" if said.get("BinaryDataByteOrderMSB", "False").casefold() == "true" else "<"
        kind = np.dtype(order + KINDS[said["ElementType"]])
    except (KeyError, ValueError):
        raise Refusal(DAMAGED) from None
    is_local = said.get("ElementDataFile", "").casefold() == "local"
    if len(size) != 3 or min(size) < 1 or len(spacing) != 3 or offset.shape != (3,) or not is_local:
        raise Refusal("is no volume of three dimensions with its values in the same file")
    if not np.isfinite([*spacing, *directions.ravel(), *offset]).all() or min(spacing) <= 0:
        raise Refusal(DAMAGED)
    if float(np.prod(size, dtype=float)) * kind.itemsize > LARGEST_SERIES:
        raise Refusal("the volume is larger than any series is")
    is_packed = said.get("CompressedData", "False").casefold() == "true"
    grid = Grid(size, spacing, directions, offset)  # type: ignore[arg-type]
    return Header(grid, kind, is_packed, end + 1)


def slices_of(path: Path) -> int:
    """How many sagittal slices a volume has. Raises Refusal, OSError."""
    with path.open("rb") as stream:
        header = header_of(stream)
    return header.grid.size[header.grid.across]


def slice_of(stream: BinaryIO, number: int) -> tuple[np.ndarray, dict[str, list[float]]]:
    """A slice as uint16 (rows, columns), and its place: ``position``, ``orientation``, ``spacing`` (row,
    column), ``between`` slices. Raises Refusal.
    """
    header = header_of(stream)
    values = _values(stream, header)
    low, high = float(values.min()), float(values.max())
    planes = planes_of(values, header.grid, header.grid.across, plane=SAGITTAL)
    plane = planes.frames[number].astype(np.float64)
    step = 1.0 if high - low <= 65535 and header.kind.kind in "iu" else 65535 / max(high - low, 1e-12)
    where = {
        "position": planes.positions[number].tolist(),
        "orientation": list(planes.orientation),
        "spacing": list(planes.spacing[:2]),
        "between": [planes.spacing[2]],
    }
    return np.ascontiguousarray(np.rint((plane - low) * step)).astype(np.uint16), where


def _values(stream: BinaryIO, header: Header) -> np.ndarray:
    """(third, second, first) values."""
    expected = int(np.prod(header.grid.size)) * header.kind.itemsize
    stream.seek(header.begins)
    try:
        unpack = zlib.decompressobj()
        content = unpack.decompress(stream.read(), expected) if header.is_packed else stream.read(expected)
    except zlib.error:
        raise Refusal(DAMAGED) from None
    if len(content) != expected:
        raise Refusal(DAMAGED)
    values = np.frombuffer(content, header.kind).reshape(header.grid.size[::-1])
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise Refusal("holds values that are no numbers")
    return values


@dataclass(frozen=True)
class SliceSource(Source):
    """One sagittal slice of a volume, opened as a DICOM file. number: from 0. sequence: ``T1``, ``T2``."""

    film: FilmFile = field(default_factory=lambda: FilmFile("", ""))
    protocol: str = ""
    number: int = 0
    sequence: str = ""

    def open(self) -> BinaryIO:
        """The slice as DICOM, the same bytes each time. Raises Refusal."""
        with super().open() as stream:
            pixels, where = slice_of(stream, self.number)
        dataset = new_dataset(self.film, self.protocol, MRImageStorage, "MR")
        _places(dataset, where, self)
        set_pixels(dataset, pixels)
        out = io.BytesIO()
        dataset.save_as(out, enforce_file_format=True)
        out.seek(0)
        return out


def _places(dataset: FileDataset, where: dict[str, list[float]], source: SliceSource) -> None:
    dataset.SOPInstanceUID = uid_of(source.protocol, source.film.file, str(source.number))
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.SeriesDescription = f"sag {source.sequence}"
    dataset.InstanceNumber = source.number + 1
    dataset.ImagePositionPatient = [f"{value:.6g}" for value in where["position"]]
    dataset.ImageOrientationPatient = [f"{value:.6g}" for value in where["orientation"]]
    dataset.PixelSpacing = [f"{value:.6g}" for value in where["spacing"]]
    dataset.SliceThickness = dataset.SpacingBetweenSlices = f"{where['between'][0]:.6g}"
