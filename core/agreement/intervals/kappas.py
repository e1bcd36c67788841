"""Intervals of the three kappas that hold better than the asymptotic ones, also where almost all agree."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.agreement.grades.confusion import confusion
from core.agreement.grades.kappa import WEIGHTS, shrunk_limits
from core.agreement.intervals.status import DRAWS, concordance_limits
from core.agreement.intervals.studentised import widest

FEW = 10  # patients who disagree: below that, draws of patients lack them
Limits = tuple[float, float]


def kappa_limits(
    grades: np.ndarray, clusters: Any = None, *, draws: int = DRAWS, seed: int
) -> dict[str, Limits]:
    """95% limits of complete grades (n, 2) by weights; NaN where there are none.

    Quadratic kappa has the bootstrap-t of patients, and below ``FEW`` patients who disagree the wider of it
    and ``shrunk_limits``; the others have the latter. Where patients (clusters) have several rows there is
    the bootstrap-t alone, and where nobody disagrees, the shrunk table with every patient as one row.
    """
    counts, levels = confusion(grades[:, 0], grades[:, 1])
    table = counts.astype(float)
    differ = table.sum() - np.trace(table)
    drawn = concordance_limits(grades, clusters, draws=draws, seed=seed)
    if clusters is not None:
        if differ:
            return {"quadratic": drawn}
        table = table * (len(np.unique(np.asarray(clusters))) / table.sum())
    shrunk: dict[str, Limits] = {name: shrunk_limits(table, levels, name) for name in WEIGHTS}
    shrunk["quadratic"] = widest(shrunk["quadratic"], drawn) if differ < FEW else drawn
    return shrunk
