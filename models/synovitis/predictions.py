"""What networks said of patients whom they had not learned from, kept as one table beside the weights.

Two ways to leave patients out: ``folds`` (five, ``models.synovitis.folds``) and ``device`` (all patients of
one machine at a time, who are tested by networks that never saw a picture of it). Probabilities are
calibrated on the patients of the other parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core.errors import ModelError
from models import cards
from models.synovitis.tasks import DIAGNOSES, GRADE, GRADES, truth_of

FOLDS_SCHEME, DEVICE_SCHEME = SCHEMES = ("folds", "device")
ABOUT = ("image", "patient", "visit", "disease", "device", "side", "joint", "mode", "grade")
CHANCES = tuple(f"p{grade}" for grade in GRADES)
COLUMNS = (
    "scheme", "part", *ABOUT, "answer", *CHANCES,
    *(name for task in DIAGNOSES for name in (task, f"{task}_answer")),
)  # fmt: skip
DECIMALS = 4


@dataclass(frozen=True)
class Predicted:
    """What networks of one task said of pictures.

    rows (n): ``ABOUT`` and ``part``. truth, answer (n,): places of classes. probabilities (n, classes). part:
    number of the fold, or name of the device left out.
    """

    task: str
    rows: pd.DataFrame
    truth: np.ndarray
    answer: np.ndarray
    probabilities: np.ndarray


def table_path(size: str = "demo", folder: Path = cards.FOLDER) -> Path:
    """Where the table lies: beside the card."""
    return folder / f"synovitis-{size}-folds.csv"


def read_predictions(size: str = "demo", folder: Path = cards.FOLDER) -> pd.DataFrame:
    """The table, one row a picture and scheme, with ``COLUMNS``.

    part: number of the fold, or the device left out, as text. grade: the true one. answer: grade given. p0 to
    p3: probabilities of the grades. A task's own column: chance of the group that it names first, empty where
    the patient is of neither; with ``_answer``, 1 where that group is answered. Raises ModelError where there
    is no table.
    """
    path = table_path(size, folder)
    if not path.is_file():
        raise ModelError(
            f"no predictions of folds at {path}",
            "the table that training writes is needed",
            f"restore it, or run: sharpline train synovitis --size {size} --phantom N --out DIR",
        )
    texts = {name: str for name in ("part", *ABOUT) if name != "grade"}
    return pd.read_csv(path, dtype=texts, keep_default_na=False, na_values={name: [""] for name in DIAGNOSES})


def of_task(table: pd.DataFrame, task: str, scheme: str = FOLDS_SCHEME) -> Predicted:
    """What the networks of a task said in a scheme; of a diagnosis only of patients of its two groups."""
    rows = table[table["scheme"] == scheme]
    pairs = zip(rows["grade"], rows["disease"], strict=True)
    truth = [truth_of(task, int(grade), disease) for grade, disease in pairs]
    asked = np.array([one is not None for one in truth], bool)
    rows = rows[asked].reset_index(drop=True)
    right = np.array([one for one in truth if one is not None], int)
    about = rows[["part", *ABOUT]]
    if task == GRADE:
        return Predicted(task, about, right, rows["answer"].to_numpy(int), rows[list(CHANCES)].to_numpy())
    first = rows[task].to_numpy(float)
    return Predicted(
        task,
        about,
        right,
        rows[f"{task}_answer"].to_numpy(float).astype(int),
        np.stack([1 - first, first], 1),
    )


def as_rows(
    about: pd.DataFrame, scheme: str, part: str, found: dict[str, tuple[np.ndarray, np.ndarray]]
) -> pd.DataFrame:
    """Rows of the table. found: task -> probabilities (n, classes) and answers (n,) of all pictures."""
    chances, answers = found[GRADE]
    rows = about[list(ABOUT)].assign(scheme=scheme, part=part, answer=answers)
    rows[list(CHANCES)] = np.round(chances, DECIMALS)
    for task in DIAGNOSES:
        asked = np.array([truth_of(task, 0, disease) is not None for disease in about["disease"]], bool)
        chances, answers = found[task]
        rows[task] = pd.Series(np.round(chances[:, 1], DECIMALS), index=rows.index).where(asked)
        rows[f"{task}_answer"] = pd.Series(answers, index=rows.index, dtype="Int64").where(asked)
    return rows[list(COLUMNS)]


def write_predictions(table: pd.DataFrame, size: str, folder: Path) -> Path:
    """Write the table, sorted, beside the card."""
    path = table_path(size, folder)
    order = ["scheme", "part", "patient", "visit", "image"]
    table.sort_values(order, kind="stable").to_csv(path, index=False, lineterminator="\n")
    return path
