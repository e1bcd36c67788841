"""Training of the site finder, and its entry in the model's card.

python -m models.mtss.finder.train --data DIR --data DIR --out DIR
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch

from models import cards
from models.mtss.finder.limb_shape import lay, mean_shape
from models.mtss.finder.network import INPUT_MM, LIMBS, OF_LIMB, STRIDE, UNITS, FinderNet
from models.mtss.finder.samples import SEEN, UNKNOWN, FinderFilm, read_films, varied
from models.training.loop import AveragedWeights, rate_at

BLUR = 1.0  # grid cells: how far the chance of a site is spread around it in training
LEAST_SPREAD = 1.0  # mm
LETTER_WEIGHT = 3.0  # there are few letters on a film
ORDINARY = 1.0
RARE = 2.0  # how much more often a film of a rare kind is drawn than one of the ordinary kind
Report = Callable[[int, float, float], None]


@dataclass(frozen=True)
class FinderRecipe:
    """How to train. pictures: drawn in all. seconds: an upper limit, at which training ends."""

    pictures: int = 4_400
    batch: int = 4
    learning_rate: float = 3e-3
    weight_decay: float = 1e-3
    warmup: float = 0.04
    average: float = 0.99
    seconds: float = float("inf")
    half_precision: bool = True
    seed: int = 0

    def as_card(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value != float("inf")}


def train_finder(
    folders: Sequence[Path],
    recipe: FinderRecipe,
    out: Path,
    *,
    size: str = "demo",
    report: Report = lambda pictures, loss, seconds: None,
) -> dict[str, Any]:
    """Train on COCO folders of films of hands and feet; weights in ``out``. Returns the card's entry.

    Films without boxes (chest, blank) teach that nothing is there. Raises InputError where a folder holds no
    films, ValueError where some site is seen on none of them.
    """
    films = read_films(folders)
    network, pictures, seconds, loss = learn(films, recipe, size=size, report=report)
    about = cards.save(network, out / f"mtss-{size}-finder.safetensors")
    patients = sorted({film.patient for film in films})
    return about | {
        "recipe": recipe.as_card(),
        "pictures": pictures,
        "seconds": round(seconds),
        "loss": round(loss, 4),
        "films": len(films),
        "patients": len(patients),
        "training_patients": patients,
    }


def learn(
    films: Sequence[FinderFilm],
    recipe: FinderRecipe,
    *,
    size: str = "demo",
    report: Report = lambda pictures, loss, seconds: None,
) -> tuple[FinderNet, int, float, float]:
    """The trained network (averaged weights, in evaluation mode), pictures seen, seconds, last loss."""
    torch.manual_seed(recipe.seed)
    network = FinderNet(size).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    set_shapes(network, films)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    averaged = AveragedWeights(network, recipe.average)
    steps, began, step, recent = max(1, recipe.pictures // recipe.batch), time.monotonic(), 0, [0.0]
    for step, (pixels, points, state) in enumerate(batches(films, recipe, steps), 1):
        elapsed = time.monotonic() - began
        done = max((step - 1) / steps, elapsed / recipe.seconds)
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * rate_at(int(done * 10_000), 10_000, recipe.warmup)
        recent.append(train_step(network, pixels, points, state, optimizer, recipe.half_precision))
        averaged.update(network)
        if step % 25 == 0:
            recent = recent[-25:]
            report(step * recipe.batch, float(np.mean(recent)), elapsed)
        if elapsed > recipe.seconds:
            break
    result: FinderNet = averaged.network.eval()  # type: ignore[assignment]
    return result, step * recipe.batch, time.monotonic() - began, float(np.mean(recent[-25:]))


def train_step(
    network: FinderNet,
    pixels: torch.Tensor,
    points: torch.Tensor,
    state: torch.Tensor,
    optimizer: torch.optim.Optimizer,
    half_precision: bool,
) -> float:
    """One step on (b, 1, rows, columns) pictures; returns the loss."""
    network.train()
    with torch.autocast(pixels.device.type, torch.bfloat16, enabled=half_precision):
        scores = network(pixels)
    loss = map_loss(network, scores, points, state)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
    optimizer.step()
    return float(loss.detach())


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


def batches(
    films: Sequence[FinderFilm], recipe: FinderRecipe, steps: int
) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """So many batches of pictures, points and states; the same seed gives the same ones."""
    rng = np.random.default_rng([recipe.seed, 31])
    chance = np.array([ORDINARY if film.kind == "good" else RARE for film in films])
    chance = chance / chance.sum()
    for _ in range(steps):
        drawn = [varied(films[i], rng) for i in rng.choice(len(films), size=recipe.batch, p=chance)]
        grey, points, state = (np.stack(column) for column in zip(*drawn, strict=True))
        yield (
            torch.from_numpy(grey)[:, None].contiguous(memory_format=torch.channels_last),
            torch.from_numpy(points.astype(np.float32)),
            torch.from_numpy(state),
        )


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
        spread = np.maximum(np.sqrt(np.nanmean(np.square(off), axis=0)), LEAST_SPREAD)
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


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True), multiple=True, required=True)
@click.option("--pictures", type=int, default=FinderRecipe.pictures, show_default=True)
@click.option("--seconds", type=float, default=float("inf"), help="Upper limit of training.")
@click.option("--size", type=click.Choice(["demo", "full"]), default="demo")
@click.option("--out", type=click.Path(path_type=Path), required=True)
def main(data: tuple[Path, ...], pictures: int, seconds: float, size: str, out: Path) -> None:
    """Train on labelled folders; weights and the entry ``finder`` of the card go into ``out``."""
    torch.set_num_threads(1)
    recipe = replace(FinderRecipe(), pictures=pictures, seconds=seconds)

    def report(done: int, loss: float, elapsed: float) -> None:
        click.echo(f"{done} pictures, loss {loss:.3f}, {elapsed:.0f} s", err=True)

    about = train_finder(data, recipe, out, size=size, report=report)
    into_card(about, size, out)


def into_card(about: dict[str, Any], size: str, folder: Path) -> None:
    """Put the entry into the card of ``folder``, which is begun where there is none."""
    path = cards.card_path("mtss", size, folder)
    card: dict[str, Any] = {"system": "mtss", "size": size, "networks": {}}
    if path.is_file():
        card = cards.read_card("mtss", size, folder)
    card["networks"]["finder"] = about
    cards.write_card(card, "mtss", size, folder)


if __name__ == "__main__":
    main()
