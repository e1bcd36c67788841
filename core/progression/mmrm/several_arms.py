"""P-values of an MMRM adjusted for several arms against the reference, at each visit on its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.progression.arms.multiplicity import adjusted_p, dunnett_p
from core.progression.mmrm.inference import Inference

NOTE = "over arms, at each visit and average on its own; not over visits"
SMALLEST_DF = "; Dunnett with the smallest degrees of freedom of a visit's differences"


def adjust(
    rows: list[dict[str, Any]],
    combinations: list[np.ndarray],
    pieces: Inference,
    method: str,
    order: Sequence[str],
) -> None:
    """Adds ``p_adjusted`` to the rows ``visit, a, estimate, df, t, p``.

    combinations: of the kept columns, one a row; a row without an estimate stays without.
    """
    for visit in dict.fromkeys(row["visit"] for row in rows):
        places = [place for place, row in enumerate(rows) if row["visit"] == visit]
        if order and method == "fixed":
            places.sort(key=lambda place: order.index(rows[place]["a"]))
        own = [rows[place] for place in places]
        if method == "dunnett":
            found = _dunnett(own, [combinations[place] for place in places], pieces)
        else:
            found = adjusted_p([row["p"] for row in own], method)
        for place, value in zip(places, found, strict=True):
            rows[place]["p_adjusted"] = value


def _dunnett(
    rows: list[dict[str, Any]], combinations: list[np.ndarray], pieces: Inference
) -> list[float | None]:
    known = [place for place, row in enumerate(rows) if row["t"] is not None and row["df"] is not None]
    found: list[float | None] = [None] * len(rows)
    if not known:
        return found
    several = np.array([combinations[place] for place in known])
    covariance = several @ pieces.beta_cov @ several.T
    errors = np.sqrt(np.diag(covariance))
    t = np.array([rows[place]["t"] for place in known])
    df = min(rows[place]["df"] for place in known)
    for place, value in zip(known, dunnett_p(t, covariance / np.outer(errors, errors), df), strict=True):
        found[place] = value
    return found
