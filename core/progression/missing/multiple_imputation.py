"""Multiple imputation of change at visits without a film: chained equations of statsmodels, Rubin's rules.

Imputed values come from predictive mean matching, so that they are changes that some patient of the study
had: zeros stay frequent and steps of the readers' mean stay steps. Sources: Rubin 1987; degrees of freedom
Barnard and Rubin 1999 (Biometrika 86:948); Wilson limits of a share Lott and Reiter 2020 (Am Stat 74:109).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from math import inf, nan, sqrt

import numpy as np
import pandas as pd
from scipy import special

from core.agreement.proportion import wilson
from core.progression.courses import Courses
from core.progression.missing.methods import BY_NAME, FilledChange, observed_change, observed_readers

IMPUTATIONS, SEED = 20, 20240229
BURN_IN, APART = 10, 2  # cycles before the first and between two imputations
DONORS = 5
FEWEST = 5  # patients with a film at a visit that helps to impute another


def visit_grid(days: np.ndarray, window: float) -> list[float]:
    """Planned days guessed from films: the median of each cluster without a gap above half a window."""
    ordered = np.sort(np.unique(days))
    if not len(ordered):
        return []
    cuts = np.flatnonzero(np.diff(ordered) > window / 2) + 1
    return [float(np.median(part)) for part in np.split(ordered, cuts)]


def fill_multiply(
    courses: Courses,
    visit_days: list[float] | None = None,
    *,
    imputations: int = IMPUTATIONS,
    seed: int = SEED,
) -> FilledChange:
    """Change at the second visit, one row per imputation; films that are there keep their value.

    Every visit's change is imputed from baseline total, arm and the change at all other visits. visit_days:
    planned days of visits; guessed from the films without them. The same seed gives the same values.
    A study with fewer than 5 films at the second visit gets NaN where one is missing.
    """
    table = _wide(courses, visit_days)
    seen = table["target"].to_numpy(float)
    is_missing = np.isnan(seen)
    change = np.repeat(seen[None], imputations, axis=0)
    if is_missing.any() and (~is_missing).sum() >= FEWEST:
        change = _chained(table, imputations, seed)
    used = pd.concat(
        [
            courses.patients[["subject", "from_day"]].rename(columns={"from_day": "day"}),
            courses.films[["subject", "day"]],
        ],
        ignore_index=True,
    )
    is_imputed = is_missing & ~np.isnan(change).any(axis=0)
    return FilledChange(BY_NAME["multiple"], change, is_imputed, used, observed_readers(courses))


def _wide(courses: Courses, visit_days: list[float] | None) -> pd.DataFrame:
    """One row per patient: change at every visit, ``target``, ``baseline``, a 0/1 column per further arm."""
    films, patients = courses.films, courses.patients
    interval = courses.interval
    grid = visit_days or visit_grid(films["day"].to_numpy(float), interval.window)
    others = [
        day for day in grid if abs(day - interval.to_days) > interval.window and day > interval.from_days
    ]
    columns: dict[str, np.ndarray] = {}
    for number, planned in enumerate(others):
        near = films[(films["day"] - planned).abs() <= _reach(planned, [*others, interval.to_days])]
        near = near.assign(distance=(near["day"] - planned).abs()).sort_values("distance", kind="stable")
        nearest = near.drop_duplicates("subject").set_index("subject")["change"]
        value = nearest.reindex(patients["subject"]).to_numpy(float)
        if (~np.isnan(value)).sum() >= FEWEST and np.nanstd(value) > 0:
            columns[f"visit{number}"] = value
    columns["target"] = observed_change(courses)
    columns["baseline"] = patients["from_mean"].to_numpy(float)
    for number, arm in enumerate(courses.arms[1:]):
        columns[f"arm{number}"] = (patients["arm"] == arm).to_numpy(float)
    return pd.DataFrame(columns)


def _reach(planned: float, grid: list[float]) -> float:
    """Half the way to the nearest other visit."""
    return min((abs(planned - other) / 2 for other in grid if other != planned), default=inf)


def _chained(table: pd.DataFrame, imputations: int, seed: int) -> np.ndarray:
    """Imputed targets, shape (imputations, patients)."""
    from statsmodels.imputation.mice import MICEData

    constant = [name for name in table if name != "target" and table[name].nunique() < 2]
    donors = min(DONORS, int(table["target"].notna().sum()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = MICEData(table.drop(columns=constant), k_pmm=donors, rng=np.random.RandomState(seed % (2**32)))
        data.update_all(BURN_IN)
        rows = []
        for _ in range(imputations):
            data.update_all(APART)
            rows.append(data.data["target"].to_numpy(float).copy())
    return np.array(rows)


@dataclass(frozen=True)
class Pooled:
    """Estimate over imputations with t interval; missing_share: part of the variance that is due to gaps."""

    estimate: float
    se: float
    df: float
    low: float
    high: float
    p: float
    missing_share: float


def rubin(estimates: np.ndarray, variances: np.ndarray, complete_df: float = inf) -> Pooled:
    """Rubin's rules: variance = mean variance + (1 + 1/m) variance between; df of Barnard and Rubin.

    estimates, variances: one per imputation. complete_df: degrees of freedom had nothing been missing.
    """
    m = len(estimates)
    middle, within = float(np.mean(estimates)), float(np.mean(variances))
    between = float(np.var(estimates, ddof=1)) if m > 1 else 0.0
    total = within + (1 + 1 / m) * between
    share = (1 + 1 / m) * between / total if total > 0 else 0.0
    df = _barnard_rubin(m, share, complete_df)
    se = sqrt(total)
    half = float(special.stdtrit(min(df, 1e9), 0.975)) * se
    p = float(2 * special.stdtr(min(df, 1e9), -abs(middle) / se)) if se > 0 else nan
    return Pooled(middle, se, df, middle - half, middle + half, p, share)


def _barnard_rubin(m: int, share: float, complete_df: float) -> float:
    old = (m - 1) / share**2 if share > 0 and m > 1 else inf
    if np.isinf(complete_df):
        return old
    seen = (complete_df + 1) / (complete_df + 3) * complete_df * (1 - share)
    return seen if np.isinf(old) else old * seen / (old + seen)


def pooled_share(counts: np.ndarray, n: int) -> tuple[float, float, float]:
    """(share, low, high) over imputations: Wilson limits with n cut down by what the gaps add.

    counts: patients beyond the cut-off, one per imputation. n: patients, above 0.
    """
    shares = np.asarray(counts, float) / n
    middle = float(shares.mean())
    within = float((shares * (1 - shares)).mean() / n)
    pooled = rubin(shares, shares * (1 - shares) / n)
    if within == 0 or pooled.missing_share == 0:
        return (middle, *wilson(middle * n, n))
    rise = pooled.missing_share / (1 - pooled.missing_share)
    size = n / (1 + rise)
    return (middle, *wilson(middle * size, size, z=float(special.stdtrit(min(pooled.df, 1e9), 0.975))))
