"""Models and tests, on a button: fitted one after the other with progress, kept by version and settings."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.markdown import md
from core.progression.regression.fit import MODELS
from core.reader_labels import md_name
from core.report import formatting
from pages.common.page import Page
from pages.common.progression.fitting.fits import MMRM, outcome
from pages.common.progression.fitting.model_tables import TITLES, show_model
from pages.common.progression.fitting.several import several_arms
from pages.common.progression.question import Question
from pages.common.sticky_widgets import pick, pick_many
from pages.common.ways_out.change_sections import model_methods

CHOSEN, RULE = "progression_models", "progression_first_by"


def models(page: Page, asked: Question, found: dict[str, dict[str, Any]]) -> str:
    """The button, and what was fitted for this question."""
    names = [name for name in TITLES if name == MMRM or name in MODELS]
    chosen = pick_many("Models", names, CHOSEN, ("compare", MMRM, "mixed"), format_func=TITLES.__getitem__)
    rule = pick(
        "Progressor definition (logistic, time to first)", asked.system.cutoffs, RULE,
        format_func=formatting.definition,
    )  # fmt: skip
    settings = dict.fromkeys(names, rule) | {MMRM: several_arms(page, found, "progression_several")}
    if st.button("Fit", type="primary", icon=":material/play_arrow:", disabled=not chosen):
        _fit(page, asked, chosen, settings)
    if not asked.is_full_set:
        st.info(
            "The filter leaves patients out. P-values are off for a subset: estimates and intervals stay.",
            icon=":material/shield:",
        )
    kept = {name: outcome(page, asked, name, settings[name], only_kept=True) for name in names}
    fitted = {name: result for name, result in kept.items() if result is not None}
    st.caption(
        f"Models see the readings of {md_name(asked.scorer)} with missing sites treated by "
        f"{asked.rule_used.title}, observed films only; "
        "visits by name for the MMRM, days for the others. "
        f"Change from {md(asked.first)} to {md(asked.last)}."
    )
    if not fitted:
        st.caption(
            "Nothing is fitted for this question yet. A fit is kept until the cohort or the question changes."
        )
    for name, result in fitted.items():
        show_model(page, asked, name, result)
    return model_methods(fitted, has_p=asked.is_full_set)


def _fit(page: Page, asked: Question, chosen: list[str], settings: dict[str, str]) -> None:
    bar = st.progress(0.0)
    for place, name in enumerate(chosen):
        bar.progress(place / len(chosen), text=f"{place + 1} of {len(chosen)}: {TITLES[name]}")
        outcome(page, asked, name, settings[name])
    bar.empty()
