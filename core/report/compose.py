"""The whole report from its inputs: numbers first, then the sections that state them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from core.agreement.comparison import CHANGE, STATUS, TOTAL, Readings
from core.agreement.plain_words import false_change_sentence
from core.agreement.reader_model import bias_to_mean
from core.domain import ReaderKind
from core.report import formatting
from core.report.appendix import limitations, missing_sites, provenance
from core.report.blocks import Block, Facts, Report, Section, Table, Text
from core.report.design import counted, design
from core.report.disagreements import largest_disagreements
from core.report.inputs import ReportInputs
from core.report.model_as_reader import margin_words, model_as_reader, verdict
from core.report.site_by_site import site_by_site
from core.report.statistics import agreement, imputed, left_out, models_as_readers, reader_error, sites
from core.report.status_change import ICC, patient_by_patient, status_and_change
from core.report.subgroups import reread_numbers, rereads, subgroup_numbers, subgroups
from core.report.trial.arms import adjusted_arms, answer, change_by_arm
from core.report.trial.campaigns import two_campaigns, with_model
from core.report.trial.estimands import estimands_of, named_estimands
from core.report.trial.planning import next_trial, planned
from core.report.trial.verdicts import verdict_rows, verdicts
from core.scores.display.layout import layout

PHANTOM = "Phantom data: simulated patients, rendered films, simulated readers."
ENOUGH = 20  # patients
FEW = (
    "Fewer than 20 patients: intervals that resample so few are too narrow, so every interval and "
    "verdict here is uncertain."
)
SHORT_LIMITS = (
    "These readers, these films, these patients: others were not measured. Where intervals are wide, the "
    "data do not decide. How it was done, who was left out and what it cannot say follow."
)
RESEARCH = "For research only. Not a medical device."


def compose(inputs: ReportInputs) -> Report:
    """The report. Its numbers depend on the inputs alone."""
    readings = inputs.readings
    margin = inputs.margin
    pairs = agreement(readings)
    errors = reader_error(readings)
    models = models_as_readers(readings, margin.value if margin else None) if len(readings.people) > 1 else []
    by_site = sites(inputs.grades, readings, layout(inputs.system)) if readings.pairs else None
    grouped, again = subgroup_numbers(readings, inputs.groups), reread_numbers(inputs)
    margins, arms = verdict_rows(inputs), adjusted_arms(inputs)
    named, trial, campaigns = estimands_of(inputs), next_trial(inputs), two_campaigns(inputs)
    sections = (
        in_short(inputs, pairs, errors, models, arms),
        design(inputs),
        counted(inputs),
        status_and_change(readings, pairs, errors),
        patient_by_patient(readings),
        subgroups(inputs, grouped),
        rereads(inputs, again),
        model_as_reader(inputs, models),
        verdicts(inputs, margins),
        with_model(inputs, campaigns),
        change_by_arm(inputs, arms),
        named_estimands(inputs, named),
        planned(inputs, trial),
        site_by_site(inputs, by_site),
        largest_disagreements(inputs),
        missing_sites(inputs),
        limitations(inputs),
        provenance(inputs),
    )
    numbers = {
        "cohort_version": inputs.origin.version,
        "agreement": _records(pairs),
        "reader_error": errors,
        "model_as_reader": models,
        "verdicts": margins,
        "with_and_without": campaigns,
        "arms": arms,
        "estimands": named,
        "plan": {name: value for name, value in trial.items() if name != "curve"},
        "subgroups": _records(grouped),
        "readers_against_themselves": _records(again),
        "sites": _records(by_site.by_site) if by_site else [],
        "all_sites": _records(by_site.pooled) if by_site else [],
        "left_out": _records(left_out(readings, inputs.attended)),
        "imputed": imputed(readings, len(inputs.system.sites)),
    }
    has_model = bool(readings.models)
    return Report(
        title="Is the model a reader?" if has_model else "Do the readers agree?",
        subtitle=_subtitle(inputs),
        notices=(f"{PHANTOM} {RESEARCH}" if inputs.is_phantom else RESEARCH, *_source(inputs)),
        sections=sections,
        numbers=numbers,
        thing=inputs.system.image_title,
    )


def _source(inputs: ReportInputs) -> tuple[str, ...]:
    return (f"Real films: {inputs.patients:,} patients. {inputs.source}",) if inputs.source else ()


def _subtitle(inputs: ReportInputs) -> str:
    origin = inputs.origin
    when = f"{origin.last_event:%d %B %Y}".lstrip("0")
    study = f"{inputs.study}, " if inputs.study else ""
    return f"{study}{inputs.system.title} agreement evidence, cohort version {origin.version} of {when}"


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


def in_short(
    inputs: ReportInputs,
    pairs: pd.DataFrame,
    errors: list[dict[str, Any]],
    models: list[dict[str, Any]],
    arms: dict[str, Any],
) -> Section:
    """What a committee asks first, readers beside model. arms: of ``adjusted_arms``."""
    readings = inputs.readings
    blocks: list[Block] = []
    panel = readings.panels[-1]
    for model in readings.models:
        row = _main(models, readings, model, panel)
        if row is not None:
            said = verdict(inputs, row["interchangeability"])
            n = row["interchangeability"]["subjects"]
            blocks.append(Text(f"{model}, {readings.main.what(panel)}, n = {n:,}. {said}", "answer"))
            blocks += [Text(FEW, "warning")] if n < ENOUGH else []
        if row is not None and panel == CHANGE:
            blocks.append(Text(false_change_sentence(row["false_change"]), "answer"))
    if not readings.models:
        blocks.append(Text("No model has scored this study: the report shows the readers alone.", "answer"))
    blocks.append(_beside(inputs, pairs, errors, models))
    if readings.models:
        blocks.append(Text(margin_words(inputs.margin, inputs.system.title), "note"))
    blocks += [Facts((*_standing_alone(inputs), ("Arms", _arms(inputs, arms)))), Text(SHORT_LIMITS, "note")]
    return Section("short", "In short", tuple(blocks))


def _standing_alone(inputs: ReportInputs) -> tuple[tuple[str, str], ...]:
    """What the first page says for itself: of whom, by whom, who is left out, by which rule, from what."""
    readings, origin = inputs.readings, inputs.origin
    compared = [*readings.people, *readings.models]
    table = readings.table(readings.panels[-1], readings.main)
    whole = len(table[[label for label in compared if label in table]].dropna())
    left = inputs.patients - whole
    mode = ", ".join(
        dict.fromkeys(readings.modes[label] for label in readings.people if label in readings.modes)
    )
    return (
        ("Study", inputs.study or "no name stated"),
        ("Compared", f"{formatting.listed(compared) if compared else 'nobody'}, {readings.main.label}"),
        ("Patients", f"{whole:,} of {inputs.patients:,} have every reading; {left:,} left out, listed below"),
        ("Reading", f"campaign {inputs.campaign or 'none'}" + (f", films read {mode}" if mode else "")),
        ("Rule" if inputs.system.chooses_blocks else "Missing sites", inputs.rule.title),
        ("Made from", f"cohort version {origin.version}, Sharpline {origin.software}"),
    )


def _arms(inputs: ReportInputs, arms: dict[str, Any]) -> str:
    if "failed" in arms or not arms["comparisons"]:
        return f"not compared: {arms.get('failed') or arms['notes'].get('comparisons', '')}"
    return answer(inputs, arms)


def _main(models: list[dict[str, Any]], readings: Readings, model: str, panel: str) -> dict[str, Any] | None:
    wanted = (model, readings.main.label, TOTAL, panel)
    for row in models:
        if (row["model"], row["interval"], row["component"], row["panel"]) == wanted:
            return row
    return None


def _beside(
    inputs: ReportInputs, pairs: pd.DataFrame, errors: list[dict[str, Any]], models: list[dict[str, Any]]
) -> Table:
    """Readers with each other in one column, the model with the readers in the next."""
    readings = inputs.readings
    here = pairs[(pairs["span"] == readings.main.label) & (pairs["component"] == TOTAL)]
    rows = []
    for panel in readings.panels:
        part = here[here["panel"] == panel]
        what = readings.main.what(panel)
        rows.append((f"{ICC}, {what}", *_columns(part, ICC, signed=False)))
        between, of_model = _columns(part, "bland_altman.bias", signed=True)
        with_mean = _from_the_mean(readings, panel)
        rows.append((f"Bias (first minus second), {what}", between, with_mean or of_model))
    rows += _errors(readings, errors)
    for panel in readings.panels:
        rows += _squared_differences(readings, models, panel)
    rows += _false_changes(readings, models)
    return Table(
        ("", "readers with each other", f"{_named(readings.models)} with the readers"),
        tuple(rows),
        f"{inputs.system.title} total, {readings.main.label}: estimate and 95% interval.",
    )


def _squared_differences(
    readings: Readings, models: list[dict[str, Any]], panel: str
) -> list[tuple[str, str, str]]:
    """Between readers, and of every model with them; none where no model was compared."""
    found = _of_models(readings, models, panel, "interchangeability")
    if not found:
        return []
    what = f"Mean squared difference, {readings.main.what(panel)}"
    own = {model: formatting.estimated(index["reader_reader"]) for model, index in found.items()}
    of_models = {model: formatting.estimated(index["model_reader"]) for model, index in found.items()}
    counts = {index["subjects"] for index in found.values()}
    if len(counts) == 1:
        what += f" (n = {counts.pop():,})"
    else:
        of_models = {model: f"{said}, n = {found[model]['subjects']:,}" for model, said in of_models.items()}
    return [(what, _once(own), _by_model(readings, of_models))]


def _false_changes(readings: Readings, models: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """False change and false improvement of readers and of every model; none where no model was compared."""
    found = _of_models(readings, models, CHANGE, "false_change")
    rows = []
    for key, name in (("false_change", "False change"), ("false_improvement", "False improvement")):
        own = {
            model: "\n".join(f"{label}: {_rate(value, key)}" for label, value in rates["readers"].items())
            for model, rates in found.items()
        }
        of_models = {model: _rate(rates["model"], key) for model, rates in found.items()}
        rows.append((f"{name}, {readings.main.label}", _once(own), _by_model(readings, of_models)))
    return rows if found else []


def _of_models(
    readings: Readings, models: list[dict[str, Any]], panel: str, part: str
) -> dict[str, dict[str, Any]]:
    """A part of what was found of each model that was compared."""
    rows = {model: _main(models, readings, model, panel) for model in readings.models}
    return {model: row[part] for model, row in rows.items() if row is not None}


def _rate(value: dict[str, Any], key: str) -> str:
    return f"{formatting.percent(value[key])}, {formatting.cases(value['cases'])}"


def _by_model(readings: Readings, said: dict[str, str]) -> str:
    """A line a model; without its name where the column is of one model."""
    if len(readings.models) == 1:
        return "".join(said.values())
    return "\n".join(f"{model}: {one}" for model, one in said.items())


def _once(own: dict[str, str]) -> str:
    """What holds for the readers: once where it is the same beside every model, else by model."""
    if len(set(own.values())) <= 1:
        return next(iter(own.values()), "")
    return "\n".join(f"{model}: {one}" for model, one in own.items())


def _from_the_mean(readings: Readings, panel: str) -> str:
    """Bias of the model against the mean of the readers; empty with several models or fewer than two
    readers.
    """
    if len(readings.models) != 1 or len(readings.people) < 2:
        return ""
    table = readings.table(panel)
    found = bias_to_mean(table[readings.people].to_numpy(float), table[readings.models[0]].to_numpy(float))
    value = formatting.estimated(found["bias"], signed=True)
    return f"minus mean of {', '.join(readings.people)}: {value}, n = {found['n']:,}"


def _columns(rows: pd.DataFrame, statistic: str, *, signed: bool) -> tuple[str, str]:
    found = []
    for kind in (ReaderKind.HUMAN, ReaderKind.MODEL):
        part = rows[(rows["kind"] == kind) & (rows["statistic"] == statistic)]
        found.append(
            "\n".join(
                f"{_pair(row, kind, rows)}: "
                f"{formatting.with_interval([row.estimate, row.low, row.high], signed=signed)}, n = {row.n:,}"
                for row in part.itertuples()
            )
            or formatting.NOTHING
        )
    return found[0], found[1]


def _named(models: Sequence[str]) -> str:
    return models[0] if len(models) == 1 else "models"


def _pair(row: Any, kind: ReaderKind, rows: pd.DataFrame) -> str:
    """The two of a pair; of a model's pairs the reader alone, where there is one model."""
    of_model = rows[rows["kind"] == ReaderKind.MODEL]
    is_only = kind == ReaderKind.MODEL and of_model["first"].nunique() == 1
    return f"{row.second}" if is_only else f"{row.first} – {row.second}"


def _errors(readings: Readings, errors: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """SDC and MDC of the mean of the people, named with reader count and read mode."""
    main = [row for row in errors if row["interval"] == readings.main.label and row["component"] == TOTAL]
    if not main or len(readings.people) < 2:
        return []
    row = main[0]
    how = f"mean of {row['averaged']} readers, {formatting.listed(row['modes'])}"
    found = []
    if row[CHANGE] is not None:
        value = f"{formatting.with_interval(row[CHANGE]['mean'])}, n = {row[CHANGE]['n']:,}"
        found.append((f"SDC95 ({how}), {readings.main.label}", value, formatting.NOTHING))
    value = f"{formatting.with_interval(row[STATUS]['mean'])}, n = {row[STATUS]['n']:,}"
    found.append((f"MDC95 ({how}), {readings.main.last}", value, formatting.NOTHING))
    return found
