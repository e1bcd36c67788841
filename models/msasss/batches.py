"""Training of finder and grader from prepared samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from models.common.yolo import detection_loss
from models.msasss import augment, networks, pixels
from models.msasss.samples import FinderSample, TileSample
from models.msasss.sites import GRADE_NAMES, REGION_OF_UNIT
from models.training import loop as train

CANVAS = (352, 288)  # rows, columns of the finder's training pictures at pixels.FINDER_MM
FINDER_RECIPE = train.Recipe(epochs=24, batch=16, learning_rate=2e-3)
GRADER_RECIPE = train.Recipe(epochs=24, batch=32, learning_rate=2e-3)
CLASS_GAIN = 1.0  # weight of the class loss against boxes: finer grades matter more than the last pixel

Report = Callable[[int, float, float], None]


def train_finder(
    samples: Sequence[FinderSample],
    *,
    size: str = "demo",
    recipe: train.Recipe = FINDER_RECIPE,
    checkpoint: Path | None = None,
    report: Report = lambda epoch, loss, seconds: None,
    start: dict[str, torch.Tensor] | None = None,
) -> torch.nn.Module:
    """A finder trained on whole films, with and without a spine."""
    torch.manual_seed(recipe.seed)
    network = networks.finder(size)
    if start is not None:
        network.load_state_dict(start)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def batches(epoch: int) -> Iterator[train.Batch]:
        rng = np.random.default_rng([recipe.seed, epoch])
        order = rng.permutation(len(samples))
        for picks in _chunks(order, recipe.batch):
            views = []
            for sample in (samples[i] for i in picks):
                seen = augment.smear(sample.image, sample.units, pixels.FINDER_MM, rng)
                views.append(augment.view(*seen, *CANVAS, augment.FINDER, rng))
            yield as_batch(views)

    return train.fit(
        network,
        detection_loss(network, cls=CLASS_GAIN),
        batches,
        recipe,
        steps_per_epoch=max(1, len(samples) // recipe.batch),
        checkpoint=checkpoint,
        report=report,
    )


def train_grader(
    samples: Sequence[TileSample],
    *,
    size: str = "demo",
    recipe: train.Recipe = GRADER_RECIPE,
    per_epoch: int | None = None,
    checkpoint: Path | None = None,
    report: Report = lambda epoch, loss, seconds: None,
    start: dict[str, torch.Tensor] | None = None,
) -> torch.nn.Module:
    """A grader trained on tiles; tiles with rare grades are drawn more often (:func:`tile_weights`)."""
    torch.manual_seed(recipe.seed)
    network = networks.grader(size)
    if start is not None:
        network.load_state_dict(start)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    weights = tile_weights(samples)
    count = per_epoch or len(samples)

    def batches(epoch: int) -> Iterator[train.Batch]:
        rng = np.random.default_rng([recipe.seed, epoch])
        order = rng.choice(len(samples), size=count, p=weights)
        for picks in _chunks(order, recipe.batch):
            views = []
            for sample in (samples[i] for i in picks):
                shape = pixels.TILES[REGION_OF_UNIT[sample.unit]]
                seen = augment.smear(sample.image, sample.corners, shape.mm_per_pixel, rng)
                views.append(augment.view(*seen, shape.rows, shape.columns, augment.TILE, rng))
            yield as_batch(views)

    return train.fit(
        network,
        detection_loss(network, cls=CLASS_GAIN),
        batches,
        recipe,
        steps_per_epoch=max(1, count // recipe.batch),
        checkpoint=checkpoint,
        report=report,
    )


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


def _chunks(order: np.ndarray, size: int) -> Iterator[np.ndarray]:
    """Whole batches only, but at least one."""
    for start in range(0, max(len(order) - size + 1, 1), size):
        yield order[start : start + size]


def as_batch(views: Sequence[tuple[np.ndarray, np.ndarray]]) -> train.Batch:
    """Views of equal size with their labels (class, cx, cy, w, h in pixels) as the loss wants them."""
    images = torch.from_numpy(np.stack([image for image, _ in views]))[:, None]
    rows, columns = images.shape[-2:]
    index = np.concatenate([np.full(len(labels), i) for i, (_, labels) in enumerate(views)])
    labels = np.concatenate([labels for _, labels in views]).reshape(-1, 5)
    scale = np.array([columns, rows, columns, rows], dtype=np.float32)
    return train.Batch(
        images,
        {
            "batch_idx": torch.from_numpy(index.astype(np.float32)),
            "cls": torch.from_numpy(labels[:, :1].astype(np.float32)),
            "bboxes": torch.from_numpy((labels[:, 1:] / scale).astype(np.float32)),
        },
    )
