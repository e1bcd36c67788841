"""A film that is no DICOM file (BMP, PNG, JPEG, TIFF) as one, so that it goes through the ordinary ingest.

Only its grey values are taken: what a picture file carries beside them (comments, EXIF) never enters. A
picture's dots per inch are those of a screen and say nothing of the patient; so a header has millimetres only
where the set states them.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, UltrasoundImageStorage

from data.datasets.frame import FilmFile
from data.dicom.read import LARGEST_PICTURE, Refusal
from data.ingest.sources import Source

ULTRASOUND = "US"  # of modality; its pictures may be in colour
GREY = 6  # by which channels of a grey picture may differ: lossy coding moves them that far
LOSSY = (".jpg", ".jpeg")
DAMAGED = "the picture is damaged or cut short and cannot be decoded; download it again"


@dataclass(frozen=True)
class PictureSource(Source):
    """A film of a set, opened as a DICOM file made from it in memory. protocol: name of the set."""

    film: FilmFile = field(default_factory=lambda: FilmFile("", ""))
    protocol: str = ""

    def open(self) -> BinaryIO:
        """The film as DICOM, the same bytes each time. Raises Refusal."""
        with super().open() as stream:
            pixels = any_pixels(stream) if self.film.modality == ULTRASOUND else grey_pixels(stream)
        return io.BytesIO(as_dicom(pixels, self.film, self.protocol))


def grey_pixels(stream: BinaryIO | Path) -> np.ndarray:
    """Grey values (rows, columns), uint8 or uint16, of a picture: grey, palette or colour that is grey.

    Raises Refusal for one in colour, of several pictures, too large, or that cannot be decoded.
    """
    return _opened(stream, _grey)


def any_pixels(stream: BinaryIO | Path) -> np.ndarray:
    """As ``grey_pixels``, and uint8 (rows, columns, 3) of one in colour. Raises Refusal likewise."""
    return _opened(stream, _as_it_is)


def _opened(stream: BinaryIO | Path, pixels_of: Callable[[Any], np.ndarray]) -> np.ndarray:
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(stream, formats=("BMP", "PNG", "JPEG", "TIFF")) as picture:
                if picture.width * picture.height * 2 > LARGEST_PICTURE:
                    raise Refusal(f"the picture is of {picture.width} x {picture.height} pixels: no film is")
                if getattr(picture, "n_frames", 1) > 1:
                    raise Refusal("the file holds several pictures; one film a file is needed")
                return pixels_of(picture)
    except Refusal:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Refusal("the picture is larger than any film is") from None
    except MemoryError:
        raise Refusal("the picture needs more memory than there is") from None
    except Exception as error:  # decoders raise whatever they like on damaged data
        raise Refusal(DAMAGED) from error


def _as_it_is(picture: Any) -> np.ndarray:
    colours = np.asarray(picture.convert("RGB")) if picture.mode in ("RGB", "RGBA", "P", "YCbCr") else None
    is_coloured = colours is not None and int(np.ptp(colours, axis=2).max(initial=0)) > GREY
    return np.ascontiguousarray(colours) if is_coloured else _grey(picture)


def _grey(picture: Any) -> np.ndarray:
    if picture.mode.startswith("I") or picture.mode == "F":
        return _sixteen_bits(np.asarray(picture))
    if picture.mode == "L":
        return np.asarray(picture).copy()
    if picture.mode == "1":
        raise Refusal("the picture has black and white only, no grey")
    colours = np.asarray(picture.convert("RGB"))
    spread = int((colours.max(axis=2).astype(np.int16) - colours.min(axis=2)).max(initial=0))
    if spread > GREY:
        raise Refusal(
            f"the picture is in colour (channels differ by up to {spread} of 255), which no film is"
        )
    return np.ascontiguousarray(colours[..., 1]) if spread == 0 else np.asarray(picture.convert("L")).copy()


def _sixteen_bits(values: np.ndarray) -> np.ndarray:
    low, high = float(values.min()), float(values.max())
    if low < 0 or high > 65535 or not np.array_equal(values, np.round(values)):
        raise Refusal(f"grey values go from {low:g} to {high:g}; whole numbers from 0 to 65535 are needed")
    return values.astype(np.uint16)


def as_dicom(pixels: np.ndarray, film: FilmFile, protocol: str) -> bytes:
    """A DICOM file of these values (grey, bone bright, or colour), with what the set says of the film."""
    is_scan = film.modality == ULTRASOUND
    storage = UltrasoundImageStorage if is_scan else SecondaryCaptureImageStorage
    dataset = new_dataset(film, protocol, storage, film.modality)
    if not is_scan:
        dataset.ConversionType = "WSD"
    if film.words:
        dataset.SeriesDescription = film.words
    dataset.SOPInstanceUID = uid_of(protocol, film.file, hashlib.sha256(pixels.tobytes()).hexdigest())
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    if film.spacing is not None and film.spacing.is_stated:
        dataset.PixelSpacing = [f"{film.spacing.mm:.6g}"] * 2
    if film.file.casefold().endswith(LOSSY):
        dataset.LossyImageCompression = "01"
    set_pixels(dataset, pixels)
    out = io.BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    return out.getvalue()


def new_dataset(film: FilmFile, protocol: str, storage: str, modality: str) -> FileDataset:
    """A header without picture and instance UID: whose film it is, from when, and what it shows."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = storage
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID, dataset.Modality = storage, modality
    dataset.StudyInstanceUID = uid_of(protocol, film.subject, film.visit)
    dataset.SeriesInstanceUID = uid_of(protocol, film.subject, film.visit, film.file)
    dataset.PatientID, dataset.PatientName = film.subject, ""
    dataset.ClinicalTrialProtocolID, dataset.ClinicalTrialSubjectID = protocol, film.subject
    dataset.ClinicalTrialTimePointID = film.visit
    if film.taken is not None:
        dataset.StudyDate = dataset.ContentDate = film.taken.strftime("%Y%m%d")
    _anatomy(dataset, film)
    return dataset


def _anatomy(dataset: FileDataset, film: FilmFile) -> None:
    if film.body_part:
        dataset.BodyPartExamined = film.body_part
    if film.view:
        dataset.ViewPosition = film.view
    if film.side:
        dataset.ImageLaterality = film.side


def set_pixels(dataset: FileDataset, pixels: np.ndarray) -> None:
    """Write grey values (rows, columns), uint8 or uint16, or colour (rows, columns, 3), uint8, with what the
    header must say of them.
    """
    bits = 8 * pixels.dtype.itemsize
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    if pixels.ndim == 3:
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PlanarConfiguration = 3, "RGB", 0
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = bits, bits, bits - 1
    dataset.PixelRepresentation = 0
    content = np.ascontiguousarray(pixels.astype(f"<u{pixels.dtype.itemsize}")).tobytes()
    dataset.PixelData = content + b"\0" * (len(content) % 2)
    dataset["PixelData"].VR = "OB" if bits == 8 else "OW"


def uid_of(*parts: str) -> str:
    """A UID under the root for UUID-derived ones, from a hash of the parts."""
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).digest()
    return f"2.25.{int.from_bytes(digest[:16], 'big')}"
