"""Assign stored images to subjects and visits again, from a map file or from what the tables now say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from data.dicom.pseudonyms import CohortKey, open_key
from data.ingest import assign as assigning
from data.store.cohort import CohortStore
from data.store.session import Session
from data.store.transaction import Transaction


@dataclass
class AssignResult:
    """Images whose subject or visit changed, and those where one is still open (image, subject, reason)."""

    changed: int
    unassigned: list[dict[str, Any]]
    notes: list[dict[str, Any]]


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
        known = known_in_cohort(session, key or open_key(store.path, may_create=False))
    found = assigning.assign(assigning.facts_of(images), known)
    changed = _changed(images, found)
    if changed:
        with store.write(actor, "assign images", details={"images": len(changed)}) as transaction:
            _reassign(transaction, changed)
    open_images = [film for film in found if film.subject is None or film.visit is None]
    closed = [film for film in found if film.problem and film not in open_images]
    return AssignResult(len(changed), [_open(film) for film in open_images], [_open(film) for film in closed])


_IMAGES_WITH_DELIVERY = f"""
    SELECT i.image, i.subject, i.visit, i.assigned_by, i.film_date, d.* EXCLUDE (image, event, superseded_by)
    FROM main.image i JOIN main.delivery d ON d.image = i.image AND d.superseded_by IS NULL
    WHERE i.superseded_by IS NULL AND i.assigned_by IS DISTINCT FROM '{assigning.PERSON}' ORDER BY i.image"""


def _open(film: assigning.Assigned) -> dict[str, Any]:
    return {"image": film.image, "subject": film.subject, "visit": film.visit, "reason": film.problem}


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
