"""G study: what scores vary by. D study: how many readers, and reads, for which SDC and ICC of change.

Change is what a study is planned for: its error is the residual of patients crossed with readers (both
random, REML); the SDC has the residual with readers fixed, as everywhere here, and the limits of the random
one, moved with it. A patient x reader difference that stays the same from visit to visit cancels out of
change, so that it stands in the G study of status alone. Repeat readings by the same readers part the error
of change into what another read takes off and what only another reader does.
Source: Brennan 2001, Generalizability Theory.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from core.agreement.crossed import DRAWS, SEED, Components, CrossedDesign, fit_crossed, simulate
from core.agreement.estimate import LIMITS, estimate, number
from core.agreement.generalisability.components import ERROR, NAMES, Design, draw, fit
from core.agreement.mixed import mixed_icc, why_not

READERS = tuple(range(1, 9))
OF_CHANGE = ("patient", "reader", ERROR)
DRAWS_OF_STATUS = 200
METHOD = "REML, patients and readers random; parametric bootstrap of {draws} draws, seed {seed}"
ALONE = "from one read each by every reader: what another read by the same reader takes off is not known"


def g_study(scores: np.ndarray, *, draws: int = DRAWS_OF_STATUS, seed: int = SEED) -> dict[str, Any]:
    """Variance components of status: patient, reader, patient x reader, patient x visit, error.

    scores: (patients, readers, visits), NaN where not read. The visits' means are taken off. Returns
    ``components`` [{name, variance, ci, share}], ``n, readers, visits, method, notes``.
    """
    scores = scores[~np.isnan(scores).all(axis=(1, 2))]
    scores = scores[:, ~np.isnan(scores).all(axis=(0, 2))]
    n, readers, visits = scores.shape
    size = {"n": n, "readers": readers, "visits": visits, "method": METHOD.format(draws=draws, seed=seed)}
    twice = (~np.isnan(scores)).sum(axis=2) > 1
    why = "two readers who each read two patients at two visits are needed"
    if n < 3 or (twice.sum(axis=1) > 1).sum() < 2 or np.nanstd(scores) == 0:
        return {"components": [], **size, "notes": {"components": why}}
    variances = fit(scores)
    drawn = draw(Design.of(~np.isnan(scores)), variances, draws, seed)
    return {"components": _rows((*NAMES, ERROR), variances, drawn), **size, "notes": {}}


def d_study(
    change: np.ndarray,
    *,
    within: float | None = None,
    readers: Sequence[int] = READERS,
    draws: int = DRAWS,
    seed: int = SEED,
) -> dict[str, Any]:
    """SDC and ICC(A) of the mean change of 1, 2, 3 ... readers, and the components that they come from.

    change: (patients, readers), NaN where not read. within: error variance of the change of one reader who
    reads again (repeat readings), None without. Returns ``components``, ``by_readers`` [{readers, reads,
    sdc95, icc}], each value with its interval, ``n, method, notes``.
    """
    table = change[:, ~np.isnan(change).all(axis=0)] if change.size else change
    table = table[~np.isnan(table).all(axis=1)] if table.size else table
    n = int(((~np.isnan(table)).sum(axis=1) > 1).sum())
    size = {"n": n, "readers": table.shape[1], "method": METHOD.format(draws=draws, seed=seed)}
    reason = why_not(table) or ("three patients of two readers are needed" if n < 3 else "")
    if reason:
        return {"components": [], "by_readers": [], **size, "notes": {"by_readers": reason}}
    parts = fit_crossed(table)
    drawn = simulate(CrossedDesign.of(~np.isnan(table)), parts, draws, seed)
    values, sample = _stacked(parts), _stacked(drawn).T
    fixed = mixed_icc(table)["variance_components"]["residual"] or parts.residual
    own = None if within is None else min(within, parts.residual)
    reads = (1,) if own is None else (1, 2)
    rows = [_row(parts, drawn, fixed, count, again, own) for again in reads for count in readers]
    notes = {"reads": ALONE} if own is None else {}
    return {"components": _rows(OF_CHANGE, values, sample), "by_readers": rows, **size, "notes": notes}


def readers_for(found: dict[str, Any], *, sdc: float | None = None, icc: float | None = None) -> int | None:
    """The smallest number of readers, one read each, with an SDC of at most or an ICC of at least this."""
    for row in found["by_readers"]:
        small = sdc is None or (row["sdc95"]["estimate"] or 0) <= sdc + 1e-9
        large = icc is None or (row["icc"]["estimate"] is not None and row["icc"]["estimate"] >= icc - 1e-9)
        if row["reads"] == 1 and small and large:
            return int(row["readers"])
    return None


def _stacked(parts: Components) -> np.ndarray:
    return np.array([parts.subject, parts.reader, parts.residual], float)


def _rows(names: Sequence[str], variances: np.ndarray, drawn: np.ndarray) -> list[dict[str, Any]]:
    """Variances with the percentiles of the draws, and their share of the sum."""
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    total = float(variances.sum())
    return [
        {
            "name": name,
            "variance": number(value),
            "ci": [number(low[place]), number(high[place])],
            "share": number(value / total) if total else None,
        }
        for place, (name, value) in enumerate(zip(names, variances, strict=True))
    ]


def _row(
    parts: Components, drawn: Components, fixed: float, readers: int, reads: int, within: float | None
) -> dict[str, Any]:
    """SDC and ICC of the mean of so many readers, each of whom reads so often; fixed: residual of the SDC."""
    moved = fixed / parts.residual if parts.residual else 1.0
    kept = 1.0 if within is None or not parts.residual else 1 - within / parts.residual * (1 - 1 / reads)
    sizes = [LIMITS * np.sqrt(one.residual * moved * kept / readers) for one in (parts, drawn)]
    iccs = [
        Components(one.subject, one.reader, one.residual * kept).icc(averaged=readers)
        for one in (parts, drawn)
    ]
    limits = [np.nanquantile(values, [0.025, 0.975]) for values in (sizes[1], iccs[1])]
    return {
        "readers": readers,
        "reads": reads,
        "sdc95": estimate(float(sizes[0]), *limits[0]),
        "icc": estimate(None if math.isnan(float(iccs[0])) else float(iccs[0]), *limits[1]),
    }
