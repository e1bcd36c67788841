"""What a reader must know of a picture by its header: processing, compression, frames, polarity."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import HTJ2K, JPEG2000, UID, JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless

from data.dicom.pixel_values import header_value, number
from data.dicom.read import sop_class_name

_ONE_FILM_A_FILE = ("CR", "DX", "DR", "RG", "XR", "MG", "")  # "": not known, as of most secondary captures
_LOSSY = (JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless)
_PERHAPS_LOSSY = (JPEG2000, HTJ2K)  # the header says which


def cautions(dataset: Dataset, syntax: UID, *, frames: int, modality: str) -> list[str]:
    """Warnings in plain words. modality: as classified, ``""`` where it is not known."""
    return [
        *_processing(dataset),
        *_polarity(dataset),
        *_compression(dataset, syntax),
        *_films_in_one(dataset, frames, modality),
        *_black_and_white(dataset),
    ]


def _processing(dataset: Dataset) -> Iterator[str]:
    """Raw data of the detector: no grey scale for the eye, and often dark where the film is bright."""
    is_raw = _text(dataset, "PresentationIntentType") == "FOR PROCESSING"
    if is_raw or sop_class_name(dataset).endswith("For Processing"):
        yield (
            "raw data of the detector (FOR PROCESSING): bone may be dark and contrast is not that of a film; "
            "ask the site for the picture FOR PRESENTATION"
        )


def _polarity(dataset: Dataset) -> Iterator[str]:
    photometric, shape = _text(dataset, "PhotometricInterpretation"), _text(dataset, "PresentationLUTShape")
    if (photometric, shape) in {("MONOCHROME2", "INVERSE"), ("MONOCHROME1", "IDENTITY")}:
        yield (
            f"{photometric} and PresentationLUTShape {shape} contradict each other; {photometric} was "
            "followed: look whether bone is bright"
        )


def _compression(dataset: Dataset, syntax: UID) -> Iterator[str]:
    stated = _text(dataset, "LossyImageCompression") == "01"
    if stated or syntax in _LOSSY:
        ratio = number(_last(header_value(dataset, "LossyImageCompressionRatio")))
        yield "the picture was compressed with loss" + (f" ({ratio:.3g}:1)" if 1 < ratio < 1e4 else "")
    elif syntax in _PERHAPS_LOSSY and not _text(dataset, "LossyImageCompression"):
        yield f"the picture may have been compressed with loss ({syntax.name}); the file does not say"


def _films_in_one(dataset: Dataset, frames: int, modality: str) -> Iterator[str]:
    is_cine = "FrameTime" in dataset or "FrameTimeVector" in dataset
    if frames > 1 and modality in _ONE_FILM_A_FILE and not is_cine:
        yield (
            f"holds {frames} pictures in one file, perhaps different films; all were kept, but models read "
            "one film a file: ask the site to export each as a file of its own"
        )


def _black_and_white(dataset: Dataset) -> Iterator[str]:
    if _text(dataset, "BitsStored") == "1":
        yield "the picture is black and white without grey (1 bit a pixel)"


def _last(value: Any) -> Any:
    """The last of several values: a picture that was compressed more than once lists each."""
    several = isinstance(value, list | tuple) or type(value).__name__ == "MultiValue"
    return (value[-1] if len(value) else None) if several else value


def _text(dataset: Dataset, keyword: str) -> str:
    value = header_value(dataset, keyword)
    return "" if value is None else str(value).strip().upper()
