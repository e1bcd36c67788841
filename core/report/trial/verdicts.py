"""Section on verdicts: equivalence of biases and non-inferiority of the model, each with its power."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.agreement.bootstrap import DRAWS, SEED
from core.agreement.by_site import change_grades, status_grades
from core.agreement.comparison import CHANGE, STATUS
from core.agreement.reader_model import Bootstrap
from core.agreement.verdicts.bias import bias_equivalence
from core.agreement.verdicts.non_inferiority import non_inferiority
from core.report import formatting
from core.report.blocks import Section, Table, Text
from core.report.inputs import ReportInputs

SOURCES = (
    "core.agreement.verdicts.bias.bias_equivalence",
    "core.agreement.verdicts.non_inferiority.non_inferiority",
)
WORDS = {None: "no verdict", True: "yes", False: "not shown"}
HOW = (
    "Equivalent: the 95% interval of the bias lies within the margin (two one-sided t tests at 2.5%). Not "
    "inferior: the lower limit of the model's mean coefficient with readers, minus theirs with each other, "
    "lies above minus the margin. Power: the chance of this verdict with as many patients if there were no "
    "difference."
)
NO_MARGIN = (
    "Differences with their intervals, without a margin: margins are given with 'sharpline report "
    "--bias-margin', '--icc-margin' and '--kappa-margin'."
)
PLAIN = (
    "Bias: t interval. ICC and kappa: the model's mean coefficient with readers, minus theirs with each "
    "other, by a bootstrap of patients."
)
TITLE = "Model and readers: biases and coefficients"
GIVEN = (
    "Margins were given when this report was made. They make verdicts only where the protocol had set them "
    "before unblinding, which this cohort does not know."
)


def verdict_rows(inputs: ReportInputs) -> list[dict[str, Any]]:
    """One row a difference: ``panel, what, kind, difference, margin, verdict, power, patients, notes``.

    Of the first model, or of the readers with each other without one; total, longest interval.
    """
    readings = inputs.readings
    model = readings.models[0] if readings.models and len(readings.people) > 1 else ""
    names = [*readings.people, model] if model else readings.people
    rows: list[dict[str, Any]] = []
    for panel in readings.panels:
        table = readings.table(panel)[names].dropna().to_numpy(dtype=float)
        if len(names) > 1:
            rows += _biases(inputs, panel, table, names, model)
        if model:
            rows.append(_icc(inputs, panel, table, model))
            rows += _kappa(inputs, panel, names, model)
    return rows


def _biases(
    inputs: ReportInputs, panel: str, table: np.ndarray, names: list[str], model: str
) -> list[dict[str, Any]]:
    margin = inputs.asked.bias_margin
    found = bias_equivalence(table, names, margin=margin or 1.0, model=model)
    return [
        {
            "panel": panel,
            "what": f"bias, {row['first']} minus {row['second']}",
            "kind": "equivalent",
            "difference": row["bias"],
            "margin": margin,
            "verdict": row["equivalent"] if margin else None,
            "power": row["power"] if margin else None,
            "patients": row["patients"],
            "notes": row["notes"] if margin else {},
        }
        for row in found["rows"]
    ]


def _icc(inputs: ReportInputs, panel: str, table: np.ndarray, model: str) -> dict[str, Any]:
    found = non_inferiority(
        table[:, :-1], table[:, -1], margin=inputs.asked.icc_margin, statistic="ICC(A,1)",
        bootstrap=Bootstrap(None, DRAWS, SEED),
    )  # fmt: skip
    return {"panel": panel, "what": f"ICC(A,1), {model} minus readers"} | _inferior(found)


def _kappa(inputs: ReportInputs, panel: str, names: list[str], model: str) -> list[dict[str, Any]]:
    """Of all sites that all readers and the model graded, at all visits or in the longest interval."""
    if inputs.grades.empty:
        return []
    columns = ["subject", "visit", "site", "feature", "label", "grade"]
    grades, main = inputs.grades[columns], inputs.readings.main
    rated = status_grades(grades) if panel == STATUS else None
    if panel == CHANGE:
        rated = change_grades(grades, main.first, main.last, more=["feature"])
    if rated is None or rated.empty:
        return []
    keys = [name for name in ("subject", "visit", "site", "feature") if name in rated]
    wide = rated.pivot_table(index=keys, columns="label", values="grade", aggfunc="first", observed=True)
    wide = wide.reindex(columns=names).astype("float64").dropna()
    if wide.empty:
        return []
    table, patients = wide.to_numpy(), wide.index.get_level_values("subject").to_numpy()
    found = non_inferiority(
        table[:, :-1], table[:, -1], margin=inputs.asked.kappa_margin, statistic="kappa.quadratic",
        bootstrap=Bootstrap(patients, DRAWS, SEED),
    )  # fmt: skip
    return [{"panel": panel, "what": f"quadratic kappa of sites, {model} minus readers"} | _inferior(found)]


def _inferior(found: dict[str, Any]) -> dict[str, Any]:
    names = ("difference", "margin", "power", "patients", "notes")
    return {name: found[name] for name in names} | {
        "kind": "not inferior",
        "verdict": found["non_inferior"],
    }


def verdicts(inputs: ReportInputs, rows: list[dict[str, Any]]) -> Section:
    """The table of all differences, with verdicts where a margin was given."""
    if not rows:
        lack = Text("Differences of readings are left out: two readings of one patient are needed.")
        return Section("verdicts", TITLE, (lack,), SOURCES)
    has_margin = any(row["margin"] is not None for row in rows)
    heads: tuple[str, ...] = ("Difference", "Of", "n", "estimate and 95% interval")
    heads += ("margin", "verdict", "power") if has_margin else ()
    shown = tuple(_cells(inputs, row)[: len(heads)] for row in rows)
    notes = dict.fromkeys(note for row in rows for note in row["notes"].values())
    said = [f"{note[0].upper()}{note[1:]}." for note in notes]
    caption = " ".join([HOW, *said] if has_margin else [PLAIN, *said])
    frame = Text(GIVEN, "warning") if has_margin else Text(NO_MARGIN, "note")
    return Section("verdicts", TITLE, (frame, Table(heads, shown, caption, words=2)), SOURCES)


def _cells(inputs: ReportInputs, row: dict[str, Any]) -> tuple[str, ...]:
    verdict = WORDS[row["verdict"]]
    return (
        row["what"],
        inputs.readings.main.what(row["panel"]),
        formatting.count(row["patients"]),
        formatting.estimated(row["difference"], signed=True),
        formatting.NOTHING if row["margin"] is None else f"{row['margin']:g}",
        verdict if row["verdict"] is None else f"{row['kind']}: {verdict}",
        formatting.NOTHING if row["power"] is None else f"{row['power']:.0%}",
    )
