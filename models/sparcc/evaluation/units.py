"""Units and totals of readers and model against the truth and against each other, over visits.

Totals are made under each rule of the score; a pair counts where both readers have a total. Figures of
several pairs are means over pairs, and their intervals draw patients.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from core.agreement.batch.comparisons import agree, draw_values
from core.agreement.bootstrap import DRAWS, percentiles
from core.agreement.estimate import LIMITS, estimate
from core.scores.engine.totals import compute
from core.scores.sparcc import SPARCC
from models.evaluation.agreement import COLUMNS, MODEL, TRUTH
from models.evaluation.intervals import mean_by_patient, proportion

STATISTICS = {
    "icc_a1": "ICC(A,1)",
    "icc_c1": "ICC(C,1)",
    "icc_11": "ICC(1,1)",
    "pearson": "pearson",
    "bias": "bland_altman.bias",
}
OF_CHANGE = STATISTICS | {"sdc95": "sem.consistency"}
SCALE = {"sdc95": LIMITS}  # SDC of one reader: 1.96 times the error of a change
MIC = 5.0  # change of the six-unit score that matters to a patient (Maksymowych 2012)
UNIT = ["subject", "visit", "unit"]


def unit_points(grades: pd.DataFrame) -> pd.DataFrame:
    """Points (0-18) of each unit: rows (subject, visit, unit), a column a reader; NaN where an item lacks."""
    rows = grades[COLUMNS].assign(unit=grades["site"].str.partition(".")[0])
    sums = rows.groupby([*UNIT, "reader"], sort=False)["grade"].agg(["sum", "count"])
    items = len(SPARCC.sites) // len({site.unit for site in SPARCC.sites})
    whole = sums["sum"].astype(float).where(sums["count"] == items)
    return pd.DataFrame(whole.unstack("reader")).reindex(columns=list(dict.fromkeys(rows["reader"])))


def totals(grades: pd.DataFrame, rule: str) -> pd.DataFrame:
    """Total of each visit under a rule: rows (subject, visit), a column a reader."""
    found = compute(grades[COLUMNS], SPARCC, rule).totals
    return found.pivot(index=["subject", "visit"], columns="reader", values="total").astype(float)


def change_of(wide: pd.DataFrame, visits: Sequence[str]) -> pd.DataFrame:
    """The last visit minus the first, by what else names a row."""
    first, last = (pd.DataFrame(wide.xs(visit, level="visit")) for visit in (visits[0], visits[-1]))
    return last - first


def people(wide: pd.DataFrame) -> list[str]:
    """Readers who are neither truth nor model."""
    return [name for name in wide.columns if name != TRUTH and not name.startswith(MODEL)]


def pairs_of(wide: pd.DataFrame) -> dict[str, list[tuple[str, str]]]:
    """What is compared -> pairs of readers: each with the truth, model and readers, readers among each
    other.
    """
    readers = people(wide)
    models = [name for name in wide.columns if name.startswith(MODEL)]
    found = {f"{name} with truth": [(name, TRUTH)] for name in (*models, *readers) if TRUTH in wide}
    if models and readers:
        found["model with readers"] = [(name, reader) for name in models for reader in readers]
    if len(readers) > 1:
        found["readers with each other"] = list(combinations(readers, 2))
    return found


def compared(
    wide: pd.DataFrame, names: dict[str, str] | None = None, *, draws: int = DRAWS
) -> dict[str, dict[str, Any]]:
    """Comparison of ``pairs_of`` -> n, patients and statistics, means over its pairs.

    names: our name of a statistic -> that of ``agree``. n: of rows that both have, the fewest of its pairs.
    """
    wanted = names or STATISTICS
    subjects = wide.index.get_level_values("subject").to_numpy(str)
    return {what: _mean(wide, pairs, subjects, wanted, draws) for what, pairs in pairs_of(wide).items()}


def _mean(
    wide: pd.DataFrame,
    pairs: Sequence[tuple[str, str]],
    subjects: np.ndarray,
    wanted: dict[str, str],
    draws: int,
) -> dict[str, Any]:
    cells = np.stack([wide[list(pair)].to_numpy(float) for pair in pairs])
    complete = ~np.isnan(cells).any(axis=2)
    found: dict[str, Any] = {
        "n": int(complete.sum(axis=1).min()),
        "patients": len(set(subjects[complete.any(axis=0)])),
    }
    if found["n"] < 2:
        return found | {name: estimate(None) for name in wanted}
    at, drawn = agree(cells, subjects, draws=0).estimate, draw_values(cells, subjects, draws=draws)
    for name, key in wanted.items():
        if key not in at:
            found[name] = estimate(None)
            continue
        scale = SCALE.get(name, 1.0)
        known = key in drawn and found["patients"] > 1
        limits = percentiles(drawn[key].mean(axis=1))[0] * scale if known else (None, None)
        found[name] = estimate(at[key].mean() * scale, *limits)
    return found


def by_rule(grades: pd.DataFrame, visits: Sequence[str], *, draws: int = DRAWS) -> dict[str, Any]:
    """Rule -> ``status`` over all visits and ``change`` from the first to the last, as ``compared``."""
    found = {}
    for rule in SPARCC.rules:
        wide = totals(grades, rule.name)
        entry = {"status": compared(wide, draws=draws)}
        if len(visits) > 1:
            entry["change"] = compared(change_of(wide, visits), OF_CHANGE, draws=draws)
        found[rule.name.partition(".")[2]] = entry
    return found


def any_oedema(points: pd.DataFrame, *, draws: int = DRAWS) -> dict[str, Any]:
    """Whether a unit has any oedema: kappa and agreement of pairs, sensitivity and specificity of each reader
    against the truth, over all visits.
    """
    some = (points > 0).astype(float).where(points.notna())
    found = compared(some, {"kappa": "kappa.quadratic"}, draws=draws)
    subjects = points.index.get_level_values("subject").to_numpy(str)
    for what, pairs in pairs_of(some).items():
        cells = np.stack([some[list(pair)].to_numpy(float) for pair in pairs])
        both = ~np.isnan(cells).any(axis=2)
        same = (cells[..., 0] == cells[..., 1])[both]
        who = np.broadcast_to(subjects, both.shape)[both]
        found[what]["agreement"] = mean_by_patient(same, who, is_proportion=True, draws=draws)
        if what.endswith("with truth"):
            said, true, of = cells[0][:, 0] > 0, cells[0][:, 1] > 0, both[0]
            found[what]["sensitivity"] = proportion(said[of], true[of], subjects[of], draws=draws)
            found[what]["specificity"] = proportion(~said[of], ~true[of], subjects[of], draws=draws)
    return found


def false_change(changed: pd.DataFrame, still: float, moved: float, *, draws: int = DRAWS) -> dict[str, Any]:
    """Reader -> n whose true change is at most ``still`` in size, and the share of them that the reader says
    to have changed by ``moved`` or more.
    """
    subjects = changed.index.get_level_values("subject").to_numpy(str)
    found = {}
    for name in changed.columns:
        if name == TRUTH:
            continue
        both = changed[[name, TRUTH]].notna().all(axis=1).to_numpy()
        unmoved = both & (changed[TRUTH].abs() <= still + 1e-9).to_numpy()
        said = (changed[name].abs() >= moved - 1e-9).to_numpy()
        found[name] = {
            "n": int(unmoved.sum()),
            "false_change": proportion(said, unmoved, subjects, draws=draws),
        }
    return found
