"""What a model guesses of the disease behind images: a small panel that says how little it knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from core.errors import ModelError
from core.markdown import md
from data.queries.diagnosis.chances import chances_of_patient
from models import cards, registry
from models.system import SystemModel
from pages.common.page import Page
from pages.common.patient.case import Case
from pages.common.queries import ask
from pages.common.shown_table import show_table

FOLDS = "patients left out of five folds"  # as its training puts it into the card
PUBLISHED = "0.65 to 0.67"  # AUC of the four questions, EULAR 2025, POS1322
COIN = 0.5


def guesses(page: Page, case: Case) -> pd.DataFrame:
    """Chances of the newest run at the later visit; empty where there are none."""
    rows = ask(page, chances_of_patient, case.subject)
    rows = rows[rows["visit"] == case.last]
    return rows[rows["run"] == rows["run"].iloc[-1]] if len(rows) else rows


def diagnosis(page: Page, case: Case, site: str | None) -> str:
    """A row for each question: the mean over the images of the visit, their range, and how good that is."""
    rows = guesses(page, case)
    model = registry.models().get(case.system.name)
    measured = _measured(case.system.name)
    st.markdown(f"## Disease, guessed at {md(case.last)}")
    if rows.empty or model is None:
        st.info("No model has guessed at this visit.", icon=":material/inbox:")
        return ""
    st.warning(_how_little(measured), icon=":material/help:")
    show_table(table_of(rows, model, measured))
    st.caption(
        f"A guess from {rows['image'].nunique()} images, each looked at by itself. It is no score, enters no "
        "total, and readers do not see it."
    )
    return ""


def _how_little(measured: Mapping[str, float]) -> str:
    own = ""
    if measured:
        low, high = min(measured.values()), max(measured.values())
        own = f" These reach {low:.2f} to {high:.2f} on phantom patients that they did not learn from."
    return (
        "Not for use on a patient. Published networks tell these diseases apart with an area under the curve "
        f"of {PUBLISHED}, where {COIN} is a coin.{own} A network may know the machine rather than the "
        "disease."
    )


def _measured(system: str) -> dict[str, float]:
    """Question -> area under the curve over folds, as the card has it; empty where it was not measured."""
    try:
        found: dict[str, Any] = cards.read_card(system, "demo").get("evaluation", {}).get(FOLDS, {})
    except ModelError:
        return {}
    model = registry.models().get(system)
    asked = () if model is None else tuple(model.diagnoses)
    return {task: float(found[task]["auc"]["mean"]) for task in asked if "auc" in found.get(task, {})}


def table_of(rows: pd.DataFrame, model: SystemModel, measured: Mapping[str, float]) -> pd.DataFrame:
    """``question, chance, images, AUC``: a row for each question that the model was asked."""
    found = []
    for task, (first, second) in model.diagnoses.items():
        own = rows.loc[rows["task"] == task, "probability"]
        if len(own):
            found.append({
                "question": f"{first}, not {second}",
                "mean chance": f"{own.mean():.2f} ({own.min():.2f} to {own.max():.2f})",
                "images": len(own),
                "area under the curve": f"{measured[task]:.2f}" if task in measured else "not measured",
            })  # fmt: skip
    return pd.DataFrame(found)
