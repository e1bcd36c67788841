"""Charts of drift: every device against the others, and the weighted moving average over periods.

Over time the chart is the exponentially weighted moving average of Roberts 1959
(doi:10.1080/00401706.1959.10489860) with a weight from the range that Lucas and Saccucci 1990
(doi:10.1080/00401706.1990.10484583) advise for small shifts. Its limit is not taken from a table for
independent normal points: patients come again, and periods have few of them
(``core.agreement.drift.effects``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.agreement.drift.effects import ALPHA, FLIPS, Contrasts, contrasts, effects, limits
from core.agreement.estimate import number

WEIGHT = 0.2  # of the newest period in the moving average
MIN_PATIENTS = 6  # of a device or period that is compared
MIN_LEVELS = 2
MAX_PERIODS = 24


@dataclass(frozen=True)
class Pictures:
    """Pictures, a row each: ``subject``, the measures (NaN where there is none), and their strata.

    strata: columns within whose values levels are compared.
    """

    rows: pd.DataFrame
    measures: Sequence[str]
    strata: Sequence[str] = ("kind", "visit")


def by_device(
    pictures: Pictures, column: str = "device", *, alpha: float = ALPHA, flips: int = FLIPS
) -> dict[str, Any]:
    """Each device against all the others, weighed by their pictures.

    Returns levels [{level, patients, pictures}], left_out (devices of fewer than MIN_PATIENTS patients, or
    not stated), limit (in standard errors), measures: name -> points [{level, n, mean, difference, se, limit,
    p, flag}]. What cannot be estimated within the strata is None.
    """
    levels = pictures.rows[column].replace("", np.nan)
    counts = _counts(pictures.rows, levels)
    known = [str(name) for name, row in counts.iterrows() if row["patients"] >= MIN_PATIENTS]
    code = levels.map({name: place for place, name in enumerate(known)}).fillna(-1).astype(int).to_numpy()
    left_out = [_head(name, row) for name, row in counts.iterrows() if row["patients"] < MIN_PATIENTS]
    if levels.isna().any():
        lacking = pictures.rows[levels.isna()]
        left_out.append({"level": "not stated", "patients": int(lacking["subject"].nunique()),
                         "pictures": len(lacking)})  # fmt: skip
    return _chart(pictures, code, known, _against_others, alpha, flips) | {
        "levels": [_head(name, counts.loc[name]) for name in known],
        "left_out": left_out,
    }


def over_time(
    pictures: Pictures, column: str = "month", *, reference: pd.Period | None = None, weight: float = WEIGHT,
    alpha: float = ALPHA, flips: int = FLIPS,
) -> dict[str, Any]:  # fmt: skip
    """The moving average of each measure over periods of at least MIN_PATIENTS patients.

    column: months (``pd.Period``), missing where not known. reference: its last month; the average starts
    after it, from the mean of the reference. Without one all periods are the reference of each other, and the
    average starts with the first.
    Returns periods [{level, first, last, patients, pictures, is_reference}], unknown (pictures without a
    month), limit, weight, measures: name -> points as in ``by_device``, whose ``mean`` is of the period
    against the reference, and ``difference`` the moving average.
    """
    months = pictures.rows[column]
    periods = periods_of(pictures.rows.assign(month=months), reference)
    code = np.full(len(months), -1)
    for place, (first, last) in enumerate(periods):
        code[((months >= first) & (months <= last)).fillna(False).to_numpy(bool)] = place
    names = [period_name(first, last) for first, last in periods]
    until = [reference is not None and last <= reference for _, last in periods]
    heads = []
    for place, (first, last) in enumerate(periods):
        own = pictures.rows[code == place]
        heads.append(
            {"level": names[place], "first": str(first), "last": str(last), "pictures": len(own),
             "patients": int(own["subject"].nunique()), "is_reference": until[place]}
        )  # fmt: skip

    def moving(n: np.ndarray) -> np.ndarray:
        return moving_average(n, np.array(until, bool), weight)

    found = _chart(pictures, code, names, moving, alpha, flips, against=np.array(until, bool))
    return found | {"periods": heads, "unknown": int(months.isna().sum()), "weight": weight}


def moving_average(n: np.ndarray, until: np.ndarray, weight: float) -> np.ndarray:
    """Contrasts (periods, periods): the moving average at each period, of period means less the reference.

    n (periods,): pictures. until: which periods are the reference; none: all are. Rows of the reference
    itself, and of periods without a picture, are NaN.
    """
    base = _base(n, until)
    rows = np.full((len(n), len(n)), np.nan)
    average = np.zeros(len(n))
    for place in range(len(n)):
        if until[place] or not n[place]:
            continue
        here = -base.copy()
        here[place] += 1
        average = weight * here + (1 - weight) * average
        rows[place] = average
    return rows


def _base(n: np.ndarray, until: np.ndarray) -> np.ndarray:
    kept = n * (until if until.any() else True)
    return kept / max(kept.sum(), 1)


def _against_others(n: np.ndarray) -> np.ndarray:
    """Contrasts (levels, levels): each level less the others, weighed by pictures."""
    rows = np.eye(len(n))
    for place in range(len(n)):
        others = n.astype(float) * (np.arange(len(n)) != place)
        if not n[place] or not others.sum():
            rows[place] = np.nan
            continue
        rows[place] -= others / others.sum()
    return rows


def _chart(pictures: Pictures, code: np.ndarray, names: list[str], weights: Any, alpha: float, flips: int,
           against: np.ndarray | None = None) -> dict[str, Any]:  # fmt: skip
    """Points of every measure at every level, and the limit of them all."""
    rows, several = pictures.rows, len(names) >= MIN_LEVELS
    patient, every = pd.factorize(rows["subject"])
    stratum = rows.groupby(list(pictures.strata), dropna=False, sort=False).ngroup().to_numpy()
    compared: dict[str, Contrasts] = {}
    means: dict[str, np.ndarray] = {}
    counts: dict[str, np.ndarray] = {}
    for name in pictures.measures if several else ():
        found = effects(rows[name].to_numpy(float), code, stratum, patient, len(names), len(every))
        compared[name], counts[name] = contrasts(found, weights(found.n)), found.n
        if against is None:
            means[name] = _plain_means(rows[name].to_numpy(float), code, len(names))
        else:
            apart = np.eye(len(names)) - _base(found.n, against)
            apart[found.n == 0] = np.nan
            means[name] = contrasts(found, apart).value
    held = limits(compared, alpha=alpha, flips=flips)
    measures = {
        name: _points(names, counts[name], means[name], one, held.limit, held.p[name], alpha)
        for name, one in compared.items()
    }
    return {"limit": held.limit, "alpha": alpha, "flips": flips, "measures": measures}


def _plain_means(values: np.ndarray, code: np.ndarray, levels: int) -> np.ndarray:
    kept = np.isfinite(values) & (code >= 0)
    n = np.bincount(code[kept], minlength=levels)
    sums = np.bincount(code[kept], weights=values[kept], minlength=levels)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(n > 0, sums / n, np.nan))


def _points(
    names: list[str], n: np.ndarray, means: np.ndarray, one: Contrasts, limit: float | None, p: np.ndarray,
    alpha: float,
) -> list[dict[str, Any]]:  # fmt: skip
    return [
        {
            "level": name,
            "n": int(n[place]),
            "mean": number(means[place]),
            "difference": number(one.value[place]),
            "se": number(one.se[place]),
            "limit": number(one.se[place] * limit) if limit is not None else None,
            "p": number(p[place]),
            "flag": bool(p[place] <= alpha),
        }
        for place, name in enumerate(names)
    ]


def _counts(rows: pd.DataFrame, levels: pd.Series) -> pd.DataFrame:
    """Level -> patients and pictures, by name."""
    groups = rows.groupby(levels, sort=True)["subject"]
    return pd.DataFrame({"patients": groups.nunique(), "pictures": groups.size()})


def _head(name: Any, row: Any) -> dict[str, Any]:
    return {"level": str(name), "patients": int(row["patients"]), "pictures": int(row["pictures"])}


def periods_of(rows: pd.DataFrame, reference: pd.Period | None = None) -> list[tuple[pd.Period, pd.Period]]:
    """First and last month of each period: months in order, joined until MIN_PATIENTS patients were
    seen, or as many more as make MAX_PERIODS periods.

    What is left at the end joins the last period, and no period reaches over the end of the reference.
    rows: ``subject, month``; rows without a month do not count.
    """
    known = rows[rows["month"].notna()]
    visits = int(known.groupby("month")["subject"].nunique().sum())
    least = max(MIN_PATIENTS, -(-visits // MAX_PERIODS))
    if reference is None:
        return _joined(known, least)
    before = known["month"] <= reference
    return _joined(known[before], least) + _joined(known[~before], least)


def _joined(rows: pd.DataFrame, least: int) -> list[tuple[pd.Period, pd.Period]]:
    seen: list[tuple[pd.Period, pd.Period, set[str]]] = []
    months: list[pd.Period] = sorted(set(rows["month"]))
    for month in months:
        own = rows[rows["month"] == month]
        who = set(own["subject"].astype(str))
        if seen and len(seen[-1][2]) < least:
            seen[-1] = (seen[-1][0], month, seen[-1][2] | who)
        else:
            seen.append((month, month, who))
    if len(seen) > 1 and len(seen[-1][2]) < MIN_PATIENTS:
        _, last, _ = seen.pop()
        seen[-1] = (seen[-1][0], last, seen[-1][2])
    return [(first, last) for first, last, who in seen if len(who) >= MIN_PATIENTS]


def period_name(first: pd.Period, last: pd.Period) -> str:
    return str(first) if first == last else f"{first} to {last}"
