"""Real lumbar volumes as training views of marrow oedema: real marrow without any, and with lesions drawn in.

No one has read these volumes for oedema: where nothing is drawn they are taken for free of it. The one
fat-suppressed exam, and every patient on whom bodies and discs are tested, is kept for testing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core.errors import InputError
from core.imaging.sequences import T2
from models.common.pixels import as_grey
from models.sparcc.anatomy.training import folds_of
from models.sparcc.anatomy.volumes import LabelledStack, read_folder, read_index, without_copies
from models.sparcc.drawn.contrast import Contrast, near_stir
from models.sparcc.drawn.lesions import drawn
from models.sparcc.drawn.measured import Measured, measure
from models.sparcc.drawn.test_set import weighting
from models.sparcc.oedema.samples import Sample, Samples, at_network_size, slices_of

VERSIONS = 4  # of a volume: one with nothing drawn in, the others with lesions
MARROW = (0.2, 0.5)  # of CSF
FAT = (0.12, 0.5)
AS_IT_IS = 0.5  # share of versions of a volume with dark fat that keep their contrast
DARK_FAT = "water/fat"  # in the name of a sequence on which fat is dark and CSF bright already
SUPPRESSED = "TIRM"


@dataclass(frozen=True)
class Real:
    """Volumes to train on. dark_fat: files of them whose fat is dark already."""

    volumes: Sequence[LabelledStack]
    dark_fat: frozenset[str]

    @property
    def patients(self) -> list[str]:
        """Whose volumes they are, sorted."""
        return sorted({one.patient for one in self.volumes})


def to_train_on(folder: Path, fold: int) -> list[LabelledStack]:
    """Volumes on which CSF is bright and bodies are labelled, of patients that the network of bodies was
    trained on; without any patient of whom there is a fat-suppressed exam. fold: of patients held out there.
    """
    index = read_index(folder)
    if "sequence" not in index:
        raise InputError(f"{folder / 'index.csv'} without column sequence", "it is needed", "add it")
    volumes = read_folder(folder)
    held_out = {patient for patient, number in folds_of(volumes).items() if number == fold}
    sequence = dict(zip(index["file"], index["sequence"], strict=True))
    held_out |= {one.patient for one in volumes if SUPPRESSED in sequence[one.file]}
    bright = {file for file, of in sequence.items() if DARK_FAT in of or weighting(of) == T2}
    kept = [one for one in without_copies(volumes) if one.has_bodies and one.file in bright]
    return [one for one in kept if one.patient not in held_out]


def real_volumes(folder: Path, fold: int) -> Real:
    """Those of a folder that are trained on; ``fold`` as in ``to_train_on``."""
    index = read_index(folder)
    sequences = zip(index["file"], index["sequence"], strict=True)
    dark = frozenset(file for file, of in sequences if DARK_FAT in of)
    return Real(to_train_on(folder, fold), dark)


def with_real(samples: Samples, real: Real) -> Samples:
    """Samples and those of real volumes beside them."""
    stacks, slices = dict(samples.stacks), list(samples.slices)
    for volume in real.volumes:
        for number, sample in enumerate(samples_of_volume(volume, is_dark=volume.file in real.dark_fat)):
            name = f"{volume.file}_{number}"
            stacks[name] = sample
            slices += slices_of(volume.patient, name, sample.oedema, samples.choice.edge)
    return replace(samples, stacks=stacks, slices=slices)


def samples_of_volume(volume: LabelledStack, *, is_dark: bool) -> Iterator[Sample]:
    """The versions of a volume, always the same ones; none where its CSF or bodies cannot be measured."""
    try:
        found = measure(volume)
    except InputError:
        return
    places = np.argwhere((volume.labels > 0).any(axis=0))
    fat = _grey(found, found.volume.frames)
    for number in range(VERSIONS):
        rng = np.random.default_rng([number, *volume.file.encode()])
        frames = found.volume.frames
        if not (is_dark and rng.random() < AS_IT_IS):
            frames = near_stir(found, Contrast(float(rng.uniform(*MARROW)), float(rng.uniform(*FAT))))
        oedema = np.zeros(frames.shape, bool)
        if number:
            made = drawn(found, frames, rng)
            frames, oedema = made.frames, made.oedema > 0
        yield Sample(_grey(found, frames), fat, oedema, places, is_real=True)


def _grey(found: Measured, frames: np.ndarray) -> np.ndarray:
    grey = at_network_size(as_grey(frames), found.volume.spacing_mm[1:])
    return np.asarray(grey * 255, np.uint8)
