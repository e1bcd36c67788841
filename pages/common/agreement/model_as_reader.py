"""Is the model a reader? A section of the Agreement page, with the margin that a person sets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd
import streamlit as st

from core.agreement.comparison import CHANGE
from core.agreement.plain_words import (
    FEW_PATIENTS,
    false_change_sentence,
    index_side,
    no_interval,
    too_few,
)
from core.figures.agreement.forest import forest, interchangeability
from core.markdown import md
from core.reader_labels import display_name
from core.report.formatting import signed
from pages.common.agreement import question, statistics
from pages.common.agreement.margin import chosen_margin, margin_form
from pages.common.agreement.question import Comparison
from pages.common.agreement.widgets import beside, figure, legend, sentence_with_data, shorts, titled
from pages.common.page import Page
from pages.common.shown_table import show_table
from pages.common.sticky_widgets import pick

MODEL = "agreement_model"
SAME = 1e-9  # two estimates of one quantity differ by less


def model_as_reader(page: Page, compared: Comparison) -> str:
    """Interchangeability against the study's margin, leaving one reader out, change that no other sees."""
    who, known = compared.readings.people, compared.readings.models
    if not known or len(who) < 2:
        st.markdown("This question needs a model and two readers.")
        return ""
    model = known[0] if len(known) == 1 else pick("Model", known, MODEL)
    margin_form(page, compared.question.chosen.system)
    found = statistics.model_as_reader(
        page, compared.question, model, chosen_margin(page, compared.question.chosen.system)
    )
    for column, panel in zip(beside(len(compared.panels)), compared.panels, strict=True):
        with column:
            titled(compared, panel)
            _index(page, compared, found["interchangeability"][panel], panel)
    st.markdown("## Each reader, and the model in that reader's place, against the mean of the others")
    _left_out(page, compared, found["leave_one_out"], model)
    if "false_change" in found:
        st.markdown("## Change seen where every other reader sees none")
        _false_change(found["false_change"], model)
    return (
        f"{display_name(model)} was compared with the readers by the interchangeability index, by the "
        "ICC(A,1) of each reader and of the model in that reader's place with the mean of the others, and by "
        "change seen where every other reader sees none; intervals resample patients."
    )


def _index(page: Page, compared: Comparison, found: dict[str, Any], panel: str) -> None:
    drawn = interchangeability(found, unit=compared.unit, on=page.look)
    rows = [
        {
            "what": name,
            "estimate": found[name]["estimate"],
            "low": found[name]["ci"][0],
            "high": found[name]["ci"][1],
        }
        for name in ("model_reader", "reader_reader", "index")
    ]
    value, verdict = index_words(found)
    gone = found["dropped_subjects"]
    lacking = f"{gone} left out: {_lacks(compared, panel)}" if gone else "none left out"
    n = f"n = {found['subjects']} patients, {lacking}"
    figure(
        drawn, f"interchangeability_{panel}", alt=f"Interchangeability index, {panel}",
        sentence=f"{n}. Index {value}. {verdict}",
        data=pd.DataFrame(rows).assign(margin=found["margin"], n=found["subjects"]),
    )  # fmt: skip


def _lacks(compared: Comparison, panel: str) -> str:
    """What those who are left out of a panel lack; change needs two visits, so it may leave out more."""
    asked = compared.question
    visits = f"{md(asked.first)} or {md(asked.last)}" if panel == CHANGE else md(asked.last)
    return f"a reader or the model has no total at {visits}"


def index_words(found: dict[str, Any]) -> tuple[str, str]:
    """(the index with its interval, what it says and the verdict); a verdict only against a margin."""
    index = found["index"]
    if index["estimate"] is None:
        return "not computable", f"{found['notes'].get('index', 'The index cannot be computed')}."
    low, high = index["ci"]
    interval = " (no interval)" if low is None else f" ({signed(low)} to {signed(high)})"
    verdict = "No verdict: no margin was set."
    if found["subjects"] < FEW_PATIENTS:
        said = f"{too_few(found['subjects'])} to say more"
        verdict = verdict if found["margin"] is None else "No verdict."
        return f"**{signed(index['estimate'])}**{interval}", f"{said}. {verdict}"
    side = index_side(index)
    if high is None:
        said = f"In these {found['subjects']:,} patients the model is {side}."
        return f"**{signed(index['estimate'])}**{interval}", f"{said} No verdict: {no_interval(found)}."
    if found["margin"] is not None and found["equivalent"] is None:
        verdict = f"No verdict: {found['notes']['equivalent']}."
    elif found["margin"] is not None:
        where = "below" if found["equivalent"] else "not below"
        caution = found["notes"].get("equivalent", "") if found["equivalent"] else ""
        more = f" Note: {caution}." if caution else ""
        verdict = f"The upper limit {signed(high)} is {where} the margin {found['margin']:g}.{more}"
    return f"**{signed(index['estimate'])}**{interval}", f"The model is {side}. {verdict}"


def _left_out(page: Page, compared: Comparison, found: dict[str, Any], model: str) -> None:
    rows = as_in_the_figure_above(leave_one_out_rows(found, model), _pairs(page, compared))
    if rows.empty:
        st.markdown("No patient was scored by all readers and the model.")
        return
    drawn = forest(
        rows, axis=f"{question.ICC}, 95% CI", panels=compared.panels,
        names=shorts(compared), on=page.look,
    )  # fmt: skip
    gaps = "; ".join(f"{md(panel)} {_gap(block)}" for panel, block in found.items())
    figure(
        drawn, "leave_one_out", alt="ICC of each reader, and of the model, with the mean of the others",
        sentence=f"n = {int(rows['n'].min())} patients scored by all. ICC of the model less that of the "
        f"reader in whose place it stands: {gaps}. Intervals of differences and of means of several readers "
        f"resample patients; those of one pair are by formula, as in the figure above.{legend(compared)}",
        data=rows.drop(columns=["kind"]),
    )  # fmt: skip


def _gap(block: dict[str, Any]) -> str:
    return ", ".join(
        f"{md(row['left_out'])} {signed(row['icc_difference']['estimate'])} "
        f"({signed(row['icc_difference']['ci'][0])} to {signed(row['icc_difference']['ci'][1])})"
        for row in block["rows"]
    )


def _pairs(page: Page, compared: Comparison) -> pd.DataFrame:
    """Every statistic of every pair, of the part of the score that is compared."""
    found = statistics.statistics(page, compared.question)
    return found[found["component"] == compared.question.component]


def as_in_the_figure_above(rows: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """The rows with the intervals of the pairs where the others are one reader: the same quantity of the same
    patients has one interval on the page.

    pairs: ``statistics.statistics`` of one part of the score.
    """
    icc = pairs[pairs["statistic"] == question.ICC]
    known = {(row.panel, frozenset((row.first, row.second))): row for row in icc.itertuples()}
    found = [dict(row) for row in rows.to_dict("records")]
    for row in found:
        pair = known.get((row["panel"], frozenset((row["first"], row["second"]))))
        if pair is not None and pair.n == row["n"] and abs(pair.estimate - row["estimate"]) < SAME:
            row |= {"low": pair.low, "high": pair.high}
    return pd.DataFrame(found, columns=rows.columns)


def leave_one_out_rows(found: dict[str, Any], model: str) -> pd.DataFrame:
    """A row per panel, reader left out, and who is compared: ``panel, label, first, second, kind, ...``."""
    rows = []
    for panel, block in found.items():
        for row in block["rows"]:
            others = " + ".join(row["against"])
            for who, name, kind in (("reader", row["left_out"], "human"), ("model", model, "model")):
                icc = row[who]["ICC(A,1)"]
                bias = row[who]["bias"]["estimate"]
                rows.append(
                    {"panel": panel, "label": f"without {row['left_out']}", "first": name, "second": others,
                     "kind": kind, "estimate": _nan(icc["estimate"]), "low": _nan(icc["ci"][0]),
                     "high": _nan(icc["ci"][1]), "n": block["subjects"], "bias": _nan(bias)}
                )  # fmt: skip
    return pd.DataFrame(rows)


def _nan(value: float | None) -> float:
    return float("nan") if value is None else value


def _false_change(found: dict[str, Any], model: str) -> None:
    rows = [_rates(name, value) for name, value in [(model, found["model"]), *found["readers"].items()]]
    names = {"reader": "reader", "cases": "cases (n)", "change_text": "false change"}
    names |= {"improvement_text": "false improvement"}
    show_table(pd.DataFrame(rows)[list(names)].rename(columns=names))
    data = pd.DataFrame(rows).drop(columns=["change_text", "improvement_text"])
    sentence_with_data(
        f"{false_change_sentence(found)} Cases: patients in whom all other readers see no change; false "
        "improvement: a change below 0 there. Intervals resample patients.",
        data, "false_change",
    )  # fmt: skip


def _rates(name: str, value: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {"reader": name, "cases": value["cases"]}
    for key, word in (("false_change", "change_text"), ("false_improvement", "improvement_text")):
        low, high = value[key]["ci"]
        row |= {
            key: value[key]["estimate"],
            f"{key}_low": low,
            f"{key}_high": high,
            word: _proportion(value[key]),
        }
    return row


def _proportion(value: dict[str, Any]) -> str:
    if value["estimate"] is None:
        return "no case"
    low, high = value["ci"]
    interval = "" if low is None else f" ({100 * low:.0f} to {100 * high:.0f})"
    return f"{100 * value['estimate']:.0f}%{interval}"


def rate_words(values: Iterable[dict[str, Any]], key: str) -> str:
    """Counts of one or several readings in a few words, each with its interval: "0 of 4 (0 to 49%)"."""
    known = [value for value in values if value[key]["estimate"] is not None]
    if not known:
        return "no case"
    return ", ".join(_count_words(value["cases"], value[key]) for value in known)


def _count_words(cases: int, share: dict[str, Any]) -> str:
    low, high = share["ci"]
    interval = "" if low is None else f" ({100 * low:.0f} to {100 * high:.0f}%)"
    return f"**{round(share['estimate'] * cases)} of {cases}**{interval}"
