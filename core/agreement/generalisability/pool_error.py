"""Measurement error and agreement of a pool: every patient is read by some of many readers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.agreement.estimate import LIMITS_80
from core.agreement.mixed import mixed_icc
from core.agreement.reader_pool import is_pool, pool_icc, usual_number
from core.agreement.sem import chi_square_limits, mdc, sdc, sem_consistency

Value = list[float | None]


@dataclass(frozen=True)
class PoolError:
    """block: ``n, one, mean, mean80`` (change only), each [value, low, high], and ``bias`` None.

    averaged: readers that a patient usually has. icc: ICC(A,1) with its limits.
    """

    block: dict[str, Any]
    averaged: int
    icc: Value


def pool_error(table: np.ndarray, *, is_change: bool) -> PoolError | None:
    """The SDC of changes, or the MDC of status, of a pool, and its ICC; None where the table is none.

    table: (subjects, readers), NaN where not read. A table in which two subjects were read by all is judged
    from these, as in the command. The residual is that of the mixed model with readers fixed (REML), its
    limits are chi-square.
    """
    table = table[~np.isnan(table).all(axis=1)]
    complete = int((~np.isnan(table)).all(axis=1).sum())
    if complete > 1 or not is_pool(table):
        return None
    count = (~np.isnan(table)).sum(axis=1)
    readers = int((~np.isnan(table)).any(axis=0).sum())
    residual, df = (
        mixed_icc(table)["variance_components"]["residual"],
        int(count.sum()) - len(table) - readers + 1,
    )
    averaged = usual_number(table[count > 1])
    if residual is None or df < 1:
        return None
    sizes = _sizes(residual, averaged, is_change=is_change)
    limits: dict[str, Value] = {name: [size, *chi_square_limits(size, df)] for name, size in sizes.items()}
    found = pool_icc(table)["forms"]["ICC(A,1)"]
    block = {"n": int((count > 1).sum()), **limits, "bias": None}
    return PoolError(block, averaged, [found["estimate"], *found["ci"]])


def _sizes(residual: float, averaged: int, *, is_change: bool) -> dict[str, float]:
    if is_change:
        mean80 = sdc(residual, readers=averaged, multiplier=LIMITS_80)
        return {"one": sdc(residual), "mean": sdc(residual, readers=averaged), "mean80": mean80}
    sem = sem_consistency(residual)
    return {"one": mdc(sem), "mean": mdc(sem, readers=averaged)}
