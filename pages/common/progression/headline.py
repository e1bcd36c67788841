"""The question and the answer in a sentence, with and without imputation, against the SDC."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.progression.missing.methods import BY_NAME
from core.progression.missing.sensitivity import MEAN
from pages.common.page import Page
from pages.common.progression.figures import WAYS, Found
from pages.common.progression.missing_data import missing_counts, under_method
from pages.common.progression.question import OBSERVED, Question


def answer(page: Page, asked: Question, found: Found) -> None:
    """The question of the page, answered: which arm, by how much, against the SDC, both ways."""
    if not found:
        st.info("No patient has a total at both visits.", icon=":material/inbox:")
        st.stop()
    for way, result in found.items():
        st.markdown(f"**{WAYS[way].capitalize()}.** {_sentence(asked, result)}")
    _missing(page, asked)


def _sentence(asked: Question, result: dict[str, Any]) -> str:
    unit = asked.unit
    arms = {arm: value for arm, value in result["summary"].items() if arm != "all"} or {
        "All": result["summary"]["all"]
    }
    ranked = sorted(arms.items(), key=lambda item: -(item[1]["mean"] or 0))
    said = " and ".join(f"**{arm}** by {_mean(value)}" for arm, value in ranked)
    text = f"From {asked.first} to {asked.last} {said} ({unit}, mean and 95% CI). {_difference(result)}"
    return text + _against_sdc(result, [arm for arm, _ in ranked])


def _mean(value: dict[str, Any]) -> str:
    if value["mean"] is None:
        return "no change that could be formed (n = 0)"
    low, high = value["ci"]
    interval = " (one patient: no interval)" if low is None else f" ({low:+.2f} to {high:+.2f})"
    return f"{value['mean']:+.2f}{interval}, n = {value['n']}"


def _difference(result: dict[str, Any]) -> str:
    said = []
    for row in result["arm_differences"]:
        if row["estimate"] is None:
            continue
        low, high = row["ci"]
        interval = " (no interval)" if low is None else f" ({low:+.2f} to {high:+.2f})"
        said.append(f"{row['a']} minus {row['b']} {row['estimate']:+.2f}{interval}")
    return f"Difference: {'; '.join(said)}. " if said else ""


def _against_sdc(result: dict[str, Any], arms: list[str]) -> str:
    if result["sdc95"] is None:
        return f"No smallest detectable change: {result['notes'].get('sdc95', 'not computable')}."
    shares = result["progressor_shares"][">SDC"]
    counts = (shares.get(arm, shares["all"]) for arm in arms)
    beyond = ", ".join(f"{v['count']} of {v['n']} in {arm}" for arm, v in zip(arms, counts, strict=True))
    sdc, k = result["sdc95"]["mean_of_readers"], len(result["readers"])
    low, high = result["sdc95_ci"]["mean_of_readers"]
    interval = f" ({low:.2f} to {high:.2f})" if low is not None and high is not None else ""
    return f"Beyond the SDC95 (mean of {k} readers) of {sdc:.2f}{interval}: {beyond}."


def _missing(page: Page, asked: Question) -> None:
    """What was put in, and what the result then stands for."""
    counts = missing_counts(page, asked)
    rule = asked.rule_used
    text = (
        f"Missing sites, rule `{rule.name}`: {counts['imputed']:,} of {counts['sites']:,} imputed at the two "
        f"visits; {counts['incomplete']:,} of {counts['readings']:,} readings have no total under it."
    )
    if asked.films == OBSERVED:
        st.caption(f"{text} Missing films: none put in. {BY_NAME[OBSERVED].estimand}")
        return
    panel = under_method(page, asked)
    st.markdown(_under_method(panel, asked))
    st.caption(f"{text} {BY_NAME[asked.films].estimand}")


def _under_method(panel: pd.DataFrame, asked: Question) -> str:
    rows = panel[panel["measure"] == MEAN] if len(panel) else panel
    if rows.empty:
        return f"**{BY_NAME[asked.films].title.capitalize()}**: nothing can be worked out."
    said = []
    for row in rows.to_dict("records"):
        if row["group"] == "all" and len(rows) > 1:
            continue
        low = row["low"]
        interval = "no interval" if pd.isna(low) else f"{low:+.2f} to {row['high']:+.2f}"
        value = "none" if pd.isna(row["estimate"]) else f"{row['estimate']:+.2f} ({interval})"
        said.append(f"**{row['group']}** {value}, n = {row['n']}")
    everyone = rows[rows["group"] == "all"].iloc[0]
    return (
        f"**Missing films by {BY_NAME[asked.films].title}.** {'; '.join(said)}. Values put in for a "
        f"film: {everyone['imputed_films']} of {everyone['n']} patients; {everyone['without_change']} still "
        "without."
    )
