"""What ``sharpline train mtss`` and ``evaluate mtss`` do: from labelled folders, or rendered films."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from data.phantom.hands.labels import write_coco
from data.phantom.seeds import StudyRole
from models import weights
from models.mtss.evaluate import evaluate_films, figures
from models.mtss.infer import build
from models.mtss.labels import LabelledHands, read_folder
from models.mtss.phantom_data import Patients, limb_films
from models.mtss.training import Folders, render, train_all

Tell = Callable[[str], None]


def evaluate(
    data: Path | None, patients: int, *, size: str = "demo", folder: Path = weights.FOLDER, tell: Tell = print
) -> dict[str, Any]:
    """The figures of the shipped detectors on a labelled folder, or on so many rendered test patients.

    Raises ModelError where there are no weights of this size.
    """
    detectors = build(size=size, folder=folder)
    if data is not None:
        return _figures(detectors, read_folder(data), tell)
    with tempfile.TemporaryDirectory() as rendered:
        who = Patients(1, patients, visits=(0, 1), role=StudyRole.TEST)
        tell(f"rendering both hands of {patients} test patients at two visits")
        write_coco(limb_films(who), Path(rendered))
        return _figures(detectors, read_folder(Path(rendered)), tell)


def _figures(detectors: Any, films: list[LabelledHands], tell: Tell) -> dict[str, Any]:
    tell(f"{len(films)} films")
    counts, names = evaluate_films(detectors, films)
    return figures(counts, names, planned_folds=1) | {"folds": "patients that were not trained on"}


def train(
    data: Path | None, phantom: int, out: Path, *, first: int = 1, size: str = "demo", seed: int = 0,
    tell: Tell = print,
) -> dict[str, Any]:  # fmt: skip
    """All networks, from a labelled folder of hands and feet or rendered patients; the card, with ``folds``.

    Each fold's detectors and card lie in ``fold0`` and on; ``evaluation.json`` holds their pooled figures.
    """
    folders = Folders(data) if data is not None else render(phantom, out / "films", first=first, tell=tell)
    return train_all(folders, out, size=size, seed=seed, tell=tell)
