"""Options of ``progression`` for estimands: the event, the strategy, missing films, the tipping point."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from core.cli.output import note

if TYPE_CHECKING:
    import pandas as pd

    from core.progression.totals_table import Readings

STRATEGIES = ("treatment-policy", "hypothetical", "composite", "while-on-treatment")
ASSUMPTIONS = ("j2r", "cr", "cir")
OPTION_OF = {"assumptions": "reference-based"}  # where the name in the code is not that of the option


def estimand_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options; the command gets ``estimands, event, assumptions, tipping``."""
    options = (
        click.option(
            "--estimand",
            "estimands",
            type=click.Choice(STRATEGIES),
            multiple=True,
            help="Strategy for the event of --event, ICH E9(R1) (repeatable).",
        ),
        click.option(
            "--event",
            metavar="C",
            help="Column of the intercurrent event (rescue, stop, surgery): its day, or its visit.",
        ),
        click.option(
            "--reference-based",
            "assumptions",
            type=click.Choice(ASSUMPTIONS),
            multiple=True,
            help="Missing films as in the reference arm, missing at random beside it (repeatable): "
            "j2r jump to reference, cr copy reference, cir copy increments.",
        ),
        click.option(
            "--tipping",
            is_flag=True,
            help="By how much missing changes must be shifted until the verdict on the arms turns.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


def check_estimands(options: dict[str, Any]) -> None:
    """Raises UsageError where options do not go together."""
    named = [name for name in options["estimands"] if name != "treatment-policy"]
    if named and not options["event"]:
        raise click.UsageError(f"--estimand {named[0]}: name the column of the event with --event")
    if options["event"] and not (options["estimands"] or options["assumptions"] or options["tipping"]):
        raise click.UsageError(f"--event {options['event']}: name a strategy with --estimand")


def is_partial(result: dict[str, Any]) -> bool:
    """Whether a subject or a strategy had to be left out."""
    found = result.get("estimands", {})
    return bool(found) and bool(found["excluded"] or any("failed" in row for row in found["results"]))


def add_estimands(
    readings: Readings, table: pd.DataFrame, result: dict[str, Any], options: dict[str, Any]
) -> dict[str, Any]:
    """``estimands`` of the JSON, nothing where no option asks for it."""
    if not (options["estimands"] or options["assumptions"] or options["tipping"]):
        return {}
    from core.progression.estimands.analysis import POLICY, EstimandOptions, estimands
    from core.progression.estimands.events import events_in
    from core.progression.progressors import cutoff

    events = events_in(table, options["event"]) if options["event"] else None
    asked = EstimandOptions(
        result["from_days"],
        result["to_days"],
        options["window"],
        strategies=list(dict.fromkeys(options["estimands"])) or [POLICY],
        assumptions=list(dict.fromkeys(options["assumptions"])),
        has_tipping=options["tipping"],
        rule=cutoff(options["progressor"]),
        imputations=options["imputations"],
        seed=options["seed"],
    )
    found = estimands(readings, events, asked)
    for row in found["excluded"]:
        note(f"subject {row['subject']} is in no estimand: {row['reason']}")
    for row in found["results"]:
        if "failed" in row:
            note(f"{row['title']}: {row['failed']}")
    return {"estimands": found}
