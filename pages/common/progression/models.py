"""Models and tests, on a button: fitted one after the other with progress, kept by version and settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from core.errors import CohortError
from core.progression.regression.fit import MODELS, ModelOptions, fit_model
from core.progression.without_p_values import without_p
from pages.common.page import Page
from pages.common.progression import question
from pages.common.progression import results as study
from pages.common.progression.question import IMPUTED, Ask
from pages.common.provenance import download
from pages.common.queries import shelf, worked_out

MMRM = "mmrm"
SAYS = {
    "compare": "Two arms: mean, ANCOVA, Hodges-Lehmann, van Elteren, rank ANCOVA",
    MMRM: "MMRM: arm difference at every visit",
    "mixed": "Mixed model: slope per year",
    "gee": "GEE: slope per year, robust",
    "logistic": "Logistic: who progresses",
    "negbin": "Negative binomial: steps of change",
    "hurdle": "Hurdle: any change, then how much",
    "time": "Time to first progression, interval-censored",
}


def models(page: Page, asked: Ask, found: dict[str, dict[str, Any]]) -> None:
    """The button, and what was fitted for this question."""
    names = [name for name in SAYS if name == MMRM or name in MODELS]
    chosen = st.multiselect(
        "Models", names, default=[name for name in ("compare", MMRM, "mixed") if name in names],
        format_func=SAYS.__getitem__, key="models_chosen",
    )  # fmt: skip
    rule = st.selectbox(
        "Progressor definition (logistic, time to first)", asked.system.cutoffs, key="models_rule"
    )
    if st.button("Fit", type="primary", icon=":material/play_arrow:", disabled=not chosen):
        _fit(page, asked, chosen, rule)
    if not asked.is_full_set:
        st.info(
            "The filter leaves patients out. P-values are off for a subset: estimates and intervals stay.",
            icon=":material/shield:",
        )
    kept = {name: outcome(page, asked, name, rule, only_kept=True) for name in names}
    fitted = {name: result for name, result in kept.items() if result is not None}
    st.caption(
        f"Models see the readings of {asked.scorer} under `{asked.rule_used.name}`, observed films only; "
        f"visits by name for the MMRM, days for the others. Change from {asked.first} to {asked.last}."
    )
    if not fitted:
        st.caption(
            "Nothing is fitted for this question yet. It stays as long as the cohort and the question do."
        )
    for name, result in fitted.items():
        _shown(asked, name, result)


def _fit(page: Page, asked: Ask, chosen: list[str], rule: str) -> None:
    bar = st.progress(0.0)
    for place, name in enumerate(chosen):
        bar.progress(place / len(chosen), text=f"{place + 1} of {len(chosen)}: {SAYS[name]}")
        outcome(page, asked, name, rule)
    bar.empty()


def outcome(
    page: Page, asked: Ask, name: str, rule: str, *, only_kept: bool = False
) -> dict[str, Any] | None:
    """A fitted model as plain values; with ``only_kept`` None where it was not fitted yet."""
    plain = question.without_films(asked)
    work: Callable[..., Any] = _mmrm if name == MMRM else _model
    arguments = (plain,) if name == MMRM else (plain, name, rule if name in ("logistic", "time") else "")
    if only_kept and not shelf().has(page, work, arguments):
        return None
    found: dict[str, Any] = worked_out(page, work, *arguments)
    return found


def _model(page: Page, asked: Ask, name: str, rule: str) -> dict[str, Any]:
    readings = study.all_readings(page, asked, IMPUTED)
    options = ModelOptions(*asked.days, rule=rule) if rule else ModelOptions(*asked.days)
    try:
        return fit_model(readings, name, options).as_dict()
    except CohortError as error:
        return {"failed": f"{error.given}: {error.needed}"}


def _mmrm(page: Page, asked: Ask) -> dict[str, Any]:
    """Arm, baseline and visit, unstructured, Kenward-Roger; a simpler covariance where that has no fit."""
    from core.progression.mmrm.cell_means import cell_means
    from core.progression.mmrm.fallback import change_formula, mmrm_with_fallback
    from core.progression.mmrm.model import Options

    table, visits = mmrm_rows(page, asked)
    formula = change_formula(table, visits)
    arm = "arm" if table["arm"].nunique() > 1 else None
    fitted, failures = mmrm_with_fallback(
        table, formula, Options(df="kenward-roger", arm=arm, levels={"visit": visits})
    )
    if fitted is None:
        return {"failed": "no covariance structure could be fitted: " + "; ".join(failures)}
    means = cell_means(table, formula, fitted["covariance_structure"], visits)
    return fitted | {"failures": failures, "days": _days(page, asked, visits), "means": means}


def mmrm_rows(page: Page, asked: Ask) -> tuple[pd.DataFrame, list[str]]:
    """One row per patient and visit after the first: ``subject, arm, visit, baseline, change``."""
    grid = study.asked_grid(page, asked)
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


def _days(page: Page, asked: Ask, visits: list[str]) -> dict[str, float]:
    days = study.asked_grid(page, asked).visit_days()
    return {visit: days[visit] for visit in visits}


def fitted_means(page: Page, asked: Ask) -> pd.DataFrame | None:
    """Means of the MMRM where it was fitted for this question: ``arm, day, mean, low, high``."""
    found = outcome(page, asked, MMRM, "", only_kept=True)
    if found is None or not found.get("means"):
        return None
    table = pd.DataFrame(found["means"]).dropna()
    table["day"] = table["visit"].map(found["days"])
    start = [
        {"arm": arm, "day": asked.days[0], "mean": 0.0, "low": 0.0, "high": 0.0}
        for arm in table["arm"].unique()
    ]
    return pd.concat([pd.DataFrame(start), table[["arm", "day", "mean", "low", "high"]]], ignore_index=True)


# -- on the page ---------------------------------------------------------------------------------------------


def _shown(asked: Ask, name: str, result: dict[str, Any]) -> None:
    st.markdown(f"##### {SAYS[name]}")
    if "failed" in result:
        st.warning(f"Not fitted: {result['failed']}.", icon=":material/block:")
        return
    shown = result if asked.is_full_set else without_p(result)
    rows = contrast_table(shown) if name == MMRM else coefficient_table(shown)
    if len(rows):
        number = st.column_config.NumberColumn
        formats = {"p": "%.4f", "df": "%.1f"}
        names = ("estimate", "se", "low", "high", "df", "p", *_ratio_names(rows))
        st.dataframe(
            rows, hide_index=True,
            column_config={one: number(one, format=formats.get(one, "%.3f")) for one in names},
        )  # fmt: skip
        download(rows, f"model_{name}")
    st.caption(_told(name, result))


def _ratio_names(rows: pd.DataFrame) -> list[str]:
    return [name for name in rows.columns if name.endswith("ratio")]


def contrast_table(result: dict[str, Any]) -> pd.DataFrame:
    """MMRM: the arm difference at every visit, or the coefficients where there is one arm."""
    rows = result["contrasts"] or result["coefficients"]
    table = [
        {
            "term": row.get("term") or f"{row['a']} minus {row['b']}, {row['visit']}",
            **{one: row[one] for one in ("estimate", "se")},
            "low": row["ci"][0],
            "high": row["ci"][1],
            "df": row["df"],
            "p": row["p"],
        }
        for row in rows
    ]
    return _without_empty(pd.DataFrame(table))


def coefficient_table(result: dict[str, Any]) -> pd.DataFrame:
    """Any other model: its terms."""
    kept = ("term", "estimate", "se", "p", "n")
    table = [
        {one: row[one] for one in kept} | {"low": row["ci"][0], "high": row["ci"][1]}
        | {name: value for name, value in row.items() if name.endswith("ratio")}
        for row in result["coefficients"]
    ]  # fmt: skip
    frame = pd.DataFrame(table)
    order = ["term", "estimate", "se", "low", "high", *_ratio_names(frame), "p", "n"] if len(frame) else []
    return _without_empty(frame[order]) if len(frame) else frame


def _without_empty(frame: pd.DataFrame) -> pd.DataFrame:
    """Without the column of p-values where they are off."""
    if "p" in frame and frame["p"].isna().all():
        frame = frame.drop(columns="p")
    return frame


def _told(name: str, result: dict[str, Any]) -> str:
    if name == MMRM:
        parts = [
            f"n = {result['n_subjects']} patients, {result['n_rows']} visits, {result['dropped_rows']} rows "
            f"left out; `{result['formula']}`, covariance {result['covariance_structure']}, REML, "
            "Kenward-Roger",
            *(f"tried before: {one}" for one in result["failures"]),
        ]
    else:
        parts = [
            f"n = {result['n_subjects']} patients, {result['n_rows']} rows; `{result['formula']}`; "
            f"{result['method']}; estimates in {result['scale']}"
        ]
        parts += [
            f"left out: {one['n']} {result['left_out_unit']}, {one['reason']}" for one in result["left_out"]
        ]
    if result.get("converged") is False:
        parts.append("NOT converged: " + "; ".join(result["tried"]))
    parts += [f"{text}" for text in result["notes"].values()]
    return ". ".join(part.rstrip(".") for part in parts) + "."
