"""Change summarised by group: by visit, by site, and the difference between two arms within subgroups.

Everything is a sum over patients, so it is fast enough to follow a filter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from core.agreement.proportion import proportion
from core.progression.summary import difference_of_means, summary

ALL = "all"


def masks(arm: np.ndarray, *, with_all: bool = False) -> dict[str, np.ndarray]:
    """Arm -> who is in it, by the alphabet; everyone as ``all`` where there is no arm (or asked for)."""
    names = sorted({str(one) for one in arm if one is not None})
    everyone = {ALL: np.ones(len(arm), bool)} if with_all or not names else {}
    return everyone | {name: arm == name for name in names}


def by_visit(change: np.ndarray, arm: np.ndarray, visits: Sequence[str]) -> pd.DataFrame:
    """Mean change at every visit by arm: ``arm, visit, n, mean, low, high, median`` (t interval).

    change: shape (patients, visits), NaN where there is none. A group without a change at a visit has n 0.
    """
    rows = []
    for name, mask in masks(arm).items():
        for place, visit in enumerate(visits):
            value = change[mask, place]
            found = summary(value[~np.isnan(value)])
            low, high = found["ci"]
            row = {"arm": name, "visit": visit, "n": found["n"], "mean": found["mean"]}
            rows.append(row | {"low": low, "high": high, "median": found["median"]})
    return pd.DataFrame(rows)


def by_site(change: np.ndarray, groups: Mapping[str, np.ndarray], sites: Sequence[str]) -> pd.DataFrame:
    """Where change happens: one row per group and site.

    change: shape (patients, sites), mean of readers, NaN where nobody graded both. groups: name -> mask.
    ``group, site, n, worse, better, mean, share, low, high`` (share of patients who got worse there, Wilson).
    """
    rows = []
    for name, mask in groups.items():
        values = change[mask]
        known = ~np.isnan(values)
        n, worse, better = known.sum(axis=0), (values > 1e-9).sum(axis=0), (values < -1e-9).sum(axis=0)
        mean = np.where(known, values, 0).sum(axis=0) / np.maximum(n, 1)
        for place, site in enumerate(sites):
            found = proportion(int(worse[place]), int(n[place]))
            low, high = found["ci"]
            row: dict[str, Any] = {"group": name, "site": site, "n": int(n[place])}
            row |= {"worse": int(worse[place]), "better": int(better[place])}
            row |= {"mean": float(mean[place]) if n[place] else None}
            rows.append(row | {"share": found["estimate"], "low": low, "high": high})
    return pd.DataFrame(rows)


def by_subgroup(
    change: np.ndarray, arm: np.ndarray, subgroups: Mapping[str, np.ndarray], second: str, first: str
) -> pd.DataFrame:
    """Mean change of arm ``second`` minus arm ``first`` in every subgroup, with the Welch interval.

    change, arm: shape (patients,), no change missing. subgroups: ``property: level`` -> mask.
    ``subgroup, n_second, n_first, mean_second, mean_first, estimate, low, high``. A subgroup with an empty
    arm has no estimate, one with a single patient in an arm no interval.
    """
    rows = []
    for name, mask in subgroups.items():
        a, b = change[mask & (arm == second)], change[mask & (arm == first)]
        found = difference_of_means(a, b)
        low, high = found["ci"]
        means = {"mean_second": _mean(a), "mean_first": _mean(b)}
        row: dict[str, Any] = {"subgroup": name, "n_second": len(a), "n_first": len(b), **means}
        rows.append(row | {"estimate": found["estimate"], "low": low, "high": high})
    return pd.DataFrame(rows)


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None
