"""How the site localiser and the grader are trained: views, batches and loss."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models.common.yolo import detection_loss
from models.msasss import augment, networks, pixels, samples
from models.msasss.samples import FinderSample, TileSample
from models.msasss.sites import ALL_UNITS, GRADE_NAMES, REGION_OF_UNIT
from models.training.loop import Batch, Descent, Fitted, Recipe
from models.training.network import Batches, NetworkTraining

CANVAS = (352, 288)  # rows, columns of the finder's training pictures at pixels.FINDER_MM
CLASS_GAIN = 1.0  # weight of the class loss against boxes: finer grades matter more than the last pixel

View = tuple[np.ndarray, np.ndarray]


def _descent(network: torch.nn.Module) -> Descent:
    loss = detection_loss(network, cls=CLASS_GAIN)
    return Descent(lambda raw, targets: loss(raw, targets)[0].sum(), summed=True)


def finder_view(sample: FinderSample, rng: np.random.Generator) -> View:
    """One view of a film with its labels."""
    seen = augment.smear(sample.image, sample.units, pixels.FINDER_MM, rng)
    return augment.view(*seen, *CANVAS, augment.FINDER, rng)


def tile_view(sample: TileSample, rng: np.random.Generator) -> View:
    """One view of a tile with its labels."""
    shape = pixels.TILES[REGION_OF_UNIT[sample.unit]]
    seen = augment.smear(sample.image, sample.corners, shape.mm_per_pixel, rng)
    return augment.view(*seen, shape.rows, shape.columns, augment.TILE, rng)


def _batches(
    samples: Sequence[Any],
    recipe: Recipe,
    view: Callable[[Any, np.random.Generator], View],
    draw: Callable[[np.random.Generator], np.ndarray],
) -> Batches:
    """Batches of an epoch from the samples that ``draw`` picks."""

    def of_epoch(epoch: int) -> Iterator[Batch]:
        rng = np.random.default_rng([recipe.seed, epoch])
        order = draw(rng)
        for start in range(0, recipe.steps(len(samples)) * recipe.batch, recipe.batch):
            yield as_batch([view(samples[i], rng) for i in order[start : start + recipe.batch]])

    return of_epoch


def finder_batches(films: Sequence[FinderSample], recipe: Recipe, network: torch.nn.Module) -> Batches:
    """Whole films, with and without a spine, each once an epoch."""
    return _batches(films, recipe, finder_view, lambda rng: rng.permutation(len(films)))


def tile_batches(tiles: Sequence[TileSample], recipe: Recipe, network: torch.nn.Module) -> Batches:
    """Tiles; those with rare grades are drawn more often (:func:`tile_weights`)."""
    weights, count = tile_weights(tiles), recipe.drawn(len(tiles))
    return _batches(tiles, recipe, tile_view, lambda rng: rng.choice(len(tiles), size=count, p=weights))


def tile_weights(samples: Sequence[TileSample]) -> np.ndarray:
    """(n,) drawing probabilities: the mean over a tile's corners of 1 / sqrt(frequency of the grade)."""
    counts = np.ones(len(GRADE_NAMES))
    for sample in samples:
        counts += np.bincount(sample.corners[:, 0].astype(int), minlength=len(GRADE_NAMES))
    rarity = np.sqrt(counts.max() / counts)
    weights = np.array(
        [
            rarity[sample.corners[:, 0].astype(int)].mean() if len(sample.corners) else 1.0
            for sample in samples
        ]
    )
    return np.asarray(weights / weights.sum())


def as_batch(views: Sequence[View]) -> Batch:
    """Views of equal size with their labels (class, cx, cy, w, h in pixels) as the loss wants them:
    ``batch_idx`` (n,), ``cls`` (n, 1), ``bboxes`` (n, 4) in [0, 1].
    """
    images = torch.from_numpy(np.stack([image for image, _ in views]))[:, None]
    rows, columns = images.shape[-2:]
    index = np.concatenate([np.full(len(labels), i) for i, (_, labels) in enumerate(views)])
    labels = np.concatenate([labels for _, labels in views]).reshape(-1, 5)
    scale = np.array([columns, rows, columns, rows], dtype=np.float32)
    return Batch(
        images,
        {
            "batch_idx": torch.from_numpy(index.astype(np.float32)),
            "cls": torch.from_numpy(labels[:, :1].astype(np.float32)),
            "bboxes": torch.from_numpy((labels[:, 1:] / scale).astype(np.float32)),
        },
    )


def _of_files(kind: str) -> Callable[[Sequence[Path], int], list[Any]]:
    """Reader of sample files that gives their pictures of the finder or their tiles."""
    return lambda files, seed: [sample for path in files for sample in getattr(samples.load(path), kind)]


def _card(definition: str, entries: Mapping[str, Any]) -> Callable[[Any, Fitted, Recipe], dict[str, Any]]:
    return lambda samples, fitted, recipe: {"definition": definition, **entries}


FINDER = NetworkTraining(
    "finder",
    build=networks.finder,
    samples=_of_files("finder"),
    batches=finder_batches,
    descent=_descent,
    recipe=Recipe(epochs=24, batch=16),
    about=_card("finder.yaml", {"classes": list(ALL_UNITS), "mm_per_pixel": pixels.FINDER_MM}),
)
GRADER = NetworkTraining(
    "grader",
    build=networks.grader,
    samples=_of_files("tiles"),
    batches=tile_batches,
    descent=_descent,
    recipe=Recipe(epochs=24, batch=32),
    about=_card(
        "grader.yaml",
        {
            "classes": list(GRADE_NAMES),
            "mm_per_pixel": {region: shape.mm_per_pixel for region, shape in pixels.TILES.items()},
            "tile_pixels": {region: [shape.rows, shape.columns] for region, shape in pixels.TILES.items()},
        },
    ),
)
