"""How the site localiser is trained, and its entry in the card.

python -m models.mtss.finder.train --data DIR --data DIR --out DIR
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch

from models import cards
from models.mtss.finder.limb_shape import lay, mean_shape
from models.mtss.finder.network import INPUT_MM, LIMBS, OF_LIMB, STRIDE, UNITS, FinderNet
from models.mtss.finder.samples import SEEN, UNKNOWN, FinderFilm, read_films, varied
from models.training.loop import Batch, Descent, Fitted, Recipe
from models.training.network import Batches, NetworkTraining
from models.training.pipeline import train_into

RECIPE = Recipe(
    epochs=1, images=4_400, batch=4, learning_rate=3e-3, weight_decay=1e-3, warmup=0.04, average=0.99,
    seconds=float("inf"),
)  # fmt: skip
BLUR = 1.0  # grid cells: how far the chance of a site is spread around it in training
MIN_SPREAD = 1.0  # mm
LETTER_WEIGHT = 3.0  # there are few side markers on a film
ORDINARY = 1.0
RARE = 2.0  # how much more often a film of a rare kind is drawn than one of the ordinary kind


def map_loss(
    network: FinderNet, scores: torch.Tensor, points: torch.Tensor, state: torch.Tensor
) -> torch.Tensor:
    """Cross entropy of the chances against a small blob at each site, or against "absent"; unknown ones do
    not count.
    """
    chances = network.chances(scores)
    rows, columns = scores.shape[-2:]
    cell = (points + 0.5) / STRIDE - 0.5
    across, down = (
        torch.exp(-((torch.arange(length)[None, None] - cell[..., axis : axis + 1]) ** 2) / (2 * BLUR**2))
        for axis, length in ((0, columns), (1, rows))
    )
    blob = (down[..., :, None] * across[..., None, :]).flatten(2)
    blob = blob / blob.sum(dim=2, keepdim=True).clamp(min=1e-6)
    seen = (state == SEEN)[..., None]
    found = -(blob * chances[..., :-1]).sum(dim=2)
    cost = torch.where(seen[..., 0], found, -chances[..., -1])
    counts = (state != UNKNOWN).float()
    counts[:, len(UNITS) :] *= LETTER_WEIGHT
    return (cost * counts).sum() / counts.sum().clamp(min=1)


def batches(films: Sequence[FinderFilm], recipe: Recipe, network: FinderNet) -> Batches:
    """Views of films, with points (b, 60, 2) and states (b, 60); those of rare kinds are drawn more often."""
    chance = np.array([ORDINARY if film.kind == "good" else RARE for film in films])
    chance = chance / chance.sum()

    def of_epoch(epoch: int) -> Iterator[Batch]:
        rng = np.random.default_rng([recipe.seed, 31 + epoch])
        for _ in range(recipe.steps(len(films))):
            drawn = [varied(films[i], rng) for i in rng.choice(len(films), size=recipe.batch, p=chance)]
            grey, points, state = (np.stack(column) for column in zip(*drawn, strict=True))
            targets = torch.from_numpy(points.astype(np.float32)), torch.from_numpy(state)
            yield Batch(torch.from_numpy(grey)[:, None], targets)

    return of_epoch


def _descent(network: FinderNet) -> Descent:
    return Descent(
        lambda scores, targets: map_loss(network, scores, *targets),
        optimizer=lambda network, recipe: torch.optim.AdamW(
            network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        ),
        clip=5.0,
    )


def about(films: Sequence[FinderFilm], fitted: Fitted, recipe: Recipe) -> dict[str, Any]:
    """What the card says of the network beside its file."""
    patients = sorted({film.patient for film in films})
    return {
        "recipe": recipe.as_budget("pictures"),
        "pictures": fitted.images,
        "seconds": round(fitted.seconds),
        "loss": round(fitted.loss, 4),
        "films": len(films),
        "patients": len(patients),
        "training_patients": patients,
    }


def set_shapes(network: FinderNet, films: Sequence[FinderFilm]) -> None:
    """Mean limbs of the films and how far their sites lie off them, into the network.

    A limb and its mirror image count as one.
    """
    for kind in ("H", "F"):
        limbs = [limb for film in films for limb in _limbs(film, kind)]
        if not limbs:
            raise ValueError(f"no film shows a {'hand' if kind == 'H' else 'foot'}")
        mean = mean_shape(limbs)
        off = [_off(limb, mean) for limb in limbs]
        spread = np.maximum(np.sqrt(np.nanmean(np.square(off), axis=0)), MIN_SPREAD)
        for limb in LIMBS:
            if limb[1] == kind:
                side = np.array([-1.0, 1.0] if limb[0] == "L" else [1.0, 1.0])
                network.shape[OF_LIMB[limb]] = torch.from_numpy((mean * side).astype(np.float32))
                network.spread[OF_LIMB[limb]] = torch.from_numpy(spread.astype(np.float32))


def _limbs(film: FinderFilm, kind: str) -> Iterator[np.ndarray]:
    """Sites of each limb of a film, mm, as a right one; unseen ones are NaN. Limbs hardly seen are not
    given.
    """
    for limb in LIMBS:
        members = OF_LIMB[limb]
        seen = film.state[members] == SEEN
        if limb[1] == kind and seen.mean() > 0.8:
            points = film.points[members] * INPUT_MM * ([-1, 1] if limb[0] == "L" else [1, 1])
            yield np.where(seen[:, None], points, np.nan)


def _off(limb: np.ndarray, mean: np.ndarray) -> np.ndarray:
    seen = ~np.isnan(limb).any(axis=1)
    laid = lay(np.where(seen[:, None], limb, 0.0), mean, seen.astype(float))
    return np.where(seen, laid.away, np.nan) if laid else np.full(len(mean), np.nan)


FINDER = NetworkTraining(
    "finder",
    build=FinderNet,
    samples=lambda folders, seed: read_films([*folders.training, *folders.odd]),
    batches=batches,
    descent=_descent,
    recipe=RECIPE,
    prepare=set_shapes,
    about=about,
    report_steps=25,
)


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True), multiple=True, required=True)
@click.option("--pictures", type=int, default=RECIPE.images, show_default=True)
@click.option("--seconds", type=float, default=float("inf"), help="Upper limit of training.")
@click.option("--size", type=click.Choice(["demo", "full"]), default="demo")
@click.option("--out", type=click.Path(path_type=Path), required=True)
def main(data: tuple[Path, ...], pictures: int, seconds: float, size: str, out: Path) -> None:
    """Train on labelled folders; weights and the entry ``finder`` of the card go into ``out``."""
    torch.set_num_threads(1)
    recipe = replace(RECIPE, images=pictures, seconds=seconds)
    network = replace(FINDER, samples=lambda folders, seed: read_films(folders))
    entry = train_into(out, "mtss", network, data, recipe, size, tell=lambda text: click.echo(text, err=True))
    card: dict[str, Any] = {"system": "mtss", "size": size, "networks": {}}
    if cards.card_path("mtss", size, out).is_file():
        card = cards.read_card("mtss", size, out)
    card["networks"]["finder"] = entry
    cards.write_card(card, "mtss", size, out)


if __name__ == "__main__":
    main()
