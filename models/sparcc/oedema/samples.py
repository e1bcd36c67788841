"""Training views of STIR stacks: a slice between its neighbours, moved, in other greys, and its oedema."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import torch

from models.common.pixels import as_grey, resample
from models.sparcc.oedema.network import MM
from models.sparcc.oedema.slices import Slice, drawn, to_train_on
from models.sparcc.rendered import Stack
from models.sparcc.triples import Edge, triple
from models.training import augment
from models.training.loop import Batch, Recipe

ROWS, COLUMNS = 96, 96  # pixels of a view
ON_OEDEMA = 0.9  # share of views of a slice with oedema that show some of it
ANYWHERE = 0.15  # share of the others that are from any part of the slice, the rest is near the column
ANYWHERE_REAL = 0.3
NEAR_MM = 35.0
FAT_STAYS = 0.25  # share of views in which the suppression of fat fails in places


@dataclass(frozen=True)
class Choice:
    """What is trained on. positive: share of views of slices with oedema. negative_patients: whether patients
    without any are shown. edge: what a slice at an end of its stack is shown with. real: share of views of
    real volumes where there are any, and real_positive that of slices with lesions drawn in among them.
    """

    positive: float = 0.5
    negative_patients: bool = True
    edge: Edge = Edge.REPLICATE
    real: float = 0.45
    real_positive: float = 0.4


@dataclass(frozen=True)
class Sample:
    """A stack at ``MM`` a pixel, slices in the order of their place, all (slices, rows, columns).

    stir, t1: grey values, uint8. oedema: bool. places: (n, 2) rows and columns of bodies and discs. is_real:
    a volume of a real patient, with nothing or with lesions drawn into it.
    """

    stir: np.ndarray
    t1: np.ndarray
    oedema: np.ndarray
    places: np.ndarray
    is_real: bool = False


@dataclass(frozen=True)
class Samples:
    """Stacks by name, and the slices of them that are trained on."""

    stacks: Mapping[str, Sample]
    slices: Sequence[Slice]
    choice: Choice = field(default_factory=Choice)

    def __len__(self) -> int:
        return len(self.slices)


def samples_of(stacks: Iterable[Stack], choice: Choice | None = None) -> Samples:
    """What of the stacks is trained on."""
    choice = choice or Choice()
    kept: dict[str, Sample] = {}
    slices: list[Slice] = []
    for stack in stacks:
        kept[stack.name] = sample_of(stack)
        slices += slices_of(stack.patient, stack.name, kept[stack.name].oedema, choice.edge)
    return Samples(kept, to_train_on(slices, negative_patients=choice.negative_patients), choice)


def slices_of(patient: str, name: str, oedema: np.ndarray, edge: Edge = Edge.REPLICATE) -> list[Slice]:
    """The slices of a stack; those at its ends only where they are looked at."""
    ends = {0, len(oedema) - 1} if edge is Edge.DROP else set()
    shown = np.asarray(oedema.any(axis=(1, 2)))
    frames = [frame for frame in range(len(oedema)) if frame not in ends]
    return [Slice(patient, name, frame, bool(shown[frame])) for frame in frames]


def sample_of(stack: Stack) -> Sample:
    """A stack as training views need it."""
    places = np.argwhere((stack.structures > 0).any(axis=0)) * (np.array(stack.spacing_mm) / MM)
    stir, t1 = (at_network_size(as_grey(frames), stack.spacing_mm) for frames in (stack.stir, stack.t1))
    oedema = at_network_size(stack.oedema.astype(np.float32), stack.spacing_mm) >= 0.5
    return Sample((stir * 255).astype(np.uint8), (t1 * 255).astype(np.uint8), oedema, places)


def at_network_size(frames: np.ndarray, spacing_mm: tuple[float, float]) -> np.ndarray:
    """Frames (n, rows, columns) at ``MM`` a pixel."""
    if np.allclose(spacing_mm, MM, atol=0.02):
        return frames
    return np.stack([resample(frame, spacing_mm, MM) for frame in frames])


def batches(samples: Samples, recipe: Recipe, network: object) -> Callable[[int], Iterator[Batch]]:
    """The batches of an epoch by its number, drawn with the seed of recipe and epoch."""

    def of_epoch(epoch: int) -> Iterator[Batch]:
        rng = np.random.default_rng([recipe.seed, epoch])
        for _ in range(recipe.steps(len(samples))):
            chosen = _chosen(samples, recipe.batch, rng)
            views = [view(samples.stacks[one.stack], one.frame, rng) for one in chosen]
            pixels, wanted = (torch.from_numpy(np.stack(part)) for part in zip(*views, strict=True))
            yield Batch(pixels, wanted)

    return of_epoch


def _chosen(samples: Samples, count: int, rng: np.random.Generator) -> list[Slice]:
    """Slices of a batch, by chance of real volumes and of phantoms."""
    real = [one for one in samples.slices if samples.stacks[one.stack].is_real]
    others = [one for one in samples.slices if not samples.stacks[one.stack].is_real]
    choice = samples.choice
    if not real or not others:
        positive = choice.real_positive if real else choice.positive
        return drawn(samples.slices, count, rng, positive=positive)
    number = int(rng.binomial(count, choice.real))
    return [
        *drawn(real, number, rng, positive=choice.real_positive),
        *drawn(others, count - number, rng, positive=choice.positive),
    ]


def view(sample: Sample, frame: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(3, ROWS, COLUMNS) pixels in [0, 1] and (1, ROWS, COLUMNS) oedema of the middle one, float32."""
    affine = augment.about(
        augment.turn(float(rng.uniform(-0.25, 0.25)), float(np.exp(rng.uniform(-0.2, 0.2)))),
        _centre(sample, frame, rng)[::-1],
        np.array([COLUMNS / 2, ROWS / 2]),
    )
    pixels = _warped(triple(sample.stir, frame), affine)
    if rng.random() < FAT_STAYS:
        fat = _warped(triple(sample.t1, frame), affine)
        pixels = pixels + np.float32(rng.uniform(0.05, 0.4)) * _patches(rng) * fat
    if rng.random() < 0.5:
        pixels = pixels[::-1]  # no side of the body is the left one to the network
    wanted = _warped(sample.oedema[frame : frame + 1].astype(np.uint8) * 255, affine) >= 0.5
    return exposed(pixels, rng), wanted.astype(np.float32)


def _centre(sample: Sample, frame: int, rng: np.random.Generator) -> np.ndarray:
    """(row, column) in the middle of a view."""
    oedema = np.argwhere(sample.oedema[frame])
    if len(oedema) and rng.random() < ON_OEDEMA:
        half = np.array([ROWS, COLUMNS]) * 0.35
        return np.asarray(oedema[rng.integers(len(oedema))] + rng.uniform(-half, half))
    if not len(sample.places) or rng.random() < (ANYWHERE_REAL if sample.is_real else ANYWHERE):
        return np.asarray(rng.uniform(0, sample.stir.shape[1:]))
    return np.asarray(sample.places[rng.integers(len(sample.places))] + rng.uniform(-NEAR_MM, NEAR_MM, 2))


def _warped(planes: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """uint8 planes (n, rows, columns) under an affine map, float32 in [0, 1] of (n, ROWS, COLUMNS); outside
    is 0.
    """
    stacked = np.ascontiguousarray(np.moveaxis(planes, 0, -1)).astype(np.float32) / 255
    moved = cv2.warpAffine(stacked, affine, (COLUMNS, ROWS), flags=cv2.INTER_LINEAR)
    return np.moveaxis(moved if moved.ndim == 3 else moved[:, :, None], -1, 0)


def _patches(rng: np.random.Generator) -> np.ndarray:
    """(ROWS, COLUMNS) in [0, 1]: where the field is so uneven that fat is not suppressed."""
    coarse = rng.standard_normal((5, 4), dtype=np.float32)
    smooth = cv2.resize(coarse, (COLUMNS, ROWS), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(smooth - rng.uniform(-0.5, 1.0), 0, 1), dtype=np.float32)


def exposed(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """In other greys: coil shading, gamma, contrast, sharpness, noise."""
    down = np.linspace(-1, 1, ROWS, dtype=np.float32)[:, None]
    across = np.linspace(-1, 1, COLUMNS, dtype=np.float32)[None]
    pixels = np.clip(
        pixels * np.exp(rng.uniform(-0.45, 0.45) * down + rng.uniform(-0.45, 0.45) * across), 0, None
    )
    pixels = augment.contrast(augment.gamma(pixels, 0.4, rng), (0.6, 1.4), 0.05, rng)
    if rng.random() < 0.35:
        sigma, amount = rng.uniform(0.6, 1.2), rng.uniform(-0.8, 0.8)
        pixels = np.stack([augment.sharpened(np.ascontiguousarray(one), sigma, amount) for one in pixels])
    return np.asarray(np.clip(augment.noisy(pixels, 0.05, rng), 0, 1), dtype=np.float32)
