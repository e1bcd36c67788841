"""What the Progression page works out: change by arm, with and without imputed sites."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from core.domain import CohortFilter, ReaderKind
from core.errors import InputError
from core.progression.analysis import Options, progression
from core.progression.pairing import WINDOW_DAYS
from core.progression.progressors import cutoff
from core.progression.readings import collect
from core.readings import label_kinds, people
from core.scores.system import Fill
from pages.common.opening import Page
from pages.common.queries import worked_out
from pages.common.study import all_patients, chosen_totals, system_of

READERS = "Readers (mean)"
IMPUTED, COMPLETE = "imputed", "complete only"


@dataclass(frozen=True)
class Ask:
    """Which change. scorer: READERS, or the label of a model or the truth. days: of the two visits."""

    chosen: CohortFilter
    first: str
    last: str
    days: tuple[float, float]
    scorer: str = READERS
    component: str = "total"


def scorers(totals: pd.DataFrame) -> list[str]:
    """Who can be asked: the mean of the people, then each model and the truth."""
    kinds = label_kinds(totals)
    others = [label for label, kind in kinds.items() if kind != ReaderKind.HUMAN]
    return ([READERS] if people(kinds) else []) + others


def visit_days(totals: pd.DataFrame) -> dict[str, float]:
    """Visit -> the middle of its days from baseline; visits without a day are left out."""
    days = totals.dropna(subset=["day"]).drop_duplicates(["subject", "visit"])
    return {str(visit): float(day) for visit, day in days.groupby("visit")["day"].median().items()}


def results(page: Page, asked: Ask) -> dict[str, dict[str, Any]]:
    """Way of treating missing sites -> result of ``core.progression``; a way without a total is left out."""
    found: dict[str, dict[str, Any]] = worked_out(page, _results, asked)
    return found


def _results(page: Page, asked: Ask) -> dict[str, dict[str, Any]]:
    totals = chosen_totals(page, asked.chosen, asked.component)
    kinds = label_kinds(totals)
    wanted = people(kinds) if asked.scorer == READERS else [asked.scorer]
    rows = totals[totals["label"].isin(wanted)].reset_index(drop=True)
    frame = rows[["subject", "arm", "label", "day", "total"]].set_axis(
        ["subject", "arm", "reader", "days", "total"], axis=1
    )
    if not page.sees_arm:
        frame = frame.drop(columns="arm")
    gaps = frame.assign(total=frame["total"].where(rows["imputed_sites"] == 0))
    options = Options(*asked.days, cutoffs=[cutoff(name) for name in system_of(asked.chosen).cutoffs])
    found = {}
    for way, table in ((IMPUTED, frame), (COMPLETE, gaps)):
        try:
            found[way] = progression(collect(table), options)
        except InputError:
            continue
    return found


def summary_table(found: dict[str, dict[str, Any]], cutoffs: tuple[str, ...]) -> pd.DataFrame:
    """One row per way and arm.

    ``sites, arm, n, mean, low, high, sd, median, q1, q3``, a count per cut-off, ``net`` (share).
    """
    rows = []
    for way, result in found.items():
        for arm, value in result["summary"].items():
            low, high = value["ci"]
            row = {"sites": way, "arm": arm, "n": value["n"], "mean": value["mean"], "low": low, "high": high}
            row |= {name: value[name] for name in ("sd", "median", "q1", "q3")}
            for name in cutoffs:
                share = result["progressor_shares"].get(name, {}).get(arm)
                row[name] = share["count"] if share else None
            rows.append(row | {"net": result["net_progression_share"].get(arm)})
    return pd.DataFrame(rows)


def commands(page: Page, asked: Ask, readers: list[str]) -> str:
    """The commands that give the same numbers from the command line."""
    system = system_of(asked.chosen)
    rules = [system.default_rule.name, *(rule.name for rule in system.rules if rule.fill is Fill.NOTHING)]
    lines = []
    if all_patients(asked.chosen) != asked.chosen:
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
