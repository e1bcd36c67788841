"""Sections on the study: its design, and who is counted."""

from __future__ import annotations

import pandas as pd

from core.agreement.comparison import PANELS, STATUS, Interval
from core.domain import ReaderKind
from core.reader_labels import KIND_ORDER
from core.report import formatting
from core.report.blocks import Block, Facts, Heading, Section, Table, Text
from core.report.inputs import Material
from core.report.statistics import left_out

KINDS = {ReaderKind.HUMAN: "person", ReaderKind.MODEL: "model", ReaderKind.CONSENSUS: "truth or consensus"}


def design(material: Material) -> Section:
    """Study, visits, readers, campaigns and read modes."""
    return Section(
        "design",
        "Design",
        (
            Facts(_facts(material)),
            Heading("Visits"),
            _visits(material),
            Heading("Readings"),
            _readers(material),
            *_modes(material),
        ),
        ("data.queries.cohort.counts", "data.queries.report.visits", "data.queries.scores.readers"),
    )


def _facts(material: Material) -> tuple[tuple[str, str], ...]:
    counts = material.counts
    arms = ", ".join(f"{arm} {n:,}" for arm, n in material.arms.items())
    hidden = "hidden: the study is blinded" if material.is_blinded else arms or "none stated"
    who = material.readings.people
    return (
        ("Study", material.study or "no name stated"),
        ("Patients and films", "phantoms (simulated)" if material.is_phantom else "as delivered"),
        ("Score", f"{material.system.title} ({material.system.long_name}), 0 to {material.system.maximum}"),
        ("Patients", f"{material.patients:,}"),
        ("Arms", hidden),
        ("Films", f"{counts['images']:,}, of them {counts['unassigned']:,} without patient or visit"),
        ("Readers compared", formatting.listed(who) if who else "no person has read"),
        ("Campaign of the people", material.campaign or "none"),
        (
            "Models",
            formatting.listed(material.readings.models) if material.readings.models else "none has scored",
        ),
    )


def _visits(material: Material) -> Table:
    rows = []
    labels = [label for label in material.readings.kinds if label not in material.readings.truths]
    totals = material.readings.totals
    totals = totals[(totals["component"] == "total") & totals["total"].notna()]
    for visit in material.readings.visits:
        here = material.came[(material.came["visit"] == visit) & material.came["films"].notna()]
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
        ("Visit", "Planned day", "Patients", "with a film", *(f"total by {label}" for label in labels)),
        tuple(rows),
        "Patients at each visit, and how many of them have a total from each reading.",
    )


def _day(days: pd.Series) -> str:
    known = days.dropna()
    return formatting.count(known.mode().iloc[0]) if len(known) else formatting.NOTHING


def _readers(material: Material) -> Table:
    places = material.readers["kind"].map({kind.value: place for kind, place in KIND_ORDER.items()})
    readers = material.readers.assign(place=places).sort_values("place", kind="stable")
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
        "Every campaign of this score in the cohort. Compared are first reads: those of the people in "
        f"campaign {material.campaign or '(none)'}, of models and the truth in their own.",
        words=5,
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _modes(material: Material) -> list[Block]:
    modes = material.readings.modes
    people = {modes.get(label, "") for label in material.readings.people}
    other = [label for label in material.readings.models if modes.get(label, "") not in people]
    if not people or not other:
        return []
    model_modes = formatting.listed(sorted({modes[label] for label in other}))
    return [
        Text(
            f"{formatting.listed(other)} scored films in read mode {model_modes}, "
            f"the people in read mode {formatting.listed(sorted(people))}. Reading single films makes change "
            "less certain than seeing a patient's films together, so the mode is part of any disagreement "
            "about change.",
            "note",
        )
    ]


def counted(material: Material) -> Section:
    """n of every comparison, who was left out and why."""
    missing = left_out(material.readings, material.came)
    blocks: list[Block] = [_flow(material)]
    if len(missing):
        blocks += [Heading("Why readings are missing"), _reasons(missing), _each(missing)]
    else:
        blocks.append(Text("No reading of any patient and visit is missing."))
    blocks += [Heading("Films that a model did not score"), *_abstained(material)]
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


def _flow(material: Material) -> Table:
    readings = material.readings
    labels = [label for label in readings.kinds if label not in readings.truths]
    rows = []
    for panel in (panel for panel in PANELS if panel in readings.panels):
        for interval in _asked(material, panel):
            table = readings.table(panel, interval)[labels].notna()
            every = int(table.all(axis=1).sum())
            each = [formatting.count(table[label].sum()) for label in labels]
            out = formatting.count(material.patients - every)
            rows.append(
                (
                    interval.what(panel),
                    formatting.count(material.patients),
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


def _asked(material: Material, panel: str) -> list[Interval]:
    """For status each visit once; for change every interval."""
    found = material.readings.intervals
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


def _abstained(material: Material) -> list[Block]:
    frame = material.abstentions
    if not material.readings.models:
        return [Text("No model has scored this study.")]
    if frame.empty:
        return [Text("The model scored every film that it was given.")]
    frame = frame.fillna({"reader": formatting.NOTHING})
    grouped = frame.groupby(["reader", "reason"])["image"].nunique().reset_index(name="n")
    rows = tuple((str(row.reader), str(row.reason), formatting.count(row.n)) for row in grouped.itertuples())
    return [
        Table(("Model", "Reason", "Films"), rows, "Abstaining is a result: no grade is guessed.", words=2)
    ]
