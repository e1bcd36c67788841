"""Confirmatory results that somebody froze: the question, the version of the cohort, and what came out.

A frozen set names a version. Nothing in the store is overwritten, so that version can be looked at again
(``CohortStore.look(..., as_of=version)``) and must give the same digits; what was written since is listed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from core.digests import digest_of
from core.errors import InputError
from data.store.cohort import CohortStore
from data.store.session import Session

LONGEST_NAME = 100
NOT_DATA = {"frozen"}


@dataclass(frozen=True)
class Frozen:
    """One frozen set. results: plain JSON values; digest: ``core.digests.digest_of`` them."""

    name: str
    system: str
    version: int
    arms_shown: bool
    settings: dict[str, Any]
    results: Any
    digest: str
    at: datetime
    by: str
    reason: str

    @property
    def is_intact(self) -> bool:
        """Whether the stored numbers still have the digest that was stored with them."""
        return digest_of(self.results) == self.digest


def freeze(
    store: CohortStore,
    name: str,
    *,
    actor: str,
    reason: str,
    system: str,
    version: int,
    settings: Mapping[str, Any],
    results: Any,
) -> Frozen:
    """Keeps a set under a new name and returns it as it is kept.

    version: of the cohort that the results are made of; the cohort must still be there. results: JSON values.
    Raises InputError for a name that is empty or taken, no reason, or a cohort that has moved on.
    """
    name, reason = " ".join(name.split()), reason.strip()
    _check(name, reason)
    text = json.dumps(results, sort_keys=True, ensure_ascii=False)
    with store.write(actor, "freeze", reason, {"frozen": name, "cohort_version": version}) as transaction:
        rows = transaction.query("SELECT key, value FROM main.meta")
        meta = dict(zip(rows["key"], rows["value"], strict=True))
        if int(meta["cohort_version"]) != version:
            raise InputError(
                f"results of version {version}",
                f"the cohort is at version {meta['cohort_version']} by now",
                "look at today's numbers, then freeze them",
            )
        if transaction.value("SELECT 1 FROM main.frozen WHERE frozen = $name", {"name": name}):
            raise InputError(f"the name '{name}'", "another frozen set has it", "choose another name")
        row = {"frozen": name, "system": system, "cohort_version": version, "settings": _text(settings)}
        row |= {"results": text, "digest": digest_of(json.loads(text))}
        transaction.insert("frozen", pd.DataFrame([row | {"arms_shown": meta.get("blinded") == "false"}]))
    return next(one for one in frozen_sets(store) if one.name == name)


def _check(name: str, reason: str) -> None:
    if not 0 < len(name) <= LONGEST_NAME:
        raise InputError(
            f"a name of {len(name)} characters", f"1 to {LONGEST_NAME} are needed", "name the set"
        )
    if not reason:
        raise InputError(
            f"the frozen set '{name}' without a reason", "why it is frozen stays in the trail", "say why"
        )


def _text(settings: Mapping[str, Any]) -> str:
    return json.dumps(dict(settings), sort_keys=True, ensure_ascii=False)


def frozen_sets(store: CohortStore) -> list[Frozen]:
    """Every frozen set, newest first; none in a cohort of an older version of the tables.

    While the study is blinded, sets that were made with arms in sight are left out.
    """
    with store.reading() as session:
        if "frozen" not in session.tables():
            return []
        blinded = session.value("SELECT value FROM main.meta WHERE key = 'blinded'") != "false"
        rows = session.query(
            "SELECT f.*, e.happened_at, e.actor, e.reason FROM main.frozen f JOIN main.event e USING (event) "
            "WHERE f.superseded_by IS NULL AND NOT (f.arms_shown AND $blinded) ORDER BY f.event DESC",
            {"blinded": blinded},
        )
    return [_frozen(row) for row in rows.to_dict("records")]


def _frozen(row: dict[Any, Any]) -> Frozen:
    return Frozen(
        row["frozen"],
        row["system"],
        int(row["cohort_version"]),
        bool(row["arms_shown"]),
        json.loads(row["settings"]),
        json.loads(row["results"]),
        row["digest"],
        row["happened_at"].to_pydatetime(),
        row["actor"],
        row["reason"],
    )


def moved_on(store: CohortStore, version: int) -> pd.DataFrame:
    """What was written since a version: ``event, happened_at, actor, action, reason``.

    Events without rows (looks), frozen sets and settings alone change no number and are left out.
    """
    with store.reading() as session:
        return _since(session, version)


def _since(session: Session, version: int) -> pd.DataFrame:
    events = session.query(
        "SELECT event, happened_at, actor, action, reason, digest FROM main.event "
        "WHERE event > $version ORDER BY event",
        {"version": version},
    )
    is_data = [bool(set(json.loads(digest)) - NOT_DATA) for digest in events.pop("digest")]
    return events[is_data].reset_index(drop=True)
