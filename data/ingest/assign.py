"""Whose film is it, and from which visit: Clinical Trial tags, then a map file, then dates and visit windows.

Works on what the store knows, so it can be run again whenever subjects, visits or a map arrive later; the
answer depends on that knowledge only, not on the order in which it came.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pandas as pd

from data.dicom.pseudonyms import CohortKey

TAGS, MAP, DATES, PERSON = "clinical_trial_tags", "map", "dates", "person"
PATIENT = "patient_number"  # the file's patient number is the number of a subject
WIDEST_OPEN_WINDOW = 90  # days to each side of a visit whose window is not given


@dataclass(frozen=True)
class Visit:
    """A visit of one subject. planned, day: days from baseline; before, after: its window, None if open."""

    visit: str
    order: int
    planned: int | None
    day: int | None
    before: int | None
    after: int | None

    @property
    def expected(self) -> int | None:
        return self.day if self.day is not None else self.planned


@dataclass(frozen=True)
class Known:
    """What the store knows: subjects, visits of each, patient pseudonym -> subject, and dates of baseline."""

    subjects: dict[str, str]  # folded name -> name
    visits: dict[str, list[Visit]]
    visit_names: dict[str, str]  # folded name -> name
    patients: dict[str, str]
    baselines: dict[tuple[str, str], date] = field(default_factory=dict)  # (subject, whose dates) -> day 0


@dataclass(frozen=True)
class Facts:
    """What is known of one image."""

    image: str
    patient: str = ""
    dates_of: str = ""
    trial_subject: str = ""
    trial_visit: str = ""
    trial_visit_name: str = ""
    map_subject: str = ""
    map_visit: str = ""
    film_date: date | None = None


@dataclass
class Assigned:
    """Subject and visit (None where open), how they were found, and what stands in the way."""

    image: str
    subject: str | None = None
    visit: str | None = None
    by: str | None = None
    problem: str = ""


def assign(facts: Iterable[Facts], known: Known) -> list[Assigned]:
    """Assign every image. Films of one subject help each other where dates decide, so give them together."""
    facts = list(facts)
    found = [_by_name(fact, known) for fact in facts]
    groups: dict[tuple[str, str], list[int]] = {}
    for at, (fact, assigned) in enumerate(zip(facts, found, strict=True)):
        if assigned.subject is not None:
            groups.setdefault((assigned.subject, fact.dates_of), []).append(at)
    for (subject, dates_of), places in groups.items():
        baseline = known.baselines.get((subject, dates_of))
        visits = known.visits.get(subject, [])
        _by_dates([facts[at] for at in places], [found[at] for at in places], visits, baseline)
    for assigned in found:
        _say_what_is_open(assigned)
    return found


def _by_name(fact: Facts, known: Known) -> Assigned:
    assigned = Assigned(fact.image)
    candidates = (
        (fact.trial_subject, TAGS),
        (fact.map_subject, MAP),
        (known.patients.get(fact.patient), PATIENT),
    )
    for given, source in candidates:
        if given and assigned.subject is None:
            assigned.subject, assigned.by = _known_name(given, known.subjects), source
            if assigned.subject is None:
                assigned.problem = (
                    f"subject {given} ({_words(source)}) is not among the subjects of the study"
                )
                assigned.by = None
    _note_contradiction(fact, assigned, known)
    if assigned.subject is not None:
        _visit_by_name(fact, assigned, known)
    return assigned


def _visit_by_name(fact: Facts, assigned: Assigned, known: Known) -> None:
    for names, source in (((fact.trial_visit, fact.trial_visit_name), TAGS), ((fact.map_visit,), MAP)):
        given = [name for name in names if name]
        for name in given:
            assigned.visit = _known_name(name, known.visit_names)
            if assigned.visit is not None:
                assigned.by = assigned.by if assigned.by == source else _joined(assigned.by, source)
                return
        if given:
            assigned.problem = f"visit {given[0]} ({_words(source)}) is not among the visits of the study"


def _note_contradiction(fact: Facts, assigned: Assigned, known: Known) -> None:
    for tag, mapped, what in (
        (fact.trial_subject, fact.map_subject, "subject"),
        (fact.trial_visit, fact.map_visit, "visit"),
    ):
        if tag and mapped and fold(tag) != fold(mapped):
            assigned.problem = (
                f"the file says {what} {tag}, the map file says {mapped}; the file was followed"
            )


def _known_name(given: str, names: dict[str, str]) -> str | None:
    """The study's way of writing it; as given while the study has no list yet; None where it is not on it."""
    return names.get(fold(given)) if names else given


def fold(name: str) -> str:
    """Names compare without case, spaces and signs; Week 52, wk52 and W52 are one, so are Baseline and BL."""
    plain = re.sub(r"[^a-z0-9]+", "", name.casefold())
    plain = re.sub(r"^(?:visit)?(?:week|wk)0*(?=\d)", "w", plain)
    plain = re.sub(r"^(?:visit)?(?:month|mth|mon)0*(?=\d)", "m", plain)
    return {"baseline": "bl", "screening": "scr"}.get(plain, plain)


def _joined(first: str | None, second: str) -> str:
    return f"{first}+{second}" if first else second


def _words(source: str) -> str:
    return {TAGS: "Clinical Trial tags", MAP: "map file", PATIENT: "patient number"}.get(source, source)


# -- dates ------------------------------------------------------------------------------------------


def _by_dates(
    facts: list[Facts], assigned: list[Assigned], visits: list[Visit], baseline: date | None
) -> None:
    """Give open films of one subject the visit whose window holds their day.

    Day 0 is the date of baseline, else it comes from films whose visit is known. Without either, the earliest
    film is taken for the first visit, but only if there are films of at least two days and every one then
    falls into a window.
    """
    visits = [visit for visit in visits if visit.expected is not None]
    open_films = [at for at, film in enumerate(assigned) if film.visit is None and not film.problem]
    if not visits or not open_films:
        return
    day_zero = baseline.toordinal() if baseline is not None else _day_zero(facts, assigned, visits)
    if day_zero is None:
        day_zero = _day_zero_of_first_visit([fact.film_date for fact in facts], visits)
    for at in open_films:
        taken = facts[at].film_date
        if taken is None or day_zero is None:
            continue
        day = taken.toordinal() - day_zero
        visit = _visit_of_day(day, visits)
        if visit is None:
            assigned[at].problem = f"its day {day} is in no visit's window, or in two alike"
        else:
            assigned[at].visit, assigned[at].by = visit, _joined(assigned[at].by, DATES)


def _day_zero(facts: list[Facts], assigned: list[Assigned], visits: list[Visit]) -> int | None:
    by_name = {visit.visit: visit for visit in visits}
    anchors = [
        fact.film_date.toordinal() - (by_name[film.visit].expected or 0)
        for fact, film in zip(facts, assigned, strict=True)
        if fact.film_date is not None and film.visit in by_name
    ]
    return sorted(anchors)[len(anchors) // 2] if anchors else None


def _day_zero_of_first_visit(dates: list[date | None], visits: list[Visit]) -> int | None:
    days = sorted({day.toordinal() for day in dates if day is not None})
    if len(days) < 2:
        return None
    first = min(visits, key=lambda visit: (visit.expected or 0, visit.order))
    day_zero = days[0] - (first.expected or 0)
    return day_zero if all(_visit_of_day(day - day_zero, visits) for day in days) else None


def _visit_of_day(day: int, visits: list[Visit]) -> str | None:
    """The visit whose window holds the day; the nearest of several; None for none or a tie."""
    inside = []
    for visit in visits:
        expected = visit.expected or 0
        before, after = _window(visit, visits)
        if expected - before <= day <= expected + after:
            inside.append((abs(day - expected), visit.visit))
    inside.sort()
    if not inside or (len(inside) > 1 and inside[0][0] == inside[1][0]):
        return None
    return inside[0][1]


def _window(visit: Visit, visits: list[Visit]) -> tuple[int, int]:
    """Days before and after; where not given, half the way to the neighbouring visits, at most 90 days."""
    expected = visit.expected or 0
    others = [other.expected or 0 for other in visits if other.visit != visit.visit]
    to_earlier = min(
        (expected - other for other in others if other < expected), default=2 * WIDEST_OPEN_WINDOW
    )
    to_later = min((other - expected for other in others if other > expected), default=2 * WIDEST_OPEN_WINDOW)
    before = visit.before if visit.before is not None else min((to_earlier - 1) // 2, WIDEST_OPEN_WINDOW)
    after = visit.after if visit.after is not None else min((to_later - 1) // 2, WIDEST_OPEN_WINDOW)
    return abs(before), abs(after)


def _say_what_is_open(assigned: Assigned) -> None:
    if assigned.problem:
        return
    if assigned.subject is None:
        assigned.problem = "no subject: no Clinical Trial tags, and no map or patient number that names one"
    elif assigned.visit is None:
        assigned.problem = "no visit: no Clinical Trial tag, no map, and dates that fit no visit window"


def assign_by_name(frame: pd.DataFrame, known: Known) -> list[Assigned]:
    """Assign rows of facts by tags, map and patient number; dates need the other films of a subject."""
    return [_by_name(fact, known) for fact in facts_of(frame)]


# -- from and to frames -----------------------------------------------------------------------------


def known_of(subjects: pd.DataFrame, visits: pd.DataFrame, key: CohortKey) -> Known:
    """Knowledge from the tables ``subject`` (with its shifted date of baseline) and ``visit``."""
    by_subject: dict[str, list[Visit]] = {}
    for row in visits.sort_values(["subject", "visit_order", "visit"]).itertuples(index=False):
        by_subject.setdefault(str(row.subject), []).append(
            Visit(
                str(row.visit),
                _whole(row.visit_order) or 0,
                _whole(row.planned_day),
                _whole(row.day),
                _whole(row.window_before),
                _whole(row.window_after),
            )
        )
    names = {fold(str(name)): str(name) for name in sorted(visits["visit"].dropna().unique())}
    listed = sorted(str(subject) for subject in subjects["subject"])
    return Known(
        subjects={fold(subject): subject for subject in listed},
        visits=by_subject,
        visit_names=names,
        patients={key.pseudonym(subject): subject for subject in listed},
        baselines={
            (str(row.subject), key.dates_of(str(row.subject))): _day(row.baseline_date)
            for row in subjects.dropna(subset=["baseline_date"]).itertuples(index=False)
        },
    )


def _whole(value: Any) -> int | None:
    return None if pd.isna(value) else int(value)


def facts_of(frame: pd.DataFrame) -> list[Facts]:
    """One Facts per row of a frame that has these columns."""
    records = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return [
        Facts(
            image=str(record["image"]),
            film_date=None if record.get("film_date") is None else _day(record["film_date"]),
            **{name: str(record.get(name) or "") for name in _TEXTS},
        )
        for record in records
    ]


_TEXTS = (
    "patient",
    "dates_of",
    "trial_subject",
    "trial_visit",
    "trial_visit_name",
    "map_subject",
    "map_visit",
)


def _day(value: Any) -> date:
    day: date = value.date() if hasattr(value, "date") else value
    return day
