"""What ``sharpline train mtss`` and ``evaluate mtss`` do: from labelled folders, or rendered films."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from data.phantom.hands.labels import write_coco
from data.phantom.seeds import StudyRole
from data.phantom.spine.conditions import DOMAINS
from models import cards
from models.mtss.detectors.evaluate import NOTE
from models.mtss.evaluate import evaluate_folder
from models.mtss.phantom import Patients, limb_films
from models.mtss.train import VIEWS, VISITS, Folders, render, train_all

FIRST = {"first": 1001, "second": 3001}  # number of the first test patient of each domain
Tell = Callable[[str], None]


def evaluate(
    data: Path | None, patients: int, *, domains: Sequence[str] = DOMAINS, size: str = "demo",
    processes: int = 2, tell: Tell = print,
) -> dict[str, Any]:  # fmt: skip
    """The figures of the model on a labelled folder, or on so many rendered test patients of each domain.

    Raises ModelError where there are no weights of this size.
    """
    cards.read_card("mtss", size)
    about = {"system": "mtss", "note": NOTE, "size": size}
    if data is not None:
        return about | {"sets": [evaluate_folder(data, size=size, processes=processes, tell=tell)]}
    return about | {"sets": [_rendered(name, patients, size, processes, tell) for name in domains]}


def _rendered(domain: str, patients: int, size: str, processes: int, tell: Tell) -> dict[str, Any]:
    """Hands and feet of test patients at two visits, rendered, read, and read by simulated people too."""
    with tempfile.TemporaryDirectory() as folder:
        who = Patients(
            FIRST[domain], patients, VISITS, role=StudyRole.TEST, spacing=None, views=VIEWS, domain=domain
        )
        tell(f"rendering hands and feet of {patients} test patients at two visits, {domain} domain")
        write_coco(limb_films(who), Path(folder))
        found = evaluate_folder(Path(folder), people=True, size=size, processes=processes, tell=tell)
    return found | {"set": f"{domain} domain"}


def train(
    data: Path | None, phantom: int, out: Path, *, first: int = 1, size: str = "demo", seed: int = 0,
    tell: Tell = print,
) -> dict[str, Any]:  # fmt: skip
    """All networks, from a labelled folder of hands and feet or rendered patients; the card, with ``folds``.

    Each fold's detectors and card lie in ``fold0`` and on; ``evaluation.json`` holds their pooled figures.
    """
    folders = Folders(data) if data is not None else render(phantom, out / "films", first=first, tell=tell)
    return train_all(folders, out, size=size, seed=seed, tell=tell)
