"""Small DICOM images of several frames, and series of several files, for tests."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import generate_uid

from tests.helpers.small_films import film, picture

MR = "1.2.840.10008.5.1.4.1.1.4"
ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"
US_CINE = "1.2.840.10008.5.1.4.1.1.3.1"
SAGITTAL = [0, 1, 0, 0, 0, -1]  # rows run to the back, columns to the feet: the normal points to the right
TRIAL = {"ClinicalTrialSubjectID": "S1", "ClinicalTrialTimePointID": "BL"}


def slices(
    places: tuple[float, ...] = (-4.0, 0.0, 4.0), series: str = "t1", **tags: Any
) -> list[FileDataset]:
    """Sagittal MR slices of one series, one file each, numbered as given; the place is in mm to the left."""
    uid = generate_uid(entropy_srcs=["series", series])
    about = {
        "Modality": "MR", "BodyPartExamined": "LSPINE", "SeriesInstanceUID": uid, "PixelSpacing": [0.7, 0.6],
        "ImageOrientationPatient": SAGITTAL, **TRIAL, **tags,
    }  # fmt: skip
    return [
        film(
            picture(100 + number) // 4 + 500 * number, sop_class=MR, bits=12, InstanceNumber=number,
            ImagePositionPatient=[place, -60, 90], **about,
        )
        for number, place in enumerate(places, start=1)
    ]  # fmt: skip


def enhanced(places: tuple[float, ...] = (4.0, 0.0, -4.0), **tags: Any) -> FileDataset:
    """One enhanced MR file: spacing and orientation in the shared groups, positions in those of frames."""
    frames = np.stack([picture(200 + number) for number in range(len(places))])
    dataset = film(frames, sop_class=ENHANCED_MR, bits=12, PixelSpacing=None, Modality="MR", **TRIAL, **tags)
    shared = Dataset()
    shared.PlaneOrientationSequence = [item(ImageOrientationPatient=SAGITTAL)]
    shared.PixelMeasuresSequence = [item(PixelSpacing=[0.5, 0.5])]
    dataset.SharedFunctionalGroupsSequence = [shared]
    dataset.PerFrameFunctionalGroupsSequence = [
        item(PlanePositionSequence=[item(ImagePositionPatient=[place, 0, 0])]) for place in places
    ]
    return dataset


def cine(frames: int = 3, **tags: Any) -> FileDataset:
    """An ultrasound cine in colour, 40 ms a frame."""
    pixels = np.stack(
        [np.dstack([picture(300 + 3 * n + c, bits=8) for c in range(3)]) for n in range(frames)]
    )
    about = {"Modality": "US", "FrameTime": 40, "BodyPartExamined": "HAND", **TRIAL, **tags}
    return film(pixels, sop_class=US_CINE, **about)


def item(**values: Any) -> Dataset:
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item
