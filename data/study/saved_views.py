"""Views that somebody saved: a question by name, to be asked again. Each act is an event of the audit trail.

A saved view keeps what is asked, never what came out: opened later it shows the numbers of that day. (A
frozen analysis keeps the numbers.) The events have no rows, so the cohort's version stays.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from core.domain import Role, Viewer
from core.errors import InputError, NotAllowed
from data.store.cohort import CohortStore
from data.store.session import Session

VIEW = "view"
LONGEST_NAME = 60
MAX_VIEWS = 200
EVENTS = f"SELECT happened_at, actor, details FROM main.event WHERE action = '{VIEW}' ORDER BY event"
Parameters = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class SavedView:
    """A page and the question on it, as parameters of its address.

    arms_shown: whether arms were in sight when it was saved.
    """

    name: str
    page: str
    parameters: dict[str, list[str]]
    arms_shown: bool
    at: datetime
    by: str


def saved_views(store: CohortStore, viewer: Viewer) -> list[SavedView]:
    """Every view by name, as far as this viewer may open it.

    A blinded reader opens none: names and questions are of people who see more. While the study is blinded,
    those that were saved with arms in sight are left out.
    """
    if viewer.role is Role.READER or not store.exists():
        return []
    with store.reading() as session:
        found = _known(session).values()
        blinded = _is_blinded(session)
    return sorted(
        (one for one in found if not (one.arms_shown and blinded)), key=lambda one: one.name.lower()
    )


def save_view(
    store: CohortStore, name: str, *, actor: str, viewer: Viewer, page: str, parameters: Parameters
) -> None:
    """Keeps a question under a new name.

    page: the script of the page. parameters: of its address. Raises InputError for a name that is empty, too
    long or taken, and NotAllowed for a blinded reader.
    """
    name = _checked(name, viewer)
    with store.write(actor, VIEW) as transaction:
        known = _known(transaction)
        _needs_new(known, name)
        if len(known) >= MAX_VIEWS:
            raise InputError(f"view {len(known) + 1}", f"{MAX_VIEWS} can be kept", "delete some first")
        transaction.note(
            saved=name, page=page, parameters={key: list(values) for key, values in parameters.items()},
            arms_shown=not _is_blinded(transaction),
        )  # fmt: skip


def rename_view(store: CohortStore, old: str, new: str, *, actor: str, viewer: Viewer) -> None:
    """Gives a view another name. Raises InputError for an unknown view or a name that cannot be."""
    new = _checked(new, viewer)
    with store.write(actor, VIEW) as transaction:
        known = _known(transaction)
        _needs_known(transaction, known, old)
        if new != old:
            _needs_new({name: one for name, one in known.items() if name != old}, new)
            transaction.note(renamed=old, to=new)


def delete_view(store: CohortStore, name: str, *, actor: str, viewer: Viewer) -> None:
    """Takes a view away; what it asked stays in the audit trail. Raises InputError for an unknown view."""
    _checked(name, viewer)
    with store.write(actor, VIEW) as transaction:
        _needs_known(transaction, _known(transaction), name)
        transaction.note(deleted=name)


def _checked(name: str, viewer: Viewer) -> str:
    if viewer.role is Role.READER:
        raise NotAllowed("saved views", "they may show more than a blinded reader sees", "copy the link")
    name = " ".join(name.split())
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise InputError(
            f"a name of {len(name)} characters" if name.isprintable() else f"the name {name!r}",
            f"1 to {LONGEST_NAME} printable characters are needed",
            "name the view, such as 'Week 52, women'",
        )
    return name


def _needs_new(known: Mapping[str, SavedView], name: str) -> None:
    if name.casefold() in {one.casefold() for one in known}:
        raise InputError(f"the name '{name}'", "another saved view has it", "choose another name")


def _needs_known(session: Session, known: Mapping[str, SavedView], name: str) -> None:
    """One that was saved with arms in sight is not known while the study is blinded."""
    if name not in known or (known[name].arms_shown and _is_blinded(session)):
        raise InputError(f"the view '{name}'", "there is no such saved view", "reload the page")


def _is_blinded(session: Session) -> bool:
    return bool(session.value("SELECT value FROM main.meta WHERE key = 'blinded'") != "false")


def _known(session: Session) -> dict[str, SavedView]:
    """What the events come to: name -> view."""
    known: dict[str, SavedView] = {}
    for row in session.query(EVENTS).to_dict("records"):
        said: dict[str, Any] = json.loads(row["details"])
        if "saved" in said:
            trail = (row["happened_at"].to_pydatetime(), row["actor"])
            view = SavedView(said["saved"], said["page"], said["parameters"], said["arms_shown"], *trail)
            known[view.name] = view
        elif "renamed" in said and said["renamed"] in known:
            known[said["to"]] = replace(known.pop(said["renamed"]), name=said["to"])
        elif "deleted" in said:
            known.pop(said["deleted"], None)
    return known
