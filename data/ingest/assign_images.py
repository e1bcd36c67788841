"""Assign stored images to subjects and visits again, from a map file or from what the tables now say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from data.cohort_key import cohort_key
from data.dicom.pseudonyms import CohortKey
from data.ingest import assign as assigning
from data.store.cohort import CohortStore
from data.store.session import Session
from data.store.transaction import Transaction

MAX_NAMED = 4


@dataclass
class AssignResult:
    """How many images changed, and those where subject or visit is still open (image, subject, reason).

    notes: the same of assigned images that a person should look at. shared_studies: image -> what is odd.
    """

    changed: int
    unassigned: list[dict[str, Any]]
    notes: list[dict[str, Any]]
    shared_studies: dict[str, str] = field(default_factory=dict)


def assign_images(
    store: CohortStore, *, actor: str = "sharpline", key: CohortKey | None = None
) -> AssignResult:
    """Assign subject and visit of every image anew, as far as the store knows subjects and visits by now.

    To be called after subjects, visits or a map arrived. What a person assigned stays. Never inside a write.
    """
    with store.reading() as session:
        images = session.query(_IMAGES_WITH_DELIVERY)
        if images.empty:
            return AssignResult(0, [], [])
        known = known_in_cohort(session, key or cohort_key(store))
    found = assigning.assign(assigning.facts_of(images), known)
    changed = _changed(images, found)
    if changed:
        with store.write(actor, "assign images", details={"images": len(changed)}) as transaction:
            _reassign(transaction, changed)
    is_open = [film.subject is None or film.visit is None for film in found]
    return AssignResult(
        len(changed),
        [_open(film) for film, left in zip(found, is_open, strict=True) if left],
        [
            _open(film)
            for film, left in zip(found, is_open, strict=True)
            if not left and (film.problem or film.note)
        ],
        one_study_of_two(store),
    )


_IMAGES_WITH_DELIVERY = f"""
    SELECT i.image, i.subject, i.visit, i.assigned_by, i.film_date, d.* EXCLUDE (image, event, superseded_by)
    FROM main.image i JOIN main.delivery d ON d.image = i.image AND d.superseded_by IS NULL
    WHERE i.superseded_by IS NULL AND i.assigned_by IS DISTINCT FROM '{assigning.PERSON}' ORDER BY i.image"""


def _open(film: assigning.Assigned) -> dict[str, Any]:
    reason = "; ".join(text for text in (film.problem, film.note) if text)
    return {"image": film.image, "subject": film.subject, "visit": film.visit, "reason": reason}


def one_study_of_two(store: CohortStore) -> dict[str, str]:
    """Image -> what is odd, for films of one study (study UID) that lie under two people.

    People are named by their subject, by their pseudonym where it is not known.
    """
    films = store.query(
        "SELECT i.image, i.study_uid, i.subject, d.patient FROM main.image i "
        "JOIN main.delivery d ON d.image = i.image AND d.superseded_by IS NULL "
        "WHERE i.superseded_by IS NULL AND i.study_uid IS NOT NULL ORDER BY i.image"
    )
    odd: dict[str, str] = {}
    for _, study in films.groupby("study_uid"):
        people = _people(study)
        if len(people) > 1:
            reason = (
                f"its study (one examination) is there under {_listed(people)}: if they are one patient, "
                "a map file can say so"
            )
            odd |= dict.fromkeys(study["image"], reason)
    return odd


def _people(films: pd.DataFrame) -> list[str]:
    """Subjects of the films, and patient numbers of which no film has a subject."""
    has_subject = films["subject"].notna()
    others = films.loc[~films["patient"].isin(films.loc[has_subject, "patient"]), "patient"]
    return sorted({*films.loc[has_subject, "subject"], *others.dropna()})


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return " and ".join(names[:MAX_NAMED]) + more


def _changed(images: pd.DataFrame, found: list[assigning.Assigned]) -> list[assigning.Assigned]:
    stored = images[["subject", "visit", "assigned_by"]].astype(object).where(images.notna(), None)
    return [
        film
        for film, old in zip(found, stored.itertuples(index=False, name=None), strict=True)
        if (film.subject, film.visit, film.by) != old
    ]


def _reassign(transaction: Transaction, changed: list[assigning.Assigned]) -> None:
    keys = pd.DataFrame({"image": [film.image for film in changed]})
    rows = transaction.query(
        "SELECT * EXCLUDE (event, superseded_by) FROM main.image WHERE superseded_by IS NULL "
        "AND list_contains(?, image)",
        [keys["image"].tolist()],
    )
    by_image = {film.image: film for film in changed}
    for column, value in (("subject", "subject"), ("visit", "visit"), ("assigned_by", "by")):
        rows[column] = pd.Series([getattr(by_image[image], value) for image in rows["image"]], dtype=object)
    transaction.supersede("image", keys)
    transaction.insert("image", rows)


def known_in_cohort(session: Session, key: CohortKey) -> assigning.Known:
    subjects = session.query("SELECT subject, baseline_date FROM main.subject WHERE superseded_by IS NULL")
    visits = session.query("SELECT * FROM main.visit WHERE superseded_by IS NULL")
    return assigning.known_of(subjects, visits, key)
