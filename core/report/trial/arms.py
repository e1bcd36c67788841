"""Section on arms: each against the reference within strata and at equal baseline and covariates."""

from __future__ import annotations

from typing import Any

from core.errors import CohortError
from core.progression.arms.adjusted import AdjustedOptions
from core.progression.arms.adjusted_readings import adjusted_readings
from core.progression.progressors import cutoff
from core.report import formatting
from core.report.blocks import Block, Heading, Section, Table, Text
from core.report.inputs import ReportInputs

SOURCES = ("data.queries.grids.total_cells", "core.progression.arms.adjusted.adjusted_comparison")
TITLE = "Change by arm"


def why_no_arms(inputs: ReportInputs) -> str:
    """Why arms cannot be compared; empty where they can."""
    if inputs.is_blinded:
        return "the study is blinded"
    if inputs.trial.readings is None:
        return "human readers' totals at two visits with a day are needed"
    return "" if len(inputs.arms) > 1 else "the study has one arm or none"


def adjusted_arms(inputs: ReportInputs) -> dict[str, Any]:
    """``core.progression.arms.adjusted_readings`` of the mean of human readers, or ``failed``: why not."""
    why = why_no_arms(inputs)
    trial, asked = inputs.trial, inputs.asked
    if why or trial.readings is None:
        return {"failed": why}
    options = AdjustedOptions(
        asked.strata, asked.covariates, tuple(cutoff(name) for name in inputs.system.cutoffs)
    )
    try:
        return adjusted_readings(trial.readings, trial.properties, options, trial.days)
    except CohortError as error:
        return {"failed": f"{error.given}: {error.needed}"}


def change_by_arm(inputs: ReportInputs, found: dict[str, Any]) -> Section:
    """Difference in change, and in proportions of progressors."""
    if "failed" in found or not found["comparisons"]:
        why = found.get("failed") or found["notes"].get("comparisons", "")
        return Section("arms", TITLE, (Text(f"Arms are not compared: {why}."),), SOURCES)
    blocks: list[Block] = [Text(answer(inputs, found), "answer"), _change(inputs, found)]
    if found["comparisons"][0]["progressors"]:
        blocks += [Heading("Progressors"), _progressors(found)]
    blocks += [Text(f"{names}: {why}.", "note") for why, names in _by_reason(found["notes"]).items()]
    return Section("arms", TITLE, tuple(blocks), SOURCES)


def answer(inputs: ReportInputs, found: dict[str, Any]) -> str:
    """The adjusted difference of every arm from the reference in words."""
    said = [
        f"{one['a']} minus {one['b']}: {formatting.estimated(one['ancova'], signed=True)} "
        f"{inputs.system.title}, n = {one['n_a']:,} and {one['n_b']:,}"
        for one in found["comparisons"]
    ]
    terms = formatting.listed(["baseline", *found["strata"], *found["covariates"]])
    return f"Change {inputs.readings.main.label}, at equal {terms}. {'; '.join(said)}."


def _change(inputs: ReportInputs, found: dict[str, Any]) -> Table:
    rows = tuple(
        (
            _of(one), f"{one['n_a']:,} and {one['n_b']:,}",
            formatting.estimated(one["ancova"], signed=True),
            *(formatting.p_value(one[name]["p"]) for name in ("ancova", "van_elteren", "rank_ancova")),
        )
        for one in found["comparisons"]
    )  # fmt: skip
    heads = ("Arms", "n", "difference, 95% interval", "p, ANCOVA", "p, van Elteren", "p, rank ANCOVA")
    return Table(heads, rows, _how(inputs, found))


def _how(inputs: ReportInputs, found: dict[str, Any]) -> str:
    by = f" within strata of {formatting.listed(found['strata'])}" if found["strata"] else ""
    terms = "".join(f", {name}" for name in [*found["strata"], *found["covariates"]])
    left = len(found["left_out"])
    none = "" if terms else " Strata and covariates: 'sharpline report --strata COLUMN --covariate COLUMN'."
    return (
        f"{inputs.system.title}, mean of {formatting.listed(inputs.readings.people)}, "
        f"{inputs.readings.main.label}: {found['n']:,} patients with a change, {left:,} left out for a "
        "missing "
        f"value. ANCOVA: all arms, baseline{terms}. Van Elteren: ranks{by}. Rank ANCOVA: the same, cleared "
        "of "
        f"baseline and covariates. P is not adjusted for several arms.{none}"
    )


def _progressors(found: dict[str, Any]) -> Table:
    rows = []
    for rule in found["comparisons"][0]["progressors"]:
        for one in found["comparisons"]:
            shares = one["progressors"][rule]
            model = shares["adjusted_risk_difference"]
            firth = " (Firth)" if model["method"] == "Firth" else ""
            rows.append(
                (
                    formatting.definition(rule), _of(one), f"{one['n_a']:,} and {one['n_b']:,}",
                    formatting.percent(shares["risk_difference"], signed=True),
                    formatting.p_value(shares["cmh"]["p"]),
                    formatting.percent(model, signed=True) + firth, formatting.p_value(model["p"]),
                )
            )  # fmt: skip
    heads = ("Change", "Arms", "n", "Mantel-Haenszel", "p, CMH", "adjusted", "p")
    return Table(
        heads, tuple(rows),
        "Differences of proportions with 95% intervals. Mantel-Haenszel: common difference of the strata "
        "with "
        "score interval. Adjusted: what a logistic model with arm, baseline, strata and covariates expects "
        "if "
        "all patients were in one arm or the other.",
        words=2,
    )  # fmt: skip


def _by_reason(notes: dict[str, str]) -> dict[str, str]:
    """What is to be said -> of which definitions or tests."""
    found: dict[str, list[str]] = {}
    for name, why in notes.items():
        found.setdefault(why, []).append(formatting.definition(name))
    return {why: ", ".join(names) for why, names in found.items()}


def _of(one: dict[str, Any]) -> str:
    return f"{one['a']} minus {one['b']}"
