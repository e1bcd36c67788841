"""Is a model not inferior to the readers in ICC or quadratic kappa? A difference, a margin, a lower limit.

The difference is the mean over readers of the model's coefficient with a reader, minus the mean over pairs
of readers of theirs with each other. Its limits are the widest of three: a symmetric bootstrap-t of patients,
the same on the scale of Fisher's z, where the standard error is that at the limit (as Fieller's), and
percentiles, the first two at 97% so that all three together hold at 95. Each alone calls too many models not
inferior whose difference lies at the margin (docs/statistics-coverage.md).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from core.agreement.bootstrap import count_blocks, percentiles
from core.agreement.estimate import estimate, number
from core.agreement.grades.confusion import is_gradeable, whole
from core.agreement.intervals.pairwise import CONCORDANCE, ICC, Pairwise
from core.agreement.intervals.studentised import FAR
from core.agreement.reader_model import Bootstrap

STATISTICS = {"ICC(A,1)": ICC, "kappa.quadratic": CONCORDANCE}
SMALLEST = 24  # patients
FEW = "a verdict needs {smallest} patients, here are {patients}"
CAUTION = "at the margin such verdicts were wrong in 1 to 3% of simulated studies, in 6% of the worst kind"
OPEN = "too few patients differ between model and readers to say how large the difference may be"
LEVEL = 0.97  # of the bootstrap-t: with 0.95 lower limits were too high in 3.5% of the simulated studies
EDGE = 1 - 1e-9
NOTHING = 1e-9  # a standard error that is rounding alone
PLAIN = Bootstrap()
BLOCK = 2_000_000  # numbers held at a time


def non_inferiority(
    readers: Any, model: Any, *, margin: float | None, statistic: str, bootstrap: Bootstrap = PLAIN
) -> dict[str, Any]:
    """Whether the model agrees with readers as they do with each other, less at most ``margin``.

    readers: shape (n, k), k at least 2. model: shape (n,). Only rows without a gap count. statistic: of
    ``STATISTICS``; kappa is for grades (whole numbers, at most 30). margin: above 0, None for no verdict.
    Returns model_reader, reader_reader (means of coefficients), difference {estimate, ci}, margin,
    non_inferior (lower limit above -margin; None without a verdict), power (chance of that verdict with as
    many patients if there were no difference), patients, notes.
    """
    table = np.column_stack([np.asarray(readers, float), np.asarray(model, float)])
    kept = ~np.isnan(table).any(axis=1)
    clusters = None if bootstrap.clusters is None else np.asarray(bootstrap.clusters)[kept]
    table = table[kept]
    why = _why_not(table, statistic)
    base: dict[str, Any] = {"statistic": statistic, "margin": margin, "non_inferior": None, "power": None}
    if why:
        nothing = dict.fromkeys(("model_reader", "reader_reader"))
        patients = len(table) if clusters is None else len(set(clusters.tolist()))
        return (
            base
            | nothing
            | {"difference": estimate(None), "patients": patients, "notes": {"difference": why}}
        )
    if statistic != ICC:
        table = whole(table)
    sums = Pairwise.of(table, clusters)
    found = _Difference.of(sums, STATISTICS[statistic], np.ones((1, sums.patients)))
    value, low, high = _limits(sums, STATISTICS[statistic], found, bootstrap)
    result = base | {
        "model_reader": number(found.model[0]),
        "reader_reader": number(found.reader[0]),
        "difference": estimate(value, low, high),
        "patients": sums.patients,
    }
    return result | _verdict(result, float(found.error(None)[0]), margin)


def _why_not(table: np.ndarray, statistic: str) -> str:
    if table.shape[1] < 3:
        return "two readers are needed beside the model"
    if len(table) < 3:
        return "three subjects scored by all readers and the model are needed"
    if statistic != ICC and not is_gradeable(table.ravel(), []):
        return "ratings are not whole numbers with at most 30 levels: kappas are for grades"
    return ""


def _verdict(result: dict[str, Any], error: float, margin: float | None) -> dict[str, Any]:
    """non_inferior, power and notes."""
    value, (low, _), patients = (
        result["difference"]["estimate"],
        result["difference"]["ci"],
        result["patients"],
    )
    notes = {}
    if value is None:
        notes["difference"] = "all ratings are one value: there is no coefficient"
    elif low is None:
        notes["difference"] = OPEN if patients >= 3 else "an interval needs three patients"
    if margin is None or low is None:
        return {"notes": notes}
    half = value - low
    power = float(special.ndtr((margin - half) / error)) if error > 0 else float(half < margin)
    if patients < SMALLEST:
        few = FEW.format(smallest=SMALLEST, patients=patients)
        return {"power": power, "notes": notes | {"non_inferior": few}}
    return {
        "power": power,
        "non_inferior": bool(low > -margin),
        "notes": notes | {"non_inferior": CAUTION},
    }


@dataclass(frozen=True)
class _Difference:
    """Mean coefficients with the model and among readers, by draw, and the influence of each patient on them.

    model, reader: shape (draws,). own_model, own_reader: (draws, patients). weights: (draws, patients).
    """

    model: np.ndarray
    reader: np.ndarray
    own_model: np.ndarray
    own_reader: np.ndarray
    weights: np.ndarray
    rows: np.ndarray

    @classmethod
    def of(cls, sums: Pairwise, form: str, weights: np.ndarray) -> _Difference:
        values, own = sums.values(weights, form)
        with_model = np.array([second == sums.raters - 1 for _, second in sums.pairs])
        model, reader = with_model / with_model.sum(), ~with_model / (~with_model).sum()
        rows = weights @ sums.sums[:, 0]
        return cls(values @ model, values @ reader, own @ model, own @ reader, weights, rows)

    def turned(self) -> _Difference:
        """Readers less model."""
        own = self.own_reader, self.own_model
        return _Difference(self.reader, self.model, *own, self.weights, self.rows)

    @property
    def value(self) -> np.ndarray:
        return self.model - self.reader

    def z(self, gap: float) -> np.ndarray:
        """Distance from a difference of ``gap`` on Fisher's scale."""
        return np.arctanh(_inside(self.model)) - np.arctanh(_inside(self.reader + gap))

    def error(self, gap: float | None) -> np.ndarray:
        """Standard error of ``value`` (gap None), or of ``z(gap)``."""
        own = self.own_model - self.own_reader
        if gap is not None:
            below = 1 - _inside(self.model) ** 2, 1 - _inside(self.reader + gap) ** 2
            own = self.own_model / below[0][:, None] - self.own_reader / below[1][:, None]
        n = self.weights.sum(axis=1)
        return np.asarray(np.sqrt(np.einsum("dp,dp->d", self.weights, own**2) * n / (n - 1)) / self.rows)


def _inside(value: np.ndarray) -> np.ndarray:
    return np.clip(value, -EDGE, EDGE)


def _limits(sums: Pairwise, form: str, own: _Difference, bootstrap: Bootstrap) -> tuple[float, float, float]:
    """(difference, its 95% limits); NaN below three patients or where they are open."""
    value, n = float(own.value[0]), sums.patients
    nothing = value, math.nan, math.nan
    if n < 3 or not bootstrap.draws or not float(own.error(None)[0]) > NOTHING:
        return nothing  # also where no patient tells model and readers apart: nothing can be resampled
    plain, on_z, drawn_values = [], [], []
    step = max(1, BLOCK // (n * len(sums.pairs)))
    for counts in count_blocks(n, draws=bootstrap.draws, seed=bootstrap.seed):
        for start in range(0, len(counts), step):
            drawn = _Difference.of(sums, form, counts[start : start + step].astype(float))
            drawn_values.append(drawn.value)
            plain.append(_away(drawn.value - value, drawn.error(None)))
            on_z.append(_away(drawn.z(value), drawn.error(value)))
    least = float(special.stdtrit(n - 1, (1 + LEVEL) / 2))
    reach, reach_z = (max(float(np.quantile(np.concatenate(x), LEVEL)), least) for x in (plain, on_z))
    if max(reach, reach_z) > FAR / 2:
        return nothing
    half = reach * float(own.error(None)[0])
    (low, high), _ = percentiles(np.concatenate(drawn_values))
    below, above = _crossing(own, reach_z), -_crossing(own.turned(), reach_z)
    return value, min(value - half, float(low), below), max(value + half, float(high), above)


def _away(gap: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Size of the distance in standard errors; a draw without a value is as far as can be."""
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.abs(gap) / error
    size = np.where(np.abs(gap) <= 1e-12, 0.0, size)
    return np.minimum(np.nan_to_num(size, nan=FAR), FAR)


def _crossing(own: _Difference, reach: float) -> float:
    """The difference below the one seen at which the distance on Fisher's scale is ``reach`` errors."""
    inner, outer = float(own.value[0]), -2.0
    if float(own.error(inner)[0]) <= NOTHING:
        return inner
    for _ in range(50):
        middle = (inner + outer) / 2
        near = abs(float(own.z(middle)[0])) < reach * float(own.error(middle)[0])
        inner, outer = (middle, outer) if near else (inner, middle)
    return inner
