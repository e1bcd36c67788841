"""Training of the two detectors to a stated budget, fold by fold, and the card that says what was done.

    python -m models.mtss.detectors.train --data DIR --extra DIR --start-crops 18000 --crops 6000 --out DIR

Test patients of a fold never appear in its training films; patients of ``--extra`` are trained on only.
``--start-crops`` trains a common start of all folds on the extra patients first. What has a card in ``--out``
is not trained again, so an interrupted run goes on where it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from models import cards
from models.mtss.detectors.batches import BETAS, BUDGET, TRAININGS
from models.mtss.detectors.joints import CLASS_NAMES, DETECTORS
from models.mtss.detectors.labels import LabelledHands, hands_in
from models.training.beside import Tell, beside
from models.training.folds import FOLDS, keep_apart, split
from models.training.loop import Recipe
from models.training.pipeline import train_into


def to_stderr(text: str) -> None:
    """A line of progress."""
    click.echo(text, err=True)


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
    tell: Tell = to_stderr,
) -> dict[str, Any]:
    """Train both detectors on all folds but one; weights and card in ``folder``. Returns the card.

    start: folder of detectors to begin from, trained on no patient of ``films``. Raises InputError where a
    test patient would be trained on.
    """
    train, test = split([film.patient for film in films], fold, seed=recipe.seed)
    learned, tested = [films[i] for i in train] + list(extra), {films[i].patient for i in test}
    before = set(cards.read_card("mtss", size, start)["training"]["patients"]) if start else set()
    keep_apart({film.patient for film in learned} | before, tested, "test")
    about = {"test_patients": sorted(tested), "fold": f"{fold + 1} of {FOLDS}"}
    return _train_both(learned, recipe, folder, about, size, processes, start, tell)


def _train_both(
    learned: Sequence[LabelledHands],
    recipe: Recipe,
    folder: Path,
    about_data: dict[str, Any],
    size: str,
    processes: int,
    start: Path | None,
    tell: Tell,
) -> dict[str, Any]:
    """Train both detectors on films, side by side; weights and card in ``folder``. Returns the card."""
    jobs = [(finding, learned, recipe, size, folder, start) for finding in DETECTORS]
    entries = dict(beside(_train_one, jobs, processes, tell))
    training: dict[str, Any] = {
        "films": len(learned),
        "patients": sorted({film.patient for film in learned}),
        **about_data,
        "recipe": recipe.as_budget("crops") | {"betas": list(BETAS)},
        "seed": recipe.seed,
    }
    if start:
        begun = cards.read_card("mtss", size, start)
        training["start"] = begun["training"] | {"networks": begun["networks"]}
    card = {
        "system": "mtss",
        "size": size,
        "note": "trained on phantom films, research only",
        "networks": {
            finding: entries[number] | {"classes": list(CLASS_NAMES)}
            for number, finding in enumerate(DETECTORS)
        },
        "training": training,
    }
    cards.write_card(card, "mtss", size, folder)
    return card


def _train_one(
    finding: str,
    films: Sequence[LabelledHands],
    recipe: Recipe,
    size: str,
    folder: Path,
    start: Path | None,
    tell: Tell,
) -> dict[str, Any]:
    return train_into(folder, "mtss", TRAININGS[finding], films, recipe, size, init=start, tell=tell)


def run_folds(
    films: Sequence[LabelledHands],
    extra: Sequence[LabelledHands],
    chosen: Iterable[int],
    recipe: Recipe,
    out: Path,
    *,
    size: str = "demo",
    **how: Any,
) -> dict[str, Any]:
    """Train the chosen folds (see :func:`train_folds`) and test all that are trained; ``evaluation.json``
    holds what :func:`evaluate.evaluate_folds` gives.
    """
    from models.mtss.detectors import evaluate

    train_folds(films, extra, chosen, recipe, out, size=size, **how)
    result = evaluate.evaluate_folds(out, films, size=size)
    evaluate.write(result, out / "evaluation.json")
    return result


def train_folds(
    films: Sequence[LabelledHands],
    extra: Sequence[LabelledHands],
    chosen: Iterable[int],
    recipe: Recipe,
    out: Path,
    *,
    size: str = "demo",
    processes: int = 2,
    start_recipe: Recipe | None = None,
    tell: Tell = to_stderr,
) -> None:
    """Train the chosen folds into ``fold0`` and on under ``out``; one that has a card there stays as it is.

    start_recipe: how the common start of all folds is trained on ``extra``; without it each fold begins from
    random weights.
    """
    start = out / "start" if start_recipe else None
    if start and start_recipe and not cards.card_path("mtss", size, start).is_file():
        about = {"fold": "start of all folds"}
        _train_both(extra, start_recipe, start, about, size, processes, None, tell)
    for fold in chosen:
        folder = out / f"fold{fold}"
        if not cards.card_path("mtss", size, folder).is_file():
            train_fold(
                films, extra, fold, recipe, folder, size=size, processes=processes, start=start, tell=tell
            )


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--extra", type=click.Path(path_type=Path, exists=True), multiple=True)
@click.option("--folds", "chosen", default="0,1,2,3,4", show_default=True)
@click.option("--crops", type=int, default=BUDGET.images, show_default=True)
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
    recipe = replace(BUDGET, images=crops, seconds=seconds, learning_rate=rate)
    start = replace(BUDGET, images=start_crops, seconds=seconds) if start_crops else None
    films, more = hands_in([data]), hands_in(extra)
    numbers = [int(text) for text in chosen.split(",")]
    train_folds(films, more, numbers, recipe, out, size=size, processes=processes, start_recipe=start)


if __name__ == "__main__":
    main()
