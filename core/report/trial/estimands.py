"""Section on estimands: what a difference between arms stands for, missing films, the tipping point."""

from __future__ import annotations

from typing import Any

from core.errors import CohortError
from core.figures.progression.tipping import tipping_line
from core.figures.style import Look
from core.progression.estimands.analysis import EstimandOptions, estimands
from core.progression.estimands.strategies import ASSUMPTION, STRATEGIES
from core.progression.estimands.tipping import tipping_sentence
from core.progression.pairing import WINDOW_DAYS
from core.progression.progressors import cutoff
from core.report import formatting
from core.report.blocks import Block, Figure, Heading, Section, Table, Text
from core.report.inputs import ReportInputs
from core.report.trial.arms import why_no_arms

SOURCES = ("data.queries.grids.total_cells", "core.progression.estimands.analysis.estimands")
TITLE = "Estimands and missing films"
REFERENCE_BASED = ("j2r",)
NO_EVENT = (
    "Treatment policy only: no column of an intercurrent event (rescue, stop, surgery) was named; 'sharpline "
    "report --event COLUMN' adds the others."
)


def estimands_of(inputs: ReportInputs) -> dict[str, Any]:
    """``core.progression.estimands`` with tipping points, or ``failed``: why not."""
    why, trial = why_no_arms(inputs), inputs.trial
    if why or trial.readings is None:
        return {"failed": why}
    options = EstimandOptions(
        *trial.days,
        WINDOW_DAYS,
        strategies=[one.name for one in STRATEGIES] if trial.events else [STRATEGIES[0].name],
        assumptions=REFERENCE_BASED,
        has_tipping=True,
        rule=cutoff(inputs.system.cutoffs[0]),
        visit_days=trial.visit_days,
    )
    try:
        return estimands(trial.readings, trial.events, options)
    except CohortError as error:
        return {"failed": f"{error.given}: {error.needed}"}


def named_estimands(inputs: ReportInputs, found: dict[str, Any]) -> Section:
    """Each strategy with its numbers, then the tipping point."""
    if "failed" in found:
        return Section("estimands", TITLE, (Text(f"There are no estimands: {found['failed']}."),), SOURCES)
    blocks: list[Block] = [_affected(found) if found["event"] else Text(NO_EVENT, "note")]
    for row in found["results"]:
        blocks += [Heading(row["title"][0].upper() + row["title"][1:]), Text(row["estimand"])]
        if "failed" in row:
            blocks.append(Text(f"Not possible: {row['failed']}."))
        elif row["strategy"] == "composite":
            blocks += [_composite(row), *_ranks(row)]
        elif row["strategy"] == "while-on-treatment":
            blocks.append(_while(inputs, row))
        else:
            blocks += [_effects(inputs, row), *_tipping(inputs, row)]
    blocks.append(Text(f"Variance: {found['variance']}.", "note"))
    return Section("estimands", TITLE, tuple(blocks), SOURCES)


def _affected(found: dict[str, Any]) -> Text:
    said = "; ".join(f"{row['arm']} {row['affected']} of {row['patients']}" for row in found["affected"])
    gone = [f"{row['subject']} ({row['reason']})" for row in found["excluded"]]
    out = f" In no estimand: {formatting.listed(gone)}." if gone else ""
    return Text(f"{found['event']} before the film of the visit: {said}.{out}")


def _effects(inputs: ReportInputs, row: dict[str, Any]) -> Table:
    rows = tuple(
        (
            one["title"], _part(part),
            _count(row, part), formatting.estimated(part, signed=True),
            formatting.estimated(part["rubin"], signed=True) if part["rubin"] else formatting.NOTHING,
        )
        for one in row["assumptions"]
        for part in [*one["arms"], *one["differences"]]
    )  # fmt: skip
    gaps = "; ".join(f"{arm} {count} of {row['patients'][arm]}" for arm, count in row["missing"].items())
    return Table(
        ("Missing films", "Of", "n", "estimate, 95% interval", "Rubin's rules"), rows,
        f"Mean change ({inputs.system.title}) at mean baseline. Films set aside: {row['films_set_aside']}. "
        f"Without a film at the visit: {gaps}.",
        words=2,
    )  # fmt: skip


def _count(row: dict[str, Any], part: dict[str, Any]) -> str:
    arms = [part["arm"]] if "arm" in part else [part["a"], part["b"]]
    return " and ".join(f"{row['patients'][arm]:,}" for arm in arms)


def _part(part: dict[str, Any]) -> str:
    return str(part["arm"]) if "arm" in part else f"{part['a']} minus {part['b']}"


def _tipping(inputs: ReportInputs, row: dict[str, Any]) -> list[Block]:
    """The sentence of every pair and assumption, and the figure of each that can be shifted."""
    blocks: list[Block] = [Heading(f"Tipping point, {row['title']}")] if row["tipping"] else []
    for number, one in enumerate(row["tipping"]):
        said = f"{ASSUMPTION[one['assumption']].title}: {tipping_sentence(one)}"
        said = said[0].upper() + said[1:]
        if not one["missing"][0]:
            blocks.append(Text(said))
            continue

        def draw(on: Look, one: dict[str, Any] = one) -> Any:
            return tipping_line(one, unit=inputs.system.title, on=on)

        blocks.append(
            Figure(
                f"tipping_{row['strategy']}_{number + 1}", draw,
                f"Tipping point of {one['a']} minus {one['b']}, {row['title']}", said,
            )
        )  # fmt: skip
    return blocks


def _composite(row: dict[str, Any]) -> Table:
    rows = [
        (part["arm"], f"{part['count']} of {part['n']}", str(part["events"]),
         formatting.percent(part, empty=formatting.NOTHING))
        for part in row["progressors"]
    ] + [
        (f"{part['a']} minus {part['b']}", formatting.NOTHING, formatting.NOTHING,
         formatting.percent(part, signed=True, empty=formatting.NOTHING))
        for part in row["differences"]
    ]  # fmt: skip
    return Table(
        ("Of", "progressed", "by the event", "proportion, 95% interval"), tuple(rows),
        f"Progression: {formatting.definition(row['definition'])}, or the event. Without a change and "
        "without "
        f"the event, in neither: {len(row['without_change']):,} patients.",
    )  # fmt: skip


def _ranks(row: dict[str, Any]) -> list[Text]:
    return [
        Text(
            f"In ranks, with the event as worst: a patient on {part['a']} does worse than one on "
            f"{part['b']} in "
            f"{formatting.percent(part, empty=formatting.NOTHING)} of pairs (ties half)."
        )
        for part in row["ranks"]
    ]


def _while(inputs: ReportInputs, row: dict[str, Any]) -> Table:
    rows = [
        (part["arm"], formatting.count(part["n"]), formatting.number(part["days"], 0),
         formatting.estimated(part, signed=True), formatting.estimated(part["per_year"], signed=True))
        for part in row["arms"]
    ] + [
        (f"{part['a']} minus {part['b']}", formatting.NOTHING, formatting.NOTHING,
         formatting.estimated(part, signed=True), formatting.estimated(part["per_year"], signed=True))
        for part in row["differences"]
    ]  # fmt: skip
    return Table(
        ("Of", "n", "days followed", "change, 95% interval", "per year, 95% interval"), tuple(rows),
        f"{inputs.system.title}. Without a film between baseline and the event, in no row: "
        f"{len(row['without_change']):,} patients. Per year where followed for half a year or more.",
    )  # fmt: skip
