"""What one patient's change means: is it real, what is new since the last visit, where others stand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.errors import CohortError
from core.figures.patient.course import Expected
from core.patient.certainty import ASSUMES, Rank, probability_real, rank_among
from core.patient.changes import site_changes
from core.patient.expected_course import patient_course, yearly_slope
from core.progression.annualise import DAYS_PER_YEAR
from core.progression.regression.fit import ModelOptions, fit_model
from core.progression.totals_table import collect
from core.reader_labels import people, short_names
from pages.common.page import Page
from pages.common.patient.case import Case
from pages.common.progression.grids import all_totals
from pages.common.queries import shelf, worked_out

SURE, LIKELY = 0.975, 0.9
STEPS = 25


def probability(case: Case) -> float | None:
    """That the mean change of the readers has the true sign; None without a change or an SDC."""
    if case.mean_change is None or case.error is None:
        return None
    return probability_real(case.mean_change, case.error.mean)


def how_sure(case: Case) -> str:
    """The probability in words; empty where there is none."""
    found, change = probability(case), case.mean_change
    if found is None or change is None or case.error is None:
        return ""
    if not change:
        return " No change was read: it says nothing in either direction."
    kind = "worse" if change > 0 else "better"
    sure = "almost surely" if found >= SURE else "probably" if found >= LIKELY else "perhaps"
    return f" **{sure.capitalize()} {kind}: {_percent(found)}** that the change is real."


def _percent(share: float) -> str:
    return (
        "over 99.9 %" if share > 0.999 else f"{100 * share:.1f} %" if share > 0.99 else f"{100 * share:.0f} %"
    )


def formula(case: Case) -> str:
    """How that probability is made, and what it takes for granted."""
    if probability(case) is None or case.error is None or case.mean_change is None:
        return ""
    return (
        f"Probability that the change is real: Φ(1.96 × |{case.mean_change:+.1f}| / {case.error.mean:.2f}), "
        f"taking that {ASSUMES}. At the SDC it is 97.5 %, at no change 50 %."
    )


def since_last(case: Case) -> str:
    """Sites that changed since the visit before, head to foot, and how many readers see each."""
    place = case.visits.index(case.last)
    if not place:
        return ""
    before = case.visits[place - 1]
    changed = site_changes(case.grades, case.system, before, case.last, case.kinds)
    seen = changed[changed["seen_by"] > 0] if len(changed) else changed
    if seen.empty:
        return f"**Since {before}:** no reader sees a change at any site."
    names = short_names(case.kinds)
    first = people(case.kinds)
    said = []
    for row in seen.head(4).to_dict("records"):
        grades = ", ".join(f"{names[label]} {row[label]}" for label in first if label in row)
        said.append(f"**{row['site']}** ({row['seen_by']} of {row['readers']}: {grades})")
    more = f" and {len(seen) - 4} more" if len(seen) > 4 else ""
    return f"**Since {before}:** {'; '.join(said)}{more}."


# -- among the others --


def standing(page: Page, case: Case) -> str:
    """Where change and status lie among all patients of the cohort; empty where it cannot be said."""
    if page.is_reader or case.first == case.last or case.mean_change is None:
        return ""
    change, status = worked_out(
        page, _ranks, case.subject, case.chosen.system, case.chosen.campaign, case.first, case.last
    )
    if change is None or change.percentile is None:
        return ""
    text = f"**Among {change.n} others:** {_among(change)}"
    if status is not None and status.percentile is not None:
        text += f"; at {case.last} more damage than {100 * status.below / status.n:.0f} % of {status.n}"
    return text + "."


def _among(rank: Rank) -> str:
    return (
        f"change above that of {100 * rank.below / rank.n:.0f} %, equal to "
        f"{100 * rank.equal / rank.n:.0f} %, below {100 * rank.above / rank.n:.0f} %"
    )


def _ranks(
    page: Page, subject: str, system: str, campaign: str, first: str, last: str
) -> tuple[Rank | None, Rank | None]:
    found = all_totals(page, system, campaign, "total", _default_rule(system))
    grid = found.grid.only(readers=people(found.kinds))
    if subject not in grid.subjects or first not in grid.visits or last not in grid.visits:
        return None, None
    place = grid.visits.index(last)
    return (
        _rank_of(grid.change_from(first)[:, place], grid.subjects == subject),
        _rank_of(grid.status()[:, place], grid.subjects == subject),
    )


def _rank_of(values: np.ndarray, is_own: np.ndarray) -> Rank | None:
    own = values[is_own]
    return None if np.isnan(own).all() else rank_among(float(own[0]), values[~is_own])


def _default_rule(system: str) -> str:
    from core import scores

    return scores.get(system).default_rule.name


# -- expected course --


def expected(page: Page, case: Case) -> Expected | None:
    """The course that the mixed model expects, once it was fitted; the button that fits it before."""
    if page.is_reader or not people(case.kinds):
        return None
    arguments = (case.chosen.system, case.chosen.campaign)
    if not shelf().has(page, _model, arguments):
        if not st.button(
            "Expected course", icon=":material/timeline:", help="Fit the mixed model of all patients"
        ):
            return None
        with st.spinner("Mixed model of all patients", show_time=True):
            worked_out(page, _model, *arguments)
    model = worked_out(page, _model, *arguments)
    days = case.totals.loc[case.totals["day"].notna(), "day"].astype(float)
    days = days[days >= 0]
    if "failed" in model or days.empty:
        st.caption(f"No expected course: {model.get('failed', 'no day is known')}.")
        return None
    grid = np.linspace(0, max(float(days.max()), 1.0), STEPS)
    course = patient_course(model, case.subject, grid / DAYS_PER_YEAR)
    if course.empty:
        why = "; ".join(model["notes"].values()) or "the model has no film of this patient"
        st.caption(f"No expected course: {why}.")
        return None
    slope, low, high = yearly_slope(model)
    text = f"mean slope {slope:+.2f} a year ({low:+.2f} to {high:+.2f}), n = {model['n_subjects']} patients"
    middle, bottom, top = (course[name].to_numpy(float) for name in ("expected", "low", "high"))
    return Expected(grid, middle, bottom, top, text)


def _model(page: Page, system: str, campaign: str) -> dict[str, Any]:
    """The mixed model ``total ~ years`` of everybody, without arms: the clinician's view needs none."""
    found = all_totals(page, system, campaign, "total", _default_rule(system))
    grid = found.grid.only(readers=people(found.kinds))
    try:
        frame = grid.frame().drop(columns="arm")
        last = float(frame.loc[frame["total"].notna(), "days"].max())
        return fit_model(collect(frame), "mixed", ModelOptions(0.0, last)).as_dict()
    except CohortError as error:
        return {"failed": f"{error.given}: {error.needed}"}


def several_films(stored: pd.DataFrame, case: Case, region: str) -> str:
    """What to say where a visit has more than one film of a region."""
    part = stored["body_part"].fillna("").str.startswith(region)
    told = []
    for visit in dict.fromkeys([case.first, case.last]):
        count = int((part & (stored["visit"] == visit)).sum())
        if count > 1:
            told.append(f"{visit} has {count} {region} films; the last one is shown")
    return "; ".join(told)
