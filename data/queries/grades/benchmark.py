"""Grades of a cohort beside each other as benchmarks count them: models and readers, two readers."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from core.agreement.grades.benchmark import DRAWS, by_joint, compared, mean_of_joints, total_error
from core.domain import CohortFilter, ReaderKind, Viewer
from core.errors import InputError
from core.scores.system import ScoreSystem
from data.queries.scores import site_grades
from data.store.cohort import CohortStore

MEAN = "rounded mean of the readers"
KEYS = ["subject", "visit", "site"]


def benchmark(
    store: CohortStore, system: ScoreSystem, *, truth: str = "", draws: int = DRAWS
) -> dict[str, Any]:
    """Figures of every model and of every two people. truth: the reader that models are held against; the one
    person where there is one, else the rounded mean (a half upwards) of all.

    Raises InputError where nobody has read.
    """
    grades = site_grades(store, Viewer(), CohortFilter(system=system.name))
    own = grades["site"].map({site.code: site.feature for site in system.sites})
    grades = grades[grades["grade"].notna() & (grades["feature"] == own)]
    people = list(dict.fromkeys(grades.loc[grades["kind"] != ReaderKind.MODEL, "reader"]))
    if truth and truth not in people:
        raise InputError(
            f"--truth {truth}", f"one of {', '.join(people) or 'no reader'} is needed", "choose one"
        )
    if not people:
        raise InputError(
            f"{system.title} grades of the cohort",
            "those of a person are needed",
            "import reads, or a data set",
        )
    of_people = grades[grades["reader"].isin(people)]
    true, named = _truth(of_people, truth, people)
    models = grades[grades["kind"] == ReaderKind.MODEL]
    return {
        "system": system.name,
        "truth": named,
        "readers": people,
        "models": {
            f"{reader} ({campaign})": _figures(own["grade"], true, system, draws)
            for (reader, campaign), own in _indexed(models)
        },
        "reader_pairs": [
            {"given": one, "true": other}
            | _figures(_of(of_people, one), _of(of_people, other), system, draws)
            for one, other in combinations(people, 2)
        ],
    }


def _indexed(models: pd.DataFrame) -> list[tuple[Any, pd.DataFrame]]:
    groups = models.groupby(["reader", "campaign"], sort=True)
    return [(name, own.drop_duplicates(KEYS).set_index(KEYS)) for name, own in groups]


def _of(grades: pd.DataFrame, reader: str) -> pd.Series:
    own = grades[grades["reader"] == reader].drop_duplicates(KEYS)
    return own.set_index(KEYS)["grade"].astype(float)


def _truth(of_people: pd.DataFrame, truth: str, people: list[str]) -> tuple[pd.Series, str]:
    if truth or len(people) == 1:
        return _of(of_people, truth or people[0]), truth or people[0]
    means = of_people.groupby(KEYS, sort=False)["grade"].mean().astype(float)
    return pd.Series(np.floor(means.to_numpy() + 0.5), means.index), MEAN


def _figures(given: pd.Series, true: pd.Series, system: ScoreSystem, draws: int) -> dict[str, Any]:
    """Feature -> overall and by joint; and the errors of the sums of the sites that both graded."""
    both = pd.DataFrame({"given": given.astype(float), "true": true}).dropna().reset_index()
    sites = system.by_code
    both["joint"] = [_joint(system, site) for site in both["site"]]
    both["block"] = [sites[site].block for site in both["site"]]
    scales = {}
    for block, rows in both.groupby("block", sort=False):
        levels = 1 + max(sites[site].maximum for site in rows["site"])
        joints = by_joint(rows, levels)
        overall = compared(rows, levels, draws=draws)
        scales[str(block)] = {"overall": overall, "mean_of_joints": mean_of_joints(joints), "joints": joints}
    return {"scales": scales, "sums": _sums(both, system)}


def _joint(system: ScoreSystem, code: str) -> str:
    """A site without its side."""
    site = system.by_code[code]
    return code[1:] if site.side and code.startswith(site.side) else code


def _sums(both: pd.DataFrame, system: ScoreSystem) -> dict[str, Any]:
    """``total`` and each component, over the sites that both graded of a patient and visit."""
    found = {}
    for component in ("total", *(part.name for part in system.components)):
        codes = {site.code for site in system.sites_of(component)}
        rows = both[both["site"].isin(codes)].groupby(["subject", "visit"])[["given", "true"]].sum()
        found[component] = total_error(rows["given"], rows["true"])
    return found
