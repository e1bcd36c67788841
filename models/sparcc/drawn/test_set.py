"""The test set "real anatomy, drawn lesions": volumes as they are, and with oedema drawn into them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from core.domain import Image
from core.errors import InputError
from core.imaging.sequences import LUMBAR, T1, T2, TIRM
from models.evaluation.test_set import TestImage, TestSet
from models.sparcc.anatomy.evaluate import image_of
from models.sparcc.anatomy.volumes import LabelledStack, read_index, read_stack, without_copies
from models.sparcc.drawn.contrast import near_stir
from models.sparcc.drawn.lesions import drawn
from models.sparcc.drawn.measured import measure

NAME = "real anatomy, drawn lesions"
ORIGIN = "real volumes, no real finding"
DRAWN, UNTOUCHED, AS_IS = "drawn", "nothing drawn", "as it is"
SEED = 2026


@dataclass(frozen=True)
class RealStack:
    """A volume of a folder. kind: lesions drawn, contrast brought near STIR but nothing drawn, or as stored.

    sequence: as the index says; one that is fat-suppressed keeps its contrast. why_not: nothing is drawn into
    it because of this, ``""`` where something is.
    """

    folder: Path
    file: str
    kind: str
    sequence: str
    why_not: str = ""
    view: str = "lumbar"
    called: tuple[bool, ...] = ()

    def pixels(self) -> tuple[Image, np.ndarray]:
        """The stack and its reference mask; the same folder gives the same lesions."""
        volume = self._volume()
        empty = np.zeros(volume.labels.shape, np.uint8)
        if self.kind == AS_IS:
            return _image(volume, volume.frames), empty
        found = measure(volume)
        frames = found.volume.frames if weighting(self.sequence) == TIRM else near_stir(found)
        if self.kind == UNTOUCHED:
            return _image(volume, frames), empty
        made = drawn(found, frames, np.random.default_rng([SEED, *self.file.encode()]))
        return _image(volume, made.frames), made.oedema

    def image(self) -> Image:
        """The stack."""
        return self.pixels()[0]

    def mask(self, name: str) -> np.ndarray:
        """``oedema``, uint8 (frames, rows, columns)."""
        return self.pixels()[1]

    def bodies(self) -> np.ndarray | None:
        """Mask of labelled bodies; None where discs are labelled."""
        volume = self._volume()
        return volume.labels > 0 if volume.has_bodies else None

    def _volume(self) -> LabelledStack:
        index = read_index(self.folder)
        return read_stack(self.folder, index[index["file"] == self.file].iloc[0])


def _image(volume: LabelledStack, frames: np.ndarray) -> Image:
    return replace(image_of(volume), frames=frames, body_part="lumbar spine", sequence=TIRM, region=LUMBAR)


def weighting(sequence: str) -> str:
    """``TIRM``, ``T2`` or ``T1``, as the index names it first; raises InputError for anything else."""
    for name in (TIRM, T2, T1):
        if sequence.upper().startswith(name):
            return name
    raise InputError(f"sequence {sequence!r} in index.csv", "TIRM, T2 or T1 is needed", "name it so")


def drawn_set(folder: Path) -> TestSet:
    """All volumes as they are; those of T2 and TIRM with labelled bodies also with lesions drawn in, and T2
    brought near STIR with nothing drawn. A second copy of a volume is left out.

    Raises InputError where the index lacks a column, or nothing can be drawn into any volume.
    """
    index = read_index(folder)
    if "sequence" not in index:
        raise InputError(f"{folder / 'index.csv'} without column sequence", "it is needed", "add it")
    kept = {
        volume.file for volume in without_copies([read_stack(folder, row) for _, row in index.iterrows()])
    }
    images = [
        TestImage(one, f"{one.file}, {one.kind}", row["patient"], "", one.kind)
        for _, row in index.iterrows()
        if row["file"] in kept
        for one in _of_row(folder, row)
    ]
    if not any(image.kind == DRAWN for image in images):
        raise InputError(
            str(folder), "a T2 or TIRM volume with labelled bodies is needed to draw into", "add one"
        )
    return TestSet(NAME, images, pd.DataFrame(), pd.DataFrame(), real=False, origin=ORIGIN)


def _of_row(folder: Path, row: pd.Series) -> list[RealStack]:
    """What is made of one volume."""
    file, sequence = row["file"], row["sequence"]
    kind = weighting(sequence)
    why_not = ""
    if kind == T1:
        why_not = "T1: CSF and oedema are dark, no fat-suppressed contrast can be made of it"
    else:
        try:
            measure(read_stack(folder, row))
        except InputError as error:
            why_not = error.needed
    plain = RealStack(folder, file, AS_IS, sequence, why_not)
    if why_not:
        return [plain]
    changed = [replace(plain, kind=UNTOUCHED)] if kind != TIRM else []
    return [replace(plain, kind=DRAWN), *changed, plain]
