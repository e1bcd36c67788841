"""How the grader is trained on tiles, and its entry in the card."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from models.mtss.grader import tiles
from models.mtss.grader.network import JointNetwork, grader
from models.mtss.grader.samples import Strength, TileSet, draw_weights, prepare, view
from models.mtss.labels import GradedFilm, read_all
from models.training.loop import Batch, Descent, Fitted, Recipe
from models.training.network import Batches, NetworkTraining

RECIPE = Recipe(epochs=18, batch=64, weight_decay=2e-3)
GAP_SHARE = 0.5  # of the joint space in the loss
GAP_MM = (-2.0, 3.0)  # beyond these the joint space says no more


@dataclass(frozen=True)
class GraderSamples:
    """The films that a grader is trained on, and their tiles."""

    films: Sequence[GradedFilm]
    tiles: TileSet

    def __len__(self) -> int:
        return len(self.tiles)


def read_samples(folders: Sequence[Path], kept: frozenset[str] = frozenset()) -> GraderSamples:
    """The tiles of labelled folders; ``kept`` are patients that are tuned on."""
    films = [film for film in read_all(folders) if film.patient not in kept]
    return GraderSamples(films, prepare(films))


def batches(samples: GraderSamples, recipe: Recipe, network: JointNetwork) -> Batches:
    """Views of tiles; those with rare grades are drawn more often."""
    found, weights = samples.tiles, draw_weights(samples.tiles)
    steps = recipe.steps(len(found))

    def of_epoch(epoch: int) -> Iterator[Batch]:
        rng = np.random.default_rng([recipe.seed, epoch])
        order = rng.choice(len(found), size=max(recipe.drawn(len(found)), recipe.batch), p=weights)
        for picks in order[: steps * recipe.batch].reshape(steps, recipe.batch):
            yield as_batch(found, picks, Strength(), rng)

    return of_epoch


def as_batch(samples: TileSet, picks: np.ndarray, strength: Strength, rng: np.random.Generator) -> Batch:
    """Views of the picked tiles with their kinds and grades."""
    mm = [tiles.MM * tiles.WIDE.get(tiles.KINDS[kind], 1.0) for kind in samples.kind[picks]]
    images = np.stack([view(samples.image[i], mm[k], strength, rng) for k, i in enumerate(picks)])
    targets = {
        name: torch.from_numpy(getattr(samples, name)[picks]) for name in ("kind", "erosion", "jsn", "gap_mm")
    }
    return Batch(torch.from_numpy(images)[:, None], targets)


def loss_of(network: JointNetwork, maps: torch.Tensor, targets: dict[str, torch.Tensor]) -> torch.Tensor:
    """Sum over tiles: negative log probability of each grade that the place has, and of its joint space."""
    out = network.heads(maps, targets["kind"])
    total = maps.new_zeros(())
    for feature in ("erosion", "jsn"):
        has = targets[feature] >= 0
        if has.any():
            total = total + functional.nll_loss(out[feature][has], targets[feature][has], reduction="sum")
    known = torch.isfinite(targets["gap_mm"])
    if known.any():
        gap = targets["gap_mm"][known].clamp(*GAP_MM)
        total = total + GAP_SHARE * functional.smooth_l1_loss(
            out["gap"][known], gap, reduction="sum", beta=0.3
        )
    return total


def _descent(network: JointNetwork) -> Descent:
    return Descent(lambda raw, targets: loss_of(network, raw["maps"], targets), summed=True)


def about(samples: GraderSamples, fitted: Fitted, recipe: Recipe) -> dict[str, Any]:
    """What the card says of the network beside its file."""
    return {
        "mm_per_pixel": tiles.MM,
        "tile_pixels": tiles.TILE,
        "wide": dict(tiles.WIDE),
        "box_mm": box_sizes(samples.films),
        "films": len(samples.films),
        "patients": len({film.patient for film in samples.films}),
        "tiles": len(samples),
        "views": recipe.epochs * recipe.drawn(len(samples)),
        "recipe": recipe.as_card(),
    }


def box_sizes(films: Sequence[GradedFilm]) -> dict[str, list[float]]:
    """Kind of place -> median width and height in mm of its labelled boxes."""
    sizes: dict[str, list[np.ndarray]] = {}
    for film in films:
        for unit, box in zip(film.units, film.boxes, strict=True):
            sizes.setdefault(unit[1:], []).append((box[2:] - box[:2]) * film.mm_per_pixel)
    return {
        kind: [round(float(v), 1) for v in np.median(sizes[kind], axis=0)]
        for kind in tiles.KINDS
        if kind in sizes
    }


GRADER = NetworkTraining(
    "grader",
    build=grader,
    samples=lambda folders, seed: read_samples(folders.training, folders.kept),
    batches=batches,
    descent=_descent,
    recipe=RECIPE,
    about=about,
)
