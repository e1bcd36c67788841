"""Films of the cohort that wait for a patient: placed by a person, or by a map file without the films.

Only films without subject or visit are placed. A name is brought to the study's way of writing it; one that
is new becomes a patient or visit of the study, unless a table of subjects or visits has listed them all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import pandas as pd

from core.names import Names, tidy
from core.visit_order import order_of_study
from data.cohort_key import cohort_key
from data.dicom.pseudonyms import CohortKey
from data.ingest import assign as assigning
from data.ingest.assign_images import assign_images
from data.ingest.file_marks import mark
from data.ingest.image_map import PATTERN, ImageMap, MapRow
from data.store.cohort import CohortStore
from data.store.session import Session
from data.store.transaction import Transaction
from data.tables.plan import known_in_cohort

LETTERS = 12  # of an image's id, enough to know it by
PLAN_OF_VISIT = ["visit_order", "planned_day", "window_before", "window_after"]


@dataclass(frozen=True)
class Place:
    """Where a film belongs, as somebody wrote it. row: of a map file."""

    image: str
    subject: str
    visit: str
    row: int | None = None


@dataclass
class Placement:
    """What was placed, or would be: ``image, subject, visit`` in the study's names, and what is new with it.

    refused: films or rows of a map that could not be used, with the reason.
    """

    placed: list[Place] = field(default_factory=list)
    new_subjects: list[str] = field(default_factory=list)
    new_visits: list[str] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        placed = [
            {name: value for name, value in asdict(one).items() if name != "row"} for one in self.placed
        ]
        return {"placed": placed, **{name: value for name, value in vars(self).items() if name != "placed"}}


def preview_places(store: CohortStore, places: Sequence[Place]) -> Placement:
    """What ``place_films`` would do."""
    with store.reading() as session:
        return _plan(session, places, needs_visit=True)


def place_films(store: CohortStore, places: Sequence[Place], *, actor: str) -> Placement:
    """A person says whose films these are and from when; that stays, whatever tables or maps say later."""
    with store.write(actor, "place films", details={"by": assigning.PERSON}) as transaction:
        plan = _plan(transaction, places, needs_visit=True)
        _add_names(transaction, plan)
        _set_images(transaction, plan.placed)
    assign_images(store, actor=actor)
    return plan


def preview_map(store: CohortStore, image_map: ImageMap) -> Placement:
    """What ``place_by_map`` would do."""
    key = cohort_key(store)
    with store.reading() as session:
        return _plan_of_map(session, image_map, key)


def place_by_map(store: CohortStore, image_map: ImageMap, *, actor: str) -> Placement:
    """Apply a map file to films that are there; names of files are compared by their marks.

    A row without a visit leaves it to the dates.
    """
    key = cohort_key(store)
    with store.write(actor, "place films", details={"by": assigning.MAP}) as transaction:
        plan = _plan_of_map(transaction, image_map, key)
        _add_names(transaction, plan)
        _note_map(transaction, plan.placed)
    assign_images(store, actor=actor, key=key)
    return plan


# -- names -------------------------------------------------------------------------------------------------


class _Known:
    """Names of the study and those that become new, each looked up by the one rule of names."""

    def __init__(self, what: str, names: Iterable[str], *, is_list: bool) -> None:
        self._what, self._is_list, self.new = what, is_list, list[str]()
        self._are_visits = what == "visit"
        self._names = Names(names, are_visits=self._are_visits)
        self._every = list(names)

    def find(self, given: str) -> tuple[str | None, str]:
        """The study's name, or None with the reason."""
        given = tidy(given)
        match = self._names.find(given)
        if match.name is not None:
            return match.name, ""
        if match.is_ambiguous or self._is_list or match.others:
            where = "is not among those of the study" if self._is_list else "looks like another one"
            return None, match.why_not(self._what, given, where)
        self.new.append(given)
        self._every.append(given)
        self._names = Names(self._every, are_visits=self._are_visits)
        return given, ""


def _plan(session: Session, places: Sequence[Place], *, needs_visit: bool) -> Placement:
    known = known_in_cohort(session)
    subjects = _Known("subject", sorted(known.subjects), is_list=known.subjects_are_listed)
    visits = _Known("visit", known.visits, is_list=known.visits_are_listed)
    films = _films(session)
    plan = Placement(new_subjects=subjects.new, new_visits=visits.new)
    for place in places:
        reason = _cannot(films, place, needs_visit)
        subject = visit = None
        if not reason:
            subject, reason = subjects.find(place.subject)
        if not reason and place.visit:
            visit, reason = visits.find(place.visit)
        stored = films.get(place.image, {}).get("subject")
        if not reason and stored is not None and stored != subject:
            reason = f"the film is known to be of {stored}"
        if reason or subject is None:
            plan.refused.append(_refusal(place, reason))
        else:
            plan.placed.append(replace(place, subject=subject, visit=visit or ""))
    used = {place.subject for place in plan.placed}, {place.visit for place in plan.placed}
    plan.new_subjects = [name for name in subjects.new if name in used[0]]
    plan.new_visits = [name for name in visits.new if name in used[1]]
    return plan


def _cannot(films: dict[str, dict[str, Any]], place: Place, needs_visit: bool) -> str:
    """Why a film cannot be placed; empty where it can."""
    film = films.get(place.image)
    if film is None:
        return "no film of the cohort has this id, or it is held back"
    if film["subject"] is not None and film["visit"] is not None:
        return f"the film is assigned already: {film['subject']}, {film['visit']}"
    if not tidy(place.subject):
        return "no patient is named"
    return "no visit is named" if needs_visit and not tidy(place.visit) else ""


def _refusal(place: Place, reason: str) -> dict[str, Any]:
    row = {} if place.row is None else {"row": place.row}
    return {**row, "image": place.image[:LETTERS], "reason": reason}


def _films(session: Session) -> dict[str, dict[str, Any]]:
    """Image -> what is known of it, of all films that are not held back."""
    tables = session.tables()  # a file that nothing was written to since lacks the newest columns
    marks = "d.file_marks" if "file_marks" in tables["delivery"] else "NULL"
    rows = session.query(
        "SELECT i.image, i.subject, i.visit, i.film_date, i.study_uid, d.patient, d.dates_of, "
        f"{marks} AS file_marks "
        "FROM main.image i LEFT JOIN main.delivery d ON d.image = i.image AND d.superseded_by IS NULL "
        f"WHERE i.superseded_by IS NULL{' AND i.held IS NULL' if 'held' in tables['image'] else ''} "
        "ORDER BY i.image"
    )
    records = rows.astype(object).where(rows.notna(), None).to_dict("records")
    return {str(row["image"]): {str(name): value for name, value in row.items()} for row in records}


# -- a map file --------------------------------------------------------------------------------------------


def _plan_of_map(session: Session, image_map: ImageMap, key: CohortKey) -> Placement:
    """What each row finds: the first fitting row counts for a film, the most specific ones stand first."""
    films = _films(session)
    places: dict[str, Place] = {}
    fits: dict[int, list[str]] = {row.number: [] for row in image_map.rows}
    for row in image_map.rows:
        for image, film in films.items():
            if _fits(row, image, film, key):
                fits[row.number].append(image)
                places.setdefault(image, Place(image, row.subject, row.visit, row.number))
    is_open = {image: None in (film["subject"], film["visit"]) for image, film in films.items()}
    plan = _plan(session, [place for image, place in places.items() if is_open[image]], needs_visit=False)
    for row in sorted(image_map.rows, key=lambda row: row.number):
        reason = _found_nothing(row, fits[row.number], is_open, films)
        if reason:
            plan.refused.append({"row": row.number, "reason": reason})
    return plan


def _found_nothing(
    row: MapRow, found: list[str], is_open: dict[str, bool], films: dict[str, dict[str, Any]]
) -> str:
    """Why a row of a map places no film; empty where it does."""
    if any(is_open[image] for image in found):
        return ""
    if found:
        return f"{len(found)} films fit, and all are assigned already"
    if row.file and any(sign in row.file for sign in PATTERN):
        return "a pattern needs the files: give them with the map, or name each file"
    unnamed = sum(film["file_marks"] is None for film in films.values())
    if row.file and unnamed:
        return f"no film fits; of {unnamed} films that were there before, file names cannot be compared"
    return "no film fits"


def _fits(row: MapRow, image: str, film: dict[str, Any], key: CohortKey) -> bool:
    if row.image and not (len(row.image) >= LETTERS and image.startswith(row.image.lower())):
        return False
    if row.patient and film["patient"] != key.pseudonym(row.patient):
        return False
    if row.study and film["study_uid"] not in (row.study, key.uid(row.study)):
        return False
    return not row.file or mark(row.file, key) in json.loads(film["file_marks"] or "[]")


# -- rows --------------------------------------------------------------------------------------------------


def _add_names(transaction: Transaction, plan: Placement) -> None:
    """Rows of new patients, and of visits that a patient did not have."""
    stored = transaction.query("SELECT subject FROM main.subject WHERE superseded_by IS NULL")
    lacking = sorted({place.subject for place in plan.placed} - set(stored["subject"]))
    transaction.insert("subject", pd.DataFrame({"subject": lacking}))
    wanted = dict.fromkeys((place.subject, place.visit) for place in plan.placed if place.visit)
    visits = transaction.query("SELECT * FROM main.visit WHERE superseded_by IS NULL ORDER BY subject, visit")
    there = set(zip(visits["subject"], visits["visit"], strict=True))
    rows = pd.DataFrame([pair for pair in wanted if pair not in there], columns=["subject", "visit"])
    plans = visits.drop_duplicates("visit")[["visit", *PLAN_OF_VISIT]]
    rows = rows.merge(plans, on="visit", how="left")
    names = pd.concat([visits[["visit", "visit_order"]], rows[["visit", "visit_order"]]])
    first = order_of_study(names).names[0] if len(names) else ""
    days = _days(_films(transaction), plan.placed, first)
    found = [days.get((str(row.subject), str(row.visit))) for row in rows.itertuples()]
    transaction.insert("visit", rows.assign(day=pd.array(found, dtype="Int64")))


def _days(
    films: dict[str, dict[str, Any]], placed: Sequence[Place], first: str
) -> dict[tuple[str, str], int]:
    """(subject, visit) -> days after the subject's film at the first visit of the study, by the film dates.

    Only dates that moved by the same shift are compared; who has no film at the first visit has no days.
    """
    where = {image: (film["subject"], film["visit"]) for image, film in films.items()}
    where |= {place.image: (place.subject, place.visit) for place in placed}
    dates: dict[tuple[str, str, str], Any] = {}
    for image, (subject, visit) in where.items():
        film = films[image]
        if subject and visit and film["film_date"] is not None and film["dates_of"]:
            key = (subject, visit, film["dates_of"])
            dates[key] = min(film["film_date"], dates.get(key, film["film_date"]))
    return {
        (subject, visit): (date - dates[subject, first, of]).days
        for (subject, visit, of), date in sorted(dates.items())
        if (subject, first, of) in dates
    }


def _set_images(transaction: Transaction, placed: Sequence[Place]) -> None:
    by_image = {place.image: place for place in placed}
    rows = _current(transaction, "image", list(by_image))
    for column in ("subject", "visit"):
        values = [getattr(by_image[image], column) for image in rows["image"]]
        rows[column] = pd.Series(values, dtype=object)
    _replace(transaction, "image", rows.assign(assigned_by=assigning.PERSON))


def _note_map(transaction: Transaction, placed: Sequence[Place]) -> None:
    """Keep what the map says with each film, as if it had come with it."""
    by_image = {place.image: place for place in placed}
    rows = _current(transaction, "delivery", list(by_image)).astype(object)
    rows["map_subject"] = [by_image[image].subject for image in rows["image"]]
    rows["map_visit"] = [by_image[image].visit or None for image in rows["image"]]
    _replace(transaction, "delivery", rows)


def _current(transaction: Transaction, table: str, images: list[str]) -> pd.DataFrame:
    return transaction.query(
        f"SELECT * EXCLUDE (event, superseded_by) FROM main.{table} "
        "WHERE superseded_by IS NULL AND list_contains(?, image)",
        [images],
    )


def _replace(transaction: Transaction, table: str, rows: pd.DataFrame) -> None:
    transaction.supersede(table, rows[["image"]])
    transaction.insert(table, rows)
