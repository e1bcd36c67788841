"""Two arms compared in the ways that skewed change asks for, in one table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from core.agreement.estimate import Estimate, number
from core.arms import pairs_of_arms
from core.progression.arms.ancova import ancova
from core.progression.arms.hodges_lehmann import hodges_lehmann
from core.progression.arms.rank_ancova import rank_ancova
from core.progression.arms.van_elteren import van_elteren
from core.progression.regression.result import ModelResult, Term
from core.progression.summary import difference_of_means

TITLE = "Difference between arms: means, ANCOVA, ranks"


def compare_arms(table: pd.DataFrame, stratum: str | None = None) -> ModelResult:
    """Every pair of arms: mean difference (Welch), ANCOVA, Hodges-Lehmann shift, van Elteren, rank ANCOVA.

    table: ``subject, arm`` (a factor, the reference first)``, baseline, change``, none missing; stratum: a
    column for van Elteren and rank ANCOVA, all one stratum without it. The two tests by ranks have a p and no
    estimate.
    """
    strata = table[stratum].astype(str).to_numpy() if stratum else np.zeros(len(table), int)
    terms: list[Term] = []
    for second, first in pairs_of_arms(list(table["arm"].cat.categories)):
        pair = table["arm"].isin([first, second]).to_numpy()
        terms += _pair(table[pair], strata[pair], str(first), str(second))
    why = {} if terms else {"model": "two arms with patients are needed"}
    return ModelResult(
        "compare", TITLE, "change ~ arm, change ~ baseline + arm", "score units", tuple(terms), len(table),
        len(table), True if terms else None, (), "t and rank statistics; no search is needed", notes=why,
        extra={"strata": len(np.unique(strata)), "stratum": stratum},
    )  # fmt: skip


def _pair(rows: pd.DataFrame, strata: np.ndarray, first: str, second: str) -> list[Term]:
    change, base = rows["change"].to_numpy(float), rows["baseline"].to_numpy(float)
    is_second = (rows["arm"] == second).to_numpy()
    n, name = len(rows), f"{second} minus {first}"
    mean = difference_of_means(change[is_second], change[~is_second])
    shift = hodges_lehmann(change[~is_second], change[is_second])
    elteren, ranks = van_elteren(change, is_second, strata), rank_ancova(change, base, is_second, strata)
    return [
        _interval(f"{name}, mean", mean, n),
        _ancova(f"{name}, ANCOVA", ancova(change, base, is_second), n),
        _interval(f"{name}, Hodges-Lehmann", shift, n),
        Term(f"{name}, van Elteren", None, None, None, None, number(elteren.p), elteren.n),
        Term(f"{name}, rank ANCOVA", None, None, None, None, number(ranks.p), ranks.n),
    ]


def _interval(name: str, value: Estimate, n: int) -> Term:
    low, high = value["ci"]
    return Term(name, value["estimate"], None, low, high, None, n)


def _ancova(name: str, found: Any, n: int) -> Term:
    if found is None:
        return Term(name, None, None, None, None, None, n)
    estimate, se, low, high, p = map(number, (found.difference, found.se, found.low, found.high, found.p))
    return Term(name, estimate, se, low, high, p, n)
