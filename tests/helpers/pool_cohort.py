"""A cohort without films from changes of totals: many patients, and any readers for each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from core import scores
from data.store.cohort import CohortStore

SYSTEM = scores.get("msasss")
DAYS = {"BL": 0, "W104": 728}
BASE = 10  # total at baseline: as many sites of grade 1


def names(count: int) -> list[str]:
    """Patients as they are called here."""
    return [f"P{number:03}" for number in range(count)]


def build(path: Path, change: np.ndarray) -> CohortStore:
    """The cohort at ``path``. change: whole changes of the total (patients, readers), NaN where not read."""
    patients = names(len(change))
    readers = [f"R{number + 1}" for number in range(change.shape[1])]
    store = CohortStore.open(path)
    with store.write("test", "build") as tx:
        tx.set_meta("blinded", "false")
        arms = ["Placebo", "Active"]
        tx.insert(
            "subject",
            pd.DataFrame({"subject": patients, "arm": [arms[n % 2] for n in range(len(patients))]}),
        )
        visits = [(p, v, place, day, day) for p in patients for place, (v, day) in enumerate(DAYS.items())]
        tx.insert(
            "visit", pd.DataFrame(visits, columns=["subject", "visit", "visit_order", "planned_day", "day"])
        )
        tx.insert("reader", pd.DataFrame({"reader": readers, "kind": "human", "weights_hash": None}))
        tx.insert(
            "campaign", pd.DataFrame([{"campaign": "paired", "system": "msasss", "read_mode": "paired"}])
        )
        tx.insert("site_score", _grades(patients, readers, change))
    return store


def _grades(patients: list[str], readers: list[str], change: np.ndarray) -> pd.DataFrame:
    parts = []
    for patient, row in zip(patients, change, strict=True):
        for reader, moved in zip(readers, row, strict=True):
            if np.isnan(moved):
                continue
            for visit, total in (("BL", BASE), ("W104", max(0, BASE + int(moved)))):
                part = pd.DataFrame({"site": SYSTEM.codes, "grade": _spread(total)})
                parts.append(part.assign(subject=patient, visit=visit, reader=reader))
    frame = pd.concat(parts, ignore_index=True)
    frame = frame.assign(campaign="paired", reason=None, system="msasss", feature="corner", read=1)
    return frame.assign(grade=frame["grade"].astype("Int32"))


def _spread(total: int) -> list[int]:
    """Grades of the sites, together this total."""
    sites = len(SYSTEM.codes)
    return [min(3, total // sites + (place < total % sites)) for place in range(sites)]
