"""Training of the two detectors to a stated budget, fold by fold, and the card that says what was done.

    python -m models.mtss.train --data DIR --extra DIR --folds 0,1 --seconds 600 --out DIR

Test patients of a fold never appear in its training films; patients of ``--extra`` are trained on only.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import click
import pandas as pd

from core.errors import InputError
from models.mtss.folds import FOLDS, split
from models.mtss.labels import LabelledHands, read_folder
from models.mtss.learn import Recipe
from models.mtss.sites import DETECTORS

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
) -> dict[str, Any]:
    """Train both detectors on all folds but one; weights and card in ``folder``. Returns the card."""
    from models import weights

    train, test = split([film.patient for film in films], fold, seed=recipe.seed)
    learned = [films[i] for i in train] + list(extra)
    together = {film.patient for film in learned} & {films[i].patient for i in test}
    if together:
        raise InputError(
            f"patients {', '.join(sorted(together))}",
            "test patients must not be trained on",
            "take them out of the extra films",
        )
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [(finding, learned, recipe, size, folder) for finding in DETECTORS]
    if processes > 1:
        with get_context("spawn").Pool(2) as pool:
            about = pool.starmap(_train_one, jobs)
    else:
        about = [_train_one(*job) for job in jobs]
    card = {
        "system": "mtss",
        "size": size,
        "note": "trained on phantom films, research only",
        "networks": dict(zip(DETECTORS, about, strict=True)),
        "classes": ["background", "joint", "joint with the finding"],
        "data": {
            "films": len(learned),
            "patients": len({film.patient for film in learned}),
            "test_patients": sorted({films[i].patient for i in test}),
            "fold": f"{fold + 1} of {FOLDS}",
        },
        "recipe": recipe.as_card(),
        "seed": recipe.seed,
    }
    weights.write_card(card, "mtss", size, folder)
    return card


def _train_one(
    finding: str, films: Sequence[LabelledHands], recipe: Recipe, size: str, folder: Path
) -> dict[str, Any]:
    import torch

    from models import weights
    from models.mtss.learn import train_detector
    from models.mtss.samples import prepare

    torch.set_num_threads(1)
    samples = [sample for sample in (prepare(film, finding) for film in films) if len(sample.labels)]
    losses: list[tuple[int, float]] = []

    def report(crops: int, loss: float, seconds: float) -> None:
        losses.append((crops, round(loss, 3)))
        click.echo(f"{finding}: {crops} crops, loss {loss:.3f}, {seconds:.0f} s", err=True)

    done = train_detector(samples, recipe, size=size, report=report)
    about = weights.save(done.network, folder / f"mtss-{size}-{finding}.safetensors")
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
) -> dict[str, Any]:
    """Train and test the chosen folds; ``evaluation.json`` holds what :func:`evaluate.figures` gives."""
    from models.mtss.evaluate import evaluate_films, figures
    from models.mtss.infer import build

    counts, names = [], []
    for fold in chosen:
        folder = out / f"fold{fold}"
        card = train_fold(films, extra, fold, recipe, folder, size=size, processes=processes)
        tested = [film for film in films if film.patient in set(card["data"]["test_patients"])]
        found = evaluate_films(build(size=size, folder=folder), tested, fold)
        counts.append(found[0])
        names.append(found[1])
        result = figures(pd.concat(counts), pd.concat(names), planned_folds=FOLDS)
        result["budget"] = {"recipe": recipe.as_card(), "networks": card["networks"]}
        (out / "evaluation.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return result


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--extra", type=click.Path(path_type=Path, exists=True))
@click.option("--folds", "chosen", default="0,1,2,3,4", show_default=True)
@click.option("--crops", type=int, default=BUDGET.crops, show_default=True)
@click.option("--seconds", type=float, default=float("inf"), help="Upper limit for each detector.")
@click.option("--size", type=click.Choice(["demo", "full"]), default="demo")
@click.option("--out", type=click.Path(path_type=Path), required=True)
def main(
    data: Path, extra: Path | None, chosen: str, crops: int, seconds: float, size: str, out: Path
) -> None:
    """Train and test folds by patient."""
    recipe = replace(BUDGET, crops=crops, seconds=seconds)
    films, more = read_folder(data), read_folder(extra) if extra else []
    result = run_folds(films, more, [int(text) for text in chosen.split(",")], recipe, out, size=size)
    click.echo(json.dumps(result["findings"], indent=1))


if __name__ == "__main__":
    main()
