"""Intervals of the SDC and of the ICC of change: bootstrap-t, from the patients and from a model of them.

Limits are the wider of two bootstrap-t intervals on a log scale: one draws patients, one draws samples from
``change_model``, which have the tail that a small sample misses.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from core.agreement.bootstrap import SEED
from core.agreement.estimate import number
from core.agreement.icc import FORMS, power_of_two, spearman_brown
from core.agreement.intervals.change_model import fit
from core.agreement.intervals.parts import SHAPES, Logs, Parts
from core.agreement.intervals.studentised import distances, limits, widest

METHOD = "wider of two bootstrap-t on a log scale: patients, and a fitted model of change"
DRAWS = 1000
NUMBERS = 200_000  # of draws x patients: larger samples are drawn less often, at least FEWEST times
FEWEST = 200
BLOCK = 400_000
RESIDUAL = "residual"
Limits = tuple[float, float]
NONE: Limits = (math.nan, math.nan)


@dataclass(frozen=True)
class ChangeIntervals:
    """spread: what an SDC, MDC or SD is multiplied by for its limits. icc: limits by form. NaN: open or none.

    by_patients, by_model: the same from either bootstrap alone, log scale, by ``residual`` and shape.
    """

    spread: Limits
    icc: dict[str, Limits]
    draws: int
    seed: int
    by_patients: dict[str, Limits]
    by_model: dict[str, Limits]

    def around(self, spread: float) -> list[float | None]:
        """Limits of an SDC, MDC or SD of this size; both None where one is open."""
        limits = [number(spread * factor) for factor in self.spread]
        return [None, None] if None in limits else limits

    def of_form(self, form: str) -> list[float | None]:
        """Limits of an ICC of change; both None where one is open."""
        limits = [number(limit) for limit in self.icc[form]]
        return [None, None] if None in limits else limits


def change_intervals(
    change: np.ndarray, *, is_status: bool = False, draws: int = DRAWS, seed: int = SEED
) -> ChangeIntervals | None:
    """Intervals for changes of shape (subjects, readers), complete; None below three subjects or two readers.

    is_status: status scores instead, for which there is no model: patients are drawn alone.

    Open where resampling loses what the statistic rests on, such as the one patient with disagreement.
    """
    change = np.asarray(change, dtype=float)
    n, k = change.shape
    if n < 3 or k < 2:
        return None
    scale = power_of_two(change)
    change = change / scale
    draws = min(draws, max(FEWEST, NUMBERS // n))
    mean, off = _split(change)
    own = _logs(Parts.of(mean, off))
    rng = np.random.default_rng([seed, n])
    by_patients = _limits(own, _patients(mean, off, rng, draws), dict.fromkeys(own, None))
    by_model = dict.fromkeys(own, NONE) if is_status else _by_model(change, own, rng, draws)
    both = {name: widest(by_patients[name], by_model[name]) for name in own}
    value = float(own[RESIDUAL].value)
    spread = (_spread(both[RESIDUAL][0], value), _spread(both[RESIDUAL][1], value))
    shift = {RESIDUAL: 2 * math.log(scale)}
    alone = (_moved(found, shift) for found in (by_patients, by_model))
    return ChangeIntervals(spread, _forms(both, k), draws, seed, *alone)


def _moved(found: dict[str, Limits], shift: dict[str, float]) -> dict[str, Limits]:
    """Log limits in the units of the changes, which were divided by a scale."""
    return {
        name: (low + shift.get(name, 0.0), high + shift.get(name, 0.0)) for name, (low, high) in found.items()
    }


def _split(change: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean = change.mean(axis=-1)
    return mean, change - mean[..., None]


def _logs(parts: Parts) -> dict[str, Logs]:
    return {RESIDUAL: parts.log_residual()} | {shape: parts.log_ratio(shape) for shape in SHAPES}


def _patients(
    mean: np.ndarray, off: np.ndarray, rng: np.random.Generator, draws: int
) -> Iterator[dict[str, Logs]]:
    n = len(mean)
    for size in _blocks(draws, off.size):
        drawn = rng.integers(0, n, (size, n))
        yield _logs(Parts.of(mean[drawn], off[drawn]))


def _by_model(
    change: np.ndarray, own: dict[str, Logs], rng: np.random.Generator, draws: int
) -> dict[str, Limits]:
    model = fit(change)
    if model is None:
        return dict.fromkeys(own, NONE)
    ratio, noise = model.truth
    centre: dict[str, float | None] = {name: noise if name == RESIDUAL else ratio for name in own}
    n = len(change)
    drawn = (_logs(Parts.of(*model.draw(rng, size, n))) for size in _blocks(draws, change.size))
    return _limits(own, drawn, centre)


def _limits(
    own: dict[str, Logs], drawn: Iterator[dict[str, Logs]], centre: dict[str, float | None]
) -> dict[str, Limits]:
    """Limits of every statistic. centre: the truth of the samples, None for the sample's own value."""
    blocks = list(drawn)
    result = {}
    for name, found in own.items():
        value, truth = float(found.value), centre[name]
        middle = value if truth is None else truth
        away = np.concatenate([distances(block[name], middle) for block in blocks])
        result[name] = limits(value, float(found.se), away) if math.isfinite(value) else NONE
    return result


def _blocks(draws: int, numbers: int) -> Iterator[int]:
    step = max(1, BLOCK // numbers)
    for start in range(0, draws, step):
        yield min(step, draws - start)


def _spread(limit: float, value: float) -> float:
    """Factor of a standard deviation from limits of a log variance; an open limit is NaN."""
    return math.exp((limit - value) / 2) if math.isfinite(limit) else math.nan


def _forms(both: dict[str, Limits], k: int) -> dict[str, Limits]:
    result = {}
    for form in FORMS:
        low, high = (_icc(limit, k) for limit in both[form[4]])
        if form.endswith("k)"):
            low, high = (float(spearman_brown(limit, k)) for limit in (low, high))
        result[form] = (low, high)
    return result


def _icc(limit: float, k: int) -> float:
    """The ICC of one reader from the log of signal over error; an open upper limit is 1."""
    if math.isnan(limit) or limit == -math.inf:
        return math.nan
    if limit > 700:
        return 1.0
    ratio = math.exp(limit)
    return (ratio - 1) / (ratio + k - 1)
