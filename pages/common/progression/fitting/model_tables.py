"""A fitted model as a table with a sentence on how it was fitted."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.progression.regression.term_words import term_words
from core.progression.without_p_values import without_p
from pages.common.page import Page
from pages.common.progression.fitting.fits import MMRM
from pages.common.progression.fitting.mmrm_tables import show_mmrm
from pages.common.progression.question import Question
from pages.common.provenance import download
from pages.common.shown_table import show_table

TITLES = {
    "compare": "Two arms: mean, ANCOVA, Hodges-Lehmann, van Elteren, rank ANCOVA",
    MMRM: "MMRM: means and arm differences at every visit",
    "mixed": "Mixed model: slope per year",
    "gee": "GEE: slope per year, robust",
    "logistic": "Logistic: who progresses",
    "negbin": "Negative binomial: steps of change",
    "hurdle": "Hurdle: any change, then how much",
    "time": "Time to first progression, interval-censored",
}


def show_model(page: Page, asked: Question, name: str, result: dict[str, Any]) -> None:
    st.markdown(f"### {TITLES[name]}")
    if "failed" in result:
        st.warning(f"Not fitted: {result['failed']}.", icon=":material/block:")
        return
    shown = result if asked.is_full_set else without_p(result)
    if name == MMRM:
        show_mmrm(page, asked, shown)
    else:
        _show_terms(name, shown)
    st.caption(_how_fitted(name, result))


def _show_terms(name: str, shown: dict[str, Any]) -> None:
    rows = coefficient_table(shown)
    if len(rows):
        number = st.column_config.NumberColumn
        names = ("estimate", "se", "low", "high", "p", *_ratio_names(rows))
        show_table(
            rows,
            column_config={one: number(one, format="%.4f" if one == "p" else "%.3f") for one in names},
        )  # fmt: skip
        download(rows, f"model_{name}")


def _ratio_names(rows: pd.DataFrame) -> list[str]:
    return [name for name in rows.columns if name.endswith("ratio")]


def coefficient_table(result: dict[str, Any]) -> pd.DataFrame:
    """The terms of a model other than the MMRM, in words; columns without any value are left out."""
    words = str if result["name"] == "compare" else term_words
    table = [
        {"term": words(row["term"])} | {one: row[one] for one in ("estimate", "se", "p", "n")}
        | {"low": row["ci"][0], "high": row["ci"][1]}
        | {name: value for name, value in row.items() if name.endswith("ratio")}
        for row in result["coefficients"] or result.get("firth", [])
    ]  # fmt: skip
    frame = pd.DataFrame(table)
    order = ["term", "estimate", "se", "low", "high", *_ratio_names(frame), "p", "n"] if len(frame) else []
    return frame[order].dropna(axis="columns", how="all")


def _how_fitted(name: str, result: dict[str, Any]) -> str:
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
