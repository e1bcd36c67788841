"""Intercurrent events of patients: a column of days or visits, made into a day for each subject."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from core.cells import labels, numbers
from core.errors import InputError

SHOWN = 10
NONE = frozenset({"no", "none", "n", "never", "false"})
YES = frozenset({"yes", "y", "true"})


@dataclass(frozen=True)
class Events:
    """column: its name. day: subject -> day of the event, those without one left out. problems: subject ->
    why its event cannot be placed; such a subject is in no estimand."""

    column: str
    day: Mapping[str, float]
    problems: Mapping[str, str] = field(default_factory=dict)


def events_in(table: pd.DataFrame, column: str, visits: Mapping[str, float] | None = None) -> Events:
    """The events of a table with one row per film or per subject.

    column: a day from baseline, or the name of a visit of the study; empty (or "no", "none") is no event. A
    subject whose rows say two things, a day before baseline, a name that is no visit and a bare "yes" are
    problems by subject. A visit of a subject is on the day of its film, else on the planned day of ``visits``
    (visit -> day), else on the median day of the table.
    Raises InputError where the column is not there.
    """
    if column not in table.columns:
        raise InputError(
            f"--event {column}", f"the table has the columns {', '.join(map(str, table.columns))}", "name one"
        )
    subject_codes, subjects = labels(table["subject"])
    codes, texts = labels(table[column])
    values = pd.Series(numbers(table[column])[0])
    frame = pd.DataFrame({"subject": subject_codes, "code": codes, "value": values})
    frame = frame[(frame["subject"] >= 0) & (frame["code"] >= 0)].drop_duplicates(["subject", "code"])
    own, planned = _visit_days(table)
    planned = {**planned, **(visits or {})}
    day: dict[str, float] = {}
    problems: dict[str, str] = {}
    for code in frame["subject"].unique():
        rows = frame[frame["subject"] == code]
        name = str(subjects[int(code)])
        said = [str(texts[one]) for one in rows["code"]]
        if len(said) > 1:
            problems[name] = f"{column} is {' and '.join(said)}: one event per subject is needed"
        elif said[0].casefold() in NONE:
            continue
        else:
            found = _day(name, said[0], float(rows["value"].iloc[0]), own, planned)
            if isinstance(found, str):
                problems[name] = f"{column} {found}"
            else:
                day[name] = found
    return Events(column, day, problems)


def _day(
    subject: str,
    text: str,
    value: float,
    own: Mapping[tuple[str, str], float],
    planned: Mapping[str, float],
) -> float | str:
    """The day, or what is wrong."""
    if not np.isnan(value):
        return value if value >= 0 else f"is day {value:g}, before baseline: not an event of the treatment"
    if text.casefold() in YES:
        return f"is {text}: the day or the visit of the event is needed"
    key = text.casefold()
    found = own.get((subject, key), {name.casefold(): day for name, day in planned.items()}.get(key))
    if found is None:
        return f"'{text}' is neither a day nor a visit of the study"
    return found


def _visit_days(table: pd.DataFrame) -> tuple[dict[tuple[str, str], float], dict[str, float]]:
    """Day of each subject's visit, and median day of each visit, where the table says so."""
    if "visit" not in table.columns or "days" not in table.columns:
        return {}, {}
    subjects, names = labels(table["subject"])
    visits, texts = labels(table["visit"])
    frame = pd.DataFrame({"subject": subjects, "visit": visits, "day": numbers(table["days"])[0]}).dropna()
    frame = frame[(frame["subject"] >= 0) & (frame["visit"] >= 0)]
    by_visit = frame.groupby(["subject", "visit"], as_index=False)["day"].median()
    own = {
        (str(names[int(subject)]), str(texts[int(visit)]).casefold()): float(day)
        for subject, visit, day in zip(by_visit["subject"], by_visit["visit"], by_visit["day"], strict=True)
    }
    planned = frame.groupby("visit", as_index=False)["day"].median()
    return own, {
        str(texts[int(visit)]): float(day)
        for visit, day in zip(planned["visit"], planned["day"], strict=True)
    }


def named(subjects: Sequence[str]) -> str:
    """The first names, and how many more."""
    more = f" and {len(subjects) - SHOWN} more" if len(subjects) > SHOWN else ""
    return ", ".join(subjects[:SHOWN]) + more
