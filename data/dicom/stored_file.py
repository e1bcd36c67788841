"""The stored copy of a film: de-identified header in front of the delivered pixel data, never encoded again.

Name of a film (``image`` in the store)::

    SHA-256( every byte before the pixel data ‖ SHA-256 of the pixel data as stored )

so that the pixels of an uncompressed film are hashed only once, for this and for recognising them again.
"""

from __future__ import annotations

import hashlib
import io
import os
import struct
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset, FileDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset, write_file_meta_info
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from data.dicom.deidentify import new_meta
from data.dicom.read import quiet

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
PIXEL_DATA = 0x7FE00010
_END_OF_FRAMES = b"\xfe\xff\xdd\xe0\x00\x00\x00\x00"


@dataclass(frozen=True)
class FilmFile:
    """A film ready to be written: ``header`` and ``pixels`` in this order, then ``tail``.

    is_there: the film of that name is in its place already and is not written.
    """

    image: str
    header: bytes
    pixels: bytes | memoryview
    tail: bytes = b""
    is_there: bool = False

    def write(self, path: Path) -> None:
        """Write the file; it is on the disk, not only on its way there, when this returns."""
        with open(path, "wb", buffering=0) as stream:
            for part in (self.header, self.pixels, self.tail):
                _write_all(stream.fileno(), part)
            os.fsync(stream.fileno())


def film_file(
    dataset: FileDataset, transfer_syntax: UID, pixels: bytes | memoryview, pixels_digest: bytes
) -> FilmFile:
    """The de-identified data set as a file.

    dataset: de-identified, with a SOPInstanceUID; its PixelData are taken from ``pixels`` instead.
    pixels_digest: SHA-256 of ``pixels``.
    """
    if transfer_syntax == DeflatedExplicitVRLittleEndian:  # inflated on reading, and kept so
        transfer_syntax = ExplicitVRLittleEndian
    raw = dataset.get_item("PixelData")
    kind = "OB" if transfer_syntax.is_encapsulated else str(getattr(raw, "VR", None) or "OW")
    del dataset["PixelData"]
    header = _header(dataset, transfer_syntax) + _pixel_tag(kind, len(pixels), transfer_syntax)
    tail = _END_OF_FRAMES if transfer_syntax.is_encapsulated else b"\0" * (len(pixels) % 2)
    return FilmFile(_name(header, pixels_digest), header, pixels, tail)


@dataclass(frozen=True)
class ReadBack:
    """A stored file as it lies on disk: the name that it should have, and where its pixel data are.

    image: ``""`` where the file cannot be read, or holds more or less than it was written with.
    """

    image: str
    pixels_at: int = 0
    pixels_length: int = 0


def read_back(path: Path) -> ReadBack:
    """What a stored file holds. Its ``image`` differs from the file's name if the file was changed or cut.

    The digest of pixel data of an odd length may be with or without the byte that fills them up: both were
    written, and both are whole.
    """
    content = path.read_bytes()
    try:
        with quiet(), io.BytesIO(content) as stream:
            dataset = pydicom.dcmread(stream)
            raw, is_encapsulated = dataset.get_item("PixelData"), _is_encapsulated(dataset)
        start, value = raw.value_tell, raw.value  # type: ignore[union-attr]
        end = start + len(value)
    except Exception:  # damage shows in many ways
        return ReadBack("")
    if content[end:] != (_END_OF_FRAMES if is_encapsulated else b""):
        return ReadBack("")
    lengths = (len(value), len(value) - 1) if value.endswith(b"\0") else (len(value),)
    names = [_name(content[:start], hashlib.sha256(value[:length]).digest()) for length in lengths]
    return ReadBack(path.stem if path.stem in names else names[0], start, len(value))


def image_of(path: Path) -> str:
    """The name that the stored file should have by its content, ``""`` where it cannot be read."""
    return read_back(path).image


def _name(header: bytes, pixels_digest: bytes) -> str:
    return hashlib.sha256(header + pixels_digest).hexdigest()


def _is_encapsulated(dataset: Dataset) -> bool:
    return bool(UID(str(dataset.file_meta.TransferSyntaxUID)).is_encapsulated)


def _header(dataset: FileDataset, transfer_syntax: UID) -> bytes:
    sop_class = str(dataset.get("SOPClassUID", "") or SECONDARY_CAPTURE)
    dataset.SOPClassUID = sop_class
    meta = new_meta(dataset, sop_class, transfer_syntax)
    stream = DicomBytesIO()
    stream.write(b"\0" * 128 + b"DICM")
    write_file_meta_info(stream, meta, enforce_standard=True)
    stream.is_implicit_VR = transfer_syntax.is_implicit_VR
    stream.is_little_endian = transfer_syntax.is_little_endian
    start = stream.tell()
    try:
        write_dataset(stream, dataset)
    except Exception:  # a damaged value that nobody looked at so far
        stream.seek(start)
        stream.truncate()
        _drop_unreadable(dataset)
        write_dataset(stream, dataset)
    return bytes(stream.getvalue())


def _drop_unreadable(dataset: Dataset) -> None:
    """Remove every entry, at any depth, that cannot be read and written again on its own."""
    for tag in list(dataset.keys()):
        try:
            element = dataset[tag]
            if element.VR == "SQ":
                for item in element.value:
                    _drop_unreadable(item)
            alone = Dataset()
            alone.add(element)
            scratch = DicomBytesIO()
            scratch.is_implicit_VR, scratch.is_little_endian = False, True
            write_dataset(scratch, alone)
        except Exception:  # whatever it is, it cannot be stored
            del dataset[tag]


def _pixel_tag(kind: str, length: int, transfer_syntax: UID) -> bytes:
    """Tag, value representation and length in front of the pixel data."""
    order = "<" if transfer_syntax.is_little_endian else ">"
    size = 0xFFFFFFFF if transfer_syntax.is_encapsulated else length + length % 2
    tag = struct.pack(order + "HH", PIXEL_DATA >> 16, PIXEL_DATA & 0xFFFF)
    if transfer_syntax.is_implicit_VR:
        return tag + struct.pack(order + "L", size)
    return tag + kind.encode() + b"\0\0" + struct.pack(order + "L", size)


def _write_all(handle: int, part: bytes | memoryview) -> None:
    view = memoryview(part)
    while view:
        view = view[os.write(handle, view) :]
