"""In which order visits stand: one rule for every command, rule, figure and table.

The order is, first of these that there is: the one given (``--visit-order``); that of the study (visits
table); that of a column of numbers or days beside the names; that of the names. A name is understood where it
says a time (``W52``, ``Month 6``, ``2 years``, ``Day -1``), screening, baseline, follow-up or the end of the
study, or counts on from others of its kind (``V1``, ``V2``). Days and weeks are exact; a month is taken as 28
to 31 days, so that weeks and months stand in one order only where no such month could change it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import combinations, pairwise

import numpy as np
import pandas as pd

from core.cells import labels, numbers
from core.errors import InputError
from core.natural import natural_key

PLACE_COLUMNS = (  # of a table: what says the order of its visits, first that can
    "visit_order", "visitnum", "visit_number", "avisitn", "planned_day", "visitdy", "days", "day", "ady",
)  # fmt: skip
FIX = "give the order with --visit-order, such as --visit-order BL,W52,W104"
BEFORE, TIMED, COUNTED, UNKNOWN, AFTER = range(5)
WEEK, YEAR_MONTHS = 7.0, 12.0
MONTH_DAYS = (28.0, 31.0)
UNITS = {"day": "days", "week": "weeks", "month": "months", "year": "years"}
_WORDS = {
    "day": "d|day|days",
    "week": "w|wk|wks|week|weeks",
    "month": "m|mo|mon|mos|mth|mths|month|months",
    "year": "y|yr|yrs|year|years",
}
_UNIT = "|".join(f"(?P<{name}>{words})" for name, words in _WORDS.items())
_SIGNED = r"(?P<gap>[\s._]*)(?P<sign>[-\u2212\u2013+]?)(?P<between>\s*)(?P<number>\d+(?:\.\d+)?)"
_UNIT_FIRST = re.compile(rf"(?:visit\s+|at\s+)?(?:{_UNIT}){_SIGNED}(?:\s+visit)?")
_NUMBER_FIRST = re.compile(rf"(?P<sign>[-\u2212]?)(?P<number>\d+(?:\.\d+)?)[\s._-]*(?:{_UNIT})(?:\s+visit)?")
_COUNTED = re.compile(r"(?P<what>.*?)[\s._#-]*(?P<number>\d+(?:\.\d+)?)")
_SCREENING = re.compile(r"(?:pre-?)?(?:screening|screen|scrn|scr|run-?in)(?:\s*visit)?[\s._-]*(\d*)")
_BASELINE = re.compile(r"(?:baseline|base\s*line|bsl|bl|base|randomi[sz]ation|inclusion)(?:\s*visit)?")
_FOLLOW_UP = re.compile(r"(?:follow[\s_-]*up|fu|fup)(?:\s*visit)?[\s._-]*(\d*)")
_EARLY_END = re.compile(r"early\s*(?:termination|discontinuation|withdrawal)|et|eot|end\s*of\s*treatment")
_END = re.compile(r"eos|end\s*of\s*study|final(?:\s*visit)?|last(?:\s*visit)?|exit|study\s*end")
_BRACKETED = re.compile(r"([^()]+?)\s*\(([^()]+)\)")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_NUMBER = re.compile(r"[-\u2212+]?\d+(?:\.\d+)?")
_SIMPLE = {"pre": (BEFORE, 1.0), "before": (BEFORE, 1.0), "post": (AFTER, 0.0), "after": (AFTER, 0.0)}


@dataclass(frozen=True)
class VisitTime:
    """What a name says. group: BEFORE, TIMED, COUNTED, UNKNOWN or AFTER.

    low, high: days from baseline, the shortest and the longest that the name allows (TIMED); else a rank
    within the group. unit: of a time, "" without; months: the time in months where it is given so.
    what: the word before a counted number.
    """

    group: int
    low: float
    high: float
    unit: str = ""
    months: float | None = None
    what: str = ""


@dataclass(frozen=True)
class VisitOrder:
    """Visits in order, and how it was found.

    names: all visits. source: "given", "study", "column NAME" or "names". notes: what a person should know.
    undecided: which visits the names do not order, "" where all have their place.
    """

    names: list[str]
    source: str
    notes: list[str] = field(default_factory=list)
    undecided: str = ""

    def certain(self, purpose: str) -> list[str]:
        """The names, where the result depends on their order.

        Raises InputError where the names do not decide it.
        """
        if self.undecided:
            raise InputError(self.undecided, f"{purpose} needs the order of visits", FIX)
        return self.names

    @property
    def said(self) -> list[str]:
        """The notes, with what is undecided."""
        undecided = [f"{self.undecided}; taken as {', '.join(self.names)}; {FIX}"] if self.undecided else []
        return [*undecided, *self.notes]


def visit_order(
    names: Iterable[str],
    *,
    given: Sequence[str] | None = None,
    places: Mapping[str, float] | None = None,
    source: str = "study",
) -> VisitOrder:
    """The visits in order.

    given: the order asked for; every visit has to be in it, and it may name others. places: visit -> number
    or day where one is known (``source`` says from what). Visits without a place stand behind, by name.
    Raises InputError where a visit is not in ``given``.
    """
    seen = list(dict.fromkeys(str(name) for name in names))
    if given:
        return VisitOrder(_as_given(seen, given), "given")
    known = {name: float(places[name]) for name in seen if places and name in places}
    if not known:
        return order_by_name(seen)
    rest = order_by_name([name for name in seen if name not in known])
    by_name = {name: place for place, name in enumerate(order_by_name(list(known)).names)}
    ordered = sorted(known, key=lambda name: (known[name], by_name[name]))
    if not rest.names:
        return VisitOrder(ordered, source)
    note = f"no place in the {source} for {', '.join(rest.names)}: put behind the others by name"
    return VisitOrder(ordered + rest.names, source, [note])


def order_of_table(frame: pd.DataFrame, visit: str, given: Sequence[str] | None = None) -> VisitOrder:
    """The order of the visits of a table: as given, else by its column of numbers or days, else by names.

    A column counts where it has a number for every visit and no two visits share one (the median over rows
    stands for a visit, so that real days may vary).
    """
    codes, texts = labels(frame[visit])
    names = [str(text) for text in texts]
    if given:
        return visit_order(names, given=given)
    for column in _place_columns(frame, visit):
        values, _, is_text = numbers(frame[column])
        places = pd.Series(values[codes >= 0]).groupby(codes[codes >= 0]).median()
        if is_text.any() or len(places) < len(names) or places.isna().any() or places.duplicated().any():
            continue
        found = visit_order(
            names,
            places=dict(zip([names[code] for code in places.index], places.tolist(), strict=True)),
            source=f"column {column}",
        )
        return _beside_names(found)
    return order_by_name(names)


def order_of_study(plan: pd.DataFrame) -> VisitOrder:
    """The order of a study's visits.

    plan: ``visit`` and ``visit_order``, perhaps ``day``, any number of rows a visit; the smallest counts.
    Days order the visits where none has a place and each has a day.
    """
    plan = plan[plan["visit"].notna()]
    names = plan["visit"].drop_duplicates().tolist()
    for column in ("visit_order", "day"):
        if column in plan.columns:
            known = plan.groupby("visit", sort=False)[column].min().dropna()
            is_whole = len(known) == len(names) and known.is_unique
            if len(known) and (column == "visit_order" or is_whole):
                return visit_order(names, places=_by_text(known), source="visits table")
    return order_by_name(names)


def _by_text(values: pd.Series) -> dict[str, float]:
    return {str(name): float(value) for name, value in values.items()}


def order_by_name(names: Sequence[str]) -> VisitOrder:
    """The visits in the order that their names say, whatever order they come in."""
    names = sorted(set(names), key=lambda name: (natural_key(name), name))
    times = _times(names)
    order = sorted(names, key=lambda name: (_middle(times[name]), natural_key(name), name))
    if len(names) < 2:
        return VisitOrder(order, "names")
    notes = []
    units = list(dict.fromkeys(UNITS[times[name].unit] for name in order if times[name].unit))
    if len(units) > 1:
        notes.append(
            f"visits are named in {' and in '.join(units)}: put in one order by their days "
            f"({', '.join(order)}); --visit-order names another"
        )
    notes += _dash_note(names, times)
    return VisitOrder(order, "names", notes, _undecided(order, times))


def visit_days(names: Sequence[str]) -> dict[str, float]:
    """Days from baseline of the visits whose names say a time; others are left out."""
    times = _times(list(names))
    return {
        name: (time.low + time.high) / 2 if time.months is None else time.months * 365.25 / 12
        for name, time in times.items()
        if time.group == TIMED
    }


def parse_names(text: str | None) -> list[str] | None:
    """The visits of ``--visit-order``; None without it. Raises InputError for one named twice."""
    if text is None:
        return None
    names = [part.strip() for part in text.split(",") if part.strip()]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or not names:
        raise InputError(
            f"--visit-order {text}",
            f"{', '.join(twice)} stands there twice" if twice else "names of visits are needed",
            "name every visit once, such as BL,W52,W104",
        )
    return names


def visit_time(name: str, *, dash_is_minus: bool = True) -> VisitTime:
    """What one name says. dash_is_minus: whether a dash right behind the unit ("Week-4") is a minus."""
    text = " ".join(name.casefold().split())
    if text in _SIMPLE:
        group, rank = _SIMPLE[text]
        return VisitTime(group, rank, rank)
    if _NUMBER.fullmatch(text):
        return VisitTime(COUNTED, *2 * (float(text.replace("\u2212", "-")),))
    found = _SCREENING.fullmatch(text)
    if found:
        return VisitTime(BEFORE, float(found[1] or 0) * 1e-3, float(found[1] or 0) * 1e-3)
    if _BASELINE.fullmatch(text):
        return VisitTime(TIMED, 0.0, 0.0)
    timed = _UNIT_FIRST.fullmatch(text) or _NUMBER_FIRST.fullmatch(text)
    if timed:
        return _timed(timed, dash_is_minus)
    for pattern, rank in ((_FOLLOW_UP, 1.0), (_EARLY_END, 2.0), (_END, 3.0)):
        found = pattern.fullmatch(text)
        if found:
            within = rank + float(found[1] or 0) * 1e-3 if pattern is _FOLLOW_UP else rank
            return VisitTime(AFTER, within, within)
    bracketed = _BRACKETED.fullmatch(text)
    said = _in_brackets(bracketed[1], bracketed[2], dash_is_minus) if bracketed else None
    if said:
        return said
    day = _calendar_day(text)
    if day is not None:
        return VisitTime(COUNTED, float(day), float(day), what="date")
    counted = _COUNTED.fullmatch(text)
    if counted:
        return VisitTime(COUNTED, *2 * (float(counted["number"]),), what=counted["what"])
    return VisitTime(UNKNOWN, 0.0, 0.0)


def _in_brackets(name: str, added: str, dash_is_minus: bool) -> VisitTime | None:
    """What ``Month 12 (Week 52)`` says: the time before the brackets, or the day within them."""
    first = visit_time(name, dash_is_minus=dash_is_minus)
    second = visit_time(added, dash_is_minus=dash_is_minus)
    if second.unit == "day" and not (first.group == TIMED and first.high == 0):
        return second
    if first.group in (BEFORE, TIMED, AFTER):
        return first
    return second if second.unit else None


def _calendar_day(text: str) -> int | None:
    """The number of the day that a name such as ``2014-01-31`` gives; None where it is no date."""
    try:
        return date.fromisoformat(text).toordinal() if _DATE.fullmatch(text) else None
    except ValueError:
        return None


def _timed(found: re.Match[str], dash_is_minus: bool) -> VisitTime:
    parts = found.groupdict()
    unit = next(name for name in UNITS if parts[name])
    dash = parts["sign"] not in ("", "+") and (dash_is_minus or bool(parts.get("gap", " ")))
    value = float(parts["number"]) * (-1 if dash else 1)
    if unit in ("day", "week"):
        days = value * (WEEK if unit == "week" else 1)
        return VisitTime(TIMED, days, days, unit)
    months = value * (YEAR_MONTHS if unit == "year" else 1)
    low, high = sorted(months * days for days in MONTH_DAYS)
    return VisitTime(TIMED, low, high, unit, months)


def _times(names: Sequence[str]) -> dict[str, VisitTime]:
    """What each name says, beside the others: "Week-4" is before baseline unless all are written so."""
    dashed = [name for name in names if _has_dash(name)]
    plain = [name for name in names if visit_time(name).unit and not _has_dash(name)]
    is_minus = bool(plain) or len(dashed) < 2
    return {name: visit_time(name, dash_is_minus=is_minus) for name in names}


def _has_dash(name: str) -> bool:
    """Whether a dash stands right between unit and number."""
    found = _UNIT_FIRST.fullmatch(" ".join(name.casefold().split()))
    return found is not None and found["sign"] not in ("", "+") and not found["gap"]


def _dash_note(names: Sequence[str], times: Mapping[str, VisitTime]) -> list[str]:
    dashed = [name for name in names if _has_dash(name)]
    if not dashed:
        return []
    what = "before baseline" if times[dashed[0]].high < 0 else "after baseline, the dash is no minus"
    return [f"{', '.join(dashed)} taken as {what}; --visit-order names another"]


def _middle(time: VisitTime) -> tuple[int, str, float]:
    """Where a visit stands among others: its group, what it counts, its days or number."""
    days = (time.low + time.high) / 2 if time.months is None else time.months * 365.25 / 12
    return time.group, time.what if time.group == COUNTED else "", days


def _undecided(order: Sequence[str], times: Mapping[str, VisitTime]) -> str:
    """Which visits have no certain place, in words."""
    unknown = [name for name in order if times[name].group == UNKNOWN]
    if unknown:
        return f"visit {' and '.join(unknown[:3])}{' ...' if len(unknown) > 3 else ''}: no time in the name"
    kinds = {times[name].what for name in order if times[name].group == COUNTED}
    if kinds and (len(kinds) > 1 or any(times[name].unit for name in order)):
        some = [next(name for name in order if times[name].what == kind) for kind in sorted(kinds)]
        timed = [name for name in order if times[name].unit][:1]
        return f"visits {' and '.join([*timed, *some])}: their names do not say which comes first"
    alike = [pair for pair in combinations(order, 2) if _may_be_one(times[pair[0]], times[pair[1]])]
    if alike:
        first, second = alike[0]
        return f"visits {first} and {second}: their names do not say which comes first"
    return ""


def _may_be_one(first: VisitTime, second: VisitTime) -> bool:
    if first.group != second.group or first.what != second.what:
        return False
    if first.months is not None and second.months is not None:
        return first.months == second.months
    return first.low <= second.high and second.low <= first.high


def _as_given(seen: Sequence[str], given: Sequence[str]) -> list[str]:
    """The order given, in the spelling of the table where only case and blanks differ."""
    folded = {" ".join(name.casefold().split()): name for name in seen}
    order = [name if name in seen else folded.get(" ".join(name.casefold().split()), name) for name in given]
    absent = [name for name in seen if name not in order]
    if absent:
        raise InputError(
            f"--visit-order {','.join(given)}", f"{', '.join(absent)} is in the table too", "name every visit"
        )
    return list(dict.fromkeys(order))


def _place_columns(frame: pd.DataFrame, visit: str) -> list[str]:
    names = {str(name).strip().casefold(): str(name) for name in frame.columns if name != visit}
    return [names[name] for name in PLACE_COLUMNS if name in names]


def _beside_names(found: VisitOrder) -> VisitOrder:
    """The order of a column, with a note where the names say another one for sure."""
    by_name = order_by_name(found.names)
    if by_name.undecided or by_name.names == found.names:
        return found
    note = (
        f"visits stand by {found.source} ({', '.join(found.names)}), not as their names say; "
        "--visit-order names another"
    )
    return VisitOrder(found.names, found.source, [*found.notes, note])


def uneven_steps(names: Sequence[str]) -> str:
    """How far apart the visits lie, in words; "" where the steps are alike (within 15%) or unknown."""
    times = _times(list(names))
    counted = {time.what for time in times.values() if time.group == COUNTED}
    days = visit_days(names)
    if len(counted) == 1 and len(names) > 2 and all(time.group == COUNTED for time in times.values()):
        days, unit = {name: time.low for name, time in times.items()}, ""
    elif len(days) == len(names) > 2:
        unit = " days"
    else:
        return ""
    steps = np.diff([days[name] for name in names])
    if np.all(np.abs(steps - steps.mean()) <= 0.15 * np.abs(steps.mean())):
        return ""
    return ", ".join(
        f"{a} to {b} {round(step, 1):g}{unit}" for (a, b), step in zip(pairwise(names), steps, strict=True)
    )
