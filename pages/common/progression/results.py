"""What the Progression page works out: change by arm, with and without imputed sites, under every rule."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from core.domain import CohortFilter
from core.errors import InputError
from core.progression.analysis import Options, progression
from core.progression.courses import courses
from core.progression.grid import SiteGrid, TotalGrid
from core.progression.missing.methods import BY_NAME, METHODS, fill_change
from core.progression.missing.sensitivity import SensitivityOptions, sensitivity
from core.progression.new_lesions import VARIANTS, count_new, newly_affected
from core.progression.pairing import WINDOW_DAYS, Interval
from core.progression.probability import cumulative_probability
from core.progression.progressors import cutoff
from core.progression.shares import flag_shares
from core.progression.totals_table import Readings
from core.reader_labels import people
from core.scores.system import Fill, Lesion
from pages.common.page import Page
from pages.common.progression.grids import chosen_grid, chosen_sites, patients
from pages.common.progression.question import COMPLETE, IMPUTED, OBSERVED, READERS, TOTAL, Ask, without_films
from pages.common.queries import worked_out

NEVER_READ = "no total at any visit"


def asked_grid(page: Page, asked: Ask, way: str = IMPUTED) -> TotalGrid:
    """Totals of the chosen patients by those who are asked, with or without imputed sites."""
    found = chosen_grid(page, asked.chosen, asked.component, asked.rule_used.name)
    wanted = people(found.kinds) if asked.scorer == READERS else [asked.scorer]
    grid = found.grid.only(readers=wanted)
    return grid.complete_only() if way == COMPLETE else grid


def all_readings(page: Page, asked: Ask, way: str = IMPUTED) -> Readings:
    """All films of the chosen patients, for courses and models."""
    found: Readings = worked_out(page, _all_readings, asked, way)
    return found


def _all_readings(page: Page, asked: Ask, way: str) -> Readings:
    return asked_grid(page, asked, way).readings()


def results(page: Page, asked: Ask) -> dict[str, dict[str, Any]]:
    """Way of treating missing sites -> result of ``core.progression``; a way without a total is left out."""
    found = {way: result(page, asked, way) for way in (IMPUTED, COMPLETE)}
    return {way: one for way, one in found.items() if one is not None}


def result(page: Page, asked: Ask, way: str) -> dict[str, Any] | None:
    """Change between the two visits under one way, None where nobody has a total."""
    found: dict[str, Any] | None = worked_out(page, _result, without_films(asked), way)
    return found


def _result(page: Page, asked: Ask, way: str) -> dict[str, Any] | None:
    grid = asked_grid(page, asked, way)
    readings = grid.readings(near=(*asked.days, WINDOW_DAYS))
    if not len(readings.rows):
        return None
    options = Options(*asked.days, cutoffs=[cutoff(name) for name in asked.system.cutoffs])
    try:
        found = progression(readings, options)
    except InputError:
        return None
    read = set(readings.subjects)
    never = [name for name in patients(page, asked.chosen) if name not in read]
    found["left_out"] += [{"subject": name, "reason": NEVER_READ} for name in never]
    return found


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


def definitions(page: Page, asked: Ask, way: str) -> pd.DataFrame:
    """Every definition of progression, one row per group: ``definition, group, kind, count, n, estimate,
    low, high`` (kind share or difference; shares as fractions of 1)."""
    found: pd.DataFrame = worked_out(page, _definitions, without_films(asked), way)
    return found


def _definitions(page: Page, asked: Ask, way: str) -> pd.DataFrame:
    one = result(page, asked, way)
    if one is None:
        return pd.DataFrame()
    rows = [_share(name, arm, value["share"], value["count"], value["n"])
            for name, arms in one["progressor_shares"].items() for arm, value in arms.items()]  # fmt: skip
    gaps = {**one["progressor_differences"], "net progression": one["net_progression_differences"]}
    for arm, value in one["net_progression_interval"].items():
        n = one["summary"][arm]["n"]
        count = None if value["estimate"] is None else round(value["estimate"] * n)
        rows.append(_share("net progression", arm, value, count, n))
    for name, pairs in gaps.items():
        rows += [_gap(name, pair) for pair in pairs]
    return pd.concat([pd.DataFrame(rows), *new_lesion_flags(page, asked)], ignore_index=True)


def _share(name: str, group: str, value: dict[str, Any], count: int | None, n: int) -> dict[str, Any]:
    low, high = value["ci"]
    return {"definition": name, "group": group, "kind": "share", "count": count, "n": n,
            "estimate": value["estimate"], "low": low, "high": high}  # fmt: skip


def _gap(name: str, pair: dict[str, Any]) -> dict[str, Any]:
    low, high = pair["ci"]
    return {"definition": name, "group": f"{pair['a']} minus {pair['b']}", "kind": "difference",
            "count": None, "n": None, "estimate": pair["estimate"], "low": low, "high": high}  # fmt: skip


SAYS = {
    "by_mean": "by the mean of readers",
    "by_all_readers": "by all readers",
    "by_any_reader": "by any reader",
}


def new_lesion_flags(page: Page, asked: Ask) -> list[pd.DataFrame]:
    """For each lesion of the system the shares of patients with a new one in its three variants, and where
    the system counts them of the newly affected among those without any before."""
    lesions = [one for one in asked.system.lesions if asked.component in (TOTAL, one.component)]
    if not lesions:
        return []
    grid = chosen_sites(page, asked.chosen).only(readers=asked_grid(page, asked).readers)
    return [_lesion_flags(grid, asked, lesion) for lesion in lesions]


def _lesion_flags(grid: SiteGrid, asked: Ask, lesion: Lesion) -> pd.DataFrame:
    places = [p for p, site in enumerate(asked.system.sites) if site.feature == lesion.feature]
    before, after = (grid.at(visit)[:, :, places] for visit in (asked.first, asked.last))
    counts = count_new([str(name) for name in grid.subjects], before, after, lesion.grade)
    known = (counts["judged"] > 0).to_numpy()
    flags = pd.DataFrame({"arm": grid.arm[known]})
    shown = {f"new {lesion.name}": counts}
    if lesion.patient:
        shown[lesion.patient] = newly_affected(counts, before, after, lesion.grade)
    for title, frame in shown.items():
        for variant in VARIANTS:
            flags[f"{title}, {SAYS[variant]}"] = frame.loc[known, variant].to_numpy(float)
    if flags["arm"].isna().all():
        flags = flags.drop(columns="arm")
    names = [str(name) for name in flags if name != "arm"]
    return flag_shares(flags, names).drop(columns="left_out")


def points(page: Page, asked: Ask, way: str) -> pd.DataFrame:
    """Every patient's change for the plots: ``subject, arm, x, y, imputed``.

    Under a method that puts one value in for a missing film those patients are in as well, marked.
    """
    found: pd.DataFrame = worked_out(page, _points, asked, way)
    return found


def _points(page: Page, asked: Ask, way: str) -> pd.DataFrame:
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


def under_method(page: Page, asked: Ask) -> pd.DataFrame:
    """Means, shares and differences under the chosen rule and film method (see ``sensitivity``)."""
    found: pd.DataFrame = worked_out(page, _panel, asked, asked.rule_used.name, asked.films)
    return found


def panel_of_rule(page: Page, asked: Ask, rule: str) -> pd.DataFrame:
    """The same under one missing-site rule and every method."""
    found: pd.DataFrame = worked_out(page, _panel, *panel_arguments(asked, rule))
    return found


def panel_arguments(asked: Ask, rule: str) -> tuple[Ask, str, str]:
    plain = without_films(asked)
    return Ask(plain.chosen, plain.first, plain.last, plain.days, plain.scorer, plain.component), rule, ""


def _panel(page: Page, asked: Ask, rule: str, films: str) -> pd.DataFrame:
    of_rule = Ask(asked.chosen, asked.first, asked.last, asked.days, asked.scorer, asked.component, rule)
    grid = asked_grid(page, of_rule)
    days = tuple(grid.visit_days().values())
    methods = METHODS if not films else (BY_NAME[films],)
    try:
        return sensitivity(
            {rule: grid.frame()}, SensitivityOptions(*asked.days, methods=methods, visit_days=days)
        )
    except InputError:
        return pd.DataFrame()


def missing_counts(page: Page, asked: Ask) -> dict[str, int]:
    """What is missing at the two visits among those asked: ``readings, imputed, incomplete`` (no total)."""
    grid = asked_grid(page, asked)
    here = [place for place, visit in enumerate(grid.visits) if visit in (asked.first, asked.last)]
    read, imputed, totals = grid.read[:, here], grid.imputed[:, here], grid.totals[:, here]
    return {
        "readings": int(read.sum()),
        "imputed": int(imputed[read & ~np.isnan(totals)].sum()),
        "incomplete": int((read & np.isnan(totals)).sum()),
        "sites": int(read.sum()) * len(asked.sites),
    }


def frozen_results(page: Page, asked: Ask) -> dict[str, Any]:
    """The numbers of a confirmatory set, as plain values without single patients."""
    kept = ("subjects", "readers", "partial_readers", "summary", "arm_differences", "sdc95", "sdc95_ci",
            "progressors", "progressor_shares", "progressor_differences", "net_progression",
            "net_progression_interval", "from_days", "to_days", "window")  # fmt: skip
    found = {}
    for way, one in results(page, asked).items():
        found[way] = {name: one[name] for name in kept} | {"left_out": len(one["left_out"])}
    if asked.films != OBSERVED:
        panel = under_method(page, asked)
        rows = panel.drop(columns=["estimand", "note"]).astype(object)
        found["missing films"] = {"rows": rows.where(rows.notna(), None).to_dict("records")}
    plain: dict[str, Any] = _as_json(found)
    return plain


def _as_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _as_json(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(item) for item in value]
    if isinstance(value, np.integer | np.floating | np.bool_):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value


def commands(page: Page, asked: Ask, readers: list[str]) -> str:
    """The commands that give the same numbers from the command line."""
    system = asked.system
    rules = [asked.rule_used.name, *(rule.name for rule in system.rules if rule.fill is Fill.NOTHING)]
    lines = []
    if not asked.is_full_set:
        lines.append(f"# add: only the patients of this filter, {_selection(asked.chosen)}")
    for rule in dict.fromkeys(rules):
        file = f"totals_{rule.partition('.')[2]}.csv"
        lines.append(f"sharpline export --table totals --system {system.name} --rule {rule} --out {file}")
        who = f"--readers {','.join(readers)} --where component={asked.component}"
        days = f"--from-days {asked.days[0]:g} --to-days {asked.days[1]:g} --window {WINDOW_DAYS:g}"
        campaign = f" --where campaign={asked.chosen.campaign}" if asked.scorer == READERS else ""
        lines.append(f"sharpline progression {file} {who}{campaign} {days}")
    return "\n".join(lines)


def _selection(chosen: CohortFilter) -> str:
    parts = {"arm": chosen.arms, "sex": chosen.sexes, "patients": chosen.subjects, "visits": chosen.visits}
    told = [f"{name} {' or '.join(values)}" for name, values in parts.items() if values]
    return ", ".join(told + [f"{name} {level}" for name, level in chosen.covariates])
