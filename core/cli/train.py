"""``sharpline train``: train a scoring model from labelled films, or on phantom films."""

from __future__ import annotations

import json
from pathlib import Path

import click

from core.cli.output import emit, json_option, note
from core.errors import InputError


@click.command()
@click.argument("system")
@click.option("--size", type=click.Choice(["demo", "full"]), default="demo", show_default=True)
@click.option("--data", type=click.Path(path_type=Path), help="Labelled films: a COCO or YOLO folder.")
@click.option("--phantom", type=int, help="Instead of --data: render this many phantom training patients.")
@click.option("--first-patient", default=1, show_default=True, help="Number of the first phantom patient.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for weights and card.")
@click.option("--epochs", default=24, show_default=True, help="Epochs of the grader.")
@click.option("--finder-epochs", default=24, show_default=True, help="Epochs of the finder.")
@click.option("--seed", default=0, show_default=True)
@click.option("--learning-rate", default=2e-3, show_default=True)
@click.option("--init", type=click.Path(path_type=Path), help="Folder of weights to start from.")
@click.option("--processes", default=2, show_default=True, help="Processes that render phantom films.")
@json_option
def command(
    system: str,
    size: str,
    data: Path | None,
    phantom: int | None,
    first_patient: int,
    out: Path,
    epochs: int,
    finder_epochs: int,
    seed: int,
    learning_rate: float,
    init: Path | None,
    processes: int,
    as_json: bool,
) -> None:
    """Train the model of SYSTEM and write its weights and card; continues where an earlier run stopped."""
    if system not in ("msasss", "mtss"):
        need = "msasss and mtss can be trained"
        raise InputError(f"system {system}", need, "write: sharpline train msasss ...")
    if (data is None) == (phantom is None):
        raise InputError(
            "--data and --phantom", "exactly one of them is needed", "give labels or a number of patients"
        )
    if system == "mtss":
        return _mtss(data, phantom or 0, out, first_patient, size, seed, as_json=as_json)
    from models.msasss.train import Plan, card_without_patients, train_from_folder, train_on_phantoms

    plan = Plan(size, out, epochs, finder_epochs, seed, learning_rate, init)
    if data is not None:
        card = train_from_folder(data, plan, note)
    else:
        card = train_on_phantoms(phantom or 0, plan, note, first=first_patient, processes=processes)
    shown = card_without_patients(card)
    emit(shown, as_json=as_json, text=lambda: json.dumps(shown, indent=1))


def _mtss(
    data: Path | None, phantom: int, out: Path, first: int, size: str, seed: int, *, as_json: bool
) -> None:
    """Site finder, joint grader and the detectors over five folds; epochs and rate do not apply."""
    from models.mtss.command import train

    result = train(data, phantom, out, first=first, size=size, seed=seed, tell=note)
    emit(result, as_json=as_json, text=lambda: json.dumps(result, indent=1))
