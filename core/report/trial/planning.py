"""Section on a next trial: patients to enrol, from the change, error and dropout of this study."""

from __future__ import annotations

from typing import Any

from core.errors import CohortError
from core.figures.progression.planning import power_by_patients
from core.figures.style import Look
from core.progression.pairing import WINDOW_DAYS, Interval
from core.progression.planning.plan import Design, plan, power_curve
from core.progression.planning.start import Start, start
from core.report import formatting
from core.report.blocks import Block, Figure, Section, Table, Text
from core.report.inputs import ReportInputs

SOURCES = ("data.queries.grids.total_cells", "core.progression.planning.plan.plan")
TITLE = "A trial like this one"
REDUCTION, POWER, POINTS = 0.5, 0.9, 40
OTHER = "Other differences, tests, readers and dropout: 'sharpline plan' and the Progression page."


def next_trial(inputs: ReportInputs) -> dict[str, Any]:
    """``plan`` of half of the mean change prevented at power 90%, with ``start``; or ``failed``: why not."""
    trial = inputs.trial
    if trial.readings is None:
        return {"failed": "human readers' totals at two visits with a day are needed"}
    try:
        begun = start(trial.readings, Interval(*trial.days, WINDOW_DAYS))
        if begun.sd is None or not begun.mean > 0:
            return {"failed": "the mean change is not above 0, so that no share of it can be prevented"}
        design = _design(begun)
        found = plan(design)
    except CohortError as error:
        return {"failed": f"{error.given}: {error.needed}"}
    names = ("patients", "controls", "readers", "mean", "sd", "sdc", "correlation", "lost")
    most = max(row["enrol"]["total"] for row in found["tests"])
    totals = sorted({max(6, round(most * 1.3 * (step + 1) / POINTS)) for step in range(POINTS)})
    curve = power_curve(design, [row["test"] for row in found["tests"]], totals)
    return found | {"start": {name: getattr(begun, name) for name in names}, "curve": curve}


def _design(begun: Start) -> Design:
    return Design(
        sd=begun.sd, sd_readers=begun.readers, sdc=begun.sdc, mean=begun.mean, reduction=REDUCTION,
        changes=begun.changes, cutoff=0.0, correlation=begun.correlation,
        between_visits=begun.between_visits,
        retention=None if begun.between_visits is None else begun.retention, power=POWER,
        dropout=begun.lost,
    )  # fmt: skip


def planned(inputs: ReportInputs, found: dict[str, Any]) -> Section:
    """Patients to enrol by test, with power over patients and with one to four readers."""
    if "failed" in found:
        return Section("plan", TITLE, (Text(f"No trial is planned: {found['failed']}."),), SOURCES)
    curve = found["curve"]

    def draw(on: Look) -> Any:
        return power_by_patients(curve, POWER, on=on)

    blocks: tuple[Block, ...] = (
        Text(_answer(inputs, found), "answer"),
        _tests(found),
        Figure("plan", draw, "Power over patients enrolled, by test", OTHER),
        *_readers(found),
        Text("Assumed: " + " ".join(f"{text.rstrip('.')}." for text in found["assumptions"]), "note"),
    )
    return Section("plan", TITLE, blocks, SOURCES)


def _answer(inputs: ReportInputs, found: dict[str, Any]) -> str:
    begun = found["start"]
    who = "all patients" if begun["controls"] is None else f"arm {begun['controls']}"
    main = next((row for row in found["tests"] if row["test"] == "ancova"), found["tests"][0])
    return (
        f"{main['enrol']['total']:,} patients to enrol for power {POWER:.0%} ({main['title']}), if treatment "
        f"prevents half of the mean change {inputs.readings.main.label} of {who} "
        f"({formatting.number(begun['mean'])} {inputs.system.title}; SD {formatting.number(begun['sd'])}, "
        f"n = {begun['patients']:,}, and {begun['lost']:.0%} of all lack the change). The numbers of a "
        "study of this "
        "size "
        "are themselves uncertain."
    )


def _tests(found: dict[str, Any]) -> Table:
    rows = tuple(
        (
            row["title"], *(formatting.count(row["enrol"][name]) for name in ("control", "treated", "total")),
            formatting.count(row["with_result"]["total"]), f"{row['power']:.1%}",
            f"{row['checked']['power']:.1%}" if row.get("checked") else formatting.NOTHING,
        )
        for row in found["tests"]
    )  # fmt: skip
    said = " ".join(f"{why[0].upper()}{why[1:]}." for why in found["notes"].values())
    heads = ("Test", "control", "treated", "to enrol", "with a result", "power", "power, checked")
    caption = (
        "Two-sided alpha 5%, as many treated as controls. Power, checked: in simulated trials with the "
        "changes of "
        f"this study, or over every table. {said}".strip()
    )
    return Table(heads, rows, caption)


def _readers(found: dict[str, Any]) -> tuple[Table, ...]:
    if not found["by_readers"]:
        return ()
    tests = list(found["by_readers"][0]["enrol"])
    titles = {row["test"]: row["title"] for row in found["tests"]}
    rows = tuple(
        (
            str(row["readers"]),
            formatting.number(row["sd"]),
            *(formatting.count(row["enrol"].get(test)) for test in tests),
        )
        for row in found["by_readers"]
    )
    heads = ("Readers of every film", "SD of change", *(titles.get(test, test) for test in tests))
    return (Table(heads, rows, "Patients to enrol by readers of every film."),)
