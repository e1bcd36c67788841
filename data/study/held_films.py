"""Films held back because text in their pixels may name the patient, and their release by a person.

A held film is stored like any other, but the views that pages, exports and reports ask leave it out
(``data.store.access``), and models abstain on it unseen. Once it is released they score it.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from core.domain import HELD_BACK, Viewer
from core.errors import InputError
from data.queries.answer import answer
from data.store.cohort import CohortStore
from data.store.transaction import Transaction


def held_films(store: CohortStore, viewer: Viewer) -> pd.DataFrame:
    """Films that wait for a person: ``image, subject, visit, modality, body_part, view, held`` (why)."""
    sql = """
        SELECT image, subject, visit, modality, body_part, view, held
        FROM held_image ORDER BY subject, visit, image
    """
    return answer(store, viewer, sql)


def release(store: CohortStore, names: Sequence[str], *, reason: str, actor: str) -> list[str]:
    """Releases the held films whose ids begin with these names; one event keeps who, why and which.

    Returns their whole ids. Raises InputError without a reason, and for a name that is no held film or
    several; then none is released.
    """
    why = " ".join(reason.split())
    if not why:
        raise InputError(
            "a release without a reason",
            "it is recorded in the audit trail that somebody looked, and what was seen",
            "give --reason, such as 'side marker and laboratory number only'",
        )
    with store.write(actor, "release film", why) as transaction:
        rows = transaction.query(
            "SELECT * EXCLUDE (event, superseded_by) FROM main.image "
            "WHERE superseded_by IS NULL AND held IS NOT NULL ORDER BY image"
        )
        wanted = sorted({_one(name, rows["image"].tolist()) for name in names})
        keys = pd.DataFrame({"image": wanted})
        transaction.supersede("image", keys)
        transaction.insert("image", rows[rows["image"].isin(wanted)].drop(columns="held"))
        _forget_abstentions(transaction, wanted)
        transaction.note(released=wanted)
    return wanted


def _forget_abstentions(transaction: Transaction, images: list[str]) -> None:
    """Findings that only say that a film was held back give way, so that the next run scores it."""
    rows = transaction.query(
        "SELECT finding FROM main.finding WHERE superseded_by IS NULL AND list_contains($images, image) "
        "AND starts_with(abstained, $held)",
        {"images": images, "held": HELD_BACK},
    )
    transaction.supersede("finding", rows)


def _one(name: str, held: list[str]) -> str:
    found = [image for image in held if name and image.lower().startswith(name.strip().lower())]
    if len(found) != 1:
        needed = "no held film has this id" if not found else f"{len(found)} held films begin with it"
        raise InputError(f"image {name!r}", needed, "see: sharpline release")
    return found[0]
