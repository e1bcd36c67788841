"""Real images on which a scoring model must abstain: none of them is a film that it knows.

Read from the folder of real files for developers (``../shared/real``); what is not there is left out.
"""

from __future__ import annotations

import csv
import gzip
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from core.domain import Image

LONG_SIDE = 1400  # pixels that a picture is enlarged to where it is shown without its facts
THUMBNAILS = 8  # of each class
NIFTI_TYPES = {2: np.uint8, 4: np.int16, 16: np.float32, 512: np.uint16}


@dataclass(frozen=True)
class Group:
    """A kind of image. films: as delivered. refused: files that ingest would not take."""

    name: str
    films: tuple[Image, ...]
    refused: int = 0


def groups(folder: Path) -> Iterator[Group]:
    """The groups that the folder holds."""
    if (folder / "spine-mri").is_dir():
        yield Group("lumbar spine MRI, sagittal slice", tuple(_slices(folder / "spine-mri")))
    if (folder / "hand-radiograph").is_dir():
        yield _taken("hand radiograph, full size", folder / "hand-radiograph")
    if (folder / "dicom-conformance").is_dir():
        yield _taken("DICOM of many kinds (CT, MR, US, CR of a leg ...)", folder / "dicom-conformance")
    for path in sorted((folder / "hand-thumbnails").glob("*/")):
        pictures = sorted(path.glob("*.jp*g"))[:THUMBNAILS]
        if pictures:
            yield Group(f"{path.name}, 64 x 64", tuple(_picture(one) for one in pictures))


def bare(film: Image) -> Image:
    """The pixels alone, enlarged to the size of a film: neither modality nor millimetres give it away."""
    pixels = film.pixels.astype(np.float32)
    factor = LONG_SIDE / max(pixels.shape)
    size = (max(1, round(pixels.shape[1] * factor)), max(1, round(pixels.shape[0] * factor)))
    method = cv2.INTER_CUBIC if factor > 1 else cv2.INTER_AREA
    return Image(film.image, cv2.resize(pixels, size, interpolation=method))


def _slices(folder: Path) -> Iterator[Image]:
    """The slice of each volume that its index names; rows downwards, columns towards the back."""
    with (folder / "index.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        volume, spacing = read_nifti(folder / f"{row['file']}_image.nii.gz")
        picture = np.ascontiguousarray(volume[:, :, int(row["best_slice_index"])], dtype=np.float32)
        yield Image(row["file"], picture, spacing[:2], modality="MR", body_part="lumbar spine")


def read_nifti(path: Path) -> tuple[np.ndarray, tuple[float, float, float]]:
    """Values (three axes as stored) and millimetres along each, of a little-endian NIfTI-1 file."""
    content = gzip.decompress(path.read_bytes())
    dim = np.frombuffer(content, "<i2", 8, 40)
    kind = int(np.frombuffer(content, "<i2", 1, 70)[0])
    mm = np.frombuffer(content, "<f4", 8, 76)
    start = int(np.frombuffer(content, "<f4", 1, 108)[0])
    shape = tuple(int(n) for n in dim[1:4])
    values = np.frombuffer(content, np.dtype(NIFTI_TYPES[kind]).newbyteorder("<"), int(np.prod(shape)), start)
    return values.reshape(shape, order="F"), (float(mm[1]), float(mm[2]), float(mm[3]))


def _taken(name: str, folder: Path) -> Group:
    """DICOM files as they come out of ingest."""
    from data.dicom.images import load_image
    from data.ingest.run import ingest
    from data.store.cohort import CohortStore

    with tempfile.TemporaryDirectory() as place:
        store = CohortStore.open(Path(place) / "real.duckdb")
        done = ingest(store, [folder], workers=0)
        images = store.query("SELECT image FROM image WHERE superseded_by IS NULL ORDER BY image")["image"]
        films = tuple(_loaded(load_image(store, image)) for image in images)
        return Group(name, films, done.found - len(films))


def _loaded(image: Image) -> Image:
    """The picture in memory, as the files beside the cohort go away; of several frames the middle one."""
    picture = np.array(image.frames[len(image.frames) // 2])
    return Image(image.image, picture, image.spacing_mm, image.modality, image.body_part, image.view)


def _picture(path: Path) -> Image:
    return Image(path.name, np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)))
