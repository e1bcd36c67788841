"""Sections on the study: its design, and who is counted."""

from __future__ import annotations

import pandas as pd

from core.agreement.comparison import PANELS, STATUS, Interval
from core.domain import ReaderKind
from core.reader_labels import KIND_ORDER
from core.report import formatting
from core.report.blocks import Block, Facts, Heading, Section, Table, Text
from core.report.inputs import ReportInputs
from core.report.statistics import left_out

KINDS = {
    ReaderKind.HUMAN: "human reader",
    ReaderKind.MODEL: "model",
    ReaderKind.CONSENSUS: "truth or consensus",
}


def design(inputs: ReportInputs) -> Section:
    """Study, visits, readers, campaigns and read modes."""
    return Section(
        "design",
        "Design",
        (
            Facts(_facts(inputs)),
            Heading("Visits"),
            _visits(inputs),
            Heading("Readings"),
            _readers(inputs),
            *_modes(inputs),
        ),
        ("data.queries.cohort.counts", "data.queries.report.visits", "data.queries.scores.readers"),
    )


def _facts(inputs: ReportInputs) -> tuple[tuple[str, str], ...]:
    counts = inputs.counts
    arms = ", ".join(f"{arm} {n:,}" for arm, n in inputs.arms.items())
    hidden = "hidden: the study is blinded" if inputs.is_blinded else arms or "none stated"
    who = inputs.readings.people
    return (
        ("Study", inputs.study or "no name stated"),
        (
            "Patients and films",
            "phantoms (simulated)" if inputs.is_phantom else inputs.source or "as delivered",
        ),
        ("Score", f"{inputs.system.title} ({inputs.system.long_name}), 0 to {inputs.system.most_of()}"),
        ("Patients", f"{inputs.patients:,}"),
        ("Arms", hidden),
        (
            "Images, for all scores",
            f"{counts['images']:,}, of them {counts['unassigned']:,} without patient or visit",
        ),
        ("Readers compared", formatting.listed(who) if who else "no human reader has read"),
        ("Reading campaign of the human readers", inputs.campaign or "none"),
        (
            "Models",
            formatting.listed(inputs.readings.models) if inputs.readings.models else "none has scored",
        ),
    )


def _visits(inputs: ReportInputs) -> Table:
    rows = []
    labels = [label for label in inputs.readings.kinds if label not in inputs.readings.truths]
    totals = inputs.readings.totals
    totals = totals[(totals["component"] == "total") & totals["total"].notna()]
    for visit in inputs.readings.visits:
        here = inputs.attended[(inputs.attended["visit"] == visit) & inputs.attended["films"].notna()]
        scored = totals[totals["visit"] == visit]
        read = [formatting.count((scored["label"] == label).sum()) for label in labels]
        rows.append(
            (
                visit,
                _day(here["planned_day"]),
                formatting.count(len(here)),
                formatting.count((here["films"] > 0).sum()),
                *read,
            )
        )
    return Table(
        ("Visit", "Planned day", "Patients", "with an image", *(f"total by {label}" for label in labels)),
        tuple(rows),
        "Patients at each visit, how many of them have an image that this score is read from, and how many a "
        "total from each reading.",
    )


def _day(days: pd.Series) -> str:
    known = days.dropna()
    return formatting.count(known.mode().iloc[0]) if len(known) else formatting.NOTHING


def _readers(inputs: ReportInputs) -> Table:
    places = inputs.readers["kind"].map({kind.value: place for kind, place in KIND_ORDER.items()})
    readers = inputs.readers.assign(place=places).sort_values("place", kind="stable")
    rows = [
        (
            str(row.reader),
            KINDS.get(ReaderKind(str(row.kind)), str(row.kind)),
            str(row.campaign),
            _text(row.read_mode) or "not stated",
            _text(row.weights_hash)[:12] or formatting.NOTHING,
            formatting.count(row.read),
            formatting.count(row.patients),
        )
        for row in readers.itertuples()
    ]
    return Table(
        ("Reading", "Kind", "Campaign", "Read mode", "Weights", "Read", "Patients"),
        tuple(rows),
        "Every campaign of this score in the cohort. Compared are first reads: those of the human readers in "
        f"campaign {inputs.campaign or '(none)'}, of models and the truth in their own.",
        words=5,
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _modes(inputs: ReportInputs) -> list[Block]:
    modes = inputs.readings.modes
    human = {modes.get(label, "") for label in inputs.readings.people}
    other = [label for label in inputs.readings.models if modes.get(label, "") not in human]
    if not human or not other:
        return []
    model_modes = formatting.listed(sorted({modes[label] for label in other}))
    return [
        Text(
            f"{formatting.listed(other)} scored films in read mode {model_modes}, "
            f"the human readers in read mode {formatting.listed(sorted(human))}. Reading single films "
            f"makes change "
            "less certain than comparing a patient's films side by side, so the mode is part of any "
            "disagreement "
            "about change.",
            "note",
        )
    ]


def counted(inputs: ReportInputs) -> Section:
    """n of every comparison, who was left out and why."""
    missing = left_out(inputs.readings, inputs.attended)
    blocks: list[Block] = [_flow(inputs)]
    if len(missing):
        blocks += [Heading("Why readings are missing"), _reasons(missing), _each(missing)]
    else:
        blocks.append(Text("No reading of any patient and visit is missing."))
    blocks += [Heading("Films that a model did not score"), *_abstained(inputs)]
    return Section(
        "counted",
        "Who is counted, and who was left out",
        tuple(blocks),
        (
            "data.queries.scores.totals",
            "data.queries.report.visits",
            "data.queries.scores.abstentions",
            "core.report.statistics.left_out",
        ),
    )


def _flow(inputs: ReportInputs) -> Table:
    readings = inputs.readings
    labels = [label for label in readings.kinds if label not in readings.truths]
    rows = []
    for panel in (panel for panel in PANELS if panel in readings.panels):
        for interval in _asked(inputs, panel):
            table = readings.table(panel, interval)[labels].notna()
            every = int(table.all(axis=1).sum())
            each = [formatting.count(table[label].sum()) for label in labels]
            out = formatting.count(inputs.patients - every)
            rows.append(
                (
                    interval.what(panel),
                    formatting.count(inputs.patients),
                    *each,
                    formatting.count(every),
                    out,
                )
            )
    return Table(
        ("Compared", "Patients", *labels, "by all of these", "left out"),
        tuple(rows),
        "Patients of the cohort with a total (status), or with totals at both visits (change). A comparison "
        "of two readings uses the patients that both have; the model as a reader uses those that all have.",
    )


def _asked(inputs: ReportInputs, panel: str) -> list[Interval]:
    """For status each visit once; for change every interval."""
    found = inputs.readings.intervals
    return list({one.last: one for one in found}.values()) if panel == STATUS else found


def _reasons(missing: pd.DataFrame) -> Table:
    grouped = missing.groupby(["visit", "label", "reason"], sort=False).size().reset_index(name="n")
    rows = tuple(
        (str(row.visit), str(row.label), str(row.reason), formatting.count(row.n))
        for row in grouped.itertuples()
    )
    return Table(("Visit", "Reading", "Reason", "Patients"), rows, words=3)


def _each(missing: pd.DataFrame) -> Table:
    rows = tuple(
        (str(row.subject), str(row.visit), str(row.label), str(row.reason)) for row in missing.itertuples()
    )
    title = f"One by one: {len(rows):,} missing, patients: {missing['subject'].nunique():,}"
    return Table(("Patient", "Visit", "Reading", "Reason"), rows, words=4, folded=title)


def _abstained(inputs: ReportInputs) -> list[Block]:
    frame = inputs.abstentions
    if not inputs.readings.models:
        return [Text("No model has scored this study.")]
    if frame.empty:
        return [Text("The model scored every film that it was given.")]
    frame = frame.fillna({"reader": formatting.NOTHING})
    grouped = frame.groupby(["reader", "reason"])["image"].nunique().reset_index(name="n")
    rows = tuple((str(row.reader), str(row.reason), formatting.count(row.n)) for row in grouped.itertuples())
    return [
        Table(("Model", "Reason", "Films"), rows, "An abstention is a result: no grade is guessed.", words=2)
    ]
