"""``sharpline evaluate diagnosis``: four guesses at the disease behind a joint, and how little they know.

First the five folds, of pictures and of patients (all pictures together), with each device left out, beside
the paper and beside who knows the device alone. Then test patients of both domains. All on phantoms, unless
a folder of labelled pictures is given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from core.domain import Image, Scored
from models.evaluation.run import Evaluation, Outcome, Tell
from models.evaluation.test_set import TestImage, TestSet
from models.synovitis.evaluation import held_out
from models.synovitis.evaluation.diagnosis_tables import blocks
from models.synovitis.evaluation.folder import read_folder
from models.synovitis.predictions import COLUMNS, FOLDS_SCHEME
from models.synovitis.tasks import DIAGNOSES

NETWORK_GRADES = ("p0", "p1", "p2", "p3")


class Guesser:
    """The four networks of the diagnoses."""

    def __init__(self, networks: Mapping[str, Any], pixels: int) -> None:
        self.networks, self.pixels = networks, pixels

    def guess(self, image: Image) -> dict[str, tuple[float, int]]:
        """Task -> chance of the group named first, and 1 where it is answered, from the middle frame."""
        from core.imaging.ultrasound import for_network

        picture = for_network(image, len(image.frames) // 2, self.pixels)[None]
        found = {}
        for task, network in self.networks.items():
            chances = network.predict(picture)
            found[task] = float(chances[0, 1]), int(network.answers(chances)[0])
        return found


def guesser(size: str) -> Guesser:
    """The networks with their weights. Raises ModelError where they are absent."""
    from models.synovitis.networks import PIXELS, load

    return Guesser({task: load(task, size) for task in DIAGNOSES}, PIXELS)


def look(reader: Guesser, label: Any) -> Outcome:
    """The guesses at one picture."""
    return Outcome(Scored(()), reader.guess(label.as_film()))


def sections(
    images: Sequence[TestImage], outcomes: Sequence[Outcome], grades: pd.DataFrame
) -> dict[str, Any]:
    """The same figures as of the folds, of test patients whom no network has learned from."""
    return {"diagnosis": held_out.diagnoses(as_table(images, outcomes))}


def as_table(images: Sequence[TestImage], outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """Guesses as a table of predictions, all of one part; each patient is asked what fits the disease."""
    rows = []
    for image, outcome in zip(images, outcomes, strict=True):
        label = image.label
        row: dict[str, Any] = dict.fromkeys(COLUMNS, "")
        row |= {"scheme": FOLDS_SCHEME, "part": "0", "image": image.name, "patient": image.subject}
        row |= {
            "visit": image.visit,
            "disease": label.disease,
            "device": label.device,
            "grade": 0,
            "answer": 0,
        }
        row |= dict.fromkeys(NETWORK_GRADES, 0.25)
        for task, question in DIAGNOSES.items():
            asked = question.place(label.disease) is not None
            chance, answer = outcome.seen[task] if asked else (np.nan, np.nan)
            row |= {task: chance, f"{task}_answer": answer}
        rows.append(row)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def render(domain: str, patients: int, *, processes: int, tell: Tell) -> TestSet:
    """Phantom test patients at baseline; drawn when they are read."""
    from models.synovitis.evaluation.patients import scans

    tell(f"{domain} domain: {patients} patients")
    empty = pd.DataFrame(columns=["subject", "visit", "site", "grade"])
    return TestSet(f"{domain} domain", scans(domain, patients, 1), empty, empty, domain, real=False)


def stored(size: str) -> list[dict[str, Any]]:
    """The five folds."""
    return [held_out.diagnosis_set(size)]


def summary(found: Mapping[str, Any]) -> dict[str, Any]:
    """What of it stands on the card: areas of pictures and of patients."""
    kept: dict[str, Any] = {}
    for task, one in found["diagnosis"].items():
        kept |= {f"{task}_auc": one["pooled"]["auc"], f"{task}_auc_patients": one["patients"]["auc"]}
    return kept


EVALUATION = Evaluation(
    render, read_folder, look, sections, blocks, summary, name="diagnosis", title="Diagnosis from ultrasound",
    reader="models.synovitis.evaluation.diagnosis:guesser", has_grades=False, patients=60, stored=stored,
)  # fmt: skip
