"""``sharpline train``: train a scoring model from labelled films, or on phantom films."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from core.cli.output import emit, json_option, note
from core.errors import InputError

if TYPE_CHECKING:
    from models.system import SystemModel

Value = TypeVar("Value")


@click.command()
@click.argument("system")
@click.option("--size", type=click.Choice(["demo", "full"]), default="demo", show_default=True)
@click.option("--data", type=click.Path(path_type=Path), help="Labelled films: a COCO or YOLO folder.")
@click.option("--phantom", type=int, help="Instead of --data: render this many phantom training patients.")
@click.option(
    "--first-patient", type=int, help="With --phantom: number of the first patient (1 if not given)."
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for weights and card.")
@click.option("--epochs", type=int, help="Epochs of the grader.")
@click.option("--finder-epochs", type=int, help="Epochs of the site localiser.")
@click.option("--diagnosis-epochs", type=int, help="Epochs of the networks of diagnoses.")
@click.option("--loss", type=click.Choice(["plain", "ordinal"]), help="Ordinal: near grades count as nearer.")
@click.option(
    "--imagenet", type=click.Path(path_type=Path), help="ImageNet weights to start from, a file of your own."
)
@click.option("--seed", default=0, show_default=True)
@click.option("--learning-rate", type=float, help="Learning rate of all networks.")
@click.option("--init", type=click.Path(path_type=Path), help="Folder of weights to start from.")
@click.option(
    "--patience",
    type=click.IntRange(min=1),
    help="With --data: stop after so many epochs without a lower loss on the patients kept for tuning, and "
    "keep the best weights.",
)
@click.option("--processes", default=2, show_default=True, help="At most so many beside each other.")
@json_option
def command(
    system: str,
    size: str,
    data: Path | None,
    phantom: int | None,
    first_patient: int | None,
    out: Path,
    epochs: int | None,
    finder_epochs: int | None,
    diagnosis_epochs: int | None,
    loss: str | None,
    imagenet: Path | None,
    seed: int,
    learning_rate: float | None,
    init: Path | None,
    patience: int | None,
    processes: int,
    as_json: bool,
) -> None:
    """Train the model of SYSTEM and write its weights and card; continues where an earlier run stopped.

    Epochs, learning rate and first weights are those of the system's recipe unless given; an option that a
    system does not have is refused.
    """
    model = _trainable(system)
    if (data is None) == (phantom is None):
        raise InputError(
            "--data and --phantom", "exactly one of them is needed", "give labels or a number of patients"
        )
    if data is not None and first_patient is not None:
        raise InputError("--first-patient", "it goes with --phantom", "leave it out")
    from models.training.pipeline import TrainRequest, train, without_patients

    by_option = {"epochs": epochs, "finder-epochs": finder_epochs, "diagnosis-epochs": diagnosis_epochs}
    request = TrainRequest(
        size,
        out,
        data,
        phantom,
        first_patient or 1,
        seed,
        epochs=_by_network(model, by_option),
        learning_rates=_by_network(model, {"learning-rate": learning_rate}),
        init=init if _by_network(model, {"init": init}) else None,
        processes=processes,
        patience=patience,
        settings=_settings(model, {"loss": loss, "imagenet": imagenet}),
    )
    shown = without_patients(train(model, request, note))
    emit(shown, as_json=as_json, text=lambda: json.dumps(shown, indent=1))


def _trainable(system: str) -> SystemModel:
    """The system's model. Raises InputError where there is none to train."""
    from models.registry import models

    can = {name: model for name, model in models().items() if model.training}
    if system not in can:
        need = f"{' and '.join(can)} can be trained"
        raise InputError(f"system {system}", need, f"write: sharpline train {next(iter(can))} ...")
    return can[system]


def _by_network(model: SystemModel, given: dict[str, Value | None]) -> dict[str, Value]:
    """Network -> value of the options that are given. Raises InputError for one that the system lacks."""
    from models.training.pipeline import networks_of

    return {
        network: value
        for option, value in given.items()
        if value is not None
        for network in networks_of(model, option)
    }


def _settings(model: SystemModel, given: dict[str, Any]) -> dict[str, str]:
    """The options that are given, as text. Raises InputError for one that the system lacks."""
    _by_network(model, given)
    return {option: str(value) for option, value in given.items() if value is not None}
