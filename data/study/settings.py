"""Settings of a study that somebody decides: its name, whether arms are hidden, margins set beforehand.

A margin for the interchangeability index belongs to one scoring system and its unit. It is stored with the
number of grades that models had given by then: with none, it was set before anybody could see one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core import scores
from core.arms import REFERENCE_ARM
from core.errors import InputError
from data.store import held_covariates
from data.store.cohort import CohortStore
from data.store.session import Session
from data.store.treatment_names import NOT_CONFIRMED

NAME = "study"
LONGEST_NAME = 100
MARGIN = "interchangeability_margin"  # one setting a system, with :SYSTEM behind it


@dataclass(frozen=True)
class Margin:
    """A margin as it was set; every one stays in the audit trail.

    value: in squared units, None where it was withdrawn. model_grades: grades that models had given by then.
    """

    system: str
    value: float | None
    unit: str
    model_grades: int
    event: int
    at: datetime
    by: str
    reason: str

    @property
    def is_preset(self) -> bool:
        """Whether no model had scored this system when it was set."""
        return self.value is not None and self.model_grades == 0


def margins(store: CohortStore, system: str) -> list[Margin]:
    """Every margin that was set for a system, oldest first; the last one counts."""
    key = f"{MARGIN}:{scores.get(system).name}"
    frame = store.query(
        "SELECT event, happened_at, actor, reason, details FROM main.event "
        "WHERE contains(details, $key) ORDER BY event",
        {"key": key},
    )
    found = []
    for row in frame.to_dict("records"):
        text = json.loads(row["details"]).get("meta", {}).get(key)
        if text is not None:
            said = json.loads(text)
            trail = (int(row["event"]), row["happened_at"].to_pydatetime(), row["actor"], row["reason"] or "")
            found.append(Margin(system, said["value"], said["unit"], said["model_grades"], *trail))
    return found


def decide(
    store: CohortStore,
    *,
    actor: str,
    reason: str = "",
    name: str | None = None,
    blinded: bool | None = None,
    reference: str | None = None,
    margins: Mapping[str, float | None] | None = None,
    confirmed: Sequence[str] = (),
) -> dict[str, Any]:
    """Sets what is given, in one audited write; returns what changed, as before and after.

    name: what the study is called on pages and reports. reference: the arm that others are compared with, ""
    for the rule of ``core.arms``; it is not compared with the arms, which may be hidden. margins: system ->
    margin in squared units; None withdraws it. confirmed: stored covariates that do not show the treatment,
    so that a blinded study may show them. Raises InputError for an empty name, and for a margin that changes
    after a model has scored, or for showing the arms, without a reason, and for a covariate that may show
    the treatment.
    """
    with store.write(actor, "settings", reason) as transaction:
        if name is not None:
            transaction.set_meta(NAME, _as_name(name))
        if reference is not None:
            transaction.set_meta(REFERENCE_ARM, reference.strip())
        for system, value in (margins or {}).items():
            key, text = _margin(transaction, system, value, reason)
            if text is not None:
                transaction.set_meta(key, text)
        if blinded is not None:
            _needs_reason_to_unblind(transaction, blinded, reason)
            transaction.set_meta("blinded", "true" if blinded else "false")
        if confirmed:
            known = _confirmed(transaction, confirmed)
            transaction.set_meta(held_covariates.CONFIRMED, held_covariates.as_setting(known))
        before = transaction.details.get("meta_before", {})
        return {
            key: {"before": before[key], "after": value}
            for key, value in transaction.details.get("meta", {}).items()
        }


def held_back(store: CohortStore) -> dict[str, str]:
    """Stored covariates that are hidden while the study is blinded, and why; none in an unblinded one."""
    with store.reading() as session:
        return session.held_covariates() if session.is_blinded() else {}


def _confirmed(session: Session, names: Sequence[str]) -> set[str]:
    """The confirmed covariates, with these. Raises InputError for one that nobody can confirm."""
    held = session.held_covariates()
    for name in names:
        reason = held.get(name, "no stored covariate of this name is held back")
        if reason != NOT_CONFIRMED:
            raise InputError(
                f"--confirm {name}",
                reason,
                f"confirm one of: {', '.join(one for one in held if held[one] == NOT_CONFIRMED) or 'none'}",
            )
    return {*session.confirmed_covariates(), *names}


def _as_name(text: str) -> str:
    name = " ".join(text.split())
    if not 0 < len(name) <= LONGEST_NAME:
        raise InputError(
            f"a study name of {len(name)} characters",
            f"1 to {LONGEST_NAME} are needed",
            "give --name, such as 'AXIS-2, spine films'",
        )
    return name


def _margin(session: Session, name: str, value: float | None, reason: str) -> tuple[str, str | None]:
    """The setting's key and new text; no text where the margin is what it was."""
    system = scores.get(name)
    key = f"{MARGIN}:{system.name}"
    stored = session.value("SELECT value FROM main.meta WHERE key = $key", {"key": key})
    old = json.loads(stored)["value"] if stored else None
    if old == value:
        return key, None
    grades = int(
        session.value(
            "SELECT count(*) FROM main.site_score s WHERE s.system = $system AND s.reader IN "
            "(SELECT reader FROM main.reader WHERE kind = 'model')",
            {"system": system.name},
        )
    )
    if grades and not reason:
        raise InputError(
            f"a margin for {system.title} of {value if value is not None else 'none'}",
            f"models have given {grades:,} grades already, so it is not set in advance",
            "give --reason; it is kept, and every report shows it",
        )
    return key, json.dumps(
        {"value": value, "unit": f"{system.title}²", "model_grades": grades}, sort_keys=True
    )


def _needs_reason_to_unblind(session: Session, blinded: bool, reason: str) -> None:
    now = session.value("SELECT value FROM main.meta WHERE key = 'blinded'") != "false"
    if now and not blinded and not reason:
        raise InputError(
            "--unblind without a reason",
            "a reason is needed; it is recorded in the audit trail",
            "give --reason, such as 'database locked on 2 May'",
        )
