"""The training of a system's model: films, each network, the card, tuning, paired reading, further steps.

A system declares a ``Training``; what is there already stays as it is, so a training that was stopped goes on
where it was when the same request is made again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors.torch import load_file

from core.errors import InputError
from core.learned_from import KEY
from models import cards
from models.system import SystemModel, named
from models.training.beside import Tell, beside
from models.training.folds import keep_apart
from models.training.loop import Progress, Recipe
from models.training.network import NetworkTraining
from models.training.sources import steps_of

PARTS = 10  # of a recipe of one long epoch


@dataclass(frozen=True)
class TrainRequest:
    """What a training run is asked for.

    data: folder of labelled films, or phantom: number of rendered patients, from number ``first``. epochs,
    learning_rates: of a network by its name, in place of its recipe's. init: folder of weights of the same
    size to begin from. processes: at most so many beside each other. patience: of every recipe, see there.
    settings: what only some systems have, by the name of the option.
    """

    size: str
    out: Path
    data: Path | None = None
    phantom: int | None = None
    first: int = 1
    seed: int = 0
    epochs: Mapping[str, int] = field(default_factory=dict)
    learning_rates: Mapping[str, float] = field(default_factory=dict)
    init: Path | None = None
    processes: int = 2
    patience: int | None = None
    settings: Mapping[str, str] = field(default_factory=dict)

    def recipe(self, network: NetworkTraining) -> Recipe:
        """The network's recipe as asked for."""
        recipe = replace(network.recipe, seed=self.seed)
        if network.name in self.epochs:
            recipe = replace(recipe, epochs=self.epochs[network.name])
        if network.name in self.learning_rates:
            recipe = replace(recipe, learning_rate=self.learning_rates[network.name])
        if self.patience is not None:
            if recipe.images is not None and recipe.epochs == 1:  # one long epoch, in parts to look between
                recipe = replace(recipe, epochs=PARTS, images=-(-recipe.images // PARTS))
            recipe = replace(recipe, patience=self.patience)
        return recipe


@dataclass(frozen=True)
class Films:
    """Films to train and tune on, or where they lie.

    training: what the networks' ``samples`` are made of, handed to other processes. tuning: for the tuner.
    held_out: the same as training of the patients that are tuned on, None where that is not offered.
    trained_on, tuned_on: patients. about: what the card says of them.
    """

    training: Any
    tuning: Any = None
    trained_on: frozenset[str] = frozenset()
    tuned_on: frozenset[str] = frozenset()
    is_phantom: bool = False
    about: Mapping[str, Any] = field(default_factory=dict)
    held_out: Any = None


class Tuner(Protocol):
    """What the trained networks see on tuning films, and what is fitted to it: entries of the card."""

    def tune(self) -> dict[str, Any]:
        """The rules that turn raw outputs into grades."""
        ...

    def paired(self) -> dict[str, Any]:
        """The prior of paired reading; empty where no site is known at two visits."""
        ...


def plain_card(request: TrainRequest, films: Films) -> dict[str, Any]:
    """What a card begins with where a system has nothing to add."""
    source = "phantom films" if films.is_phantom else "labelled films"
    return {"note": f"trained on {source}, research only", "training": {"seed": request.seed}}


def nothing_further(card: dict[str, Any], films: Films, request: TrainRequest, tell: Tell) -> dict[str, Any]:
    """A system without steps of its own."""
    return {}


@dataclass(frozen=True)
class Training:
    """How the model of a system is trained.

    labelled, phantom: films of a folder, or rendered. networks: trained in this order, or side by side.
    tuner: of card, films and request; tuned: the entries of the card that it makes, ``paired`` aside.
    further: steps of the system's own; what it returns is shown with the card but not kept in it.
    options: name of a command-line option -> the networks it is for.
    """

    networks: tuple[NetworkTraining, ...]
    labelled: Callable[[TrainRequest, Tell], Films]
    phantom: Callable[[TrainRequest, Tell], Films]
    card: Callable[[TrainRequest, Films], dict[str, Any]] = plain_card
    tuner: Callable[[dict[str, Any], Films, TrainRequest], Tuner] | None = None
    tuned: tuple[str, ...] = ()
    further: Callable[[dict[str, Any], Films, TrainRequest, Tell], dict[str, Any]] = nothing_further
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    side_by_side: bool = False

    def network(self, name: str) -> NetworkTraining:
        """The network of this name."""
        return next(one for one in self.networks if one.name == name)


def training_of(model: SystemModel) -> Training:
    """What a system declares. Raises InputError where its model cannot be trained."""
    if model.training is None:
        raise InputError(f"system {model.system}", "its model is not trained here", "name another system")
    found: Training = named(model.training)
    return found


def networks_of(model: SystemModel, option: str) -> tuple[str, ...]:
    """The networks that an option of the command is for. Raises InputError where it is for none."""
    options = training_of(model).options
    if option not in options:
        has = ", ".join(f"--{name}" for name in options) or "none of this kind"
        raise InputError(f"--{option}", f"{model.system} has no such option (it has {has})", "leave it out")
    return options[option]


def train(model: SystemModel, request: TrainRequest, tell: Tell = print) -> dict[str, Any]:
    """Train what is not there yet, with a card after each step; returns the card and what is shown beside it.

    Raises InputError where there are no films, or a patient is on both sides.
    """
    training = training_of(model)
    films = (training.phantom if request.data is None else training.labelled)(request, tell)
    keep_apart(films.trained_on, films.tuned_on)
    if request.patience is not None and films.held_out is None:
        raise InputError(
            "--patience", "it needs labelled films (--data) of a system that can", "leave it out"
        )
    request.out.mkdir(parents=True, exist_ok=True)
    card = _begun(model, training, request, films)
    for name, entry in _train_networks(model, card, films, request, tell):
        card["networks"][name] = entry
        _write(card, request)
        checkpoint(request, name).unlink(missing_ok=True)
    if training.tuner is not None and not all(entry in card for entry in training.tuned):
        tell("tuning")
        tuner = training.tuner(card, films, request)
        for step in (tuner.tune, tuner.paired):
            card |= step()
        _write(card, request)
    shown = training.further(card, films, request, tell)
    _write(card, request)
    return card | shown


def _begun(model: SystemModel, training: Training, request: TrainRequest, films: Films) -> dict[str, Any]:
    """The card of an earlier start in this folder, or a new one."""
    if cards.card_path(model.system, request.size, request.out).is_file():
        return cards.read_card(model.system, request.size, request.out)
    first = {"schema": cards.SCHEMA, "system": model.system, "size": request.size}
    card: dict[str, Any] = first | dict(training.card(request, films)) | {"networks": {}}
    steps = steps_of(
        model.system, request.size, data=request.data, patients=films.trained_on, init=request.init
    )
    card["training"] = card.get("training", {}) | {KEY: steps}
    return card


def _write(card: dict[str, Any], request: TrainRequest) -> None:
    cards.write_card(card, card["system"], request.size, request.out)


def _train_networks(
    model: SystemModel, card: dict[str, Any], films: Films, request: TrainRequest, tell: Tell
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and card entry of each network that has no entry yet, as it is trained."""
    training, jobs = training_of(model), []
    for network in training.networks:
        if network.name in card["networks"]:
            tell(f"{network.name}: {request.out / card['networks'][network.name]['file']} is there already")
        else:
            seen = (films.training, films.held_out)
            jobs.append((model.system, model.training, network.name, seen, request))
    processes = request.processes if training.side_by_side else 1
    for number, entry in beside(_train_network, jobs, processes, tell):
        yield jobs[number][2], entry


def checkpoint(request: TrainRequest, network: str) -> Path:
    """Where the state of a network's training lies until it is done."""
    return request.out / f"{network}.checkpoint"


def _train_network(
    system: str, training: str, name: str, films: tuple[Any, Any], request: TrainRequest, tell: Tell
) -> dict[str, Any]:
    """Train one network of the ``Training`` that ``training`` names; returns its entry of the card."""
    network: NetworkTraining = named(training).network(name)
    return train_into(
        request.out,
        system,
        network,
        films[0],
        request.recipe(network),
        request.size,
        held_out=films[1],
        init=request.init,
        checkpoint=checkpoint(request, name),
        tell=tell,
    )


def train_into(
    folder: Path,
    system: str,
    network: NetworkTraining,
    films: Any,
    recipe: Recipe,
    size: str,
    *,
    held_out: Any = None,
    init: Path | None = None,
    checkpoint: Path | None = None,
    tell: Tell = print,
) -> dict[str, Any]:
    """Train a network on films and file its weights in ``folder``; returns its entry of the card.

    held_out: films of other patients, by which the best epoch is told where the recipe has patience. init:
    folder of weights of the same size to begin from. Raises InputError where it does not hold them.
    """
    file = f"{system}-{size}-{network.name}.safetensors"

    def report(done: Progress) -> None:
        how_far = f"epoch {done.epochs}/{recipe.epochs}" if recipe.epochs > 1 else f"{done.images} images"
        tell(f"{network.name} {how_far} loss {done.loss:.3f} {done.seconds:.0f} s")

    tell(f"training the {network.name}")
    samples = network.samples(films, recipe.seed)
    start = None if init is None else _start(init, file)
    others = None
    if held_out is not None and recipe.patience is not None:
        others = network.samples(held_out, recipe.seed)
    fitted = network.train(
        samples, recipe, size=size, start=start, checkpoint=checkpoint, report=report, held_out=others
    )
    entry = cards.save(fitted.network, folder / file, network.stored_as)
    if fitted.best_epoch is not None:
        tell(f"{network.name}: the weights after epoch {fitted.best_epoch} are the best on patients held out")
        entry |= {"best_epoch": fitted.best_epoch}
    tell(f"{network.name}: weights in {folder / file}")
    return entry | network.about(samples, fitted, recipe)


def _start(folder: Path, file: str) -> dict[str, torch.Tensor]:
    if not (folder / file).is_file():
        raise InputError(f"{folder} to begin from", f"it must hold {file}", "give a folder of such weights")
    found: dict[str, torch.Tensor] = load_file(folder / file)
    return found


def without_patients(card: dict[str, Any]) -> dict[str, Any]:
    """The card for printing: patient lists of its entry ``training`` as counts."""
    about = card.get("training", {})
    short = {key: len(about[key]) for key in ("patients", "tuning_patients") if key in about}
    return card | ({"training": about | short} if about else {})
