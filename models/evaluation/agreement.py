"""Agreement of readers with the truth, of any scoring system: totals, components, grades and change.

Pure functions of long grades ``subject, visit, reader, site, feature, grade``, of which one reader is the
truth; the sites, their blocks and the components are those of the ``ScoreSystem``. Totals are those of its
default rule and settings. Every interval draws patients.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from core.agreement.batch.comparisons import agree
from core.agreement.bootstrap import DRAWS
from core.agreement.estimate import Estimate, estimate
from core.progression.sdc import smallest_detectable_change
from core.scores.engine.totals import compute
from core.scores.system import ScoreSystem
from models.evaluation.intervals import mean_by_patient, proportion

TRUTH, MODEL, PAIRED = "truth", "model", "model paired"
COLUMNS = ["subject", "visit", "reader", "site", "feature", "grade"]
UNCHANGED = 1e-9  # a change below this is none
_STATUS = {
    "icc_a1": "ICC(A,1)",
    "bias": "bland_altman.bias",
    "loa_lower": "bland_altman.loa.lower",
    "loa_upper": "bland_altman.loa.upper",
}
_CHANGE = {name: _STATUS[name] for name in ("icc_a1", "bias")}


def figures(grades: pd.DataFrame, system: ScoreSystem, *, draws: int = DRAWS) -> dict[str, Any]:
    """All tables: ``status``, ``change``, ``grades``, ``site_change`` and ``sdc_readers``.

    Those of change are empty where there is one visit.
    """
    found, components = totals(grades, system), components_of(system)
    result: dict[str, Any] = {
        "status": {name: status(found, name, draws=draws) for name in components},
        "change": {},
        "grades": grade_tables(grades, system, draws=draws),
        "site_change": {},
        "sdc_readers": {},
    }
    if found["visit"].nunique() > 1:
        result["change"] = {name: change(found, name, draws=draws) for name in components}
        result["site_change"] = site_change(grades, system, draws=draws)
        result["sdc_readers"] = {name: sdc_of_readers(found, name) for name in components}
    return result


def components_of(system: ScoreSystem) -> tuple[str, ...]:
    """``total`` and the system's components."""
    return ("total", *(component.name for component in system.components))


def totals(grades: pd.DataFrame, system: ScoreSystem) -> pd.DataFrame:
    """Totals and components by reader: ``subject, visit, reader`` and one column per component, NaN where the
    rule forbids one.
    """
    frame = grades[COLUMNS].assign(grade=grades["grade"].astype("Float64").astype("Int64"))
    names = list(components_of(system))
    return (
        compute(frame, system)
        .totals[["subject", "visit", "reader", *names]]
        .astype(dict.fromkeys(names, float))
    )


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
        pairs, subjects = _pairs(wide, reader)
        result[reader] = {
            "n": len(pairs),
            "patients": len(set(subjects)),
            "left_out": int(wide[TRUTH].notna().sum() - len(pairs)),
            **agreement_of(pairs, subjects, _STATUS, draws),
            "mean_absolute_error": mean_by_patient(np.abs(pairs[:, 0] - pairs[:, 1]), subjects, draws=draws),
        }
    return result


def _wide(found: pd.DataFrame, keys: list[str], value: str) -> pd.DataFrame:
    return found.pivot(index=keys, columns="reader", values=value)


def _pairs(wide: pd.DataFrame, reader: str) -> tuple[np.ndarray, np.ndarray]:
    """(n, 2) values of a reader and of the truth where both have one, and the patient of each row."""
    both = wide[[reader, TRUTH]].dropna()
    return both.to_numpy(float), both.index.get_level_values("subject").to_numpy(str)


def agreement_of(
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


def change(found: pd.DataFrame, component: str = "total", *, draws: int = DRAWS) -> dict[str, Any]:
    """Reader -> change of a component from the first to the last visit against the true change.

    sdc95_against_truth: 1.96 SD of (reader - truth) changes / sqrt(2), the SDC of one reader with the truth
    as the other (Bruynesteyn et al. 2005, Ann Rheum Dis 64:179-182). false_change, false_improvement:
    proportion of patients with a change, and with one below 0, among those whose true change is 0. same_way:
    proportion with a change of the same sign among those whose true change is not 0.
    """
    wide = changes(found, component)
    result = {}
    for reader in readers_of(found):
        pairs, subjects = _pairs(wide, reader)
        result[reader] = {
            "n": len(pairs),
            "unchanged": int((np.abs(pairs[:, 1]) < UNCHANGED).sum()),
            **agreement_of(pairs, subjects, _CHANGE, draws),
            "mean": mean_by_patient(pairs[:, 0], subjects, draws=draws),
            "true_mean": mean_by_patient(pairs[:, 1], subjects, draws=draws),
            "sdc95_against_truth": _sdc(pairs),
            **_false(pairs, subjects, draws),
        }
    return result


def changes(found: pd.DataFrame, component: str) -> pd.DataFrame:
    """Patient x reader: the component at the last visit minus that at the first."""
    visits = list(dict.fromkeys(found["visit"]))
    first, last = (
        _wide(found[found["visit"] == visit], ["subject"], component) for visit in (visits[0], visits[-1])
    )
    return last - first


def _false(pairs: np.ndarray, subjects: np.ndarray, draws: int) -> dict[str, Estimate]:
    """False change and improvement where truth stays, and change in the right direction where it does not;
    patients of each group alone are drawn.
    """
    seen, true = pairs[:, 0], pairs[:, 1]
    still, moved = np.abs(true) < UNCHANGED, np.abs(seen) >= UNCHANGED

    def among(group: np.ndarray, hit: np.ndarray) -> Estimate:
        return mean_by_patient(hit[group], subjects[group], is_proportion=True, draws=draws)

    return {
        "false_change": among(still, moved),
        "false_improvement": among(still, moved & (seen < 0)),
        "same_way": among(~still, moved & (np.sign(seen) == np.sign(true))),
    }


def _sdc(changed: np.ndarray) -> Estimate:
    """SDC95 of one reader from two readers' changes (n, 2); interval from the chi-square distribution."""
    found = smallest_detectable_change(changed)
    return estimate(None) if found is None else estimate(found.limit(), *found.interval())


def sdc_of_readers(found: pd.DataFrame, component: str = "total") -> dict[str, Any]:
    """Pair of readers -> SDC95 of one of them and of their mean, from their own disagreement on change."""
    wide = changes(found, component)
    readers = [name for name in readers_of(found) if not name.startswith(MODEL)]
    result = {}
    for i, one in enumerate(readers):
        for other in readers[i + 1 :]:
            both = wide[[one, other]].dropna().to_numpy(float)
            sdc = smallest_detectable_change(both)
            if sdc is not None:
                result[f"{one} and {other}"] = {
                    "n": len(both),
                    "one_reader": estimate(sdc.limit(), *sdc.interval()),
                    "mean_of_two": estimate(sdc.limit(2), *sdc.interval(2)),
                }
    return result


def grade_tables(grades: pd.DataFrame, system: ScoreSystem, *, draws: int = DRAWS) -> dict[str, Any]:
    """Scale -> reader -> the figures of :func:`graded`. Scales are the blocks of the system (``hand erosion``
    ...) where each holds one feature, else its features.

    Rows whose column ``visible`` is False, where there is such a column, do not count.
    """
    known = site_grades(grades, system)
    if "visible" in known:
        known = known[known["visible"].astype(bool)]
    features = {block: {s.feature for s in system.sites if s.block == block} for block in system.total_blocks}
    by_block = len(system.features) > 1 and all(len(found) == 1 for found in features.values())
    scale = {site.code: site.block if by_block else site.feature for site in system.sites}
    maximum = {scale[site.code]: site.maximum for site in system.sites}
    groups = known.groupby(known["site"].map(scale), sort=False)
    return {str(name): graded(rows, maximum[str(name)], draws=draws) for name, rows in groups}


def site_grades(grades: pd.DataFrame, system: ScoreSystem) -> pd.DataFrame:
    """Grades of the sites themselves, without special findings."""
    own = grades["feature"] == grades["site"].map({site.code: site.feature for site in system.sites})
    return grades[grades["grade"].notna() & own]


def graded(rows: pd.DataFrame, maximum: int | None = None, *, draws: int = DRAWS) -> dict[str, Any]:
    """Reader -> n, patients, quadratic kappa, exact agreement and agreement within one grade with the truth,
    over the sites that the reader graded.

    maximum: where it is given, also each grade up to it against the rest, and counts, given by true grade.
    """
    wide = _wide(rows, ["subject", "visit", "site"], "grade").astype(float)
    result = {}
    for reader in readers_of(rows):
        pairs, subjects = _pairs(wide, reader)
        given, true = pairs.round().astype(int).T
        near = np.abs(given - true) <= 1
        result[reader] = {
            "n": len(pairs),
            "patients": len(set(subjects)),
            **agreement_of(pairs, subjects, {"kappa_quadratic": "kappa.quadratic"}, draws),
            "exact": mean_by_patient(given == true, subjects, is_proportion=True, draws=draws),
            "within_one": mean_by_patient(near, subjects, is_proportion=True, draws=draws),
        }
        if maximum is not None:
            result[reader] |= _classes(given, true, subjects, maximum, draws)
    return result


def _classes(
    given: np.ndarray, true: np.ndarray, subjects: np.ndarray, maximum: int, draws: int
) -> dict[str, Any]:
    table = np.zeros((maximum + 1, maximum + 1), int)
    np.add.at(table, (given, true), 1)
    per_class = {
        str(grade): _class(given == grade, true == grade, subjects, draws) for grade in range(maximum + 1)
    }
    return {"per_class": per_class, "table_given_by_true": table.tolist()}


def _class(given: np.ndarray, true: np.ndarray, subjects: np.ndarray, draws: int) -> dict[str, Any]:
    """One grade against the rest: how often it is the true one, sensitivity, specificity and accuracy."""
    return {
        "n": int(true.sum()),
        "sensitivity": proportion(given, true, subjects, draws=draws),
        "specificity": proportion(~given, ~true, subjects, draws=draws),
        "accuracy": mean_by_patient(given == true, subjects, is_proportion=True, draws=draws),
    }


def site_change(grades: pd.DataFrame, system: ScoreSystem, *, draws: int = DRAWS) -> dict[str, Any]:
    """Reader -> false change and improvement over sites that truly stay, and change found over those that do
    not.
    """
    known = site_grades(grades, system)
    visits = list(dict.fromkeys(known["visit"]))
    keys = ["subject", "site", "reader"]
    ends = [
        known[known["visit"] == visit].set_index(keys)["grade"].astype(float)
        for visit in (visits[0], visits[-1])
    ]
    moved = (ends[1] - ends[0]).dropna().unstack("reader")
    result = {}
    for reader in readers_of(known):
        if reader not in moved:
            continue
        pairs, subjects = _pairs(moved, reader)
        still = int((np.abs(pairs[:, 1]) < UNCHANGED).sum())
        result[reader] = {
            "unchanged": still,
            "changed": len(pairs) - still,
            **_false(pairs, subjects, draws),
        }
    return result
