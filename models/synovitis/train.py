"""How the five networks are trained: on everybody, and on everybody but one fold or one device.

What the networks of a fold say of its patients, whom they have not learned from, is kept as a table beside
the weights (``predictions``), sets the calibration of the final networks, and is what ``evaluate`` measures.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.errors import InputError
from models import cards
from models.synovitis.calibration import Calibration, fit
from models.synovitis.fold_figures import card_figures
from models.synovitis.folds import FOLDS, folds, without_device
from models.synovitis.losses import LOSSES, ORDINAL
from models.synovitis.networks import SYSTEM, of_card
from models.synovitis.pictures import Drawn, Folder, Material, Source
from models.synovitis.predictions import DEVICE_SCHEME, FOLDS_SCHEME, as_rows, write_predictions
from models.synovitis.start import begin_from
from models.synovitis.tasks import DIAGNOSES, GRADE, TASKS, truth_of
from models.synovitis.training import NETWORKS, Plan
from models.training.beside import Tell, beside
from models.training.pipeline import Films, Training, TrainRequest, train_into

NOTE = "grades of synovitis and guesses at the disease, on ultrasound; {}; research only"
HELD = "held.npz"
BALANCED = 1.0  # power of the inverse frequency with which a diagnosis is answered


def labelled(request: TrainRequest, tell: Tell) -> Films:
    """Pictures of a folder with their table."""
    assert request.data is not None
    return _films(_plan(Folder(request.data), request), request, is_phantom=False)


def phantom(request: TrainRequest, tell: Tell) -> Films:
    """Pictures of drawn patients, kept in the folder ``pictures``."""
    assert request.phantom is not None
    drawn = Drawn(request.phantom, request.out / "pictures", request.first, request.seed)
    plan = _plan(drawn, request)
    tell(f"pictures of {request.phantom} phantom patients in {drawn.folder}")
    return _films(plan, request, is_phantom=True)


def _plan(source: Source, request: TrainRequest) -> Plan:
    """What the networks are trained on. Raises InputError for weights that do not fit, before any drawing."""
    loss = request.settings.get("loss", ORDINAL)
    if loss not in LOSSES:
        raise InputError(f"--loss {loss}", f"it is one of {', '.join(LOSSES)}", "name one of these")
    imagenet = request.settings.get("imagenet")
    plan = Plan(source, request.out, request.size, loss=loss, imagenet=Path(imagenet) if imagenet else None)
    if plan.imagenet is not None:
        begin_from(NETWORKS[0].build(request.size), plan.imagenet)
    return plan


def _films(plan: Plan, request: TrainRequest, *, is_phantom: bool) -> Films:
    """The films, once it is known that they are of patients enough for the folds."""
    persons = plan.source.material().people()
    folds(persons, seed=request.seed)
    patients = frozenset(person.patient for person in persons)
    return Films(plan, None, patients, is_phantom=is_phantom)


def plain_card(request: TrainRequest, films: Films) -> dict[str, Any]:
    """What the card begins with."""
    source = "trained on phantom pictures alone" if films.is_phantom else "trained on labelled pictures"
    about = {"patients": sorted(films.trained_on), "seed": request.seed, "phantom": films.is_phantom}
    return {"note": NOTE.format(source), "read_mode": "single", "training": about}


@dataclass(frozen=True)
class Part:
    """Patients left out together. name: number of the fold, or the device."""

    scheme: str
    name: str
    folder: Path
    left_out: frozenset[str]


def parts_of(material: Material, out: Path, seed: int) -> list[Part]:
    """The folds, then each device; a device that scanned everybody cannot be left out."""
    persons = material.people()
    fold_of = folds(persons, seed=seed)
    found = [
        Part(
            FOLDS_SCHEME,
            str(number),
            out / f"fold{number}",
            frozenset(name for name, fold in fold_of.items() if fold == number),
        )
        for number in range(FOLDS)
    ]
    everybody = frozenset(fold_of)
    for number, device in enumerate(sorted({one for person in persons for one in person.devices})):
        others = without_device(persons, device)
        if others:
            found.append(Part(DEVICE_SCHEME, device, out / f"device{number}", everybody - others))
    return found


def train_parts(card: dict[str, Any], films: Films, request: TrainRequest, tell: Tell) -> dict[str, Any]:
    """All networks of every fold and device, what they say of the patients left out, and the calibration."""
    began = time.monotonic()
    plan: Plan = films.training
    material = plan.source.material()
    parts = parts_of(material, request.out, request.seed)
    tell(f"training without each of {FOLDS} folds and {len(parts) - FOLDS} devices")
    for number, _ in beside(_train_part, [(plan, request, part) for part in parts], request.processes, tell):
        tell(f"{parts[number].scheme} {parts[number].name}: {time.monotonic() - began:.0f} s")
    said = {part: _said(part, material) for part in parts}
    for part in parts:
        others = [one for one in parts if one.scheme == FOLDS_SCHEME and one != part]
        _calibrate_part(part, [said[one] for one in others], request.size)
    everything = [said[part] for part in parts if part.scheme == FOLDS_SCHEME]
    card["grading"] = {task: rule.as_card() for task, rule in calibrations(everything).items()}
    table = pd.concat([_rows(part, said[part], request.size) for part in parts])
    write_predictions(table, request.size, request.out)
    card["evaluation"] = card_figures(table)
    card["settings"] = {"joints": sorted(set(material.about["joint"]))}
    card["tuning"] = {"patients_left_out": len(films.trained_on), "pictures": len(material)}
    return {"seconds_of_folds": round(time.monotonic() - began)}


def _train_part(plan: Plan, request: TrainRequest, part: Part, tell: Tell) -> None:
    """The five networks without some patients, and their raw answers on these, unless they are there."""
    if (part.folder / HELD).is_file():
        return
    own = replace(plan, left_out=part.left_out, folder=part.folder)
    card: dict[str, Any] = {"networks": {}, "training": {"fold": part.name, "seed": request.seed}}

    def named(line: str) -> None:
        tell(f"{part.scheme} {part.name}: {line}")

    for network in NETWORKS:
        card["networks"][network.name] = train_into(
            part.folder, SYSTEM, network, own, request.recipe(network), request.size, tell=named
        )
    cards.write_card(card, SYSTEM, request.size, part.folder)
    held = plan.source.material().of(part.left_out)
    logits = {task: of_card(card, task, request.size, part.folder).logits(held.pictures) for task in TASKS}
    partial = part.folder / "held.partial.npz"
    np.savez(partial, allow_pickle=False, **logits)
    partial.replace(part.folder / HELD)


@dataclass(frozen=True)
class Said:
    """Raw answers on patients left out. about: rows of the pictures. logits: of each task, (n, classes)."""

    about: pd.DataFrame
    logits: dict[str, np.ndarray]

    def asked(self, task: str) -> tuple[np.ndarray, list[int]]:
        """Logits and truth of the pictures that a task asks about."""
        pairs = zip(self.about["grade"], self.about["disease"], strict=True)
        truth = [truth_of(task, int(grade), disease) for grade, disease in pairs]
        kept = [place for place, one in enumerate(truth) if one is not None]
        return self.logits[task][kept], [one for one in truth if one is not None]


def _said(part: Part, material: Material) -> Said:
    with np.load(part.folder / HELD, allow_pickle=False) as stored:
        return Said(material.of(part.left_out).about, {task: stored[task] for task in TASKS})


def calibrations(said: list[Said]) -> dict[str, Calibration]:
    """Task -> calibration fitted to what networks said of patients whom they had not learned from.

    A grade is answered so that it agrees best with the truth, a diagnosis with both groups counting the same.
    """
    found = {}
    for task in TASKS:
        asked = [one.asked(task) for one in said]
        logits = np.concatenate([one for one, _ in asked])
        truth = [place for _, places in asked for place in places]
        found[task] = fit(logits, truth, None if task == GRADE else BALANCED)
    return found


def _calibrate_part(part: Part, others: list[Said], size: str) -> None:
    """The calibration of a part's networks, from patients of the other folds that are not of the part."""
    free = []
    for one in others:
        kept = ~one.about["patient"].isin(part.left_out).to_numpy()
        free.append(Said(one.about[kept], {task: logits[kept] for task, logits in one.logits.items()}))
    card = cards.read_card(SYSTEM, size, part.folder)
    card["grading"] = {task: rule.as_card() for task, rule in calibrations(free).items()}
    cards.write_card(card, SYSTEM, size, part.folder)


def _rows(part: Part, said: Said, size: str) -> pd.DataFrame:
    grading = cards.read_card(SYSTEM, size, part.folder)["grading"]
    found = {}
    for task in TASKS:
        rule = Calibration.from_card(grading[task])
        chances = rule.probabilities(said.logits[task])
        found[task] = chances, rule.answers(chances)
    return as_rows(said.about, part.scheme, part.name, found)


TRAINING = Training(
    networks=NETWORKS,
    labelled=labelled,
    phantom=phantom,
    card=plain_card,
    further=train_parts,
    options={
        "epochs": (GRADE,),
        "diagnosis-epochs": tuple(DIAGNOSES),
        "learning-rate": TASKS,
        "loss": TASKS,
        "imagenet": TASKS,
    },
)
