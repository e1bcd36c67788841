"""Rows that models are fitted to: status at every film, or change between two, one row per patient."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from core.progression.annualise import DAYS_PER_YEAR
from core.progression.change import changes
from core.progression.mmrm.levels import ordered_levels
from core.progression.pairing import Interval
from core.progression.totals_table import Readings


@dataclass(frozen=True)
class ModelRows:
    """table: what the model sees. left_out: (reason, count) pairs; has_arm: two arms or more."""

    table: pd.DataFrame
    left_out: tuple[tuple[str, int], ...]
    has_arm: bool


def status_rows(readings: Readings, interval: Interval, *, per_reader: bool = False) -> ModelRows:
    """One row per patient and film (and reader): ``subject, arm, years, total``, perhaps ``reader``.

    years: from the interval's first day; total: mean of the readers who scored the film. Films more than the
    window before the first day are left out, and so are patients without an arm where others have one. The
    table is sorted by patient and time.
    """
    rows = readings.rows
    seen = rows[rows["total"].notna()]
    early = seen["days"] < interval.from_days - interval.window
    films = seen[~early].assign(subject=seen["subject"].astype(str), arm=seen["arm"].astype(object))
    without = readings.has_arm & films["arm"].isna()
    counts = [
        ("films before baseline", _films(seen[early])),
        ("films of patients without an arm", _films(films[without])),
        ("films without a total", _films(rows[rows["total"].isna()])),
    ]
    films = films[~without]
    keys = ["subject", "days", *(["reader"] if per_reader else [])]
    table = films.groupby(keys, sort=False, observed=True).agg(
        arm=("arm", "first"), total=("total", "mean"), readers=("total", "size")
    )
    table = table.reset_index()
    table["years"] = (table["days"] - interval.from_days) / DAYS_PER_YEAR
    if per_reader:
        table["reader"] = _factor(table["reader"])
    return ModelRows(*_with_arm(table.sort_values(["subject", "days"], kind="stable"), counts, readings.arms))


def change_rows(readings: Readings, interval: Interval) -> ModelRows:
    """One row per patient with both films: ``subject, arm, baseline, change, years, readers``.

    baseline: status at the first film, mean of the readers who count; change: as in ``progression``.
    """
    found = changes(readings, interval)
    table = found.table.rename(columns={"from_mean": "baseline", "mean_change": "change"})
    table["years"] = (table["to_day"] - table["from_day"]) / DAYS_PER_YEAR
    without = table["arm"].isna() & readings.has_arm
    counts = [(str(reason), int(n)) for reason, n in found.left_out["reason"].value_counts().items()]
    counts.append(("no arm", int(without.sum())))
    kept = table.loc[~without, ["subject", "arm", "baseline", "change", "years", "readers"]]
    return ModelRows(*_with_arm(kept, counts, readings.arms))


def _with_arm(
    table: pd.DataFrame, counts: list[tuple[str, int]], arms: list[str]
) -> tuple[pd.DataFrame, tuple[tuple[str, int], ...], bool]:
    """The table with ``arm`` as a factor, the reference first, and whether there are two levels."""
    table = table.reset_index(drop=True)
    present = set(table["arm"].dropna().astype(str))
    table["arm"] = _factor(table["arm"], [name for name in arms if name in present])
    return table, tuple((reason, n) for reason, n in counts if n), table["arm"].nunique() > 1


def _factor(values: pd.Series, order: list[str] | None = None) -> pd.Categorical:
    texts = [None if pd.isna(value) else str(value) for value in values]
    if order is None:
        order = ordered_levels([text for text in texts if text is not None])
    return pd.Categorical(texts, categories=order)


def _films(rows: pd.DataFrame) -> int:
    return len(rows[["subject", "days"]].drop_duplicates())
