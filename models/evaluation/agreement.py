"""Tables of the scores of mTSS against the truth: totals, components, features, joints and change.

Pure functions of long grades ``subject, visit, reader, site, feature, grade``, of which one reader is the
truth. Totals are those of the default rule and settings, so an ankylosed joint has the largest erosion grade
for whoever notices the ankylosis. Every interval draws patients.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from core.agreement.batch.comparisons import agree
from core.agreement.bootstrap import draw_counts, percentiles
from core.agreement.estimate import Estimate, estimate
from core.agreement.proportion import wilson
from core.progression.sdc import smallest_detectable_change
from core.scores.engine.totals import compute
from core.scores.mtss import MTSS

TRUTH, MODEL, PAIRED = "truth", "model", "model paired"
RULE = "block_mean"
COMPONENTS = ("total", "erosion", "jsn", "hands", "feet")
BLOCK = {site.code: site.block for site in MTSS.sites}
FEATURE = {site.code: site.feature for site in MTSS.sites}
DRAWS = 2000
STILL = 1e-9  # a change below this is none


def totals(grades: pd.DataFrame) -> pd.DataFrame:
    """Totals and components by reader: ``subject, visit, reader`` and one column per component, NaN where the
    rule forbids one.
    """
    frame = grades.assign(grade=grades["grade"].astype("Float64").astype("Int64"))
    found = compute(frame, MTSS, RULE).totals
    return found[["subject", "visit", "reader", *COMPONENTS]].astype(dict.fromkeys(COMPONENTS, float))


def readers_of(frame: pd.DataFrame) -> list[str]:
    """Everybody but the truth, the model first."""
    found = [name for name in dict.fromkeys(frame["reader"]) if name != TRUTH]
    return sorted(found, key=lambda name: (not name.startswith(MODEL), name))


def status(found: pd.DataFrame, component: str = "total", *, draws: int = DRAWS) -> dict[str, Any]:
    """Reader -> ICC(A,1), mean absolute error, bias and limits of agreement of a component against the truth,
    over patient visits.
    """
    wide = _wide(found, ["subject", "visit"], component)
    result = {}
    for reader in readers_of(found):
        both = wide[[reader, TRUTH]].dropna()
        subjects = both.index.get_level_values("subject").to_numpy(str)
        pairs = both.to_numpy(float)
        result[reader] = {
            "n": len(both),
            "patients": len(set(subjects)),
            "left_out": int(wide[TRUTH].notna().sum() - len(both)),
            **_agreement(pairs, subjects, _STATUS, draws),
            "mean_absolute_error": mean_by_patient(np.abs(pairs[:, 0] - pairs[:, 1]), subjects, draws=draws),
        }
    return result


_STATUS = {
    "icc_a1": "ICC(A,1)",
    "bias": "bland_altman.bias",
    "loa_lower": "bland_altman.loa.lower",
    "loa_upper": "bland_altman.loa.upper",
}
_GRADES = {"kappa_quadratic": "kappa.quadratic", "exact": "exact_agreement", "within_one": "within_one"}


def _wide(found: pd.DataFrame, keys: list[str], value: str) -> pd.DataFrame:
    return found.pivot(index=keys, columns="reader", values=value)


def _agreement(
    pairs: np.ndarray, subjects: np.ndarray, names: dict[str, str], draws: int
) -> dict[str, Estimate]:
    """Statistics of (n, 2) ratings under our names, with intervals over patients."""
    if len(pairs) < 2:
        return {name: estimate(None) for name in names}
    batch = agree(pairs[None], subjects, draws=draws)
    return {
        name: estimate(batch.estimate[key][0], *batch.interval[key][0])
        for name, key in names.items()
        if key in batch.estimate
    }


def mean_by_patient(
    values: np.ndarray, subjects: np.ndarray, *, is_share: bool = False, draws: int = DRAWS
) -> Estimate:
    """Mean of the values (n,) with its interval over patients drawn with replacement.

    is_share: values are 0 or 1; a share of exactly 0 or 1, which no draw can change, gets Wilson's limits for
    as many cases as there are patients.
    """
    if not len(values):
        return estimate(None)
    names, place = np.unique(subjects, return_inverse=True)
    mean = float(np.mean(values))
    if is_share and mean in (0.0, 1.0):
        return estimate(mean, *wilson(mean * len(names), len(names)))
    if len(names) < 2:
        return estimate(mean)
    counts = np.asarray(draw_counts(len(names), draws=draws), float)
    sums = counts @ np.bincount(place, values, minlength=len(names))
    drawn = sums / (counts @ np.bincount(place, minlength=len(names)))
    limits, _ = percentiles(drawn)
    return estimate(mean, *limits)


def change(found: pd.DataFrame, component: str = "total", *, draws: int = DRAWS) -> dict[str, Any]:
    """Reader -> change of a component from the first to the last visit against the true change.

    sdc95_against_truth: 1.96 SD of (reader - truth) changes / sqrt(2). false_change, false_improvement: share
    of patients with a change, and one below 0, among those whose true change is 0. same_way: share with a
    change of the same sign among those whose true change is not 0.
    """
    wide = changes(found, component)
    result = {}
    for reader in readers_of(found):
        both = wide[[reader, TRUTH]].dropna()
        subjects, pairs = both.index.to_numpy(str), both.to_numpy(float)
        seen, true = pairs[:, 0], pairs[:, 1]
        still = np.abs(true) < STILL
        result[reader] = {
            "n": len(both),
            "unchanged": int(still.sum()),
            **_agreement(pairs, subjects, {"icc_a1": "ICC(A,1)", "bias": "bland_altman.bias"}, draws),
            "mean": mean_by_patient(seen, subjects, draws=draws),
            "true_mean": mean_by_patient(true, subjects, draws=draws),
            "sdc95_against_truth": _sdc(pairs),
            **_false(seen, true, subjects, draws),
        }
    return result


def changes(found: pd.DataFrame, component: str) -> pd.DataFrame:
    """Patient x reader: the component at the last visit minus that at the first."""
    visits = list(dict.fromkeys(found["visit"]))
    first, last = (
        _wide(found[found["visit"] == visit], ["subject"], component) for visit in (visits[0], visits[-1])
    )
    return last - first


def _false(seen: np.ndarray, true: np.ndarray, subjects: np.ndarray, draws: int) -> dict[str, Estimate]:
    """False change and improvement where truth stays, and change in the right direction where it does not."""
    still, moved = np.abs(true) < STILL, np.abs(seen) >= STILL

    def share(hit: np.ndarray, among: np.ndarray) -> Estimate:
        return mean_by_patient(hit[among].astype(float), subjects[among], is_share=True, draws=draws)

    return {
        "false_change": share(moved, still),
        "false_improvement": share(moved & (seen < 0), still),
        "same_way": share(moved & (np.sign(seen) == np.sign(true)), ~still),
    }


def _sdc(changed: np.ndarray) -> Estimate:
    """SDC95 of one reader from two readers' changes (n, 2); interval from the chi-square distribution."""
    found = smallest_detectable_change(changed)
    return estimate(None) if found is None else estimate(found.limit(), *found.interval())


def sdc_of_readers(found: pd.DataFrame, component: str = "total") -> dict[str, Any]:
    """Pair of people -> SDC95 of one of them, and of their mean, from their own disagreement about change."""
    wide = changes(found, component)
    people = [name for name in readers_of(found) if not name.startswith(MODEL)]
    result = {}
    for i, one in enumerate(people):
        for other in people[i + 1 :]:
            both = wide[[one, other]].dropna().to_numpy(float)
            sdc = smallest_detectable_change(both)
            if sdc is not None:
                result[f"{one} and {other}"] = {
                    "n": len(both),
                    "one_reader": estimate(sdc.limit(), *sdc.interval()),
                    "mean_of_two": estimate(sdc.limit(2), *sdc.interval(2)),
                }
    return result


def features(grades: pd.DataFrame, *, draws: int = DRAWS) -> dict[str, Any]:
    """Block (``hand erosion`` ...) -> reader -> n, quadratic kappa, exact and within one, over sites that the
    reader graded.
    """
    known = _site_grades(grades)
    known = known.assign(block=known["site"].map(BLOCK))
    return {str(block): _graded(rows, draws) for block, rows in known.groupby("block", sort=False)}


def joints(grades: pd.DataFrame, *, draws: int = 500) -> dict[str, Any]:
    """Site without its side (``H.E.MCP2``) -> reader -> the figures of :func:`features`."""
    known = _site_grades(grades)
    known = known.assign(joint=known["site"].str[1:])
    return {str(joint): _graded(rows, draws) for joint, rows in known.groupby("joint", sort=False)}


def _site_grades(grades: pd.DataFrame) -> pd.DataFrame:
    """Grades of the sites themselves, without special findings."""
    own = grades["grade"].notna()
    if "feature" in grades:
        own &= grades["feature"].isna() | (grades["feature"] == grades["site"].map(FEATURE))
    return grades[own]


def _graded(rows: pd.DataFrame, draws: int) -> dict[str, Any]:
    wide = rows.pivot(index=["subject", "visit", "site"], columns="reader", values="grade").astype(float)
    result = {}
    for reader in readers_of(rows):
        both = wide[[reader, TRUTH]].dropna()
        subjects = both.index.get_level_values("subject").to_numpy(str)
        figures = _agreement(both.to_numpy(float), subjects, _GRADES, draws)
        result[reader] = {"n": len(both), "patients": len(set(subjects)), **figures}
    return result


def site_change(grades: pd.DataFrame, *, draws: int = DRAWS) -> dict[str, Any]:
    """Reader -> false change and improvement over sites that truly stay, and change found over those that do
    not.
    """
    known = _site_grades(grades)
    visits = list(dict.fromkeys(known["visit"]))
    keys = ["subject", "site", "reader"]
    ends = [
        known[known["visit"] == visit].set_index(keys)["grade"].astype(float)
        for visit in (visits[0], visits[-1])
    ]
    moved = (ends[1] - ends[0]).dropna().unstack("reader")
    result = {}
    for reader in readers_of(known):
        both = moved[[reader, TRUTH]].dropna()
        subjects, pairs = both.index.get_level_values("subject").to_numpy(str), both.to_numpy(float)
        still = int((np.abs(pairs[:, 1]) < STILL).sum())
        figures = _false(pairs[:, 0], pairs[:, 1], subjects, draws)
        result[reader] = {"unchanged": still, "changed": len(pairs) - still, **figures}
    return result


def figures(grades: pd.DataFrame, *, draws: int = DRAWS) -> dict[str, Any]:
    """All tables; change only where there are two visits."""
    found = totals(grades)
    result: dict[str, Any] = {
        "status": {component: status(found, component, draws=draws) for component in COMPONENTS},
        "features": features(grades, draws=draws),
        "joints": joints(grades),
    }
    if found["visit"].nunique() > 1:
        result["change"] = {component: change(found, component, draws=draws) for component in COMPONENTS}
        result["sdc_readers"] = {component: sdc_of_readers(found, component) for component in COMPONENTS}
        result["site_change"] = site_change(grades, draws=draws)
    return result
