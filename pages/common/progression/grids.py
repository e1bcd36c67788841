"""The cohort's totals and site grades as grids: read once a version, masked by every filter."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from core.domain import CohortFilter
from core.progression.grid import SiteGrid, TotalGrid, total_grid
from core.reader_labels import label_kinds, shown_readings
from core.report.formatting import number
from core.scores.system import ScoreSystem
from data.queries import cohort, grids
from pages.common.page import Page
from pages.common.queries import ask, asking, computed, fetch
from pages.common.readings import system_of


@dataclass(frozen=True)
class Totals:
    """The grid of a campaign with the kind of every label, the rule, and the statement it came from."""

    grid: TotalGrid
    kinds: dict[str, str]
    rule: str
    sql: str


def patients(page: Page, chosen: CohortFilter) -> list[str]:
    """Who the filter selects."""
    return [str(one) for one in ask(page, cohort.chosen_subjects, chosen)["subject"]]


def all_totals(page: Page, system: str, campaign: str, component: str, rule: str) -> Totals:
    """Totals of everybody; without arms where this page does not show them."""
    found: Totals = computed(page, _all_totals, system, campaign, component, rule, page.sees_arm)
    return found


def _all_totals(page: Page, system: str, campaign: str, component: str, rule: str, sees_arm: bool) -> Totals:
    item = system_of(CohortFilter(system=system))
    if rule == item.default_rule.name:
        wanted = asking(grids.total_cells, system, component)
    else:
        wanted = asking(grids.total_cells_under, system, rule, component)
    cells, visits = fetch(page, wanted, asking(grids.visit_names))
    shown = shown_readings(cells, campaign)
    if not sees_arm:
        shown = shown.drop(columns="arm")
    kinds = label_kinds(shown[["label", "kind"]].drop_duplicates())
    grid = total_grid(shown, visits["visit"].tolist())
    grid = replace(grid, reference=page.state.get("reference_arm"))
    return Totals(grid, kinds, rule, cells.attrs.get("sql", ""))


def chosen_grid(page: Page, chosen: CohortFilter, component: str, rule: str) -> Totals:
    """The same of the patients and visits that the filter selects."""
    everybody = all_totals(page, chosen.system, chosen.campaign, component, rule)
    grid = everybody.grid
    if chosen.leaves_out:
        grid = grid.only(patients(page, chosen))
    return Totals(_of_visits(grid, chosen.visits), everybody.kinds, everybody.rule, everybody.sql)


def _of_visits(grid: TotalGrid, visits: tuple[str, ...]) -> TotalGrid:
    return grid.of_visits(visits) if visits else grid


def chosen_sites(page: Page, chosen: CohortFilter) -> SiteGrid:
    """Site grades of the chosen patients, one label a reader of the campaign."""
    everybody: SiteGrid = computed(page, _all_sites, chosen.system, chosen.campaign, page.sees_arm)
    if chosen.leaves_out:
        return everybody.only(patients(page, chosen))
    return everybody


def _all_sites(page: Page, system: str, campaign: str, sees_arm: bool) -> SiteGrid:
    item: ScoreSystem = system_of(CohortFilter(system=system))
    subjects, readers, cells, visits = fetch(
        page,
        asking(grids.grade_subjects, system),
        asking(grids.grade_readers, system),
        asking(grids.grade_cells, system),
        asking(grids.visit_names),
    )
    names = visits["visit"].tolist()
    grades = np.full((len(subjects), len(names), len(readers), len(item.codes)), -1, np.int8)
    grades[cells["subject"], cells["visit"], cells["reader"], cells["site"]] = cells["grade"]
    shown = shown_readings(readers, campaign)
    arm = subjects["arm"].astype(object).where(subjects["arm"].notna(), None).to_numpy()
    return SiteGrid(
        subjects["subject"].to_numpy(object),
        arm if sees_arm else np.full(len(subjects), None, object),
        names,
        shown["label"].astype(str).tolist(),
        list(item.codes),
        grades[:, :, shown["place"].astype(int).tolist()],
    )


def subgroup_levels(page: Page, subjects: np.ndarray) -> dict[str, dict[str, np.ndarray]]:
    """Property -> level -> mask over ``subjects``; numbers are cut at their median, many levels left out."""
    table = ask(page, grids.properties)
    found: dict[str, dict[str, np.ndarray]] = {}
    for name, rows in table.groupby("name", sort=True):
        rows = rows.drop_duplicates("subject").set_index("subject").reindex(subjects)
        levels = _text_levels(rows["text"]) if rows["text"].notna().any() else _halves(rows["number"])
        if len(levels) > 1:
            found[str(name)] = levels
    return found


MAX_LEVELS = 6


def _text_levels(values: pd.Series) -> dict[str, np.ndarray]:
    levels = sorted(values.dropna().astype(str).unique())
    if len(levels) > MAX_LEVELS:
        return {}
    return {level: (values == level).fillna(False).to_numpy(bool) for level in levels}


def _halves(values: pd.Series) -> dict[str, np.ndarray]:
    numbers = values.to_numpy(float, na_value=np.nan)
    if np.isnan(numbers).all():
        return {}
    middle = float(np.nanmedian(numbers))
    shown = number(middle, 2).removesuffix(".00")
    return {f"≤ {shown} (median)": numbers <= middle, f"> {shown} (median)": numbers > middle}
