"""The difference between two arms in subgroups of patients."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from core.arms import arms_in_order
from core.figures.progression.subgroup_forest import subgroup_forest
from core.markdown import md
from core.progression.arms.by_group import by_subgroup
from core.ties import is_above
from pages.common.charts import chart
from pages.common.page import Page
from pages.common.progression import figures, results
from pages.common.progression.figures import Found, shown_way
from pages.common.progression.grids import subgroup_levels
from pages.common.progression.question import Question
from pages.common.provenance import download
from pages.common.sticky_widgets import pick
from pages.common.ways_out.change_sections import subgroup_methods


def subgroups(page: Page, asked: Question, found: Found) -> str:
    """Forest of the arm difference by subgroup."""
    arms = figures.study_arms(page)
    present = results.arms_in(found)
    if not page.sees_arm or len(present) < 2:
        st.info("A difference between arms needs two arms in sight.", icon=":material/visibility_off:")
        return ""
    a, b = st.columns(2)
    ordered = [arm for arm in arms if arm in present]
    with b:
        first = pick("minus arm", ordered, "progression_minus", ordered[_reference(page, ordered)])
    with a:
        second = pick("Arm", [arm for arm in ordered if arm != first], "progression_compared")
    rows = subgroup_rows(page, asked, found, second, first)
    figure = subgroup_forest(rows, second=second, first=first, unit=asked.unit, on=page.look)
    chart(figure, "subgroups", alt=f"Difference between {second} and {first} by subgroup")
    way = shown_way(found)
    st.caption(
        f"n = {found[way]['subjects']} patients with a change, {figures.WAYS[way]}; "
        f"beside each subgroup n ({md(second)} / {md(first)}). Welch intervals, not adjusted for the "
        "number of subgroups and without p-values: a subgroup finding is a hypothesis, not a result. "
        "Numbers are split at their median."
    )
    download(rows, "subgroups")
    names = dict.fromkeys(str(name).rpartition(": ")[0] for name in rows["subgroup"][1:])
    return subgroup_methods(second, first, list(names))


def _reference(page: Page, arms: list[str]) -> int:
    """The place of the arm that others are compared with."""
    named = page.state.get("reference_arm")
    return arms.index(arms_in_order(arms, named if named in arms else None)[0])


def subgroup_rows(page: Page, asked: Question, found: Found, second: str, first: str) -> pd.DataFrame:
    """All patients, then every level of every property, with those at hand among the patients with change."""
    table = pd.DataFrame(found[shown_way(found)]["change"])
    names = table["subject"].to_numpy(object)
    groups = {"all patients": np.ones(len(table), bool)}
    base = table["from_mean"].to_numpy(float)
    groups[f"{asked.first} {asked.unit}: 0"] = ~is_above(base, 0)
    groups[f"{asked.first} {asked.unit}: above 0"] = is_above(base, 0)
    for name, levels in subgroup_levels(page, names).items():
        groups |= {f"{name}: {level}": mask for level, mask in levels.items()}
    return by_subgroup(
        table["mean_change"].to_numpy(float), table["arm"].to_numpy(object), groups, second, first
    )
