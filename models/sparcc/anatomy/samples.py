"""Training views of labelled volumes and phantom stacks: three slices, turned, scaled, in other greys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from data.phantom.mri.anatomy import BODY_LABEL, DISC_LABEL
from models.common.pixels import as_grey, resample
from models.sparcc.anatomy.levels import C2, L5
from models.sparcc.anatomy.targets import FULL, targets_of
from models.sparcc.anatomy.volumes import LabelledStack
from models.sparcc.rendered import Stack
from models.sparcc.triples import triple
from models.training import augment
from models.training.loop import Batch, Recipe

MM = 1.0  # a pixel of the network's
SIDE = 160  # pixels of a training view
SHARES = {"VB1": 0.2, "VB2": 0.3, "VB3": 0.3}  # of a source's views; any other source as OTHER
OTHER = 0.2
PHANTOM = "phantom"
DRAWN = 0.5  # share of views of phantom stacks, where there are real volumes too
LABELLED = 0.85  # share of views that show a slice with labels
ANYWHERE = 0.25  # share of views of any part of a slice, the others are near labels
NEAR_MM = 45.0


@dataclass(frozen=True)
class Sample:
    """A volume at 1 mm: grey (slices, rows, columns) in [0, 1], targets and weights (channels, slices, rows,
    columns), the slices with labels, and where (rows, columns) labels lie.
    """

    source: str
    patient: str
    grey: np.ndarray
    wanted: np.ndarray
    weight: np.ndarray
    labelled: np.ndarray
    places: np.ndarray

    def shown(self, place: int) -> np.ndarray:
        """(3, rows, columns) grey values around a slice."""
        return triple(self.grey, place)

    def targets(self, place: int) -> tuple[np.ndarray, np.ndarray]:
        """(channels, rows, columns) of a slice: what is wanted, and its weight."""
        return self.wanted[:, place], self.weight[:, place]


@dataclass(frozen=True)
class DrawnSample:
    """A phantom stack at 1 mm, of which all is known: grey and numbers of structures (slices, rows, columns),
    both uint8. The rest as in :class:`Sample`.
    """

    source: str
    patient: str
    grey: np.ndarray
    structures: np.ndarray
    labelled: np.ndarray
    places: np.ndarray

    def shown(self, place: int) -> np.ndarray:
        """(3, rows, columns) grey values around a slice."""
        return np.asarray(triple(self.grey, place).astype(np.float32) / 255)

    def targets(self, place: int) -> tuple[np.ndarray, np.ndarray]:
        """(channels, rows, columns) of a slice: what is wanted, and its weight."""
        labels = self.structures[place]
        disc = labels >= min(DISC_LABEL.values())
        wanted = np.stack([(labels > 0) & ~disc, disc, labels == BODY_LABEL[L5], labels == BODY_LABEL[C2]])
        return wanted.astype(np.uint8), np.full(wanted.shape, FULL, np.uint8)


def drawn_samples(stack: Stack) -> list[DrawnSample]:
    """A phantom stack as training views need it, STIR and T1."""
    rows, columns = (
        round(size * mm / MM) for size, mm in zip(stack.stir.shape[1:], stack.spacing_mm, strict=True)
    )
    structures = np.stack(
        [cv2.resize(one, (columns, rows), interpolation=cv2.INTER_NEAREST) for one in stack.structures]
    )
    places = np.argwhere((structures > 0).any(axis=0))
    labelled = np.flatnonzero((structures > 0).any(axis=(1, 2)))
    greys = [
        np.stack([resample(one, stack.spacing_mm, MM) for one in as_grey(frames)])
        for frames in (stack.stir, stack.t1)
    ]
    return [
        DrawnSample(PHANTOM, stack.patient, (grey * 255).astype(np.uint8), structures, labelled, places)
        for grey in greys
    ]


def sample_of(stack: LabelledStack) -> Sample:
    """A volume as training views need it."""
    targets = targets_of(stack)
    places = np.argwhere((stack.labels > 0).any(axis=0)) * (np.array(stack.spacing_mm[1:]) / MM)
    grey = as_grey(stack.frames)
    in_plane = (stack.spacing_mm[1], stack.spacing_mm[2])
    if in_plane != (MM, MM):
        grey = np.stack([resample(frame, in_plane, MM) for frame in grey])
        size = grey.shape[:0:-1]
        wanted, weight = (
            np.stack(
                [
                    [cv2.resize(one, size, interpolation=cv2.INTER_NEAREST) for one in channel]
                    for channel in each
                ]
            )
            for each in (targets.wanted, targets.weight)
        )
    else:
        wanted, weight = targets.wanted, targets.weight
    labelled = np.flatnonzero((stack.labels > 0).any(axis=(1, 2)))
    return Sample(stack.source, stack.patient, grey, wanted, weight, labelled, places)


AnySample = Sample | DrawnSample


def batches(
    samples: Sequence[AnySample], recipe: Recipe, network: object
) -> Callable[[int], Iterator[Batch]]:
    """The batches of an epoch by its number, drawn with the seed of recipe and epoch."""

    def of_epoch(epoch: int) -> Iterator[Batch]:
        rng = np.random.default_rng([recipe.seed, epoch])
        for _ in range(recipe.steps(len(samples))):
            views = [_view(_drawn(samples, rng), rng) for _ in range(recipe.batch)]
            pixels, wanted, weight = (torch.from_numpy(np.stack(part)) for part in zip(*views, strict=True))
            yield Batch(pixels, (wanted, weight))

    return of_epoch


def _drawn(samples: Sequence[AnySample], rng: np.random.Generator) -> AnySample:
    """One volume: first the source by its share, then one of it."""
    sources = sorted({sample.source for sample in samples})
    shares = np.array([0.0 if source == PHANTOM else SHARES.get(source, OTHER) for source in sources])
    if PHANTOM in sources:
        shares[sources.index(PHANTOM)] = shares.sum() * DRAWN / (1 - DRAWN) or 1.0
    source = sources[rng.choice(len(sources), p=shares / shares.sum())]
    of_source = [sample for sample in samples if sample.source == source]
    return of_source[rng.integers(len(of_source))]


def _view(sample: AnySample, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(3, side, side) pixels in [0, 1], (channels, side, side) targets and weights, float32."""
    some = sample.labelled if rng.random() < LABELLED else np.arange(len(sample.grey))
    place = int(rng.choice(some))
    scale, radians = float(np.exp(rng.uniform(-0.3, 0.2))), float(rng.uniform(-0.3, 0.3))
    if rng.random() < ANYWHERE:
        row, column = rng.uniform(0, sample.grey.shape[1:])
    else:
        row, column = sample.places[rng.integers(len(sample.places))] + rng.uniform(-NEAR_MM, NEAR_MM, 2)
    middle = np.full(2, SIDE / 2)
    affine = augment.about(augment.turn(radians, scale), np.array([column, row]), middle)
    grey = _warped(sample.shown(place), affine, cv2.INTER_LINEAR)
    wanted, weight = (_warped(one, affine, cv2.INTER_NEAREST) for one in sample.targets(place))
    return _exposed(grey, rng), wanted.astype(np.float32), weight.astype(np.float32) / FULL


def _warped(planes: np.ndarray, affine: np.ndarray, how: int) -> np.ndarray:
    """(n, rows, columns) under an affine map, (n, side, side); outside is 0."""
    stacked = np.ascontiguousarray(np.moveaxis(planes, 0, -1))
    return np.moveaxis(cv2.warpAffine(stacked, affine, (SIDE, SIDE), flags=how), -1, 0)


def _exposed(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """In other greys: coil shading, gamma, contrast, now and then turned to negative, sharpness, noise."""
    if rng.random() < 0.15:
        grey = 1 - grey
    across = np.linspace(-1, 1, SIDE, dtype=np.float32)
    shade = rng.uniform(-0.4, 0.4) * across[:, None] + rng.uniform(-0.4, 0.4) * across[None]
    grey = np.clip(grey * np.exp(shade), 0, None)
    grey = augment.contrast(augment.gamma(grey, 0.5, rng), (0.6, 1.4), 0.1, rng)
    if rng.random() < 0.4:
        sigma, amount = rng.uniform(0.6, 1.5), rng.uniform(-1, 1)
        grey = np.stack([augment.sharpened(np.ascontiguousarray(one), sigma, amount) for one in grey])
    return np.asarray(np.clip(augment.noisy(grey, 0.08, rng), 0, 1), dtype=np.float32)
