"""Verdicts against margins of the protocol, each with its power, and drift of readers between rounds."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.markdown import md
from core.report.formatting import signed
from pages.common.agreement.question import Comparison
from pages.common.agreement.site_statistics import too_many_grades
from pages.common.agreement.verdicts import statistics
from pages.common.agreement.verdicts.statistics import Margins
from pages.common.agreement.widgets import sentence_with_data, titled, with_limits
from pages.common.page import Page
from pages.common.shown_table import show_table
from pages.common.sticky_widgets import pick, pick_optional_number

MODEL = "agreement_model"
BIAS = {None: "no verdict", True: "equivalent", False: "not shown to be equivalent"}
INFERIOR = {None: "no verdict", True: "not inferior", False: "not shown to be non-inferior"}
FRAME = (
    "A verdict counts only against a margin that the protocol set before unblinding; it is not stored here."
)
COLUMNS = ["what", "estimate", "low", "high", "margin", "verdict", "power", "patients", "note"]


def verdicts(page: Page, compared: Comparison) -> str:
    """Equivalence of biases, non-inferiority of the model's ICC and kappa, drift."""
    known = compared.readings.models
    model = "" if not known else known[0] if len(known) == 1 else pick("Model", known, MODEL)
    margins = _margins(compared, model)
    st.caption(FRAME)
    for panel in compared.panels:
        titled(compared, panel)
        rows = statistics.verdicts(page, compared.question, panel, model, margins)
        _table(rows, panel)
    st.markdown("## Drift of readers between rounds")
    _drift(page, compared)
    if margins == Margins():
        return "No margin was given, so no verdict; drift of readers was tested by Stuart-Maxwell and Bowker."
    return (
        "Equivalence of a bias needs its 95% interval within the margin (two one-sided tests at 2.5%); "
        "non-inferiority of the model's coefficient a lower limit above minus the margin. Drift of readers "
        "was tested by Stuart-Maxwell and Bowker."
    )


def _margins(compared: Comparison, model: str) -> Margins:
    one, two, three = st.columns(3)
    bias = _margin(one, f"Margin of a bias ({compared.unit})", "bias", None, 0.5)
    if not model or len(compared.readings.people) < 2:
        return Margins(bias or None)
    icc = _margin(two, "Loss of ICC(A,1) that counts as none", "icc", 1.0, 0.05)
    kappa = _margin(three, "Loss of quadratic kappa of sites", "kappa", 1.0, 0.05)
    return Margins(bias or None, icc or None, kappa or None)


def _margin(place: Any, title: str, name: str, most: float | None, step: float) -> float | None:
    with place:
        return pick_optional_number(
            title, f"agreement_margin_of_{name}", 0.0, most, step, placeholder="no margin, no verdict"
        )


def _table(rows: list[dict[str, Any]], panel: str) -> None:
    if not rows:
        st.markdown("No margin, no verdict.")
        return
    shown = verdict_rows(rows)
    table = pd.DataFrame(
        {
            "what": shown["what"],
            "difference": [
                with_limits(*row, plus=True) for row in shown[["estimate", "low", "high"]].to_numpy()
            ],
            "margin": shown["margin"],
            "verdict": shown["verdict"],
            "power": shown["power"].map(lambda p: "" if pd.isna(p) else f"{p:.0%}"),
            "patients": shown["patients"],
        }
    )
    show_table(table)
    for note, rows_with_it in shown[shown["note"] != ""].groupby("note", sort=False):
        st.caption(f"{md(', '.join(rows_with_it['what']))}: {md(str(note))}.")
    sentence_with_data(
        "Equivalent: the 95% interval of the bias lies within the margin (two one-sided tests at 2.5%). Not "
        "inferior: the lower limit of the model's coefficient with readers, minus theirs with each other, "
        "lies above minus the margin. Power: the chance of this verdict with as many patients if there were "
        "no difference. Kappa takes all sites of all patients and resamples patients.",
        shown, f"verdicts_{panel}",
    )  # fmt: skip


def verdict_rows(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """One row a verdict: ``what, estimate, low, high, margin, verdict, power, patients, note``."""
    found = []
    for row in rows:
        block = row["bias"] if "bias" in row else row["difference"]
        verdict = BIAS[row["equivalent"]] if "bias" in row else INFERIOR[row["non_inferior"]]
        note = "; ".join(row["notes"].values())
        limits = (block["estimate"], *block["ci"])
        found.append((row["what"], *limits, row["margin"], verdict, row["power"], row["patients"], note))
    frame = pd.DataFrame(found, columns=COLUMNS)
    return frame.astype(dict.fromkeys(("estimate", "low", "high", "power"), float))


def _drift(page: Page, compared: Comparison) -> None:
    reason = too_many_grades(page, compared.question)
    if reason:
        st.info(reason, icon=":material/database:")
        return
    found = statistics.drift_of_readers(page, compared.question)
    if not found["rows"]:
        st.markdown("No reader has graded the same sites in two rounds.")
        return
    rows = drift_rows(found["rows"])
    shown = rows.assign(
        mean_change=rows["mean_change"].map(signed),
        stuart_maxwell_p=rows["stuart_maxwell_p"].map(_p),
        bowker_p=rows["bowker_p"].map(_p),
    ).rename(columns=NAMES)
    show_table(shown[list(NAMES.values())])
    sentence_with_data(
        f"Grades of the same sites, first in {md(found['rounds'][0])}. Stuart-Maxwell: are grades given as "
        "often in both rounds? Bowker: is every change of grade as frequent as its reverse? p by "
        "exchanging the rounds of whole patients, right with few changes as well.",
        rows, "drift",
    )  # fmt: skip


NAMES = {
    "rater": "reader",
    "second": "later round",
    "changed": "grades that changed",
    "subjects": "grades (n)",
    "patients": "patients",
    "mean_change": "mean change",
    "stuart_maxwell_p": "Stuart-Maxwell p",
    "bowker_p": "Bowker p",
}


def drift_rows(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """One row a reader and later round, with statistic, df and p of both tests."""
    plain = ("rater", "first", "second", "subjects", "patients", "changed", "mean_change", "exact")
    return pd.DataFrame(
        {name: row[name] for name in plain}
        | {f"{test}_{key}": row[test][key] for test in ("stuart_maxwell", "bowker") for key in KEYS}
        for row in rows
    )


KEYS = ("statistic", "df", "p")


def _p(value: float | None) -> str:
    if value is None or pd.isna(value):
        return "no change"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
