"""Small DICOM files for tests, made with pydicom."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from data.dicom.read import quiet

DX = "1.2.840.10008.5.1.4.1.1.1.1"
CR = "1.2.840.10008.5.1.4.1.1.1"
SEG = "1.2.840.10008.5.1.4.1.1.66.4"


def picture(seed: int = 0, *, rows: int = 48, columns: int = 40, bits: int = 12) -> np.ndarray:
    """Random values of that many bits, uint16 (uint8 up to 8 bits)."""
    values = np.random.default_rng(seed).integers(0, 1 << bits, (rows, columns))
    return values.astype(np.uint16 if bits > 8 else np.uint8)


def film(
    pixels: np.ndarray | None = None, *, sop_class: str = DX, bits: int | None = None, **tags: Any
) -> FileDataset:
    """A film in memory. tags: DICOM keywords; None removes one. UIDs follow from the pixels unless given."""
    pixels = picture() if pixels is None else pixels
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    seed = pixels.tobytes()[:256].hex()
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = generate_uid(entropy_srcs=["sop", seed])
    dataset.StudyInstanceUID = generate_uid(entropy_srcs=["study", seed])
    dataset.SeriesInstanceUID = generate_uid(entropy_srcs=["series", seed])
    dataset.Modality = "DX"
    dataset.PatientID, dataset.PatientName = "HOSP-4711", "Miller^Hans"
    dataset.StudyDate, dataset.StudyTime = "20210304", "101500"
    dataset.PixelSpacing = [0.2, 0.2]
    dataset.PhotometricInterpretation = "RGB" if pixels.shape[-1:] == (3,) else "MONOCHROME2"
    set_pixels(dataset, pixels, bits)
    with quiet():  # tests write what scanners write, allowed or not
        for keyword, value in tags.items():
            if value is None:
                dataset.pop(pydicom.datadict.tag_for_keyword(keyword), None)
            else:
                setattr(dataset, keyword, value)
    meta.MediaStorageSOPClassUID = dataset.get("SOPClassUID", sop_class)
    meta.MediaStorageSOPInstanceUID = dataset.get("SOPInstanceUID", "1.2.3")
    return dataset


def set_pixels(dataset: Dataset, pixels: np.ndarray, bits: int | None = None) -> None:
    """Write an array (frames,) rows, columns (, 3) with its header."""
    colour = pixels.shape[-1] == 3 and pixels.ndim >= 3
    rows, columns = pixels.shape[-3:-1] if colour else pixels.shape[-2:]
    frames = pixels.shape[0] if pixels.ndim - colour == 3 else None
    dataset.Rows, dataset.Columns = rows, columns
    if frames is not None:
        dataset.NumberOfFrames = frames
    dataset.SamplesPerPixel = 3 if colour else 1
    if colour:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = 8 * pixels.dtype.itemsize
    dataset.BitsStored = bits or dataset.BitsAllocated
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    content = pixels.tobytes()
    dataset.PixelData = content + b"\0" * (len(content) % 2)
    dataset["PixelData"].VR = "OW" if pixels.dtype.itemsize > 1 else "OB"


def as_bytes(dataset: FileDataset) -> bytes:
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, dataset, enforce_file_format=True)
    return stream.getvalue()


def save(dataset: FileDataset, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(as_bytes(dataset))
    return path


def trial_film(seed: int, subject: str, visit: str, day: str = "20210304", **tags: Any) -> FileDataset:
    """A film with Clinical Trial tags, its pixels drawn from the seed."""
    trial = {"ClinicalTrialSubjectID": subject, "ClinicalTrialTimePointID": visit, "StudyDate": day}
    person = {"PatientID": f"H-{subject}", "PatientName": f"Name{subject}^Given"}
    return film(picture(seed), bits=12, **(trial | person | tags))
