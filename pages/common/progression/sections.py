"""More about the change, one section at a time: only what is looked at is worked out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.figures.progression.change_grid import change_grid
from core.figures.progression.change_map import change_map
from core.figures.progression.spaghetti import MAX_LINES, shown_lines, spaghetti
from core.figures.progression.subgroup_forest import subgroup_forest
from core.figures.progression.waterfall import waterfall
from core.progression.arms.by_group import ALL, by_site, by_subgroup, by_visit, masks
from core.progression.grid import SiteGrid
from core.scores.display.groups import MAX_UNGROUPED
from core.scores.display.layout import layout, narrowed
from pages.common.charts import chart, clickable
from pages.common.page import Page
from pages.common.progression import figures, tables
from pages.common.progression import results as study
from pages.common.progression.components import parts
from pages.common.progression.figures import Found
from pages.common.progression.grids import chosen_sites, subgroup_levels
from pages.common.progression.guard import guarded
from pages.common.progression.models import fitted_means, models
from pages.common.progression.question import Ask
from pages.common.progression.sensitivity import panel
from pages.common.provenance import download

KEY = "progression_section"


def shown(page: Page, asked: Ask, found: Found) -> None:
    """The sections, and the one that is open."""
    sections: dict[str, Callable[[Page, Ask, Found], None]] = {
        "Patient by patient": patients,
        "Over time": over_time,
        "Where": where,
        "Parts of the score": lambda page, asked, found: parts(page, asked, _way(found)),
        "Subgroups": subgroups,
        "Models and tests": models,
        "Missing data": panel,
        "Looks and frozen sets": lambda page, asked, _: guarded(page, asked),
    }
    st.divider()
    name = st.segmented_control(
        "More about this change", list(sections), default="Patient by patient", key=KEY, required=True
    )
    sections[name or "Patient by patient"](page, asked, found)


def _way(found: Found) -> str:
    way = st.session_state.get("progression_way")
    return way if way in found else next(iter(found))


def patients(page: Page, asked: Ask, found: Found) -> None:
    """Waterfall of every patient's change."""
    way = _way(found)
    points = study.points(page, asked, way)
    figure = waterfall(
        points, unit=asked.unit, sdc=figures.sdc_of(found[way]), arms=figures.study_arms(page), on=page.look
    )
    clicked = clickable(figure, "waterfall", alt="Every patient's change as a bar, from worst to best")
    better = int((points["y"] < -1e-9).sum())
    st.caption(
        f"{figures.counted(points, found[way])} Each bar is a patient {figures.WAYS[way]}; {better} have a "
        "negative change and are shown as such. Click: the films open."
    )
    if clicked:
        figures.open_films(str(clicked[0]), asked)


def over_time(page: Page, asked: Ask, found: Found) -> None:
    """Courses of all patients, observed means by arm, and the model's once it is fitted."""
    grid = study.asked_grid(page, asked, _way(found))
    change = grid.change_from(asked.first)
    days = grid.visit_days()
    visits = [visit for visit in grid.visits if visit in days]
    places = [grid.visits.index(visit) for visit in visits]
    means = by_visit(change[:, places], grid.arm, visits)
    means["day"] = means["visit"].map(days)
    drawn = shown_lines(grid.subjects)
    figure = spaghetti(
        _courses(grid.subjects[drawn], grid.arm[drawn], grid.days[drawn], change[drawn]),
        means[means["n"] > 0],
        fitted_means(page, asked),
        unit=f"change from {asked.first} ({asked.unit})",
        arms=figures.study_arms(page),
        on=page.look,
    )
    clicked = clickable(figure, "courses", alt="Change of every patient over time, with means by arm")
    known = int((~np.isnan(change)).any(axis=1).sum())
    lines = f"{len(drawn)} of {known} lines are drawn, evenly chosen" if known > MAX_LINES else "all lines"
    st.caption(
        f"n = {known} patients with a reading at {asked.first} ({lines}); thick: observed mean of each arm "
        "with 95% interval. Dashed, where fitted under Models and tests: the MMRM's mean with its interval. "
        "A visit before baseline is drawn before day 0. Click: the films open."
    )
    with st.expander("Mean change by visit", icon=":material/table:"):
        st.dataframe(means, hide_index=True)
        download(means, "change_by_visit")
    if clicked and clicked[0]:
        figures.open_films(str(clicked[0]), asked)


def _courses(subjects: np.ndarray, arm: np.ndarray, days: np.ndarray, change: np.ndarray) -> pd.DataFrame:
    s, v = np.nonzero(~np.isnan(change) & ~np.isnan(days))
    table = pd.DataFrame({"subject": subjects[s], "arm": arm[s], "day": days[s, v], "value": change[s, v]})
    order = np.lexsort((table["day"].to_numpy(), s))
    return table.iloc[order].reset_index(drop=True)


def where(page: Page, asked: Ask, found: Found) -> None:
    """Sites by arm or by visit: where patients get worse; a click lists them."""
    grid = chosen_sites(page, asked.chosen).only(readers=study.asked_grid(page, asked).readers)
    has_arms = any(arm is not None for arm in grid.arm)
    across = ["arm", "visit"] if has_arms else ["visit"]
    by = st.segmented_control("Columns", across, default=across[0], required=True, key="where_by") or "visit"
    by = by if by in across else "visit"
    cells, groups = _cells(grid, asked, by)
    sites = [site for site in asked.sites if (cells.loc[cells["site"] == site, "n"] > 0).any()]
    if not sites:
        st.info("Nobody's sites were graded at both visits.", icon=":material/inbox:")
        return
    left, right = st.columns([1.2, 1] if len(sites) <= MAX_UNGROUPED else [2.2, 1])
    with left:
        title = f"change {asked.first} to {asked.last}" if by == "arm" else f"change from {asked.first} to"
        figure = _map(page, asked, cells, sites, groups, title)
        clicked = clickable(figure, "where", alt="Share of patients who got worse at each site")
        st.caption(
            f"n = {len(grid.subjects)} patients, {len(grid.readers)} readers' mean. A square is the share of "
            "patients whose mean grade at that site rose, in percent; n and interval on hover. "
            "Single sites are mostly noise: totals are the endpoint. Click: the patients behind it."
        )
    with right:
        _behind(grid, asked, by, clicked, groups)
    download(cells, "change_by_site", label="Sites (CSV)")


def _map(page: Page, asked: Ask, cells: pd.DataFrame, sites: list[str], groups: list[str], title: str) -> Any:
    """Sites as a list, those of a long score as joints with sides and features beside each other."""
    if len(sites) <= MAX_UNGROUPED:
        return change_map(cells, sites, groups, on=page.look, names=title)
    where = layout(asked.system)
    if where.summed:
        return change_map(cells, sites, groups, on=page.look, names=title)
    return change_grid(cells, narrowed(where, sites), groups, on=page.look, names=title)


def _cells(grid: SiteGrid, asked: Ask, by: str) -> tuple[pd.DataFrame, list[str]]:
    if by == "arm":
        groups = masks(grid.arm, with_all=True)
        names = [*(name for name in groups if name != ALL), ALL]
        return by_site(grid.change(asked.first, asked.last), groups, grid.sites), names
    later = grid.visits[grid.visits.index(asked.first) + 1 :]
    everyone = np.ones(len(grid.subjects), bool)
    parts = [by_site(grid.change(asked.first, visit), {visit: everyone}, grid.sites) for visit in later]
    return pd.concat(parts, ignore_index=True), later


def _behind(grid: SiteGrid, asked: Ask, by: str, clicked: list[object] | None, groups: list[str]) -> None:
    """The patients of a square, largest change first; a click opens the films at that site."""
    if clicked:
        st.session_state["where_cell"] = (str(clicked[0]), str(clicked[1]))
    group, site = st.session_state.get("where_cell", ("", ""))
    if group not in groups or site not in grid.sites:
        st.caption("Click a square: the patients with a change at that site are listed here.")
        return
    last = asked.last if by == "arm" else group
    change = grid.change(asked.first, last)[:, grid.sites.index(site)]
    inside = np.ones(len(change), bool) if by == "visit" or group == ALL else grid.arm == group
    moved = inside & (np.abs(np.nan_to_num(change)) > 1e-9)
    rows = pd.DataFrame({"subject": grid.subjects[moved], "arm": grid.arm[moved], "change": change[moved]})
    rows = rows.sort_values("change", ascending=False, ignore_index=True)
    if not any(arm is not None for arm in grid.arm):
        rows = rows.drop(columns="arm")
    st.markdown(f"##### {site}, {group}: {len(rows)} patients with a change")
    tables.patient_table(rows, "where_patients", asked, site)


def subgroups(page: Page, asked: Ask, found: Found) -> None:
    """Forest of the arm difference by subgroup."""
    arms = figures.study_arms(page)
    present = study.arms_in(found)
    if not page.sees_arm or len(present) < 2:
        st.info("A difference between arms needs two arms in sight.", icon=":material/visibility_off:")
        return
    a, b = st.columns(2)
    ordered = [arm for arm in arms if arm in present]
    first = b.selectbox("minus arm", ordered, index=_reference(ordered), key="subgroup_first")
    second = a.selectbox("Arm", [arm for arm in ordered if arm != first], key="subgroup_second")
    rows = subgroup_rows(page, asked, found, second, first)
    figure = subgroup_forest(rows, second=second, first=first, unit=asked.unit, on=page.look)
    chart(figure, "subgroups", alt=f"Difference between {second} and {first} by subgroup")
    st.caption(
        f"n = {found[_way(found)]['subjects']} patients with a change, {figures.WAYS[_way(found)]}; "
        f"beside each subgroup n ({second} / {first}). Welch intervals, not adjusted for the number of "
        "subgroups and without p-values: a subgroup tells where to look, not what holds. Numbers are cut at "
        "their median."
    )
    download(rows, "subgroups")


def _reference(arms: list[str]) -> int:
    """The arm that looks like the control, else the last."""
    names = [arm.lower() for arm in arms]
    for word in ("placebo", "control", "pbo"):
        for place, name in enumerate(names):
            if word in name:
                return place
    return len(arms) - 1


def subgroup_rows(page: Page, asked: Ask, found: Found, second: str, first: str) -> pd.DataFrame:
    """All patients, then every level of every property, with those at hand among the patients with change."""
    table = pd.DataFrame(found[_way(found)]["change"])
    names = table["subject"].to_numpy(object)
    groups = {"all patients": np.ones(len(table), bool)}
    base = table["from_mean"].to_numpy(float)
    groups[f"{asked.first} {asked.unit}: 0"] = base <= 0
    groups[f"{asked.first} {asked.unit}: above 0"] = base > 0
    for name, levels in subgroup_levels(page, names).items():
        groups |= {f"{name}: {level}": mask for level, mask in levels.items()}
    return by_subgroup(
        table["mean_change"].to_numpy(float), table["arm"].to_numpy(object), groups, second, first
    )
