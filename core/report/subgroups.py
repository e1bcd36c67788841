"""Sections on subgroups of patients, and on readers against themselves."""

from __future__ import annotations

from typing import Any

import pandas as pd

from core.agreement.comparison import STATUS, Readings
from core.agreement.rereads import within_reader
from core.agreement.subgroups import by_subgroup, without_level
from core.figures.agreement.forest import forest
from core.figures.style import Look
from core.reader_labels import short_names
from core.report import formatting
from core.report.blocks import Block, Figure, Section, Table, Text
from core.report.inputs import ReportInputs
from core.report.statistics import TOTALS

ICC, BIAS, SPREAD, MDC = "ICC(A,1)", "bland_altman.bias", "bland_altman.sd", "mdc95"


def subgroup_numbers(readings: Readings, groups: pd.DataFrame) -> pd.DataFrame:
    """``by_subgroup`` of the total over the longest interval, with ``panel`` and ``kind``; truth left out."""
    pairs = [pair for pair in readings.pairs if not set(pair) & set(readings.truths)]
    parts = []
    for panel in readings.panels:
        long = readings.table(panel).reset_index().melt("subject", var_name="label", value_name="total")
        parts.append(by_subgroup(long.dropna(), groups, pairs, columns=TOTALS).assign(panel=panel))
    found = pd.concat(parts, ignore_index=True)
    kinds = [readings.kind(a, b) for a, b in zip(found["first"], found["second"], strict=True)]
    return found.assign(kind=kinds)


def subgroups(inputs: ReportInputs, found: pd.DataFrame) -> Section:
    """ICC in every subgroup with the spread of the differences beside it."""
    readings = inputs.readings
    rows = found[found["statistic"] == ICC]
    title = f"Subgroups: total, {readings.main.label}"
    if rows["group"].nunique() < 2 or rows["estimate"].isna().all():
        return Section("subgroups", title, (Text("No subgroup of patients is known."),), SOURCES)
    labels = [_label(group, level) for group, level in zip(rows["group"], rows["level"], strict=True)]
    drawn = rows.assign(label=labels)

    def draw(on: Look) -> Any:
        names = short_names(readings.kinds)
        return forest(drawn, axis=f"{ICC}, 95% interval", panels=readings.panels, names=names, on=on)

    figure = Figure(
        "subgroups", draw, f"{ICC} of the total in subgroups of patients, status and change", _said(inputs)
    )
    return Section("subgroups", title, (figure, _table(readings, found)), SOURCES)


SOURCES = (
    "data.queries.cohort.subjects",
    "data.queries.cohort.baseline",
    "core.agreement.subgroups.by_subgroup",
)


def _label(group: str, level: str) -> str:
    return f"{group}: {level}" if level else group


def _said(inputs: ReportInputs) -> str:
    patients = inputs.readings.totals["subject"].unique().tolist()
    lacking = {group: n for group, n in without_level(patients, inputs.groups).items() if n}
    gone = "".join(f" Without a level in {group}: {n}." for group, n in lacking.items())
    arm = " Arms are hidden: the study is blinded." if inputs.is_blinded else ""
    return (
        "An ICC is low where patients differ little, however well two readings agree: the SD of the "
        "differences in the table does not depend on that. Baseline damage (mean of the readers) and age are "
        f"split at the median.{gone}{arm}"
    )


def _table(readings: Readings, found: pd.DataFrame) -> Table:
    cells: dict[tuple[str, ...], dict[tuple[str, str], Any]] = {}
    for row in found.itertuples():
        key = (_label(str(row.group), str(row.level)), f"{row.first} – {row.second}")
        cells.setdefault(key, {})[str(row.panel), str(row.statistic)] = row
    heads = [
        f"{panel}: {name}" for panel in readings.panels for name in ("n", ICC, "bias", "SD of difference")
    ]
    rows = tuple((*key, *_cells(values, readings.panels)) for key, values in cells.items())
    return Table(
        ("Subgroup", "Pair", *heads), rows,
        f"{readings.unit}, total. Intervals from formulas, one row a patient, not corrected for "
        "their number.",
        words=2, folded="All subgroups: ICC, bias and SD of the difference with intervals",
    )  # fmt: skip


def _cells(values: dict[tuple[str, str], Any], panels: tuple[str, ...]) -> list[str]:
    found: list[str] = []
    for panel in panels:
        icc, bias, spread = (values[panel, name] for name in (ICC, BIAS, SPREAD))
        found += [
            formatting.count(icc.n),
            _with(icc),
            _with(bias, signed=True),
            formatting.number(spread.estimate),
        ]
    return found


def _with(row: Any, *, signed: bool = False) -> str:
    return formatting.with_interval([row.estimate, row.low, row.high], signed=signed)


def reread_numbers(inputs: ReportInputs) -> pd.DataFrame:
    """``within_reader`` of the repeat readings of the human readers, over the longest interval."""
    main = inputs.readings.main
    return within_reader(inputs.rereads, [(main.first, main.last)] if main.first else [])


def rereads(inputs: ReportInputs, found: pd.DataFrame) -> Section:
    """Each reader's first read against the further one, by part of the score."""
    sources = ("data.queries.scores.totals", "core.agreement.rereads.within_reader")
    title = "Readers against themselves (intra-reader agreement)"
    model = "A model run twice on one film gives the same score; only a repeated film can test it."
    if found.empty:
        said = "No reader read a film twice: intra-reader agreement was not measured."
        return Section("rereads", title, (Text(said), Text(model, "note")), sources)
    cells: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in found.itertuples():
        panel, span = str(row.panel), str(row.span)
        what = f"{panel}, all visits" if panel == STATUS else f"{panel} {span}"
        key = (str(row.reader), str(row.occasion), str(row.component), what)
        cells.setdefault(key, {})[str(row.statistic)] = row
    rows = tuple(
        (*key, formatting.count(of[ICC].n), formatting.count(of[ICC].patients), _with(of[ICC]),
         _with(of[BIAS], signed=True), _with(of[MDC]))
        for key, of in cells.items()
    )  # fmt: skip
    table = Table(
        ("Reader", "Repeat reading", "Part", "Panel", "n", "patients", ICC, "bias", "MDC95"), rows,
        f"{inputs.readings.unit}, first reading minus the repeat reading of the same films. Status pools "
        "all visits and resamples patients. Few patients give wide intervals.",
        words=4,
    )  # fmt: skip
    blocks: tuple[Block, ...] = (table, Text(model, "note"))
    return Section("rereads", title, blocks, sources)
