"""Looks at results by arm: how often, by whom and at what. Each is an event of the audit trail without rows.

A look changes nothing that a number is made of, so the cohort's version stays. One look is one session with
one set of settings: drawing the page again is not another one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from core.errors import InputError
from data.store.cohort import CohortStore

LOOK = "look"


def record_look(store: CohortStore, *, actor: str, session: str, settings: Mapping[str, Any]) -> bool:
    """Keeps that this session sees results by arm under these settings; False where that is kept already.

    session: anything that names the sitting. settings: JSON values. Raises InputError in a blinded study:
    there is nothing to see.
    """
    with store.write(actor, LOOK) as transaction:
        if transaction.value("SELECT value FROM main.meta WHERE key = 'blinded'") != "false":
            raise InputError("a look at arms", "the study is blinded", "unblind it first")
        key = json.dumps({"session": session, "settings": dict(settings)}, sort_keys=True, default=str)
        if key in _kept(transaction.query(LOOKS)):
            return False
        transaction.note(**json.loads(key))
        return True


LOOKS = f"SELECT event, happened_at, actor, details FROM main.event WHERE action = '{LOOK}' ORDER BY event"


def _kept(events: pd.DataFrame) -> set[str]:
    said = (json.loads(text) for text in events["details"])
    return {
        json.dumps({"session": one["session"], "settings": one["settings"]}, sort_keys=True) for one in said
    }


def looks(store: CohortStore) -> pd.DataFrame:
    """Every look, oldest first: ``event, happened_at, actor, session, settings`` (JSON text)."""
    events = store.query(LOOKS)
    said = [json.loads(text) for text in events["details"]]
    return events.drop(columns="details").assign(
        session=[one["session"] for one in said],
        settings=[json.dumps(one["settings"], sort_keys=True, ensure_ascii=False) for one in said],
    )
