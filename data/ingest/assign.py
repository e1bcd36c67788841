"""Whose film is it, and from which visit: Clinical Trial tags, then a map file, then dates and visit windows.

Works on what the store knows, so it can be run again whenever subjects, visits or a map arrive later; the
answer depends on that knowledge only, not on the order in which it came.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pandas as pd

from core.names import Match, Names, are_same, is_occasion, look_alikes, name_without_occasion, tidy
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

    subjects: Names
    visits: dict[str, list[Visit]]
    visit_names: Names
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
    """Subject and visit (None where open), how they were found, and what stands in the way.

    note: what a person should look at, though it stands in nobody's way.
    among: the visits of the subject that have the name given, where they are several: the date decides.
    """

    image: str
    subject: str | None = None
    visit: str | None = None
    by: str | None = None
    problem: str = ""
    note: str = ""
    among: tuple[str, ...] = ()


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
    _note_look_alikes(found, known)
    return found


def _note_look_alikes(found: list[Assigned], known: Known) -> None:
    """Note names that look like one where the study has no list that says whether they are."""
    for what, listed in (("subject", known.subjects), ("visit", known.visit_names)):
        names = dict.fromkeys(getattr(film, what) for film in found if not listed and getattr(film, what))
        groups = look_alikes(names, are_visits=what == "visit")
        alike = {name: group for group in groups for name in group}
        for film in found:
            others = [name for name in alike.get(getattr(film, what), ()) if name != getattr(film, what)]
            if others and not film.note:
                film.note = f"{what} {getattr(film, what)} looks like {' and '.join(others)}"


def _by_name(fact: Facts, known: Known) -> Assigned:
    assigned = Assigned(fact.image)
    candidates = (
        (fact.trial_subject, TAGS),
        (fact.map_subject, MAP),
        (known.patients.get(fact.patient), PATIENT),
    )
    for given, source in candidates:
        if given and assigned.subject is None:
            match = _subject(given, known)
            assigned.subject, assigned.by = match.name, source
            if match.name is None:
                assigned.by = None
                assigned.problem = match.why_not(
                    "subject", given, f"({_words(source)}) is not among the subjects of the study"
                )
            elif match.is_rewritten:
                assigned.note = f"subject {given} ({_words(source)}) is taken for {match.name} of the study"
    if assigned.subject is not None:
        _visit_by_name(fact, assigned, known)
    _note_contradiction(fact, assigned, known)
    return assigned


def _visit_by_name(fact: Facts, assigned: Assigned, known: Known) -> None:
    problem = ""
    for names, source in (((fact.trial_visit, fact.trial_visit_name), TAGS), ((fact.map_visit,), MAP)):
        given = [name for name in names if name]
        for name in given:
            match = _visit(name, assigned.subject or "", known)
            if match.name is not None:
                assigned.visit = match.name
                assigned.by = assigned.by if assigned.by == source else _joined(assigned.by, source)
                return
            if match.is_ambiguous and not problem:
                assigned.among = match.others
            problem = problem or match.why_not(
                "visit", name, f"({_words(source)}) is not among the visits of the study"
            )
    if not all(is_occasion(name) for name in assigned.among):
        assigned.among = ()
    if problem and not assigned.among:
        assigned.problem = problem


def _subject(given: str, known: Known) -> Match:
    """The study's way of writing it; as given while the study has no list yet."""
    return known.subjects.find(tidy(given)) if known.subjects else Match(tidy(given))


def _visit(given: str, subject: str, known: Known) -> Match:
    """The visit of this subject that is meant; one of several with this name is found by its date only."""
    own = [visit.visit for visit in known.visits.get(subject, [])]
    given = tidy(given)
    alike = [name for name in own if are_same(name_without_occasion(name), given, are_visits=True)]
    several = [name for name in alike if is_occasion(name)]
    if several == alike and several and given not in own:
        return Match(several[0]) if len(several) == 1 else Match(None, tuple(several), is_ambiguous=True)
    match = known.visit_names.find(given) if known.visit_names else Match(given)
    narrowed = [name for name in match.others if name in own]
    return Match(narrowed[0]) if match.is_ambiguous and len(narrowed) == 1 else match


def _note_contradiction(fact: Facts, assigned: Assigned, known: Known) -> None:
    """Say where tags and map, or two tags, name different subjects or visits; what was followed stands."""
    for tag, mapped, what, followed in (
        (fact.trial_subject, fact.map_subject, "subject", assigned.subject),
        (_visit_tag(fact, assigned, known), fact.map_visit, "visit", assigned.visit),
    ):
        if tag and mapped and not _mean_the_same(tag, mapped, what, assigned, known):
            is_of_file = followed == _find(what, tag, assigned, known).name
            source = "neither" if followed is None else "the file" if is_of_file else "the map file"
            assigned.problem = (
                f"the file says {what} {tag}, the map file says {mapped}; {source} was followed"
            )
    number_of = known.patients.get(fact.patient)
    if number_of is not None and assigned.subject is not None and number_of != assigned.subject:
        assigned.note = f"its patient number is that of subject {number_of}; {assigned.subject} was followed"
    first, second = fact.trial_visit, fact.trial_visit_name
    if first and second and assigned.visit is not None and known.visit_names:
        other = _find("visit", second, assigned, known).name
        if other is not None and _find("visit", first, assigned, known).name not in (None, other):
            assigned.note = f"the file says visit {first} and visit {second}; {assigned.visit} was followed"


def _visit_tag(fact: Facts, assigned: Assigned, known: Known) -> str:
    """What the file says of its visit: the tag that the study knows, else the one that should say it."""
    given = [name for name in (fact.trial_visit, fact.trial_visit_name) if name]
    listed = [name for name in given if known.visit_names and _find("visit", name, assigned, known).name]
    return (listed or [fact.trial_visit])[0]


def _mean_the_same(tag: str, mapped: str, what: str, assigned: Assigned, known: Known) -> bool:
    """Whether two names are of one subject or visit: by the study's list, where it knows both of them."""
    first, second = (_find(what, name, assigned, known).name for name in (tag, mapped))
    is_listed = bool(known.subjects if what == "subject" else known.visit_names)
    if is_listed and first is not None and second is not None:
        return first == second
    return are_same(tag, mapped, are_visits=what == "visit")


def _find(what: str, given: str, assigned: Assigned, known: Known) -> Match:
    return _subject(given, known) if what == "subject" else _visit(given, assigned.subject or "", known)


def _joined(first: str | None, second: str) -> str:
    return f"{first}+{second}" if first else second


def _words(source: str) -> str:
    return {TAGS: "Clinical Trial tags", MAP: "map file", PATIENT: "patient number"}.get(source, source)


# -- dates ------------------------------------------------------------------------------------------


def _by_dates(
    facts: list[Facts], assigned: list[Assigned], visits: list[Visit], baseline: date | None
) -> None:
    """Give open films of one subject the visit of their day, else the one whose window holds it.

    Day 0 is the date of baseline, else it comes from films whose visit is known. Without either, the earliest
    film is taken for the first visit, but only if there are films of at least two days and every one then
    falls into a window. A film whose name says one of several visits goes to one of these, by its very day.
    """
    visits = [visit for visit in visits if visit.expected is not None]
    open_films = [at for at, film in enumerate(assigned) if film.visit is None and not film.problem]
    if not visits:
        return
    day_zero = baseline.toordinal() if baseline is not None else _day_zero(facts, assigned, visits)
    if day_zero is not None:
        _note_other_day(facts, assigned, visits, day_zero)
    elif open_films:
        day_zero = _day_zero_of_first_visit([fact.film_date for fact in facts], visits)
    for at in open_films:
        taken = facts[at].film_date
        if taken is None or day_zero is None:
            continue
        _by_day(taken.toordinal() - day_zero, assigned[at], visits)


def _by_day(day: int, film: Assigned, visits: list[Visit]) -> None:
    """Give the film the visit of this day, or say why none is."""
    on_that_day = [visit.visit for visit in visits if visit.day == day]
    if film.among:
        on_that_day = [visit for visit in on_that_day if visit in film.among]
        visit = on_that_day[0] if len(on_that_day) == 1 else None
    elif on_that_day:
        visit = on_that_day[0] if len(on_that_day) == 1 else None
        if visit is None:
            film.problem = f"its day {day} is that of {' and '.join(on_that_day)}"
            return
    else:
        visit = _visit_of_day(day, visits)
        if visit is None:
            film.problem = f"its day {day} is in no visit's window, or in two alike"
    if visit is not None:
        film.visit, film.by = visit, _joined(film.by, DATES)


def _note_other_day(facts: list[Facts], assigned: list[Assigned], visits: list[Visit], day_zero: int) -> None:
    """Note films whose name says one visit and whose date is that of another one."""
    days = {visit.visit: visit.day for visit in visits if visit.day is not None}
    for fact, film in zip(facts, assigned, strict=True):
        if fact.film_date is None or days.get(film.visit or "") is None:
            continue
        day = fact.film_date.toordinal() - day_zero
        others = [visit for visit, other in days.items() if other == day]
        if days[film.visit or ""] != day and others:
            film.note = f"its name says {film.visit}, but its date is that of {' and '.join(others)}"


def _day_zero(facts: list[Facts], assigned: list[Assigned], visits: list[Visit]) -> int | None:
    """Day 0 by films whose visit is known: by those whose visit has a day of its own, if there are any."""
    by_name = {visit.visit: visit for visit in visits}
    anchors: dict[bool, list[int]] = {True: [], False: []}
    for fact, film in zip(facts, assigned, strict=True):
        if fact.film_date is not None and film.visit in by_name:
            visit = by_name[film.visit]
            anchors[visit.day is not None].append(fact.film_date.toordinal() - (visit.expected or 0))
    best = sorted(anchors[True] or anchors[False])
    return best[len(best) // 2] if best else None


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
    elif assigned.visit is None and assigned.among:
        assigned.problem = (
            f"its visit may be {' or '.join(assigned.among)}, and its date does not say which of them"
        )
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
    names = sorted(str(name) for name in visits["visit"].dropna().unique())
    listed = sorted(str(subject) for subject in subjects["subject"])
    return Known(
        subjects=Names(listed),
        visits=by_subject,
        visit_names=Names(names, are_visits=True),
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
