"""Do readers read better with the model? Two campaigns of the same readers against a reference standard."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.agreement.mrmc.analysis import analyse
from core.agreement.mrmc.figures_of_merit import AUC, ERROR, METRICS
from core.agreement.mrmc.obuchowski_rockette import BOTH
from core.agreement.plain_words import FEW_PATIENTS, too_few
from core.errors import InputError
from core.markdown import md
from core.reader_labels import display_name
from pages.common.agreement.question import Comparison, Question
from pages.common.agreement.with_model.campaigns import campaigns, study_of
from pages.common.page import Page
from pages.common.provenance import download
from pages.common.queries import computed
from pages.common.shown_table import show_table
from pages.common.sticky_widgets import pick, pick_number

KEY = "agreement_mrmc_"
NEEDS = (
    "This compares two campaigns of the same readers, such as without and with the model, against a "
    "consensus. Import the second one under a name of its own: `sharpline reads FILE --system S --reader R "
    "--campaign with-model`; or give a table to `sharpline mrmc`."
)


def with_and_without(page: Page, compared: Comparison) -> str:
    """What two campaigns differ by in error, kappa or AUC, for readers and patients like these."""
    asked = compared.question
    known, truths = campaigns(page, asked), compared.readings.truths
    if len(known) < 2 or not truths:
        lacking = "There is one campaign of human readers."
        if len(known) > 1:
            lacking = "There is no consensus reading."
        st.info(f"{lacking} {NEEDS}", icon=":material/group:")
        return ""
    one, two, three, four = st.columns(4)
    with one:
        first = pick("Without", known, f"{KEY}first")
    with two:
        second = pick("With", [name for name in known if name != first], f"{KEY}second")
    with three:
        measures = [ERROR, *[name for name in METRICS if name != ERROR]]
        metric = pick("Measure", measures, f"{KEY}metric", format_func=METRICS.__getitem__)
    with four:
        panel = pick("Of", compared.panels[::-1], f"{KEY}panel", format_func=compared.what)
    truth = truths[0] if len(truths) == 1 else pick("Against", truths, f"{KEY}truth")
    positive = None
    if metric == AUC:
        positive = pick_number("Positive from (of the consensus)", f"{KEY}positive", 0.5, None, 0.5, 0.5)
    try:
        result = computed(page, _result, asked, panel, (first, second), truth, metric, positive)
    except InputError as problem:
        st.warning(str(problem), icon=":material/report:")
        return ""
    _show(result, compared.what(panel), truth)
    if result["patients"] < FEW_PATIENTS:
        return ""
    return (
        f"{result['title']} of {compared.what(panel)} against {display_name(truth)} was compared between the "
        f"campaigns {first} and {second} ({result['cases']} patients, {len(result['readers'])} readers) by "
        "Obuchowski and Rockette's analysis with Hillis' degrees of freedom."
    )


def _result(
    page: Page,
    asked: Question,
    panel: str,
    names: tuple[str, ...],
    truth: str,
    metric: str,
    positive: float | None,
) -> dict[str, Any]:
    return analyse(study_of(page, asked, panel, names, truth), metric, positive=positive)


def _show(result: dict[str, Any], what: str, truth: str) -> None:
    if result["patients"] < FEW_PATIENTS:
        st.markdown(f"{too_few(result['patients'])} to compare campaigns; only what was read is shown.")
        show_table(
            _by_reader(result).drop(columns=["low", "high"]),
            column_config=_numbers(*result["modalities"]),
        )  # fmt: skip
        return
    main = result["analyses"][0]
    st.markdown(_in_words(result, main["differences"][0], main["analysis"]))
    table = _analyses(result)
    show_table(table, column_config=_numbers())
    show_table(_by_reader(result), column_config=_numbers(*result["modalities"]))
    for text in result["notes"].values():
        st.caption(f"{md(text)}.")
    st.caption(
        f"{result['title']} of {what} against {md(display_name(truth))}: {result['cases']} patients read in "
        f"both campaigns, {len(result['readers'])} readers; {result['better']} is better. Obuchowski and "
        f"Rockette's analysis with Hillis' degrees of freedom, covariances by {result['covariance']}. The "
        "campaigns must differ in the model alone: the same images, long enough apart, in random order."
    )
    download(table, "with_and_without", label="Differences (CSV)")


def _in_words(result: dict[str, Any], row: dict[str, Any], analysis: str) -> str:
    low, high = row["ci"]
    limits = "" if low is None else f" (95% CI {low:+.3f} to {high:+.3f}; p = {row['p']:.3f})"
    who = "readers and patients like these" if analysis == BOTH else "these readers, patients like these"
    what = f"{md(row['a'])} minus {md(row['b'])}: {result['title']} {row['estimate']:+.3f}"
    return f"**{what}**{limits}, for {who}.".replace(" -", " −").replace("(-", "(−")


def _by_reader(result: dict[str, Any]) -> pd.DataFrame:
    """Each reader under both modalities, and what differs."""
    cells = {(cell["reader"], cell["modality"]): cell["estimate"] for cell in result["cells"]}
    rows = [
        {"reader": display_name(row["reader"]), row["b"]: cells[row["reader"], row["b"]]}
        | {row["a"]: cells[row["reader"], row["a"]], "difference": row["estimate"]}
        | {"low": row["ci"][0], "high": row["ci"][1]}
        for row in result["by_reader"]
    ]
    means = {row["modality"]: row["estimate"] for row in result["means"]}
    return pd.DataFrame([*rows, {"reader": "mean", **means}])


def _analyses(result: dict[str, Any]) -> pd.DataFrame:
    rows = [
        {"holds for": one["says"], "difference": row["estimate"], "low": row["ci"][0], "high": row["ci"][1]}
        | {"df": row["df"], "p": row["p"]}
        for one in result["analyses"]
        for row in one["differences"]
    ]
    return pd.DataFrame(rows)


def _numbers(*modalities: str) -> dict[str, Any]:
    number = st.column_config.NumberColumn
    shown = {"difference": "difference", "low": "95% low", "high": "95% high", "p": "p"}
    shown |= {name: name for name in modalities}
    return {name: number(title, format="%.3f") for name, title in shown.items()} | {
        "df": number("df", format="%.1f")
    }
