"""A cohort of ten patients scored in any of the four systems, for pages that must work for each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from core import scores
from data.store.cohort import CohortStore

VISITS = {"BL": 0, "W52": 364}
READERS = {"R1": "human", "R2": "human", "model:m": "model"}


def build(path: Path, system: str) -> CohortStore:
    """Two readers and a model, each a grade off now and then, from a fixed seed."""
    store = CohortStore.open(path)
    patients = [f"P{number:02d}" for number in range(10)]
    with store.write("test", "build") as tx:
        tx.insert("subject", pd.DataFrame({"subject": patients, "sex": ["F", "M"] * 5}))
        visits = [(p, v, place, day, day) for p in patients for place, (v, day) in enumerate(VISITS.items())]
        columns = ["subject", "visit", "visit_order", "planned_day", "day"]
        tx.insert("visit", pd.DataFrame(visits, columns=columns))
        tx.insert("reader", pd.DataFrame({"reader": list(READERS), "kind": list(READERS.values())}))
        tx.insert("campaign", pd.DataFrame([{"campaign": "c", "system": system, "read_mode": "paired"}]))
        tx.insert("site_score", _grades(patients, system))
    return store


def _grades(patients: list[str], system: str) -> pd.DataFrame:
    rng = np.random.default_rng(11)
    sites = [site for site in scores.get(system).sites if site.feature != "combined"]
    rows = []
    for patient in patients:
        truth = {
            site.code: int(rng.random() < 0.3) * int(rng.integers(0, site.maximum + 1)) for site in sites
        }
        for visit in VISITS:
            for reader in READERS:
                for site in sites:
                    off = int(rng.choice([-1, 0, 1], p=[0.03, 0.92, 0.05])) if site.maximum > 1 else 0
                    grade = int(
                        np.clip(truth[site.code] + off + (visit == "W52" and off > 0), 0, site.maximum)
                    )
                    rows.append((patient, visit, site.code, site.feature, reader, grade))
    frame = pd.DataFrame(rows, columns=["subject", "visit", "site", "feature", "reader", "grade"])
    return frame.assign(
        system=system, campaign="c", read=1, reason=None, grade=frame["grade"].astype("Int32")
    )
