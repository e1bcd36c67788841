"""Where patients get worse: sites by arm or by visit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.figures.progression.change_grid import change_grid
from core.figures.progression.change_map import change_map
from core.markdown import md
from core.progression.arms.by_group import ALL, by_site, masks
from core.progression.grid import SiteGrid
from core.scores.display.groups import MAX_UNGROUPED
from core.scores.display.layout import layout, narrowed
from core.ties import in_order
from pages.common.charts import clickable
from pages.common.page import Page
from pages.common.progression import results, tables
from pages.common.progression.figures import Found
from pages.common.progression.grids import chosen_sites
from pages.common.progression.question import Question
from pages.common.provenance import download
from pages.common.sticky_widgets import pick_one


def changed_sites(page: Page, asked: Question, found: Found) -> str:
    """Sites by arm or by visit: where patients get worse; a click lists them."""
    grid = chosen_sites(page, asked.chosen).only(readers=results.asked_grid(page, asked).readers)
    has_arms = any(arm is not None for arm in grid.arm)
    across = ["arm", "visit"] if has_arms else ["visit"]
    by = pick_one("Columns", across, "progression_columns")
    cells, groups = _cells(grid, asked, by)
    sites = [site for site in asked.sites if (cells.loc[cells["site"] == site, "n"] > 0).any()]
    if not sites:
        st.info("No site was graded at both visits.", icon=":material/inbox:")
        return ""
    left, right = st.columns([1.2, 1] if len(sites) <= MAX_UNGROUPED else [2.2, 1])
    with left:
        title = f"change {asked.first} to {asked.last}" if by == "arm" else f"change from {asked.first} to"
        figure = _map(page, asked, cells, sites, groups, title)
        clicked = clickable(figure, "where", alt="Proportion of patients who got worse at each site")
        st.caption(
            f"n = {len(grid.subjects)} patients, {len(grid.readers)} readers' mean. A square is the "
            "proportion of patients whose mean grade at that site rose, in percent; n and interval on hover. "
            "Single sites are mostly noise: totals are the endpoint. Click a square to list its patients."
        )
    with right:
        _behind(grid, asked, by, clicked, groups)
    download(cells, "change_by_site", label="Sites (CSV)")
    return (
        f"At each of {len(sites)} sites the proportion of patients whose grade rose (mean of "
        f"{len(grid.readers)} readers) was counted by {by}, with Wilson intervals."
    )


def _map(
    page: Page, asked: Question, cells: pd.DataFrame, sites: list[str], groups: list[str], title: str
) -> Any:
    """Sites as a list, those of a long score as joints with sides and features beside each other."""
    if len(sites) <= MAX_UNGROUPED:
        return change_map(cells, sites, groups, on=page.look, names=title)
    places = layout(asked.system)
    if places.summed:
        return change_map(cells, sites, groups, on=page.look, names=title)
    return change_grid(cells, narrowed(places, sites), groups, on=page.look, names=title)


def _cells(grid: SiteGrid, asked: Question, by: str) -> tuple[pd.DataFrame, list[str]]:
    if by == "arm":
        groups = masks(grid.arm, with_all=True)
        names = [*(name for name in groups if name != ALL), ALL]
        return by_site(grid.change(asked.first, asked.last), groups, grid.sites), names
    later = grid.visits[grid.visits.index(asked.first) + 1 :]
    everyone = np.ones(len(grid.subjects), bool)
    parts = [by_site(grid.change(asked.first, visit), {visit: everyone}, grid.sites) for visit in later]
    return pd.concat(parts, ignore_index=True), later


def _behind(
    grid: SiteGrid, asked: Question, by: str, clicked: list[object] | None, groups: list[str]
) -> None:
    """The patients of a square, largest change first; a click opens the films at that site."""
    if clicked:
        st.session_state["where_cell"] = (str(clicked[0]), str(clicked[1]))
    group, site = st.session_state.get("where_cell", ("", ""))
    if group not in groups or site not in grid.sites:
        st.caption("Click a square to list the patients with a change at that site.")
        return
    last = asked.last if by == "arm" else group
    change = grid.change(asked.first, last)[:, grid.sites.index(site)]
    inside = np.ones(len(change), bool) if by == "visit" or group == ALL else grid.arm == group
    moved = inside & (np.abs(np.nan_to_num(change)) > 1e-9)
    rows = pd.DataFrame({"subject": grid.subjects[moved], "arm": grid.arm[moved], "change": change[moved]})
    rows = rows.iloc[in_order(rows["change"], largest_first=True)].reset_index(drop=True)
    if not any(arm is not None for arm in grid.arm):
        rows = rows.drop(columns="arm")
    st.markdown(f"### {site}, {md(group)}: {len(rows)} patients with a change")
    tables.patient_table(rows, "where_patients", asked, site)
