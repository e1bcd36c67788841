"""Who progressed, by every definition of progression, with and without new lesions."""

from __future__ import annotations

from typing import Any

import pandas as pd

from core.progression.grid import SiteGrid
from core.progression.new_lesions import count_new, newly_affected
from core.progression.shares import flag_shares
from core.scores.system import Lesion
from pages.common.page import Page
from pages.common.progression.grids import chosen_sites
from pages.common.progression.question import TOTAL, Question, without_films
from pages.common.progression.results import asked_grid, result
from pages.common.queries import computed


def definitions(page: Page, asked: Question, way: str) -> pd.DataFrame:
    """Every definition of progression, one row per group: ``definition, group, kind, count, n, estimate,
    low, high`` (kind share or difference; shares as fractions of 1)."""
    found: pd.DataFrame = computed(page, _definitions, without_films(asked), way)
    return found


def _definitions(page: Page, asked: Question, way: str) -> pd.DataFrame:
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
    return pd.concat([pd.DataFrame(rows), *new_lesion_flags(page, asked, one)], ignore_index=True)


def _share(name: str, group: str, value: dict[str, Any], count: int | None, n: int) -> dict[str, Any]:
    low, high = value["ci"]
    return {"definition": name, "group": group, "kind": "share", "count": count, "n": n,
            "estimate": value["estimate"], "low": low, "high": high}  # fmt: skip


def _gap(name: str, pair: dict[str, Any]) -> dict[str, Any]:
    low, high = pair["ci"]
    return {"definition": name, "group": f"{pair['a']} minus {pair['b']}", "kind": "difference",
            "count": None, "n": None, "estimate": pair["estimate"], "low": low, "high": high}  # fmt: skip


SAYS = {"by_all_readers": "by all readers", "by_any_reader": "by any reader"}  # a mean can rise unseen


def new_lesion_flags(page: Page, asked: Question, one: dict[str, Any]) -> list[pd.DataFrame]:
    """For each lesion of the system the proportions of patients with a new one, by all and by any reader, and
    where the system counts them of the newly affected among those without any before.

    one: the result whose patients are counted, so that all definitions are of the same ones.
    """
    lesions = [lesion for lesion in asked.system.lesions if asked.component in (TOTAL, lesion.component)]
    if not lesions:
        return []
    totals = asked_grid(page, asked)
    counted = [row["subject"] for row in one["change"]]
    grid = chosen_sites(page, asked.chosen).only(counted, readers=totals.readers)
    return [_lesion_flags(grid, asked, lesion, totals.reference) for lesion in lesions]


def _lesion_flags(grid: SiteGrid, asked: Question, lesion: Lesion, reference: str | None) -> pd.DataFrame:
    places = [p for p, site in enumerate(asked.system.sites) if site.feature == lesion.feature]
    before, after = (grid.at(visit)[:, :, places] for visit in (asked.first, asked.last))
    counts = count_new([str(name) for name in grid.subjects], before, after, lesion.grade)
    flags = pd.DataFrame({"arm": grid.arm})
    shown = {f"new {lesion.name}": counts}
    if lesion.patient:
        shown[lesion.patient] = newly_affected(counts, before, after, lesion.grade)
    for title, frame in shown.items():
        for variant, said in SAYS.items():
            flags[f"{title}, {said}"] = frame[variant].to_numpy(float)
    if flags["arm"].isna().all():
        flags = flags.drop(columns="arm")
    names = [str(name) for name in flags if name != "arm"]
    reference = reference if "arm" in flags and reference in set(flags["arm"]) else None
    return flag_shares(flags, names, reference=reference).drop(columns="left_out")
