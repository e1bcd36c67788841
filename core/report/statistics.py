"""The numbers of the agreement report, each from the functions that the commands and the pages use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.agreement.bootstrap import DRAWS, SEED
from core.agreement.by_site import all_sites, by_site, change_grades, status_grades
from core.agreement.compare import Columns, compare
from core.agreement.comparison import CHANGE, STATUS, TOTAL, Interval, Readings
from core.agreement.estimate import LIMITS_80
from core.agreement.generalisability.pool_error import pool_error
from core.agreement.icc import mean_squares
from core.agreement.intervals.change_error import change_intervals
from core.agreement.reader_model import false_change, interchangeability, leave_one_out
from core.agreement.sem import mdc, sem_consistency
from core.progression.sdc import reader_bias, smallest_detectable_change
from core.scores.display.layout import SiteLayout, placed
from core.ties import in_order

STATISTICS = (
    "ICC(A,1)", "ICC(C,1)", "bland_altman.bias", "bland_altman.sd", "bland_altman.loa.lower",
    "bland_altman.loa.upper", "mdc95", "ccc",
)  # fmt: skip
SITE_STATISTICS = ("kappa.quadratic", "exact_agreement", "within_one")
NO_LIMITS: list[float | None] = [None, None]
TOTALS = Columns("subject", "label", "total")


def agreement(readings: Readings) -> pd.DataFrame:
    """Every pair of readings, interval and component, status and change; intervals from formulas.

    The rows of ``core.agreement.compare`` with columns ``panel, span, component, kind``. One rating a
    patient stands in each comparison, so rows are independent.
    """
    parts = [
        compare(
            readings.ratings(panel),
            by=["span", "component"],
            columns=TOTALS,
            pairs=readings.pairs,
            statistics=STATISTICS,
        ).assign(panel=panel)
        for panel in readings.panels
    ]
    found = pd.concat(parts, ignore_index=True)
    kinds = [readings.kind(a, b) for a, b in zip(found["first"], found["second"], strict=True)]
    return found.assign(kind=kinds)


def reader_error(readings: Readings) -> list[dict[str, Any]]:
    """Measurement error of the human readers, by interval and component: SDC from change, MDC from status,
    bias.

    One dict each: ``interval, visit`` (of status), ``component, readers`` (labels), ``modes``; ``change``
    and ``status`` with n, one (reader) and mean (of all readers), each [estimate, low, high], and ``bias``
    (first minus second reader). ``averaged``: how many readers a patient usually has. Where every patient is
    read by some of many readers, all is of the pool (``core.agreement.generalisability.pool_error``), without
    bias, and ``pool`` holds the ICC(A,1) of each panel; None otherwise.
    ``change`` is None with a single visit, the values are None below two readers or patients.
    """
    who = readings.people
    modes = sorted({readings.modes.get(label, "") or "not stated" for label in who})
    return [
        {"interval": interval.label, "visit": interval.last, "component": component, "readers": who}
        | {"modes": modes, **_both_errors(readings, interval, component, who)}
        for interval in readings.intervals
        for component in readings.components
    ]


def _both_errors(readings: Readings, interval: Interval, component: str, who: list[str]) -> dict[str, Any]:
    """``change, status, averaged, pool`` of one interval and component."""
    panels = [CHANGE, STATUS] if interval.first else [STATUS]
    tables = {
        panel: readings.table(panel, interval, component)[who].to_numpy(dtype=float) for panel in panels
    }
    pools = {panel: pool_error(table, is_change=panel == CHANGE) for panel, table in tables.items()}
    if None not in pools.values():
        found = {panel: one.block for panel, one in pools.items() if one is not None}
        icc = {panel: one.icc for panel, one in pools.items() if one is not None}
        averaged = next(one.averaged for one in pools.values() if one is not None)
        return {CHANGE: None, **found, "averaged": averaged, "pool": icc}
    change = _sdc(readings, interval, component, who) if interval.first else None
    status = _mdc(readings, interval, component, who)
    return {CHANGE: change, STATUS: status, "averaged": len(who), "pool": None}


def _sdc(readings: Readings, interval: Interval, component: str, who: list[str]) -> dict[str, Any]:
    complete = readings.table(CHANGE, interval, component)[who].dropna().to_numpy(dtype=float)
    found = smallest_detectable_change(complete)
    if found is None:
        return {"n": len(complete), "one": None, "mean": None, "mean80": None, "bias": None}
    k, held = len(who), change_intervals(complete)
    sizes = {"one": found.limit(), "mean": found.limit(k), "mean80": found.limit(k, LIMITS_80)}
    limits = {name: [size, *(held.around(size) if held else NO_LIMITS)] for name, size in sizes.items()}
    return {"n": len(complete), **limits, "bias": list(reader_bias(complete))}


def _mdc(readings: Readings, interval: Interval, component: str, who: list[str]) -> dict[str, Any]:
    complete = readings.table(STATUS, interval, component)[who].dropna().to_numpy(dtype=float)
    n, k = complete.shape
    if n < 2 or k < 2:
        return {"n": n, "one": None, "mean": None, "bias": None}
    sem, held = (
        sem_consistency(float(mean_squares(complete).residual)),
        change_intervals(complete, is_status=True),
    )
    sizes = {name: mdc(sem, readers=averaged) for name, averaged in (("one", 1), ("mean", k))}
    limits = {name: [size, *(held.around(size) if held else NO_LIMITS)] for name, size in sizes.items()}
    return {"n": n, **limits, "bias": list(reader_bias(complete))}


def models_as_readers(readings: Readings, margin: float | None) -> list[dict[str, Any]]:
    """Every model among the people, by interval and component, on the same patients.

    One dict each: ``model, interval, component, panel``, ``interchangeability``, ``leave_one_out``, and for
    change ``false_change``. The margin counts for the total only: it has the total's unit.
    """
    return [
        {
            "model": model,
            "interval": interval.label,
            "component": component,
            "panel": panel,
            **_model(readings, model, interval, component, panel, margin if component == TOTAL else None),
        }
        for model in readings.models
        for interval in readings.intervals
        for component in readings.components
        for panel in readings.panels
    ]


def _model(
    readings: Readings, model: str, interval: Interval, component: str, panel: str, margin: float | None
) -> dict[str, Any]:
    who = readings.people
    table = readings.table(panel, interval, component)
    judges, judged = table[who].to_numpy(dtype=float), table[model].to_numpy(dtype=float)
    found: dict[str, Any] = {"interchangeability": interchangeability(judges, judged, margin=margin)}
    found["leave_one_out"] = leave_one_out(judges, judged, who)
    if panel == CHANGE:
        found["false_change"] = false_change(judges, judged, who)
    return found


@dataclass(frozen=True)
class Sites:
    """Agreement site by site, and over all sites pooled; every interval resamples patients.

    by_site: rows of ``compare`` with ``panel, site``. pooled: the same without ``site``.
    """

    by_site: pd.DataFrame
    pooled: pd.DataFrame


def sites(grades: pd.DataFrame, readings: Readings, where: SiteLayout) -> Sites:
    """Agreement about single sites.

    grades: columns ``subject, visit, site, feature, label, grade``. where: the map of the system, which sums
    the sites of a large unit; all sites pooled are never summed. Status takes all visits pooled, change
    the longest interval. Pairs with the truth are left out.
    """
    pairs = [pair for pair in readings.pairs if not set(pair) & set(readings.truths)]
    main = readings.main
    mapped = _frames(placed(grades, where, ["subject", "visit", "label"]), main)
    single = _frames(grades[["subject", "visit", "site", "feature", "label", "grade"]], main, ["feature"])
    one = [by_site(rated, pairs, SITE_STATISTICS).assign(panel=panel) for panel, rated in mapped.items()]
    every = [
        all_sites(rated, pairs, SITE_STATISTICS, more=["feature"]).assign(panel=panel)
        for panel, rated in single.items()
    ]
    return Sites(pd.concat(one, ignore_index=True), pd.concat(every, ignore_index=True))


def _frames(grades: pd.DataFrame, main: Interval, more: Sequence[str] = ()) -> dict[str, pd.DataFrame]:
    """Status at all visits and, where there are two, change."""
    frames = {STATUS: status_grades(grades)}
    if main.first:
        frames[CHANGE] = change_grades(grades, main.first, main.last, more=more)
    return frames


def baseline_damage(readings: Readings) -> pd.Series:
    """Mean total of the human readers at the first visit, by patient; who has none is not there."""
    totals = readings.totals
    here = totals[(totals["visit"] == readings.visits[0]) & (totals["component"] == TOTAL)]
    here = here[here["label"].isin(readings.people) & here["total"].notna()]
    return here.groupby("subject")["total"].mean()


def disagreements(readings: Readings, panel: str, judged: str | None) -> pd.DataFrame:
    """Patients of the longest interval by the size of the disagreement, worst first; those without one last.

    judged: the model, against the mean of the readers who rated; None: the readers among themselves (largest
    minus smallest). Columns ``subject``, one per label, ``difference``, ``size``; ties by patient.
    """
    table = readings.table(panel)
    who = readings.people
    if judged is None:
        difference = table[who].max(axis=1) - table[who].min(axis=1)
        difference = difference.where(table[who].notna().sum(axis=1) > 1)
    else:
        difference = table[judged] - table[who].mean(axis=1)
    found = table.assign(difference=difference, size=difference.abs()).dropna(subset=["size"]).reset_index()
    found = found.sort_values("subject", kind="stable")
    return found.iloc[in_order(found["size"], largest_first=True)].reset_index(drop=True)


def left_out(readings: Readings, attended: pd.DataFrame) -> pd.DataFrame:
    """Readings that are missing and why: ``subject, visit, label, reason``; the truth is not asked.

    attended: every patient and visit columns ``subject, visit, films`` (NA: there is no such visit).
    """
    labels = [label for label in readings.kinds if label not in readings.truths]
    totals = readings.totals[readings.totals["component"] == TOTAL]
    totals = totals.set_index(["subject", "visit", "label"])[["total", "missing_reason"]]
    parts = []
    for label in labels:
        keys = pd.MultiIndex.from_arrays([attended["subject"], attended["visit"], [label] * len(attended)])
        rows = totals.reindex(keys).reset_index(drop=True)
        reason = (
            rows["missing_reason"].astype(object).where(rows["missing_reason"].notna(), _unread(attended))
        )
        part = attended[["subject", "visit"]].reset_index(drop=True).assign(label=label, reason=reason)
        parts.append(part[rows["total"].isna()])
    return (
        pd.concat(parts, ignore_index=True)
        if parts
        else pd.DataFrame(columns=["subject", "visit", "label", "reason"])
    )


def _unread(attended: pd.DataFrame) -> pd.Series:
    films = attended["films"].astype("float64").reset_index(drop=True)
    reason = np.where(films.isna(), "there is no such visit", np.where(films.eq(0), "no film", "not read"))
    return pd.Series(reason, dtype=object)


def imputed(readings: Readings, sites: int) -> list[dict[str, Any]]:
    """By reading: ``label, totals`` (with a value), ``missing``, ``imputed`` sites, ``of`` sites in all.

    sites: how many sites the system has. Counts stand for the totals that have a value.
    """
    rows = readings.totals[readings.totals["component"] == TOTAL]
    found = []
    for label in readings.kinds:
        part = rows[rows["label"] == label]
        valued = part[part["total"].notna()]
        found.append(
            {
                "label": label,
                "totals": len(valued),
                "missing": int(part["total"].isna().sum()),
                "imputed": int(valued["imputed_sites"].fillna(0).sum()),
                "with_imputed": int((valued["imputed_sites"].fillna(0) > 0).sum()),
                "of": len(valued) * sites,
            }
        )
    return found


def settings() -> dict[str, Any]:
    """What the numbers depend on besides the data."""
    return {
        "icc": "ICC(A,1): two-way random, absolute agreement, one rating (Shrout-Fleiss ICC(2,1))",
        "limits_of_agreement": "1.96 SD",
        "bootstrap": f"patients, percentile, {DRAWS} draws, seed {SEED}",
        "site_kappa": "quadratic weights on the grades",
    }
