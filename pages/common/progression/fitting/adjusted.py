"""Arms against the reference within strata and at equal covariates, and p-values for several arms."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.errors import CohortError
from core.markdown import md
from core.progression.arms.adjusted import AdjustedOptions
from core.progression.arms.adjusted_readings import adjusted_readings
from core.progression.progressors import cutoff
from core.progression.without_p_values import without_p
from core.report import formatting
from data.queries import grids
from data.queries.report_trial import patient_properties as properties_by_patient
from pages.common.page import Page
from pages.common.progression import results
from pages.common.progression.figures import Found
from pages.common.progression.fitting.adjusted_tables import (
    change_table,
    long_table,
    progressor_table,
    sizes_table,
)
from pages.common.progression.fitting.several import several_arms
from pages.common.progression.question import IMPUTED, Question, without_films
from pages.common.provenance import download
from pages.common.queries import ask, computed
from pages.common.shown_table import show_table
from pages.common.sticky_widgets import pick_many
from pages.common.ways_out.change_sections import adjusted_methods

MAX_LEVELS = 12  # of a property that can be a stratum


def adjusted(page: Page, asked: Question, found: Found) -> str:
    """What to adjust for, and the arms compared so."""
    present = results.arms_in(found)
    if not page.sees_arm or len(present) < 2:
        st.info("A difference between arms needs two arms in sight.", icon=":material/visibility_off:")
        return ""
    options = _choices(page, found)
    one: dict[str, Any] = computed(page, _comparison, without_films(asked), *options)
    if "failed" in one:
        st.warning(f"Not compared: {one['failed']}.", icon=":material/block:")
        return ""
    _show(asked, one if asked.is_full_set else without_p(one))
    return adjusted_methods(one, has_p=asked.is_full_set)


def _choices(page: Page, found: Found) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    """Strata, covariates, and the method for several arms."""
    properties = patient_properties(page)
    names = [str(name) for name in properties]
    left, middle, right = st.columns(3)
    with left:
        strata = pick_many(
            "Strata of randomisation",
            [name for name in names if _levels(properties[name]) <= MAX_LEVELS],
            "progression_strata", help="Arms are compared within each combination of these.",
        )  # fmt: skip
    with middle:
        covariates = pick_many(
            "Covariates", [name for name in names if name not in strata], "progression_covariates",
            help="Arms are compared at equal values of these; the baseline score always is one.",
        )  # fmt: skip
    with right:
        adjust = several_arms(page, found, "progression_several_adjusted")
    return tuple(strata), tuple(covariates), adjust


def patient_properties(page: Page) -> pd.DataFrame:
    """Properties of all patients, one column each."""
    return properties_by_patient(ask(page, grids.properties))


def _levels(values: pd.Series) -> int:
    return int(values.nunique()) if values.nunique() > 1 else MAX_LEVELS + 1


def _comparison(
    page: Page, asked: Question, strata: tuple[str, ...], covariates: tuple[str, ...], adjust: str
) -> dict[str, Any]:
    cutoffs = tuple(cutoff(name) for name in asked.system.cutoffs)
    options = AdjustedOptions(strata, covariates, cutoffs, adjust or None)
    readings = results.all_readings(page, asked, IMPUTED)
    sdc = results.campaign_sdc(page, asked, IMPUTED)
    try:
        return adjusted_readings(readings, patient_properties(page), options, asked.days, sdc=sdc)
    except CohortError as error:
        return {"failed": f"{error.given}: {error.needed}"}


def _by_reason(notes: dict[str, str]) -> dict[str, list[str]]:
    """What is to be said, and of which definitions or tests."""
    found: dict[str, list[str]] = {}
    for name, why in notes.items():
        if name != "adjust":
            found.setdefault(why, []).append(name)
    return found


def _lacking(found: dict[str, Any]) -> str:
    """How many of those with a change lack a stratum or covariate; who has no change is said elsewhere."""
    named = " or ".join(map(md, [*found["strata"], *found["covariates"]]))
    if not named:
        return "none lacks the baseline score"
    return f"{len(found['left_out']) or 'none'} left out for want of {named}"


def _show(asked: Question, found: dict[str, Any]) -> None:
    """The tables, and what they are adjusted for in a sentence."""
    terms = [*found["strata"], *found["covariates"]]
    by = f" within strata of {', '.join(map(md, found['strata']))}" if found["strata"] else ""
    st.markdown(f"### Change, each arm minus {md(found['reference_arm'] or '')}")
    show_table(change_table(found), height="content")
    st.caption(
        f"n = {found['n']} patients with a change, of whom {_lacking(found)}. "
        f"ANCOVA: all arms, baseline{''.join(f', {md(one)}' for one in terms)}; difference in {asked.unit} "
        f"with 95% interval. Van Elteren: ranks{by}. Rank ANCOVA: the same, cleared of baseline"
        f"{''.join(f', {md(one)}' for one in found['covariates'])}."
    )
    st.markdown("### Progressors, difference in proportions")
    show_table(progressor_table(found), height="content")
    st.caption(
        f"Mantel-Haenszel: common risk difference{by} with score interval, p of Cochran-Mantel-Haenszel. "
        "Adjusted: what a logistic model with arm, baseline, strata and covariates expects if all "
        "patients were in one arm or the other."
    )
    if found["adjust"] and asked.is_full_set:
        st.caption(f"P adjusted by {found['adjust_words']}; {found['notes']['adjust']}.")
    if not asked.is_full_set:
        st.caption("The filter leaves patients out: p-values are off for a subset.")
    for why, names in _by_reason(found["notes"]).items():
        st.caption(f"{md(', '.join(map(formatting.definition, names)))}: {md(why)}.")
    download(long_table(found), "adjusted_comparison")
    if found["stratum_sizes"]:
        with st.expander("Patients by stratum", icon=":material/table:"):
            show_table(sizes_table(found["stratum_sizes"]))
