"""Training of the grader on tiles, and its entries in the weights card."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from core.errors import InputError
from models import cards
from models.mtss import tune_paired
from models.mtss.grader import tiles
from models.mtss.grader.grade import JointGrader
from models.mtss.grader.network import JointNetwork, grader
from models.mtss.grader.rule import BLOCKS, plain_rule
from models.mtss.grader.samples import Strength, TileSet, draw_weights, prepare, view
from models.mtss.grader.tune import JITTER_MM, SeenFilm, see_all, tune, tuning_sites
from models.mtss.labels import GradedFilm, read_graded
from models.training import loop as train

RECIPE = train.Recipe(epochs=18, batch=64, learning_rate=2e-3, weight_decay=2e-3, average=0.998)
GAP_SHARE = 0.5  # of the joint space in the loss
GAP_MM = (-2.0, 3.0)  # beyond these the joint space says no more
TUNING_SHARE = 0.15
HARD_WEIGHT = 0.25  # of a film of a damaged patient in tuning, against one of the plain population
Report = Callable[[int, float, float], None]


def train_grader(
    folders: Sequence[Path],
    recipe: train.Recipe,
    out: Path,
    *,
    tuning: Sequence[Path] = (),
    damaged: Sequence[Path] = (),
    courses: Mapping[str, Sequence[np.ndarray]] | None = None,
    size: str = "demo",
    per_epoch: int | None = None,
    cache: Path | None = None,
    report: Report = lambda epoch, loss, seconds: None,
) -> dict[str, Any]:
    """Train on labelled folders and tune on others; the card's entries ``networks.grader``, ``grading``,
    ``tuning`` and ``paired``.

    tuning: films of the plain population, at two visits of each patient. damaged: more tuning films, of
    damaged patients, that count little. Without tuning folders a share of the patients is kept for it.
    courses: scale of paired reading -> true grades of sites over visits, which give its prior; those of the
    tuning labels if None. Raises InputError where a patient is on both sides.
    """
    films = [film for folder in folders for film in read_graded(folder)]
    tuned_on = [film for folder in tuning for film in read_graded(folder)]
    kept: set[str] = set()
    if not tuned_on:
        kept = kept_patients([film.patient for film in films], recipe.seed)
        tuned_on = [film for film in films if film.patient in kept]
    hard = [film for folder in damaged for film in read_graded(folder)]
    learned = [film for film in films if film.patient not in kept]
    both = {film.patient for film in learned} & {film.patient for film in [*tuned_on, *hard]}
    if both:
        raise InputError(
            f"{len(both)} patients for training and for tuning ({min(both)} ...)",
            "a patient may be on one side only",
            "split the films by patient",
        )
    samples = tile_sets(folders, cache)
    samples = samples.pick(~np.isin(samples.patient, sorted(kept)))
    network = fit_network(
        samples, recipe, size=size, per_epoch=per_epoch, checkpoint=out / "grader.checkpoint", report=report
    )
    entry = cards.save(network, out / f"mtss-{size}-grader.safetensors")
    entry |= about(learned, samples, recipe, per_epoch)
    return {"networks": {"grader": entry}} | finish(network, entry["box_mm"], tuned_on, hard, courses)


def about(
    films: Sequence[GradedFilm], samples: TileSet, recipe: train.Recipe, per_epoch: int | None
) -> dict[str, Any]:
    """What the card says of the network beside its file."""
    return {
        "mm_per_pixel": tiles.MM,
        "tile_pixels": tiles.TILE,
        "wide": dict(tiles.WIDE),
        "box_mm": box_sizes(films),
        "films": len(films),
        "patients": len({film.patient for film in films}),
        "tiles": len(samples),
        "views": recipe.epochs * (per_epoch or len(samples)),
        "recipe": asdict(recipe),
    }


def finish(
    network: JointNetwork,
    box_mm: dict[str, list[float]],
    tuned_on: Sequence[GradedFilm],
    hard: Sequence[GradedFilm],
    courses: Mapping[str, Sequence[np.ndarray]] | None,
) -> dict[str, Any]:
    """The card's entries ``grading``, ``tuning`` and ``paired``, fitted on tuning films."""
    network.eval()
    plain = JointGrader(network, {block: plain_rule(block) for block in BLOCKS}, box_mm)
    return entries(see_all(plain, tuned_on), see_all(plain, hard), courses)


def entries(
    plain: Sequence[SeenFilm], hard: Sequence[SeenFilm], courses: Mapping[str, Sequence[np.ndarray]] | None
) -> dict[str, Any]:
    """``grading``, ``tuning`` and ``paired`` from what the network sees on tuning films."""
    sites = tuning_sites([*plain, *hard], [1.0] * len(plain) + [HARD_WEIGHT] * len(hard))
    rules = tune(sites, {block: plain_rule(block) for block in BLOCKS})
    grading = {block: rule.as_card() for block, rule in rules.items()}
    tuning = {
        "patients": len({one.film.patient for one in plain}),
        "damaged_patients": len({one.film.patient for one in hard}),
        "films": len(plain) + len(hard),
        "jitter_mm": JITTER_MM,
    }
    paired = tune_paired.fit(plain, rules, courses)
    return {"grading": grading, "tuning": tuning} | ({"paired": paired} if paired else {})


def kept_patients(patients: Sequence[str], seed: int) -> set[str]:
    """The share of the patients that is kept for tuning."""
    names = sorted(set(patients))
    order = np.random.default_rng(seed).permutation(len(names))
    return {names[i] for i in order[: max(1, round(TUNING_SHARE * len(names)))]}


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


def tile_sets(folders: Sequence[Path], cache: Path | None = None) -> TileSet:
    """The tiles of labelled folders; cut once where a cache folder is given."""
    parts = []
    for folder in folders:
        path = None if cache is None else cache / f"{folder.name}.npz"
        if path is not None and path.exists():
            parts.append(TileSet.load(path))
            continue
        parts.append(prepare(read_graded(folder)))
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            parts[-1].save(path)
    return TileSet.join(parts)


def fit_network(
    samples: TileSet,
    recipe: train.Recipe = RECIPE,
    *,
    size: str = "demo",
    per_epoch: int | None = None,
    checkpoint: Path | None = None,
    report: Report = lambda epoch, loss, seconds: None,
) -> JointNetwork:
    """A grader trained on tiles; tiles with rare grades are drawn more often."""
    torch.manual_seed(recipe.seed)
    network = grader(size)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    weights, count = draw_weights(samples), per_epoch or len(samples)

    def batches(epoch: int) -> Iterator[train.Batch]:
        rng = np.random.default_rng([recipe.seed, epoch])
        order = rng.choice(len(samples), size=max(count, recipe.batch), p=weights)
        for start in range(0, len(order) - recipe.batch + 1, recipe.batch):
            yield as_batch(samples, order[start : start + recipe.batch], Strength(), rng)

    fitted = train.fit(
        network,
        lambda raw, targets: (loss_of(network, raw["maps"], targets), None),
        batches,
        recipe,
        steps_per_epoch=max(1, count // recipe.batch),
        checkpoint=checkpoint,
        report=report,
    )
    assert isinstance(fitted, JointNetwork)
    return fitted


def as_batch(
    samples: TileSet, picks: np.ndarray, strength: Strength, rng: np.random.Generator
) -> train.Batch:
    """Views of the picked tiles with their kinds and grades."""
    mm = [tiles.MM * tiles.WIDE.get(tiles.KINDS[kind], 1.0) for kind in samples.kind[picks]]
    images = np.stack([view(samples.image[i], mm[k], strength, rng) for k, i in enumerate(picks)])
    targets = {
        name: torch.from_numpy(getattr(samples, name)[picks]) for name in ("kind", "erosion", "jsn", "gap_mm")
    }
    return train.Batch(torch.from_numpy(images)[:, None], targets)


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
