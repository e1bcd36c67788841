"""Training of the two detectors to a stated budget, fold by fold, and the card that says what was done.

    python -m models.mtss.detectors.train --data DIR --extra DIR --start-crops 18000 --crops 6000 --out DIR

Test patients of a fold never appear in its training films; patients of ``--extra`` are trained on only.
``--start-crops`` trains a common start of all folds on the extra patients first. What has a card in ``--out``
is not trained again, so an interrupted run goes on where it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import click

from core.errors import InputError
from models.mtss.detectors.batches import Recipe
from models.mtss.detectors.joints import CLASS_NAMES, DETECTORS
from models.mtss.detectors.labels import LabelledHands, read_folder
from models.training.folds import FOLDS, split

BUDGET = Recipe(crops=60_000)  # a seventh of a percent of the paper's: about an hour and a half of one core


def train_fold(
    films: Sequence[LabelledHands],
    extra: Sequence[LabelledHands],
    fold: int,
    recipe: Recipe,
    folder: Path,
    *,
    size: str = "demo",
    processes: int = 2,
    start: Path | None = None,
) -> dict[str, Any]:
    """Train both detectors on all folds but one; weights and card in ``folder``. Returns the card.

    start: folder of detectors to begin from, trained on no patient of ``films``. Raises InputError where a
    test patient would be trained on.
    """
    train, test = split([film.patient for film in films], fold, seed=recipe.seed)
    learned, tested = [films[i] for i in train] + list(extra), {films[i].patient for i in test}
    before = set(_card(start, size)["training"]["patients"]) if start else set()
    together = ({film.patient for film in learned} | before) & tested
    if together:
        raise InputError(
            f"patients {', '.join(sorted(together))}",
            "test patients must not be trained on",
            "take them out of the extra films",
        )
    about = {"test_patients": sorted(tested), "fold": f"{fold + 1} of {FOLDS}"}
    return _train_both(learned, recipe, folder, about, size=size, processes=processes, start=start)


def train_start(
    extra: Sequence[LabelledHands], recipe: Recipe, folder: Path, *, size: str = "demo", processes: int = 2
) -> dict[str, Any]:
    """Train both detectors on patients of no fold: where all folds begin. Returns the card."""
    return _train_both(extra, recipe, folder, {"fold": "start of all folds"}, size=size, processes=processes)


def _card(folder: Path, size: str) -> dict[str, Any]:
    from models import cards

    return cards.read_card("mtss", size, folder)


def _train_both(
    learned: Sequence[LabelledHands],
    recipe: Recipe,
    folder: Path,
    about_data: dict[str, Any],
    *,
    size: str,
    processes: int,
    start: Path | None = None,
) -> dict[str, Any]:
    from models import cards

    folder.mkdir(parents=True, exist_ok=True)
    jobs = [(finding, learned, recipe, size, folder, start) for finding in DETECTORS]
    if processes > 1:
        with get_context("spawn").Pool(2) as pool:
            about = pool.starmap(_train_one, jobs)
    else:
        about = [_train_one(*job) for job in jobs]
    training: dict[str, Any] = {
        "films": len(learned),
        "patients": sorted({film.patient for film in learned}),
        **about_data,
        "recipe": recipe.as_card(),
        "seed": recipe.seed,
    }
    if start:
        begun = _card(start, size)
        training["start"] = begun["training"] | {"networks": begun["networks"]}
    card = {
        "system": "mtss",
        "size": size,
        "note": "trained on phantom films, research only",
        "networks": {
            name: one | {"classes": list(CLASS_NAMES)} for name, one in zip(DETECTORS, about, strict=True)
        },
        "training": training,
    }
    cards.write_card(card, "mtss", size, folder)
    return card


def _train_one(
    finding: str, films: Sequence[LabelledHands], recipe: Recipe, size: str, folder: Path, start: Path | None
) -> dict[str, Any]:
    import torch

    from models import cards
    from models.mtss.detectors.batches import train_detector
    from models.mtss.detectors.network import detector
    from models.mtss.detectors.samples import prepare

    torch.set_num_threads(1)
    samples = [sample for sample in (prepare(film, finding) for film in films) if len(sample.labels)]
    begin = None
    if start:
        begin = detector(size)
        cards.load_into(begin, _card(start, size), finding, start)

    def report(crops: int, loss: float, seconds: float) -> None:
        click.echo(f"{finding}: {crops} crops, loss {loss:.3f}, {seconds:.0f} s", err=True)

    done = train_detector(samples, recipe, size=size, report=report, begin=begin)
    about = cards.save(done.network, folder / f"mtss-{size}-{finding}.safetensors")
    return about | {
        "crops": done.crops,
        "seconds": round(done.seconds),
        "loss": round(done.loss, 4),
        "affected_joints": int(sum((sample.labels == 2).sum() for sample in samples)),
        "joints": int(sum(len(sample.labels) for sample in samples)),
    }


def run_folds(
    films: Sequence[LabelledHands],
    extra: Sequence[LabelledHands],
    chosen: Sequence[int],
    recipe: Recipe,
    out: Path,
    *,
    size: str = "demo",
    processes: int = 2,
    start_recipe: Recipe | None = None,
) -> dict[str, Any]:
    """Train the chosen folds and test all that are trained; ``evaluation.json`` holds what
    :func:`evaluate.evaluate_folds` gives.
    """
    from models.mtss.detectors import evaluate

    train_folds(films, extra, chosen, recipe, out, size=size, processes=processes, start_recipe=start_recipe)
    result = evaluate.evaluate_folds(out, films, size=size)
    evaluate.write(result, out / "evaluation.json")
    return result


def train_folds(
    films: Sequence[LabelledHands],
    extra: Sequence[LabelledHands],
    chosen: Sequence[int],
    recipe: Recipe,
    out: Path,
    *,
    size: str = "demo",
    processes: int = 2,
    start_recipe: Recipe | None = None,
) -> None:
    """Train the chosen folds into ``fold0`` and on under ``out``; one that has a card there stays as it is.

    start_recipe: how the common start of all folds is trained on ``extra``; without it each fold begins from
    random weights.
    """
    from models.cards import card_path

    start = out / "start" if start_recipe else None
    if start and start_recipe and not card_path("mtss", size, start).is_file():
        train_start(extra, start_recipe, start, size=size, processes=processes)
    for fold in chosen:
        folder = out / f"fold{fold}"
        if not card_path("mtss", size, folder).is_file():
            train_fold(films, extra, fold, recipe, folder, size=size, processes=processes, start=start)


def _hands(folder: Path) -> list[LabelledHands]:
    """Films of the folder that show finger joints; films of feet may lie beside them."""
    return [film for film in read_folder(folder) if film.units]


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--extra", type=click.Path(path_type=Path, exists=True), multiple=True)
@click.option("--folds", "chosen", default="0,1,2,3,4", show_default=True)
@click.option("--crops", type=int, default=BUDGET.crops, show_default=True)
@click.option("--rate", type=float, default=BUDGET.learning_rate, show_default=True)
@click.option("--start-crops", type=int, default=0, help="Of a common start, trained on the extra patients.")
@click.option("--seconds", type=float, default=float("inf"), help="Upper limit for each detector.")
@click.option("--size", type=click.Choice(["demo", "full"]), default="demo")
@click.option("--processes", type=int, default=2, show_default=True, help="1 trains one after the other.")
@click.option("--out", type=click.Path(path_type=Path), required=True)
def main(
    data: Path, extra: tuple[Path, ...], chosen: str, crops: int, rate: float, start_crops: int,
    seconds: float, size: str, processes: int, out: Path,
) -> None:  # fmt: skip
    """Train folds by patient; ``python -m models.mtss.detectors.evaluate`` tests them."""
    recipe = replace(BUDGET, crops=crops, seconds=seconds, learning_rate=rate)
    start = replace(BUDGET, crops=start_crops, seconds=seconds) if start_crops else None
    films, more = _hands(data), [film for folder in extra for film in _hands(folder)]
    numbers = [int(text) for text in chosen.split(",")]
    train_folds(films, more, numbers, recipe, out, size=size, processes=processes, start_recipe=start)


if __name__ == "__main__":
    main()
