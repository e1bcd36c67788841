"""MMRM with the richest covariance among the visits that can be fitted, of a list fixed in advance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from core.errors import CohortError
from core.progression.mmrm.model import Options, mmrm

STRUCTURES = ("us", "toeph", "ar1h", "cs")  # from unstructured to one correlation for all pairs of visits


def change_formula(table: pd.DataFrame, visits: Sequence[str]) -> str:
    """``change ~ baseline * visit + arm * visit``, without the terms that these rows cannot determine.

    table: columns ``arm, baseline``. visits: those with a change.
    """
    by_visit = " * visit" if len(visits) > 1 else ""
    terms = [f"baseline{by_visit}"] if table["baseline"].nunique() > 1 else []
    if table["arm"].nunique() > 1:
        terms.append(f"arm{by_visit}")
    else:
        terms.append("visit" if by_visit else "1")
    return "change ~ " + " + ".join(terms)


def mmrm_with_fallback(
    table: pd.DataFrame,
    formula: str,
    options: Options,
    structures: Sequence[str] = STRUCTURES,
    *,
    subject: str = "subject",
    visit: str = "visit",
) -> tuple[dict[str, Any] | None, list[str]]:
    """(the result of the first structure that converges, or None; why each one before it failed).

    The order must be fixed in the protocol: a structure chosen by its result would invite a type I error
    (Mallinckrodt et al. 2008, Drug Inf J 42:303-319).
    """
    failures: list[str] = []
    for covariance in structures:
        try:
            found = mmrm(table, formula, subject, visit, replace(options, covariance=covariance))
        except CohortError as error:
            failures.append(f"{covariance}: {error.given}, {error.needed}")
            continue
        if found["converged"]:
            return found, failures
        failures.append(f"{covariance}: no optimum")
    return None, failures
