"""The appendix of a report: the missing-site rule, limitations, provenance."""

from __future__ import annotations

import json

from core.domain import ReaderKind
from core.learned_from import in_words, notices
from core.report import formatting
from core.report.blocks import Block, Code, Facts, Heading, Section, Table, Text
from core.report.inputs import ReportInputs
from core.report.statistics import imputed, settings


def missing_sites(inputs: ReportInputs) -> Section:
    """The rule for sites that could not be graded, and how much it filled in."""
    rule, system = inputs.rule, inputs.system
    source = rule.source or "no source stated"
    checked = "" if rule.is_verified else " Not verified against the primary paper."
    found = imputed(inputs.readings, len(system.sites))
    rows = tuple(
        (
            row["label"],
            formatting.count(row["totals"]),
            formatting.count(row["missing"]),
            f"{row['imputed']:,} of {row['of']:,}",
            formatting.count(row["with_imputed"]),
        )
        for row in found
    )
    return Section(
        "missing",
        "Missing sites",
        (
            Facts((("Rule", rule.name), ("In words", rule.text), ("Source", source + "." + checked))),
            Table(
                (
                    "Reading",
                    "totals",
                    "totals not formed under the rule",
                    "sites imputed",
                    "totals with an imputed site",
                ),
                rows,
                f"First reads, all visits. {system.title} has {len(system.sites)} sites; counted for totals "
                "that have a value. A site is imputed within a reader, before readers are averaged.",
            ),
        ),
        ("data.queries.scores.totals", "core.scores.engine.totals"),
    )


def limitations(inputs: ReportInputs) -> Section:
    """What the numbers cannot say."""
    said: list[str] = []
    if inputs.is_phantom:
        said.append(
            "Patients and films are phantoms: simulated courses, rendered films, simulated readers. Nothing "
            "here says how a reader or a model performs on real patients. The truth that the films were "
            "drawn "
            "from exists only in phantoms."
        )
    said.append("For research only. Not a medical device; not for decisions about a patient.")
    said += _readers(inputs)
    said += [f"{model} learned {in_words(steps)}." for model, steps in sorted(inputs.origin.learned.items())]
    if inputs.readings.models:
        said.append(
            "The model's agreement is with these readers, on these films. Other readers, devices and "
            "populations were not measured here."
        )
    said += [
        "An ICC depends on how much these patients differ: the same error gives a higher ICC in a more "
        "varied group. Look at SDC, bias and limits as well.",
        f"{inputs.patients:,} patients: where intervals are wide, the data do not decide.",
        "Many comparisons are shown and none is corrected for their number: the total over the longest "
        "interval is the main one, the others explain it.",
        "Patients are resampled, readers are not: the intervals hold for these readers.",
        "Not measured: reading time, use of the model's output by a reader, effect on a trial's result.",
    ]
    return Section("limitations", "Limitations", tuple(Text(text, "item") for text in said))


def _readers(inputs: ReportInputs) -> list[str]:
    said = []
    humans = inputs.readers[inputs.readers["kind"] == ReaderKind.HUMAN]
    if len(inputs.rereads):
        n = inputs.rereads["subject"].nunique()
        said.append(f"Readers read {n:,} patients again: the intra-reader results rest on those few.")
    elif len(humans):
        said.append("No reader read twice: intra-reader agreement was not measured.")
    k = len(inputs.readings.people)
    if k == 2:
        said.append(
            "Two readers: leaving one out leaves one, so each reader is judged by the other alone, and "
            "one unusual reader cannot be distinguished from two."
        )
    if k > 1:
        modes = sorted({inputs.readings.modes.get(one) or "not stated" for one in inputs.readings.people})
        said.append(
            f"SDC and MDC belong to {k} readers in read mode {formatting.listed(modes)}; "
            "they contain no constant difference between readers."
        )
    return said


def provenance(inputs: ReportInputs) -> Section:
    """Where every number comes from."""
    origin = inputs.origin
    blinded = "blinded: no arm is shown" if inputs.is_blinded else "not blinded"
    intact = "intact" if not origin.faults else f"{len(origin.faults)} faults, listed below"
    facts = (
        (
            "Cohort",
            f"{origin.cohort}, version {origin.version}, last written {origin.last_event:%Y-%m-%d %H:%M} UTC",
        ),
        ("Study", blinded),
        ("Filter", json.dumps(origin.chosen, ensure_ascii=False, sort_keys=True)),
        ("Software", f"Sharpline {origin.software}"),
        *((f"Weights of {model}", weights) for model, weights in sorted(origin.weights.items())),
        *((f"{model} learned", in_words(steps)) for model, steps in sorted(origin.learned.items())),
        ("Audit trail", f"{origin.events:,} events, {intact}"),
        ("Head of the audit chain", origin.head),
        *settings().items(),
    )
    blocks: list[Block] = [Facts(tuple((name.replace("_", " "), text) for name, text in facts))]
    blocks += [Text(f"Audit check: {fault}", "warning") for fault in origin.faults]
    owners = [notice for steps in origin.learned.values() for notice in notices(steps)]
    blocks += [Text(notice) for notice in dict.fromkeys(owners)]
    blocks.append(
        Text(
            "The same cohort, filter and software give this page byte for byte. Every section names the "
            "queries and functions that its numbers come from; the queries stand here. All numbers are in "
            "this file in full precision (button below)."
        )
    )
    blocks.append(Heading("Queries"))
    blocks += [Code(name, sql) for name, sql in sorted(origin.queries.items())]
    return Section("provenance", "Where every number comes from", tuple(blocks))
