"""Section on the largest disagreements, with the films that show them."""

from __future__ import annotations

import pandas as pd

from core.agreement.comparison import CHANGE
from core.patient.changes import site_changes
from core.reader_labels import short_names
from core.report import formatting
from core.report.blocks import Beside, Block, Heading, Section, Table, Text
from core.report.inputs import Case, ReportInputs
from core.report.statistics import disagreements
from core.scores.system import ScoreSystem
from core.ties import TIE

LISTED = 10


def judged(models: list[str]) -> str | None:
    """Whose disagreement is looked at: the first model's, None for the human readers among themselves."""
    return models[0] if models else None


def largest_disagreements(inputs: ReportInputs) -> Section:
    """The patients about whom readings disagree most, status and change, and films of the worst."""
    readings = inputs.readings
    whom = judged(readings.models)
    blocks: list[Block] = [Text(_what(whom))]
    for panel in reversed(readings.panels):
        blocks.append(_list(inputs, panel, whom))
    for number, case in enumerate(inputs.cases, start=1):
        blocks += _case(inputs, number, case)
    sources = (
        "data.queries.scores.totals",
        "data.queries.scores.site_grades",
        "data.queries.patient.films",
        "data.queries.patient.findings",
        "core.report.statistics.disagreements",
        "core.patient.changes.site_changes",
    )
    return Section("worst", "Largest disagreements", tuple(blocks), sources)


def worst_patients(inputs: ReportInputs, count: int) -> list[str]:
    """Patients whose films are shown: by disagreement about change, then about status."""
    found: list[str] = []
    for panel in reversed(inputs.readings.panels):
        rows = disagreements(inputs.readings, panel, judged(inputs.readings.models))
        found += rows.loc[rows["size"] > TIE, "subject"].tolist()
    return list(dict.fromkeys(found))[:count]


def shown_region(grades: pd.DataFrame, system: ScoreSystem, model: str | None, visits: list[str]) -> str:
    """The region of a patient in which readings differ most.

    grades: of the patient, columns ``site, visit, label, grade``.
    """
    size = dict.fromkeys((site.region for site in system.sites), 0.0)
    for site, difference in _differences(grades, model, visits).items():
        size[system.by_code[site].region] += difference
    return max(size, key=lambda region: size[region]) if size else ""


def disputed_site(
    grades: pd.DataFrame, system: ScoreSystem, model: str | None, visits: list[str], region: str
) -> str:
    """The site of a region about which readings differ most, the first from the top of several; "" where
    they agree on all."""
    size = _differences(grades, model, visits)
    here = [
        code for code in system.codes if system.by_code[code].region == region and size.get(code, 0) > TIE
    ]
    return max(here, key=lambda code: size[code], default="")


def _differences(grades: pd.DataFrame, model: str | None, visits: list[str]) -> dict[str, float]:
    """Site -> how far readings lie apart about its change.

    Where they agree on every change: about its grades, summed over the visits.
    """
    here = grades[grades["visit"].isin(visits) & grades["grade"].notna()]
    wide = here.pivot_table(index=["site", "label"], columns="visit", values="grade", aggfunc="first")
    wide = wide.reindex(columns=visits).astype(float)
    if len(visits) == 2:
        size = _apart((wide[visits[1]] - wide[visits[0]]).dropna(), model)
        if any(one > TIE for one in size.values()):
            return size
    size = {}
    for visit in visits:
        for site, apart in _apart(wide[visit].dropna(), model).items():
            size[site] = size.get(site, 0.0) + apart
    return size


def _apart(values: pd.Series, model: str | None) -> dict[str, float]:
    """Site -> the model minus the mean of the others, or the largest minus the smallest without the model.

    values: index ``site, label``.
    """
    size = {}
    for site, part in values.groupby(level="site", sort=False):
        by_label = part.droplevel("site")
        others = by_label.drop(labels=[model], errors="ignore") if model else by_label
        if model is not None and model in by_label and len(others):
            size[str(site)] = abs(float(by_label[model] - others.mean()))
        else:
            size[str(site)] = float(by_label.max() - by_label.min())
    return size


def _what(whom: str | None) -> str:
    if whom is None:
        return "The disagreement of the readers is the largest rating minus the smallest."
    return (
        f"The disagreement is {whom} minus the mean of the readers. Disagreements are not errors of the "
        "model alone: the films and every reading's grades follow, so that every reader of this report can "
        "judge."
    )


def _list(inputs: ReportInputs, panel: str, whom: str | None) -> Table | Text:
    readings = inputs.readings
    found = disagreements(readings, panel, whom)
    what = readings.main.what(panel)
    judged_n, found = len(found), found[found["size"] > TIE]
    if found.empty:
        return Text(f"The readings do not differ about {what}.")
    labels = list(readings.kinds)
    digits = 1
    signed = panel == CHANGE
    rows = tuple(
        (
            str(row["subject"]),
            *(formatting.number(row[label], digits, signed=signed) for label in labels),
            formatting.number(row["difference"], digits, signed=True),
        )
        for row in found.head(LISTED).to_dict("records")
    )
    return Table(
        ("Patient", *labels, "difference"),
        rows,
        f"{readings.unit}, {what}: the {len(rows)} largest of {len(found):,} disagreements, n = {judged_n:,} "
        "patients.",
    )


def _case(inputs: ReportInputs, number: int, case: Case) -> list[Block]:
    main = inputs.readings.main
    visits = [visit for visit in (main.first, main.last) if visit]
    kinds = inputs.readings.kinds
    title = f"Case {number}: patient {case.subject}" + (f", {case.region}" if case.region else "")
    blocks: list[Block] = [Heading(title)]
    if case.films:
        blocks.append(Beside(case.films))
        blocks.append(Text(_legend(kinds, bool(inputs.readings.models)), "note"))
    if case.close_ups:
        name = inputs.system.by_code[case.site].name
        blocks.append(
            Beside(case.close_ups, f"Close-up of {case.site}, {name}: here the readings differ most")
        )
    blocks.append(_sites(inputs, case, visits))
    return blocks


def _legend(kinds: dict[str, str], boxes: bool) -> str:
    short = short_names(kinds)
    named = ", ".join(f"{letters} {label}" for label, letters in short.items() if letters != label)
    drawn = (
        "Boxes: sites that the model found, in the colour of its grade; point at one for every reading. "
        if boxes
        else ""
    )
    return f"{drawn}Grades stand beside a box where readings differ ({named}; – not graded)."


def _sites(inputs: ReportInputs, case: Case, visits: list[str]) -> Table | Text:
    if len(visits) < 2:
        return _status_sites(inputs, case, visits)
    kinds = inputs.readings.kinds
    rows = site_changes(case.grades, inputs.system, visits[0], visits[1], kinds)
    if rows.empty:
        return Text("No reading saw a change at any site.")
    body = tuple(
        (str(row["site"]), str(row["name"]), *(str(row[label]) for label in kinds),
         f"{row['seen_by']} of {row['readers']}")
        for row in rows.to_dict("records")
    )  # fmt: skip
    return Table(
        ("Site", "Name", *kinds, "readers who saw it"),
        body,
        f"Sites at which any reading saw a change, {visits[0]} → {visits[1]}, both regions.",
        words=2,
    )


def _status_sites(inputs: ReportInputs, case: Case, visits: list[str]) -> Table | Text:
    here = case.grades[case.grades["visit"].isin(visits) & case.grades["grade"].notna()]
    labels = list(inputs.readings.kinds)
    rows = []
    for site in inputs.system.codes:
        part = here[here["site"] == site]
        grades = dict(zip(part["label"], part["grade"].astype(int), strict=True))
        if len(set(grades.values())) > 1:
            name = inputs.system.by_code[site].name
            rows.append((site, name, *(formatting.count(grades.get(label)) for label in labels)))
    if not rows:
        return Text("The readings differ at no single site.")
    return Table(("Site", "Name", *labels), tuple(rows), "Sites at which readings differ.", words=2)
