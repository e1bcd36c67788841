"""Models of the change, fitted for a question and kept by cohort version."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from core.arms import reference_arm
from core.errors import CohortError
from core.progression.arms.multiplicity import METHODS
from core.progression.mmrm.means_table import mean_rows
from core.progression.regression.fit import ModelOptions, fit_model
from pages.common.page import Page
from pages.common.progression import question, results
from pages.common.progression.question import IMPUTED, Question
from pages.common.queries import computed, shelf

MMRM = "mmrm"


def outcome(
    page: Page, asked: Question, name: str, rule: str, *, only_kept: bool = False
) -> dict[str, Any] | None:
    """A fitted model as plain values; with ``only_kept`` None where it was not fitted yet.

    rule: progressor definition; of the MMRM the method for several arms, empty for none.
    """
    plain = question.without_films(asked)
    work: Callable[..., Any] = _mmrm if name == MMRM else _model
    arguments = (plain, rule) if name == MMRM else (plain, name, rule if name in ("logistic", "time") else "")
    if only_kept and not shelf().has(page, work, arguments):
        return None
    found: dict[str, Any] = computed(page, work, *arguments)
    return found


def _model(page: Page, asked: Question, name: str, rule: str) -> dict[str, Any]:
    readings = results.all_readings(page, asked, IMPUTED)
    options = ModelOptions(*asked.days, rule=rule) if rule else ModelOptions(*asked.days)
    try:
        return fit_model(readings, name, options).as_dict()
    except CohortError as error:
        return {"failed": f"{error.given}: {error.needed}"}


def _mmrm(page: Page, asked: Question, adjust: str) -> dict[str, Any]:
    """Arm, baseline and visit, unstructured, Kenward-Roger; a simpler covariance where that has no fit."""
    from core.progression.mmrm.fallback import change_formula, mmrm_with_fallback
    from core.progression.mmrm.model import Options

    table, visits = mmrm_rows(page, asked)
    formula = change_formula(table, visits)
    arm = "arm" if table["arm"].nunique() > 1 else None
    named = page.state.get("reference_arm")
    there = set(table["arm"]) if arm else set()
    reference = reference_arm(there, named if named in there else None)
    fitted, failures = mmrm_with_fallback(
        table,
        formula,
        Options(
            df="kenward-roger", arm=arm, levels={"visit": visits}, reference=reference, adjust=adjust or None
        ),
    )
    if fitted is None:
        return {"failed": "no covariance structure could be fitted: " + "; ".join(failures)}
    return fitted | {"failures": failures, "days": _days(page, asked, visits)}


def mmrm_rows(page: Page, asked: Question) -> tuple[pd.DataFrame, list[str]]:
    """One row per patient and visit after the first: ``subject, arm, visit, baseline, change``."""
    grid = results.asked_grid(page, asked)
    days = grid.visit_days()
    later = [visit for visit in grid.visits if days.get(visit, -1.0) > asked.days[0]]
    later = [visit for visit in later if days[visit] <= asked.days[1]]
    change = grid.change_from(asked.first)
    base = grid.status()[:, grid.visits.index(asked.first)]
    parts = [
        pd.DataFrame({"subject": grid.subjects, "arm": grid.arm, "visit": visit, "baseline": base,
                      "change": change[:, grid.visits.index(visit)]})
        for visit in later
    ]  # fmt: skip
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    table = table[table["change"].notna()].reset_index(drop=True)
    if grid.arm.size and any(arm is not None for arm in grid.arm):
        table = table[table["arm"].notna()].reset_index(drop=True)
    else:
        table["arm"] = "all"
    return table, [visit for visit in later if (table["visit"] == visit).any()]


def _days(page: Page, asked: Question, visits: list[str]) -> dict[str, float]:
    days = results.asked_grid(page, asked).visit_days()
    return {visit: days[visit] for visit in visits}


def fitted_means(page: Page, asked: Question) -> pd.DataFrame | None:
    """Means of the MMRM where it was fitted for this question: ``arm, day, mean, low, high``."""
    kept = (outcome(page, asked, MMRM, method, only_kept=True) for method in ("", *METHODS))
    found = next((one for one in kept if one is not None), None)
    if found is None or not found.get("ls_means"):
        return None
    table = mean_rows(found).dropna(subset=["mean"])
    table["day"] = table["visit"].map(found["days"])
    start = [
        {"arm": arm, "day": asked.days[0], "mean": 0.0, "low": 0.0, "high": 0.0}
        for arm in table["arm"].unique()
    ]
    return pd.concat([pd.DataFrame(start), table[["arm", "day", "mean", "low", "high"]]], ignore_index=True)
