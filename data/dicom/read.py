"""One DICOM file in: what it is, and its decoded frames; or a plain reason why it is not taken."""

from __future__ import annotations

import logging
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
import pydicom
from pydicom import config
from pydicom.dataset import Dataset, FileDataset
from pydicom.errors import InvalidDicomError
from pydicom.pixels.decoders.base import Decoder
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from data.dicom.code_streams import Promised, problem_of
from data.dicom.decoders import decoder_of
from data.dicom.inflate import TooFar, refuse_inflation
from data.dicom.picture.frame_count import more_pictures_than
from data.dicom.picture.stored_bits import BitsContradicted, high_bit_warning, picture_values, stored_bits

LARGEST_PICTURE = 256 << 20  # bytes of one decoded film; more is taken for damage or an attack
LARGEST_SERIES = 1 << 30  # likewise of what may hold many frames
_MANY_FRAMES = frozenset({"CT", "MR", "NM", "PT", "US", "XA", "RF", "IVUS", "OCT"})
AT_ONCE = 256 << 20  # bytes of all frames up to which they are decoded in one call
PIXEL_KEYWORDS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")

# SOP classes that are DICOM but no picture of a patient, by a word in the name of the class.
_NOT_IMAGES = (
    ("Surface Segmentation", "a surface segmentation"),
    ("Segmentation", "a segmentation"),
    ("Parametric Map", "a parametric map"),
    ("Structure Set", "a set of radiotherapy contours"),
    ("RT Dose", "a radiotherapy dose map"),
    ("RT Plan", "a radiotherapy plan"),
    ("RT Ion Plan", "a radiotherapy plan"),
    ("Presentation State", "a presentation state (how to show another image)"),
    ("Key Object", "a list of key images"),
    ("Encapsulated PDF", "a PDF document"),
    ("Encapsulated", "an encapsulated document"),
    ("Waveform", "a waveform (such as an ECG)"),
    ("Spectroscopy", "MR spectroscopy"),
    ("Registration", "a registration of other images"),
    ("Fiducials", "a set of marked points"),
    ("Raw Data", "a manufacturer's raw data"),
    ("Tractography", "a tractography result"),
    ("Annotation", "a set of annotations"),
    ("Protocol", "an examination protocol"),
    ("Media Storage Directory", "a DICOMDIR (an index of other files)"),
    (" SR", "a structured report"),
    ("Report", "a structured report"),
    ("Key Object Selection", "a list of key images"),
    ("Real World Value Mapping", "a table of measurement units"),
)
_VIDEO = ("MPEG", "HEVC", "SMPTE")


class Refusal(Exception):
    """This file is not taken; the text says why, in words for a trial coordinator."""


@dataclass
class DicomFile:
    """A readable DICOM image, its pixels not yet decoded.

    header_size: bytes before the pixel data (0 where the data set is deflated and nothing can be said).
    warnings: what was missing or repaired on reading.
    """

    dataset: FileDataset
    transfer_syntax: UID
    header_size: int
    warnings: list[str] = field(default_factory=list)

    @property
    def frame_count(self) -> int:
        return whole_number(self.dataset.get("NumberOfFrames")) or 1

    @property
    def is_native(self) -> bool:
        """True where the pixels lie in the file as they are, not compressed."""
        return not self.transfer_syntax.is_encapsulated


@contextmanager
def quiet() -> Iterator[None]:
    """Keep pydicom's warnings about odd values away: what matters is said in our own words."""
    logger = logging.getLogger("pydicom")
    settings = config.settings
    level, reading, writing = logger.level, settings.reading_validation_mode, settings.writing_validation_mode
    logger.setLevel(logging.CRITICAL)
    settings.reading_validation_mode = settings.writing_validation_mode = config.IGNORE
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
        settings.reading_validation_mode, settings.writing_validation_mode = reading, writing


def read_dicom(stream: BinaryIO) -> DicomFile:
    """Read one file, refusing what is no DICOM image.

    A file without meta header is read when its pixel data have the length that its header promises.
    Raises Refusal.
    """
    kind = kind_of(stream)
    if kind is not None:
        raise Refusal(kind)
    dataset = _parse(stream)
    _refuse_other_objects(dataset)
    notes: list[str] = []
    _require_picture(dataset, stream)
    syntax = _transfer_syntax(dataset, notes)
    _refuse_size(dataset)
    _refuse_code_stream(dataset, syntax)
    contradicted = high_bit_warning(dataset)
    notes += [contradicted] if contradicted else []
    deflated = syntax == DeflatedExplicitVRLittleEndian
    return DicomFile(dataset, syntax, 0 if deflated else _offset_of_pixels(dataset), notes)


def decode_frames(file: DicomFile) -> Iterator[np.ndarray]:
    """The frames one by one: (rows, columns) or (rows, columns, 3), stored values, YBR already as RGB.

    Values are as stored (the bits of the picture, moved to the bottom of their word): no rescale, look-up
    table, window or inversion. Raises Refusal.
    """
    try:
        for frames in _decoded(file):
            yield from _without_unused_bits(frames, file)
    except BitsContradicted as error:
        raise Refusal(f"{error}; ask the site to export the film again") from error
    except Refusal:
        raise
    except MemoryError as error:
        raise Refusal("the picture needs more memory than there is") from error
    except Exception as error:  # decoders raise whatever they like on damaged data
        raise Refusal(_why_not_decoded(file, str(error))) from error


def _refuse_more_pictures(file: DicomFile) -> None:
    value = getattr(file.dataset.get_item("PixelData"), "value", None)
    if not isinstance(value, bytes):
        return
    expected = expected_bytes(file.dataset)
    found = more_pictures_than(file.frame_count, value, expected, file.transfer_syntax)
    if found:
        raise Refusal(
            f"holds {found} pictures, but its header says {file.frame_count} (NumberOfFrames); ask the site "
            "to export each film as a file of its own"
        )


def _decoded(file: DicomFile) -> Iterator[np.ndarray]:
    """Decoded frames with all bits of their words, several at once while they are not too many."""
    decoder = _decoder(file.transfer_syntax)
    _refuse_more_pictures(file)
    options = {
        "view_only": file.is_native,
        "correct_unused_bits": whole_number(file.dataset.get("SamplesPerPixel")) != 1,
    }
    if file.frame_count == 1 or (expected_bytes(file.dataset) or 0) <= AT_ONCE:
        frames, described = decoder.as_array(file.dataset, **options)
        yield frames if int(described["number_of_frames"]) > 1 else frames[None]
    else:
        for index in range(file.frame_count):
            yield decoder.as_array(file.dataset, index=index, **options)[0][None]


def _without_unused_bits(frames: np.ndarray, file: DicomFile) -> np.ndarray:
    """The same frames where no bit outside of the picture is set."""
    bits = stored_bits(file.dataset)
    if bits is None:
        return frames
    if whole_number(file.dataset.get("SamplesPerPixel")) != 1:
        if bits.shift:
            raise BitsContradicted(
                "the picture is in colour and its values are not in the lowest bits (HighBit)"
            )
        return frames
    is_as_coded = not file.is_native and file.transfer_syntax != RLELossless
    values = picture_values(frames, bits, is_as_coded=is_as_coded)
    moved = f"the values lay in the upper bits of their words (HighBit {bits.high}) and were moved down"
    if bits.shift and values is not frames and moved not in file.warnings:
        file.warnings.append(moved)
    return values


def kind_of(stream: BinaryIO) -> str | None:
    """Why this is no DICOM file, from its first bytes; None where it may be one."""
    stream.seek(0)
    head = stream.read(512)
    stream.seek(0)
    if not head:
        return "the file is empty"
    if head[128:132] == b"DICM" or _starts_like_dicom(head):
        return None
    if head.startswith(b"PK\x03\x04"):
        office = any(word in head for word in (b"[Content_Types].xml", b"mimetype", b"_rels/"))
        return _OFFICE if office else _PACKED
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    if head.startswith(b"\x1f\x8b"):
        return _NIFTI if _unpacked_start(head)[344:347] in (b"n+1", b"ni1") else _GZIP
    if _is_text(head):
        return TEXT
    return "is not a DICOM file: it does not begin like one"


TEXT = "is a text file, not a DICOM image"
_OFFICE = "is a spreadsheet or document (Office file), not a DICOM image"
_PACKED = "is a zip archive that was not opened (too deep inside others, or not named .zip); unpack it first"
_GZIP = "is a gzip file, not a DICOM image; unpack it first"
_NIFTI = "is a NIfTI volume, not DICOM; import it with 'sharpline ingest'"
_PICTURE = "is a {} picture, not DICOM; ask the site for the DICOM export of this film"
_MAGIC = (
    (b"\xff\xd8\xff", _PICTURE.format("JPEG")),
    (b"\x89PNG", _PICTURE.format("PNG")),
    (b"BM", _PICTURE.format("BMP")),
    (b"GIF8", _PICTURE.format("GIF")),
    (b"II*\x00", _PICTURE.format("TIFF")),
    (b"MM\x00*", _PICTURE.format("TIFF")),
    (b"\x00\x00\x00\x0cjP  ", _PICTURE.format("JPEG 2000")),
    (b"\xff\x4f\xff\x51", _PICTURE.format("JPEG 2000")),
    (b"%PDF", "is a PDF document, not a DICOM image"),
    (b"7z\xbc\xaf", "is a 7z archive; unpack it, or pack it as zip"),
    (b"Rar!", "is a RAR archive; unpack it, or pack it as zip"),
    (b"PAR1", "is a Parquet table, not a DICOM image"),
    (b"\xd0\xcf\x11\xe0", "is an old Microsoft Office document, not a DICOM image"),
    (b"\x5c\x01\x00\x00", _NIFTI),
    (b"MZ", "is a program (perhaps the viewer on the disc), not a DICOM image"),
    (b"\x7fELF", "is a program, not a DICOM image"),
    (b"\x00\x05\x16\x07", "is a file of macOS (a resource fork), not a DICOM image"),
    (b"\x00\x00\x00\x01Bud1", "is a folder setting of macOS, not a DICOM image"),
)


def _starts_like_dicom(head: bytes) -> bool:
    """True for a data set without the 128-byte preamble: its first tag is in group 0002 or 0008."""
    if len(head) < 8:
        return False
    for order in ("little", "big"):
        group = int.from_bytes(head[0:2], order)  # type: ignore[arg-type]
        element = int.from_bytes(head[2:4], order)  # type: ignore[arg-type]
        if group in (0x0002, 0x0008) and element <= 0x0120:
            explicit = head[4:6].isalpha() and head[4:6].isupper()
            length = int.from_bytes(head[4:8], order)  # type: ignore[arg-type]
            if explicit or length < 4096:
                return True
    return False


def _unpacked_start(head: bytes) -> bytes:
    try:
        return zlib.decompressobj(31).decompress(head, 512)
    except zlib.error:
        return b""


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8", errors="strict")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:
            return False
        text = head[: error.start].decode("utf-8")
    return all(character.isprintable() or character in "\r\n\t\f\ufeff" for character in text)


def _parse(stream: BinaryIO) -> FileDataset:
    try:
        refuse_inflation(stream)
        return pydicom.dcmread(stream, force=True)
    except TooFar as error:
        raise Refusal(str(error)) from error
    except (InvalidDicomError, EOFError) as error:
        raise Refusal("the file is cut short or damaged: its header cannot be read") from error
    except MemoryError as error:
        raise Refusal("the file needs more memory than there is") from error
    except Exception as error:  # a damaged header can make the parser fail in many ways
        raise Refusal("the header is damaged and cannot be read") from error


def _refuse_other_objects(dataset: Dataset) -> None:
    name = sop_class_name(dataset)
    for word, plain in _NOT_IMAGES:
        if word in name:
            raise Refusal(f"is {plain}, not an image")
    if str(dataset.get("Modality", "")) == "SEG":
        raise Refusal("is a segmentation, not an image")


def sop_class_name(dataset: Dataset) -> str:
    """Name of the SOP class in the DICOM dictionary, ``""`` where it is missing or private."""
    meta = getattr(dataset, "file_meta", None) or Dataset()
    uid = str(dataset.get("SOPClassUID", "") or meta.get("MediaStorageSOPClassUID", "") or "")
    name = UID(uid).name if uid else ""
    return "" if name == uid else str(name)


def _require_picture(dataset: Dataset, stream: BinaryIO) -> None:
    if any(keyword in dataset for keyword in PIXEL_KEYWORDS):
        missing = [name for name in ("Rows", "Columns") if not whole_number(dataset.get(name))]
        if missing:
            raise Refusal(f"the size of the picture is missing from the header ({' and '.join(missing)})")
        return
    if "PixelDataProviderURL" in dataset:
        raise Refusal("holds only a link to its picture; ask the site for the picture itself")
    if _has_header_of_picture(stream):
        raise Refusal("the file is cut short: its header is there, its picture is not")
    if len(dataset) == 0:
        raise Refusal("is not a DICOM file: nothing in it can be read")
    raise Refusal("holds no picture")


def _has_header_of_picture(stream: BinaryIO) -> bool:
    """True where the file, read up to its pixel data only, promises a picture."""
    try:
        stream.seek(0)
        header = pydicom.dcmread(stream, force=True, stop_before_pixels=True)
    except Exception:  # the header was readable once already; whatever fails here says "no"
        return False
    return "Rows" in header and "Columns" in header


def _transfer_syntax(dataset: FileDataset, notes: list[str]) -> UID:
    """The transfer syntax; where the meta header does not say, the one that the file was parsed with.

    A guess is accepted only when the pixel data are as long as an uncompressed picture of that size is.
    """
    meta = getattr(dataset, "file_meta", None)
    if meta is not None and meta.get("TransferSyntaxUID"):
        return UID(str(meta.TransferSyntaxUID))
    expected, found = expected_bytes(dataset), len(dataset.get("PixelData", b"") or b"")
    if expected is None or not expected <= found <= expected + 2:
        raise Refusal("the meta header is missing, so how the picture is compressed is not known")
    implicit, little = dataset.original_encoding
    syntax = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
    if implicit:
        syntax = ImplicitVRLittleEndian
    dataset.ensure_file_meta()
    dataset.file_meta.TransferSyntaxUID = syntax
    notes.append(f"no meta header; read as {syntax.name}, which fits the length of the picture")
    return UID(str(syntax))


def expected_bytes(dataset: Dataset) -> int | None:
    """Bytes of the uncompressed picture by its header, None where the header does not say."""
    rows, columns = whole_number(dataset.get("Rows")), whole_number(dataset.get("Columns"))
    bits = whole_number(dataset.get("BitsAllocated"))
    if not (rows and columns and bits):
        return None
    samples = whole_number(dataset.get("SamplesPerPixel")) or 1
    frames = whole_number(dataset.get("NumberOfFrames")) or 1
    return -(-rows * columns * samples * frames * bits // 8)


def _refuse_size(dataset: Dataset) -> None:
    expected, modality = expected_bytes(dataset), str(dataset.get("Modality", ""))
    largest = LARGEST_SERIES if modality in _MANY_FRAMES else LARGEST_PICTURE
    if expected is not None and expected > largest:
        most = f"a picture of {modality or 'unknown modality'} has at most {largest >> 20}"
        raise Refusal(f"claims a picture of {expected / 2**20:.0f} MB; {most}")


def _refuse_code_stream(dataset: Dataset, syntax: UID) -> None:
    """Refuse compressed pixel data that are not of the size that the header says."""
    pixels = getattr(dataset.get_item("PixelData"), "value", None)
    expected = expected_bytes(dataset)
    if not isinstance(pixels, bytes) or expected is None or not syntax.is_transfer_syntax:
        return
    if syntax.is_encapsulated:
        frames = whole_number(dataset.get("NumberOfFrames")) or 1
        promised = Promised(int(dataset.Rows), int(dataset.Columns), frames, expected // frames)
        problem = problem_of(pixels, syntax, promised)
        if problem:
            raise Refusal(problem)


def _offset_of_pixels(dataset: Dataset) -> int:
    for keyword in PIXEL_KEYWORDS:
        if keyword in dataset:
            raw = dataset.get_item(keyword)
            return int(getattr(raw, "value_tell", None) or getattr(raw, "file_tell", None) or 0)
    return 0


def _decoder(syntax: UID) -> Decoder:
    if any(word in syntax.name for word in _VIDEO):
        raise Refusal(
            f"is a video ({syntax.name.split(' ')[0]}), which is not decoded; export it as JPEG frames"
        )
    try:
        return decoder_of(syntax)
    except NotImplementedError as error:
        name = syntax.name if syntax.name != str(syntax) else f"transfer syntax {syntax}"
        raise Refusal(f"its pixel encoding is not one that can be read here ({name})") from error


def _why_not_decoded(file: DicomFile, message: str) -> str:
    expected = expected_bytes(file.dataset)
    found = len(file.dataset.get("PixelData", b"") or b"")
    if file.is_native and expected is not None and found < expected:
        return f"the file is cut short: {found} of {expected} bytes of the picture are there"
    if "required element" in message or "missing" in message:
        return f"the header lacks what is needed to read the picture ({_first_line(message)})"
    if file.transfer_syntax == RLELossless and whole_number(file.dataset.get("BitsAllocated")) == 1:
        return "its pixel encoding is not one that can be read here (RLE with 1 bit a pixel)"
    return f"the picture is damaged or cut short: it cannot be decoded as {file.transfer_syntax.name}"


def _first_line(message: str) -> str:
    return message.strip().splitlines()[0][:160] if message.strip() else "no details"


def whole_number(value: object) -> int | None:
    """The value as a whole number of at least 0, None where it is missing or is none."""
    try:
        number = int(str(value))
    except (TypeError, ValueError):
        return None
    return number if number >= 0 else None
