"""Sagittal volumes with masks of bodies or discs: a folder of NIfTI files and an index.

``index.csv`` has a row a volume: ``file``, ``structures`` (``vertebral bodies`` or ``discs``),
``source_set``, ``patient`` and ``labels_1_to_n_bottom_to_top`` (names, the lowest first);
``<file>_image.nii.gz`` and ``<file>_labels.nii.gz`` lie beside it. Several volumes may be of one
patient: split by ``patient``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.errors import InputError

COLUMNS = ("file", "structures", "source_set", "patient", "labels_1_to_n_bottom_to_top")
AXES = ("L", "I", "P")  # slices, rows, columns: to the left, to the feet, to the back


@dataclass(frozen=True)
class LabelledStack:
    """frames (slices, rows, columns) as stored, rows down, columns to the back; labels the same shape, uint8.

    names: of labels 1, 2 ..., the lowest first: ``L5 L4 ...`` of bodies, ``L5-S1 L4-L5 ...`` of discs.
    spacing_mm: between slices, rows, columns. source: the set it comes from.
    """

    file: str
    source: str
    patient: str
    frames: np.ndarray
    labels: np.ndarray
    names: tuple[str, ...]
    spacing_mm: tuple[float, float, float]

    @property
    def has_bodies(self) -> bool:
        """Whether bodies are labelled, else discs are."""
        return "-" not in self.names[0]


def read_index(folder: Path) -> pd.DataFrame:
    """The table of volumes. Raises InputError where it is absent or lacks a column."""
    path = folder / "index.csv"
    if not path.is_file():
        raise InputError(f"{folder} without index.csv", "a table of its volumes is needed", "add the table")
    index = pd.read_csv(path, dtype=str, keep_default_na=False)
    if lacking := [name for name in COLUMNS if name not in index]:
        raise InputError(f"{path} without column {lacking[0]}", f"needed are {', '.join(COLUMNS)}", "add it")
    return index


def read_stack(folder: Path, row: pd.Series) -> LabelledStack:
    """The volume of a row of the index. Raises InputError where image and labels differ in size."""
    frames, spacing = _read(folder / f"{row['file']}_image.nii.gz")
    labels, _ = _read(folder / f"{row['file']}_labels.nii.gz")
    if frames.shape != labels.shape:
        raise InputError(f"{row['file']}", "image and labels must be of one size", "leave it out")
    return LabelledStack(
        file=row["file"],
        source=row["source_set"],
        patient=row["patient"],
        frames=frames.astype(np.float32),
        labels=labels.astype(np.uint8),
        names=tuple(name.rstrip("?") for name in row["labels_1_to_n_bottom_to_top"].split()),
        spacing_mm=spacing,
    )


def read_folder(folder: Path) -> list[LabelledStack]:
    """All volumes of a folder, in the order of its index."""
    return [read_stack(folder, row) for _, row in read_index(folder).iterrows()]


def without_copies(stacks: Sequence[LabelledStack]) -> list[LabelledStack]:
    """The volumes without those whose pixels an earlier one has, whatever patient they are filed under: with
    a copy on the other side a network is tested on what it was trained on.
    """
    kept: dict[str, LabelledStack] = {}
    for stack in stacks:
        kept.setdefault(hashlib.sha256(np.ascontiguousarray(stack.frames).tobytes()).hexdigest(), stack)
    return list(kept.values())


def _read(path: Path) -> tuple[np.ndarray, tuple[float, float, float]]:
    """Values with their axes in the order and direction of ``AXES``, and the spacing of each."""
    import nibabel

    try:
        image: Any = nibabel.load(path)
    except (OSError, nibabel.filebasedimages.ImageFileError) as error:
        raise InputError(f"{path}", f"a NIfTI file is needed ({error})", "restore it") from error
    turn = nibabel.orientations.ornt_transform(
        nibabel.io_orientation(image.affine), nibabel.orientations.axcodes2ornt(AXES)
    )
    image = image.as_reoriented(turn)
    across, down, back = (float(size) for size in image.header.get_zooms()[:3])
    return np.asarray(image.dataobj), (across, down, back)
