"""``sharpline study``: the settings of a study, recorded in the audit trail."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import click

from core.cli.output import emit, json_option
from core.errors import InputError
from core.scores import names

if TYPE_CHECKING:
    from data.store.cohort import CohortStore
    from data.study.settings import Margin


@click.command(short_help="Name a study, blind or unblind it, and set its margins.")
@click.option("--name", help="What pages and reports call the study.")
@click.option(
    "--margin",
    "margins",
    multiple=True,
    metavar="SYSTEM=VALUE",
    help="Largest interchangeability index that still counts, in squared score units; 'none' withdraws it.",
)
@click.option("--blind/--unblind", "blinded", default=None, help="Hide the arms, or show them.")
@click.option("--reference", metavar="ARM", help="Arm that others are compared with; '' for the rule.")
@click.option(
    "--confirm",
    "confirmed",
    multiple=True,
    metavar="COVARIATE",
    help="It does not show the treatment, so it may be seen while the study is blinded (repeatable).",
)
@click.option("--reason", default="", help="Why; needed to unblind, and for a margin after a model scored.")
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    name: str | None,
    margins: tuple[str, ...],
    blinded: bool | None,
    reference: str | None,
    confirmed: tuple[str, ...],
    reason: str,
    as_json: bool,
) -> int:
    """Show the settings of the study, or change them; who, when and why is recorded in the audit trail.

    The margin decides whether a model counts as one more reader, so it is set before a model has scored.
    Later it needs a reason, which every report shows.
    """
    from data.store.cohort import CohortStore, current_actor
    from data.study.settings import decide

    store = CohortStore.open(ctx.obj["cohort"])
    changed = decide(
        store,
        actor=current_actor(),
        reason=reason.strip(),
        name=name,
        blinded=blinded,
        reference=reference,
        margins=_parsed(margins),
        confirmed=confirmed,
    )
    result = {**_settings(store), "changed": changed}
    emit(result, as_json=as_json, text=lambda: _text(result))
    return 0


def _parsed(margins: tuple[str, ...]) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for text in margins:
        system, equals, value = text.partition("=")
        number = _number(value.strip()) if equals else math.nan
        if number is not None and not 0 < number < math.inf:
            raise InputError(
                f"--margin {text}", "SYSTEM=VALUE with a value above 0 is needed", f"such as {names()[0]}=4"
            )
        found[system.strip()] = number
    return found


def _number(value: str) -> float | None:
    if value.lower() == "none":
        return None
    try:
        return float(value)
    except ValueError:
        return math.nan


def _settings(store: CohortStore) -> dict[str, Any]:
    from core.arms import REFERENCE_ARM
    from data.study.frozen_analyses import frozen_sets
    from data.study.settings import NAME, held_back, margins
    from data.study.source import data_set_of
    from data.study.unblinded_looks import looks

    seen = looks(store)
    meta = store.meta()
    last = {name: margins(store, name)[-1:] for name in names()}
    return {
        "name": meta.get(NAME) or None,
        "blinded": meta.get("blinded") != "false",
        "reference_arm": meta.get(REFERENCE_ARM) or None,
        "phantom": meta.get("phantom") == "true",
        "data_set": data_set_of(meta),
        "held_back": held_back(store),
        "margins": {name: _margin(found[0]) for name, found in last.items() if found},
        "looks_at_arms": len(seen),
        "sessions_that_looked": int(seen["session"].nunique()),
        "frozen": [
            {
                "name": one.name,
                "cohort_version": one.version,
                "digest": one.digest,
                "intact": one.is_intact,
                "by": one.by,
                "at": one.at.isoformat(),
                "reason": one.reason,
            }
            for one in frozen_sets(store)
        ],
        "cohort_version": int(meta.get("cohort_version", 0)),
    }


def _margin(margin: Margin) -> dict[str, Any]:
    return {
        "value": margin.value,
        "unit": margin.unit,
        "set_by": margin.by,
        "set_at": margin.at.isoformat(),
        "reason": margin.reason,
        "model_grades_then": margin.model_grades,
        "preset": margin.is_preset,
    }


def _text(result: dict[str, Any]) -> str:
    lines = [f"study: {result['name'] or 'no name stated'}"]
    lines += [f"arms: {'hidden (the study is blinded)' if result['blinded'] else 'shown'}"]
    lines += [f"reference arm: {result['reference_arm'] or 'placebo or control by name, else the first'}"]
    lines += [f"covariate held back: {name} ({reason})" for name, reason in result["held_back"].items()]
    lines += [result["data_set"]["notice"]] if result["data_set"] else []
    looked = result["sessions_that_looked"]
    lines += [f"unblinded looks at results by arm: {result['looks_at_arms']}, in {looked} sessions"]
    for one in result["frozen"]:
        state = "" if one["intact"] else ", CHANGED SINCE: its numbers do not match their digest"
        lines.append(
            f"frozen: {one['name']}, cohort version {one['cohort_version']}, digest {one['digest'][:12]}, by "
            f"{one['by']} on {one['at'][:10]}: {one['reason']}{state}"
        )
    for name, margin in result["margins"].items():
        when = "before any model had scored" if margin["preset"] else "after a model had scored"
        value = (
            "withdrawn" if margin["value"] is None else f"{margin['value']:g} {margin['unit']}, set {when}"
        )
        why = f": {margin['reason']}" if margin["reason"] else ""
        lines.append(f"margin for {name}: {value}, by {margin['set_by']} on {margin['set_at'][:10]}{why}")
    if not result["margins"]:
        lines.append("margins: none, so a report gives no verdict on a model")
    lines.append(
        f"{'changed: ' + ', '.join(result['changed']) if result['changed'] else 'nothing changed'} "
        f"(cohort version {result['cohort_version']})"
    )
    return "\n".join(lines)
