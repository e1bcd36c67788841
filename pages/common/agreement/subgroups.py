"""Agreement in subgroups of patients, status beside change on one axis."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.agreement.subgroups import ALL, without_level
from core.domain import ReaderKind
from core.figures.agreement.forest import forest
from core.markdown import md
from core.reader_labels import md_name
from pages.common.agreement import question, statistics, subgroup_statistics
from pages.common.agreement.question import Comparison
from pages.common.agreement.widgets import figure, legend, numbers_table, open_case, shorts
from pages.common.page import Page
from pages.common.sticky_widgets import pick

MEASURES = {
    "ICC(A,1)": "ICC(A,1)",
    "SD of the differences": "bland_altman.sd",
    "Mean difference": "bland_altman.bias",
}
MEASURE, WHO = "agreement_group_measure", "agreement_group_pairs"
PAIRS = ("All pairs", "Readers with each other", "Model with readers")
KINDS = {PAIRS[1]: ReaderKind.HUMAN, PAIRS[2]: ReaderKind.MODEL}


def groups(page: Page, compared: Comparison) -> str:
    """A click on a point opens the patient of that subgroup about whom the two differ most."""
    how, who = st.columns(2)
    with how:
        measure = pick("Measure", list(MEASURES), MEASURE)
    with who:
        kind = pick("Pairs", PAIRS if compared.readings.models else PAIRS[:1], WHO)
    found = subgroup_statistics.subgroup_statistics(page, compared.question)
    rows = _rows(found, measure, kind)
    if rows["estimate"].isna().all():
        st.info("No subgroup has enough patients.", icon=":material/inbox:")
        return ""
    unit = "" if measure == question.ICC else f" ({compared.unit})"
    drawn = forest(
        rows, axis=f"{measure}{unit}, 95% CI", panels=compared.panels, names=shorts(compared),
        is_share=measure == question.ICC, on=page.look,
    )  # fmt: skip
    clicked = figure(
        drawn, "subgroups", alt=f"{measure} in subgroups of patients",
        sentence=_sentence(page, compared, found), data=rows.drop(columns=["kind"]), clicks=True,
    )  # fmt: skip
    if clicked:
        _open(page, compared, [str(value) for value in clicked])
    with st.expander("All numbers of the subgroups", icon=":material/table:"):
        numbers_table(found, "agreement_by_subgroup")
    return (
        f"{measure} was estimated within subgroups of patients, baseline damage and age split at the median; "
        "intervals are not adjusted for the number of subgroups."
    )


def _rows(found: pd.DataFrame, measure: str, kind: str) -> pd.DataFrame:
    rows = found[found["statistic"] == MEASURES[measure]]
    if kind in KINDS:
        rows = rows[rows["kind"] == KINDS[kind]]
    names = [
        f"{group}: {level}" if level else group
        for group, level in zip(rows["group"], rows["level"], strict=True)
    ]
    return rows.assign(label=names).reset_index(drop=True)


def _sentence(page: Page, compared: Comparison, found: pd.DataFrame) -> str:
    everyone = found[(found["group"] == ALL)]["n"]
    grouped = subgroup_statistics.groups(page, compared.question)
    patients = compared.readings.totals["subject"].unique().tolist()
    lacking = {group: n for group, n in without_level(patients, grouped).items() if n}
    gone = "".join(f" {md(group)}: {n} without it." for group, n in lacking.items())
    arm = "" if page.sees_arm else " Arms stay hidden while the study is blinded."
    return (
        f"n = {int(everyone.max())} patients in all. An ICC is low where patients differ little, however "
        "well two readings agree: compare the SD of the differences too. Baseline damage and age are split "
        "at the median (damage: mean of the readers); intervals are not corrected for their number."
        f"{gone}{arm}{legend(compared)} "
        "Click a point to open the patient of that group about whom the two differ most."
    )


def _open(page: Page, compared: Comparison, clicked: list[str]) -> None:
    panel, label, first, second = clicked
    grouped = subgroup_statistics.groups(page, compared.question)
    names = grouped["group"] + ": " + grouped["level"]
    inside = set(grouped.loc[names == label, "subject"]) if label in set(names) else None
    rows = statistics.outliers(page, compared.question, panel, first, second)
    rows = rows if inside is None else rows[rows["subject"].isin(inside)]
    if rows.empty:
        st.toast(f"{md_name(first)} and {md_name(second)} do not differ in any patient of {md(label)}.")
        return
    open_case(compared, str(rows["subject"].iloc[0]))
