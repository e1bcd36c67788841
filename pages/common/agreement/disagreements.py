"""The largest disagreements: patients, then single sites; a click on a row opens patient and films."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.agreement.by_site import graded_by_both
from core.agreement.comparison import STATUS
from core.markdown import md
from core.ties import TIE, in_order
from pages.common.agreement.question import Comparison
from pages.common.agreement.site_statistics import rated_sites, too_many_grades
from pages.common.agreement.widgets import beside, named, opening_table, readable_pair, sentence_with_data
from pages.common.page import Page
from pages.common.readings import system_of
from pages.common.sticky_widgets import pick

MEAN = "mean of the readers"
WHO = "agreement_worst_pair"


def worst(page: Page, compared: Comparison) -> str:
    """Change before status: a disagreement about change is what an endpoint suffers from."""
    options = _options(compared)
    name = pick("Who differs", list(options), WHO, format_func=lambda one: shown_pair(options[one]))
    panels = list(reversed(compared.panels))
    for column, panel in zip(beside(len(panels)), panels, strict=True):
        with column:
            st.markdown(f"## Largest disagreements about {md(compared.what(panel))}")
            _patients(compared, panel, options[name])
    pair = options[name]
    if isinstance(pair, tuple):
        _sites(page, compared, pair)
    return ""


def _options(compared: Comparison) -> dict[str, tuple[str, str] | str]:
    """Each model against the mean of the readers, then every pair."""
    found: dict[str, tuple[str, str] | str] = {}
    if compared.readings.people:
        found |= {named((model, MEAN)): model for model in compared.readings.models}
    return found | {named(pair): pair for pair in compared.pairs}


def shown_pair(who: tuple[str, str] | str) -> str:
    """Who differs, by readable names."""
    return readable_pair(who, MEAN) if isinstance(who, str) else readable_pair(*who)


def _patients(compared: Comparison, panel: str, who: tuple[str, str] | str) -> None:
    rows, n = differing(compared, panel, who)
    if rows.empty:
        st.markdown(f"n = {n}: they do not differ in any patient.")
        return
    opening_table(compared, rows, f"worst_{panel}", height=390)
    sentence_with_data(
        f"n = {len(rows)} of {n} patients differ, by {rows['difference'].abs().max():.1f} {compared.unit} at "
        f"most. Click a row to open the patient and the {compared.images}.",
        rows, f"largest_disagreements_{panel}",
    )  # fmt: skip


def differing(compared: Comparison, panel: str, who: tuple[str, str] | str) -> tuple[pd.DataFrame, int]:
    """(patients who differ, worst first, with every reading's value; how many were compared)."""
    table = compared.table(panel)
    labels = [label for label in table if compared.question.truth or label not in compared.readings.truths]
    if isinstance(who, tuple):
        difference = table[who[0]] - table[who[1]]
    else:
        difference = table[who] - table[compared.readings.people].mean(axis=1)
    found = table[labels].dropna(how="all", axis=1)
    found.insert(0, "difference", difference)
    found = found.dropna(subset=["difference"])
    found_in_order = found.iloc[in_order(found["difference"].abs(), largest_first=True)]
    differs = found_in_order[found_in_order["difference"].abs() > TIE]
    return differs.reset_index(), len(found)


def _sites(page: Page, compared: Comparison, pair: tuple[str, str]) -> None:
    if too_many_grades(page, compared.question):
        return
    asked, system = compared.question, system_of(compared.question.chosen)
    both = graded_by_both(rated_sites(page, asked, asked.last)[STATUS], *pair)
    rows = both[both["difference"].abs() > TIE].reset_index(drop=True)
    st.markdown(f"## At single sites, status at {md(asked.last)}")
    if rows.empty:
        st.markdown(f"n = {len(both)} grades: they do not differ at any site.")
        return
    rows = rows.rename(columns={"first": pair[0], "second": pair[1]})
    opening_table(compared, rows, "worst_sites", system.codes)
    sentence_with_data(
        f"{len(rows):,} of {len(both):,} grades differ. Click a row to open the "
        f"{compared.images} at that site.",
        rows, "largest_disagreements_sites",
    )  # fmt: skip
