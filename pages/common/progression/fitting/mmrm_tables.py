"""The MMRM on the page: least-squares means by arm and visit, differences, figure, F tests."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.figures.progression.ls_means import ls_means
from core.markdown import md
from core.progression.mmrm.means_table import ALL, mean_rows
from core.progression.regression.term_words import term_words
from core.report import formatting
from pages.common.charts import chart
from pages.common.page import Page
from pages.common.progression.figures import study_arms
from pages.common.progression.question import Question
from pages.common.provenance import download
from pages.common.shown_table import show_table


def show_mmrm(page: Page, asked: Question, result: dict[str, Any]) -> None:
    """Table, figure and F tests; p-values and F tests for the full set of patients alone."""
    rows = mean_rows(result)
    reference = result["reference_arm"]
    show_table(means_table(rows, reference), height="content")
    minus = f"; differences are minus {md(reference)}" if reference else ""
    st.caption(
        f"Least-squares means of the change from {md(asked.first)} ({asked.unit}) at the mean baseline of "
        f"all{minus}, with 95% intervals (not adjusted for the number of visits). Averages weigh visits "
        "equally. n: patients with a change at the visit; the model also uses those who are missing there."
        + (f" P adjusted by {result['adjust_words']}." if result["adjust"] and asked.is_full_set else "")
    )
    download(rows, "mmrm_ls_means", label="LS means (CSV)")
    drawn = rows[rows["n"].notna()]
    chart(
        ls_means(drawn, unit=asked.unit, arms=study_arms(page), on=page.look),
        "ls_means",
        alt="Least-squares means of change by arm and visit with 95% intervals",
    )
    if result["tests"] and asked.is_full_set:
        with st.expander("F tests of the model's terms", icon=":material/table:"):
            show_table(tests_table(result["tests"]))
            st.caption(
                "Type III: an effect is averaged over the other factors with equal weight, and numbers that "
                "interact with it stand at 0."
            )


def means_table(rows: pd.DataFrame, reference: str | None) -> pd.DataFrame:
    """A row for each visit and arm, in words: "1.32 (0.21)", "−0.85 (−1.40 to −0.30)", "0.003"."""
    table = pd.DataFrame(
        {
            "visit": rows["visit"],
            "arm": rows["arm"],
            "n": ["" if pd.isna(n) else str(int(n)) for n in rows["n"]],
            "LS mean (SE)": [_mean(row) for row in rows.to_dict("records")],
        }
    )
    if (rows["arm"] == ALL).all():
        return table.drop(columns="arm")
    if "difference" not in rows:
        return table
    named = f"minus {reference} (95% interval)"
    table[named] = [_difference(row, reference) for row in rows.to_dict("records")]
    for name, title in (("p", "p"), ("p_adjusted", "p, adjusted")):
        if name in rows and rows[name].notna().any():
            table[title] = ["" if row.arm == reference else formatting.p_value(getattr(row, name))
                            for row in rows.itertuples()]  # fmt: skip
    return table


def tests_table(tests: list[dict[str, Any]]) -> pd.DataFrame:
    """F tests in words, one row a term."""
    return pd.DataFrame(
        [
            {
                "term": term_words(row["term"]),
                "df": f"{row['num_df']}, {formatting.number(row['den_df'], 1)}",
                "F": formatting.number(row["f"]),
                "p": formatting.p_value(row["p"]),
            }
            for row in tests
        ]
    )


def _mean(row: dict[Any, Any]) -> str:
    if pd.isna(row["mean"]):
        return "no estimate"
    return f"{formatting.number(row['mean'])} ({formatting.number(row['se'])})"


def _difference(row: dict[Any, Any], reference: str | None) -> str:
    if row["arm"] == reference:
        return ""
    return formatting.with_interval(
        [row["difference"], row["difference_low"], row["difference_high"]], signed=True
    )
