"""Are all days days? A table of one reader in weeks beside one in days gives changes over the wrong time."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.cells import labels, numbers
from core.visit_order import visit_days

UNITS = {"weeks": 7.0, "months": 30.4375}
PLANNED = {  # times at which films are taken, in each unit; true days are hardly ever all among them
    "weeks": frozenset({0, 12, 16, 24, 26, 28, 36, 48, 52, 72, 76, 78, 96, 100, 104, 156, 208, 260}),
    "months": frozenset({0, 3, 6, 9, 12, 18, 24, 30, 36, 48, 60}),
}
NEAR = 0.08  # share by which times of one visit may differ
SHOWN = 3


def unit_doubts(rows: pd.DataFrame) -> list[str]:
    """Readings whose last film lies where that of the others would, were it counted in weeks or months.

    rows: ``subject, reader, days, total`` of ``totals_table.Readings``. Only readings with two films or more.
    """
    films = rows[rows["total"].notna() & (rows["days"] >= 0)]
    planned = _planned(films["days"])
    if planned:
        return [planned]
    last = films.groupby(["subject", "reader"], observed=True, sort=False)["days"].agg(["max", "nunique"])
    ends = last.loc[last["nunique"] > 1, "max"]
    if len(ends) < 4:
        return []
    usual = float(np.quantile(ends, 0.75))
    found = []
    for unit, days in UNITS.items():
        odd = ends[(ends > 1) & ((ends * days - usual).abs() <= NEAR * usual)]
        if len(odd):
            first = odd.head(SHOWN).reset_index().itertuples(index=False, name=None)
            names = [f"{subject} by {reader} ({day:g})" for subject, reader, day in first]
            more = f" and {len(odd) - SHOWN} more" if len(odd) > SHOWN else ""
            found.append(
                f"days of {len(odd)} of {len(ends)} readings look like {unit}: the last film of "
                f"{', '.join(names)}{more}, of others on day {usual:g}; one unit is needed"
            )
    return found


def _planned(days: pd.Series) -> str:
    """A doubt where all days of the table are round numbers of weeks or months."""
    found = sorted(set(days))
    if len(found) < 2 or found[0] != 0 or found[-1] < 6:
        return ""
    units = [unit for unit, times in PLANNED.items() if times.issuperset(found)]
    if not units:
        return ""
    some = ", ".join(f"{day:g}" for day in found[:6])
    like = " or ".join(units)
    return f"all films are on days {some}, which look like {like}; days from baseline are needed"


def visit_doubts(table: pd.DataFrame) -> list[str]:
    """Rows of a table with visits and days whose day is that of the visit's name in weeks or months."""
    if "visit" not in table or "days" not in table:
        return []
    codes, texts = labels(table["visit"])
    known = visit_days([str(text) for text in texts])
    named = np.append([known.get(str(text), np.nan) for text in texts], np.nan)[codes]
    days = numbers(table["days"])[0]
    found = []
    for unit, factor in UNITS.items():
        odd = (days > 1) & (named > factor) & (np.abs(days * factor - named) <= NEAR * named)
        if odd.any():
            row = int(np.flatnonzero(odd)[0])
            found.append(
                f"days of {int(odd.sum())} rows look like {unit}, such as row {table.index[row]}: visit "
                f"{texts[codes[row]]}, days {days[row]:g}; days from baseline are needed"
            )
    return found
