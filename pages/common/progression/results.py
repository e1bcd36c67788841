"""What the Progression page computes: change by arm, with and without imputed sites, under every rule."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from core.errors import InputError
from core.progression.analysis import Options, progression
from core.progression.change import changes
from core.progression.courses import courses
from core.progression.grid import TotalGrid
from core.progression.missing.methods import BY_NAME, fill_change
from core.progression.pairing import WINDOW_DAYS, Interval, interval_of
from core.progression.probability import cumulative_probability
from core.progression.progressors import cutoff
from core.progression.sdc import Sdc, study_sdc
from core.progression.totals_table import Readings
from core.reader_labels import people
from pages.common.page import Page
from pages.common.progression.grids import chosen_grid, patients
from pages.common.progression.question import (
    COMPLETE,
    IMPUTED,
    OBSERVED,
    READERS,
    SELECTION,
    Question,
    without_films,
)
from pages.common.queries import computed
from pages.common.readings import all_patients

NEVER_READ = "no total at any visit"


def asked_grid(page: Page, asked: Question, way: str = IMPUTED) -> TotalGrid:
    """Totals of the chosen patients by those who are asked, with or without imputed sites."""
    found = chosen_grid(page, asked.chosen, asked.component, asked.rule_used.name)
    wanted = people(found.kinds) if asked.scorer == READERS else [asked.scorer]
    grid = found.grid.only(readers=wanted)
    return grid.complete_only() if way == COMPLETE else grid


def all_readings(page: Page, asked: Question, way: str = IMPUTED) -> Readings:
    """All films of the chosen patients, for courses and models."""
    found: Readings = computed(page, _all_readings, asked, way)
    return found


def _all_readings(page: Page, asked: Question, way: str) -> Readings:
    return asked_grid(page, asked, way).readings()


def results(page: Page, asked: Question) -> dict[str, dict[str, Any]]:
    """Way of treating missing sites -> result of ``core.progression``; a way without a total is left out."""
    found = {way: result(page, asked, way) for way in (IMPUTED, COMPLETE)}
    return {way: one for way, one in found.items() if one is not None}


def with_a_change(found: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The ways of ``results`` in which a patient has a change: of no other can a figure be drawn."""
    return {way: one for way, one in found.items() if one["subjects"]}


def result(page: Page, asked: Question, way: str) -> dict[str, Any] | None:
    """Change between the two visits under one way, None where no patient has a total."""
    found: dict[str, Any] | None = computed(page, _result, without_films(asked), way)
    return found


def _result(page: Page, asked: Question, way: str) -> dict[str, Any] | None:
    grid = asked_grid(page, asked, way)
    readings = grid.readings(near=(*asked.days, WINDOW_DAYS))
    if not len(readings.rows):
        return None
    cutoffs = [cutoff(name) for name in asked.system.cutoffs]
    options = Options(*asked.days, cutoffs=cutoffs, sdc=campaign_sdc(page, asked, way), has_intervals=True)
    try:
        found = progression(readings, options)
    except InputError:
        return None
    read = set(readings.subjects)
    never = [name for name in patients(page, asked.chosen) if name not in read]
    found["left_out"] += [{"subject": name, "reason": NEVER_READ} for name in never]
    return found


def campaign_sdc(page: Page, asked: Question, way: str) -> Sdc | None:
    """The SDC of all patients of the reading campaign; None where all are chosen, or it is not asked for.

    Readers' error belongs to how films were read, not to the patients that a filter leaves.
    """
    if asked.is_full_set or asked.sdc_of == SELECTION:
        return None
    everyone = replace(without_films(asked), chosen=all_patients(asked.chosen))
    found: Sdc | None = computed(page, _sdc, everyone, way)
    return found


def _sdc(page: Page, asked: Question, way: str) -> Sdc | None:
    readings = asked_grid(page, asked, way).readings(near=(*asked.days, WINDOW_DAYS))
    if not len(readings.rows):
        return None
    try:
        interval = interval_of(readings.rows, *asked.days, WINDOW_DAYS)
    except InputError:
        return None
    return study_sdc(changes(readings, interval).per_reader)


def arms_in(found: dict[str, dict[str, Any]]) -> list[str]:
    """Arms with a change, without the entry of everyone."""
    return [arm for arm in next(iter(found.values()))["summary"] if arm != "all"] if found else []


def summary_table(found: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """One row per way and arm: ``sites, arm, n, mean, low, high, sd, median, q1, q3``."""
    rows = []
    for way, one in found.items():
        for arm, value in one["summary"].items():
            low, high = value["ci"]
            row = {"sites": way, "arm": arm, "n": value["n"], "mean": value["mean"], "low": low, "high": high}
            rows.append(row | {name: value[name] for name in ("sd", "median", "q1", "q3")})
    return pd.DataFrame(rows)


def points(page: Page, asked: Question, way: str) -> pd.DataFrame:
    """Every patient's change for the plots: ``subject, arm, x, y, imputed``.

    Under a method that puts one value in for a missing film those patients are in as well, marked.
    """
    found: pd.DataFrame = computed(page, _points, asked, way)
    return found


def _points(page: Page, asked: Question, way: str) -> pd.DataFrame:
    if asked.films == OBSERVED or BY_NAME[asked.films].is_multiple:
        one = result(page, asked, way)
        rows = one["cumulative_probability"] if one else []
        return pd.DataFrame(rows, columns=["subject", "arm", "x", "y"]).assign(imputed=False)
    course = courses(all_readings(page, asked, way), Interval(*asked.days))
    filled = fill_change(course, asked.films)
    known = filled.is_known
    table = course.patients[known].reset_index(drop=True)
    made = cumulative_probability(table["subject"], table["arm"], filled.change[0, known])
    put_in = dict(zip(table["subject"], filled.is_imputed[known], strict=True))
    return made.assign(imputed=made["subject"].map(put_in).astype(bool))
