"""Real images on which a scoring model must abstain: none of them is a film that it knows.

Read from the folder of real files for developers (``../shared/real``); what is not there is left out.
"""

from __future__ import annotations

import csv
import gzip
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from core.domain import Image

LONG_SIDE = 1400  # pixels that a picture is enlarged to where it is shown without its facts
THUMBNAILS = 8  # of each class
MARKER = ((390, 590), (1645, 1855))  # rows and columns of the side marker on the one real hand
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
        hand = _taken("hand radiograph, full size", folder / "hand-radiograph")
        yield hand
        pairs = tuple(pair for film in hand.films for pair in two_up(film))
        yield Group("the same hand beside its mirror image, side marker erased", pairs)
    if (folder / "wrist-radiographs" / "images").is_dir():
        wrists = tuple(_picture(path) for path in sorted((folder / "wrist-radiographs/images").glob("*.png")))
        yield Group("wrist radiograph", wrists)
        yield Group("wrist beside its mirror image", tuple(map(beside_its_mirror, wrists)))
    if (folder / "dicom-conformance").is_dir():
        yield _taken("DICOM of many kinds (CT, MR, US, CR of a leg ...)", folder / "dicom-conformance")
    for path in sorted((folder / "hand-thumbnails").glob("*/")):
        pictures = sorted(path.glob("*.jp*g"))[:THUMBNAILS]
        if pictures:
            yield Group(f"{path.name}, 64 x 64", tuple(_picture(one) for one in pictures))


def two_up(hand: Image) -> Iterator[Image]:
    """The right hand as a film of both hands, as it is and in twelve other sizes, windows and qualities."""
    rows, columns = (slice(*ends) for ends in MARKER)
    whole = hand.pixels.astype(np.float32)
    around = np.concatenate(
        [
            whole[rows.start - 30 : rows.start, columns].ravel(),
            whole[rows.stop : rows.stop + 30, columns].ravel(),
        ]
    )
    rng = np.random.default_rng(0)
    whole[rows, columns] = rng.choice(around, (rows.stop - rows.start, columns.stop - columns.start))
    grey = whole / whole.max()
    mm = hand.spacing_mm or (0.115, 0.115)
    for name, made in (
        ("as it is", grey),
        ("bright", grey**0.5),
        ("dark", grey**2),
        ("wide window", np.clip(grey / 0.6, 0, 1)),
        ("narrow window", np.clip((grey - 0.05) / 0.4, 0, 1)),
        ("inverted", 1 - grey),
        ("soft", cv2.GaussianBlur(grey, (0, 0), 1.0)),
        ("softer", cv2.GaussianBlur(grey, (0, 0), 2.5)),
        ("sharpened", np.clip(2 * grey - cv2.GaussianBlur(grey, (0, 0), 3.0), 0, 1)),
        ("noisy", np.clip(grey + rng.normal(0, 0.02, grey.shape), 0, 1)),
    ):
        yield beside_its_mirror(replace(hand, image=name, frames=_as_stored(made), spacing_mm=mm))
    for factor in (0.7, 0.5, 0.35):
        small = cv2.resize(grey, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        spacing = (mm[0] / factor, mm[1] / factor)
        film = replace(hand, image=f"{factor:g} of its size", frames=_as_stored(small), spacing_mm=spacing)
        yield beside_its_mirror(film)


def _as_stored(grey: np.ndarray) -> np.ndarray:
    return np.round(4095 * grey).astype(np.uint16)


def beside_its_mirror(film: Image) -> Image:
    """A limb and its mirror image as a film of both, thumbs inwards: a left one (its name ends in ``_L``)
    lies on the left, any other on the right."""
    own, other = film.pixels, film.pixels[:, ::-1]
    parts = [own, other] if Path(film.image).stem.endswith("_L") else [other, own]
    return replace(film, frames=np.concatenate(parts, axis=1), laterality="")


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
