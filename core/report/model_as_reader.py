"""Section on the model as a reader: interchangeability, leave-one-reader-out, false change."""

from __future__ import annotations

from typing import Any

from core.agreement.comparison import CHANGE, TOTAL
from core.agreement.plain_words import false_change_sentence, index_sentence
from core.figures.agreement.forest import interchangeability
from core.figures.style import Look
from core.report import formatting
from core.report.blocks import Beside, Block, Figure, Heading, Section, Table, Text
from core.report.inputs import MarginSet, ReportInputs

SOURCES = (
    "data.queries.scores.totals",
    "data.study.settings.margins",
    "core.agreement.reader_model.interchangeability",
    "core.agreement.reader_model.leave_one_out",
    "core.agreement.reader_model.false_change",
)


def model_as_reader(inputs: ReportInputs, found: list[dict[str, Any]]) -> Section:
    """Does the model disagree with readers more than they do with each other, on the same patients?"""
    readings = inputs.readings
    if not found or len(readings.people) < 2:
        lack = "no model has scored this study" if not readings.models else "two readers are needed"
        blocks: tuple[Block, ...] = (Text(f"Whether a model is a reader is not known: {lack}."),)
        return Section("model", "The model as a reader", blocks, SOURCES)
    parts: list[Block] = [*_margin(inputs)]
    for model in readings.models:
        parts += _one(inputs, model, [row for row in found if row["model"] == model])
    return Section("model", "The model as a reader", tuple(parts), SOURCES)


def margin_words(margin: MarginSet | None, unit: str) -> str:
    """Who set which margin and when, or plainly that none was."""
    if margin is None or margin.value is None:
        return "No margin was preset: no verdict."
    when = f"{margin.at:%d %B %Y}".lstrip("0")
    why = f" Reason given: {margin.reason}." if margin.reason else ""
    if margin.preset:
        return (
            f"Margin: {margin.value:g} {margin.unit}, set by {margin.by} on {when}, before any model had "
            f"scored.{why}"
        )
    return (
        f"Margin: {margin.value:g} {margin.unit}, set by {margin.by} on {when}, AFTER a model had scored: "
        f"it is not a preset margin, and what follows from it is not a verdict.{why}"
    )


def _margin(inputs: ReportInputs) -> list[Block]:
    margin = inputs.margin
    preset = margin is not None and margin.preset
    blocks: list[Block] = [
        Text(
            "The interchangeability index is the mean over patients of the squared model-reader difference "
            "minus the squared reader-reader difference, on patients whom all readers and the model scored. "
            "Above 0 the model is further from the readers than they are to each other. It counts as "
            "interchangeable where the upper limit of the index lies below a preset margin."
        ),
        Text(margin_words(margin, inputs.system.title), "" if preset else "warning"),
    ]
    if len(inputs.margins) > 1:
        rows = tuple(
            (
                f"{one.at:%Y-%m-%d}",
                one.by,
                "withdrawn" if one.value is None else f"{one.value:g} {one.unit}",
                "before any model had scored" if one.preset else "after",
                one.reason or formatting.NOTHING,
            )
            for one in inputs.margins
        )
        blocks.append(
            Table(("Date", "By", "Margin", "When", "Reason"), rows, "Every margin that was set.", words=5)
        )
    return blocks


def _one(inputs: ReportInputs, model: str, found: list[dict[str, Any]]) -> list[Block]:
    readings = inputs.readings
    main = {
        row["panel"]: row
        for row in found
        if row["interval"] == readings.main.label and row["component"] == TOTAL
    }
    blocks: list[Block] = [Heading(model)] if len(readings.models) > 1 else []
    blocks.append(Beside(tuple(_figure(inputs, model, main[panel]) for panel in readings.panels)))
    longest = [row for row in found if row["interval"] == readings.main.label]
    rest = [row for row in found if row["interval"] != readings.main.label]
    blocks.append(_index_table(inputs, longest))
    blocks += [_index_table(inputs, rest, OTHERS)] if rest else []
    blocks += [Heading("Leave one reader out"), _left_out_table(inputs, model, longest)]
    blocks += [_left_out_table(inputs, model, rest, OTHERS)] if rest else []
    if CHANGE in main:
        blocks.append(Heading("Change seen where every other reader sees none"))
        blocks.append(Text(false_change_sentence(main[CHANGE]["false_change"])))
        blocks.append(_false_table(model, longest))
        blocks += [_false_table(model, rest, OTHERS)] if rest else []
    return blocks


OTHERS = "The other intervals"


def _figure(inputs: ReportInputs, model: str, row: dict[str, Any]) -> Figure:
    found, unit = row["interchangeability"], inputs.system.title
    what = inputs.readings.main.what(row["panel"])

    def draw(on: Look) -> Any:
        return interchangeability(found, unit=unit, on=on)

    return Figure(
        f"index_{model}_{row['panel']}",
        draw,
        f"Interchangeability index of {model}, total, {what}",
        verdict(inputs, found),
        title=what[0].upper() + what[1:],
    )


def verdict(inputs: ReportInputs, found: dict[str, Any]) -> str:
    """What the index says; a margin that was not preset gives no verdict."""
    margin = inputs.margin
    if margin is not None and not margin.preset:
        said = index_sentence({**found, "margin": None}, inputs.system.title)
        said = said.removesuffix("No margin was preset, so there is no verdict.").strip()
        high = found["index"]["ci"][1]
        if high is None:
            return said.replace("No verdict: ", "No verdict: the margin was not preset, and ", 1)
        side = "below" if high < margin.value else "not below"
        limit = f"Its upper limit {formatting.number(high)} is {side}"
        where = f" {limit} the {margin.value:g} that was set afterwards."
        return f"{said}{where} No verdict: the margin was not preset."
    return index_sentence(found, inputs.system.title)


def _index_table(inputs: ReportInputs, found: list[dict[str, Any]], folded: str = "") -> Table:
    rows = []
    for row in found:
        index = row["interchangeability"]
        rows.append(
            (
                row["component"],
                row["interval"],
                row["panel"],
                formatting.count(index["subjects"]),
                formatting.count(index["dropped_subjects"]),
                formatting.estimated(index["model_reader"]),
                formatting.estimated(index["reader_reader"]),
                formatting.estimated(index["index"], signed=True),
                _verdict_cell(inputs, row["component"], index),
            )
        )
    return Table(
        (
            "Part",
            "Interval",
            "Panel",
            "n",
            "left out",
            "model – readers",
            "readers – readers",
            "index",
            "within the margin",
        ),
        tuple(rows),
        f"Mean squared differences ({inputs.system.title}²) with intervals that resample patients. Left "
        "out: patients rated at all whom not all readers and the model rated. The margin is for the total.",
        words=3,
        folded=folded,
    )


def _verdict_cell(inputs: ReportInputs, component: str, index: dict[str, Any]) -> str:
    margin = inputs.margin
    if component != TOTAL:
        return formatting.NOTHING
    if margin is None:
        return "no margin was preset: no verdict"
    if index["equivalent"] is None:
        return f"{'no interval' if index['index']['ci'][1] is None else 'too few patients'}: no verdict"
    said = "yes" if index["equivalent"] else "not shown"
    return said if margin.preset else f"{said}, but margin set afterwards: no verdict"


def _left_out_table(inputs: ReportInputs, model: str, found: list[dict[str, Any]], folded: str = "") -> Table:
    rows = []
    for row in (row for row in found if row["component"] == TOTAL):
        for one in row["leave_one_out"]["rows"]:
            rows.append(
                (
                    row["interval"],
                    row["panel"],
                    one["left_out"],
                    "mean of " + formatting.listed(one["against"])
                    if len(one["against"]) > 1
                    else one["against"][0],
                    formatting.count(row["leave_one_out"]["subjects"]),
                    _icc_and_bias(one["reader"]),
                    _icc_and_bias(one["model"]),
                    formatting.estimated(one["icc_difference"], signed=True),
                )
            )
    return Table(
        (
            "Interval",
            "Panel",
            "Reader left out",
            "Compared with",
            "n",
            "ICC(A,1) and bias, that reader",
            "ICC(A,1) and bias, model",
            "ICC, model minus reader",
        ),
        tuple(rows),
        f"{inputs.system.title}, total: each reader, and {model} in that reader's place, against the mean "
        "of the other readers. Intervals resample patients; the difference is taken on the same draws.",
        words=4,
        folded=folded,
    )


def _icc_and_bias(found: dict[str, Any]) -> str:
    icc, bias = formatting.estimated(found["ICC(A,1)"]), formatting.estimated(found["bias"], signed=True)
    return f"{icc}\nbias {bias}"


def _false_table(model: str, found: list[dict[str, Any]], folded: str = "") -> Table:
    rows = []
    for row in (row for row in found if row["panel"] == CHANGE):
        rates = row["false_change"]
        for name, value in [(model, rates["model"]), *rates["readers"].items()]:
            line = (row["component"], row["interval"], name, formatting.count(value["cases"]))
            rows.append(
                (
                    *line,
                    formatting.percent(value["false_change"]),
                    formatting.percent(value["false_improvement"]),
                )
            )
    return Table(
        ("Part", "Interval", "Reading", "cases", "false change", "false improvement"),
        tuple(rows),
        "Cases: patients in whom all other readers see a change of 0. False change: any other change; false "
        "improvement: a change below 0. With two readers each has one other as judge, the model has both. "
        "Intervals resample patients.",
        words=3,
        folded=folded,
    )
