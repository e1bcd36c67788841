"""Power of the rank test (Wilcoxon) for changes of any distribution, ties included.

From the probability p that a treated patient changed less than a control (ties half): power =
Phi((|p - 1/2| - z s0) / s1), s0 the standard error under no difference with the correction for ties (Zhao,
Rahardja and Qu 2008, Stat Med 27:462), s1 that under the planned difference, from placements (Brunner and
Munzel 2000). Without a distribution: the t test with as many patients times the asymptotic relative
efficiency, 3/pi for normal changes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

ARE_NORMAL = 3 / math.pi
DRAWS = 4000
SEED = 20240229
ATOMS = 400  # values that stand for a continuous tail
CHUNK = 4_000_000  # numbers held at a time
EFFECTS = ("fewer", "smaller", "shift")
EFFECT_WORDS = {
    "fewer": "the treatment stops a share of the progressing patients: their change is 0",
    "smaller": "every change above 0 is smaller by the same share",
    "shift": "every change is smaller by the same number",
}


@dataclass(frozen=True)
class Arms:
    """Changes that can be (rising), and their probabilities in the control and the treated arm."""

    values: np.ndarray
    control: np.ndarray
    treated: np.ndarray

    @property
    def difference(self) -> float:
        """Mean change of controls minus treated."""
        return float(self.values @ (self.control - self.treated))

    @property
    def less(self) -> float:
        """Probability that a treated patient changed less than a control, ties half."""
        below = np.cumsum(self.treated) - self.treated / 2
        return float(self.control @ below)

    def share_above(self, limit: float) -> tuple[float, float]:
        """Shares of patients with a change above the limit: controls, treated."""
        above = self.values > limit + 1e-9
        return float(self.control[above].sum()), float(self.treated[above].sum())


def under_treatment(
    changes: np.ndarray, difference: float, effect: str, weight: np.ndarray | None = None
) -> Arms:
    """Both arms when the control arm changes as given and the mean falls by ``difference``.

    changes: of patients, or values with their ``weight``. effect: one of EFFECTS. Raises ValueError where all
    progression that there is has a smaller mean than the difference.
    """
    changes = np.asarray(changes, float)
    weight = np.full(len(changes), 1 / len(changes)) if weight is None else weight
    if effect == "shift":
        return _joined(changes, weight, changes - difference, weight)
    progression = float(weight @ np.maximum(changes, 0.0))
    share = difference / progression if progression > 0 else math.inf
    if not 0 <= share <= 1:
        raise ValueError(
            f"the mean of all progression is {progression:.3g}: it cannot fall by {difference:.3g}"
        )
    if effect == "smaller":
        return _joined(changes, weight, np.where(changes > 0, changes * (1 - share), changes), weight)
    kept = np.where(changes > 0, weight * (1 - share), weight)
    return _joined(changes, weight, np.append(changes, 0.0), np.append(kept, weight.sum() - kept.sum()))


def _joined(control: np.ndarray, p: np.ndarray, treated: np.ndarray, q: np.ndarray) -> Arms:
    """One rising list of values for both; values equal but for noise are one."""
    every = np.round(np.concatenate([control, treated]), 9)
    values, place = np.unique(every, return_inverse=True)
    count = len(values)
    one = np.bincount(place[: len(control)], weights=p, minlength=count)
    other = np.bincount(place[len(control) :], weights=q, minlength=count)
    return Arms(values, one / one.sum(), other / other.sum())


def skewed(mean: float, sd: float, zeros: float) -> tuple[np.ndarray, np.ndarray]:
    """Changes of which a share is 0 and the others lognormal, with this mean and SD: (values, weights).

    Raises ValueError where no lognormal part has such a mean and SD.
    """
    if mean <= 0 or not 0 <= zeros < 1:
        raise ValueError(
            f"a mean of {mean:g} with {zeros:.0%} zeros: a mean above 0 and fewer zeros are needed"
        )
    part = mean / (1 - zeros)
    variance = (sd**2 + mean**2) / (1 - zeros) - part**2
    if variance <= 0:
        raise ValueError(f"an SD of {sd:g} is too small for a mean of {mean:g} with {zeros:.0%} zeros")
    log_variance = math.log1p(variance / part**2)
    middles = (np.arange(ATOMS) + 0.5) / ATOMS
    tail = np.exp(math.log(part) - log_variance / 2 + math.sqrt(log_variance) * stats.norm.ppf(middles))
    return np.append(0.0, tail), np.append(zeros, np.full(ATOMS, (1 - zeros) / ATOMS))


def rank_power(control: int, treated: int, arms: Arms, alpha: float) -> float:
    """Power of the two-sided rank test by its large-sample formula."""
    n = control + treated
    pooled = (control * arms.control + treated * arms.treated) / n
    null = math.sqrt(max(1 - float((pooled**3).sum()), 0.0) * (n + 1) / (12 * control * treated))
    placed_control = np.cumsum(arms.treated) - arms.treated / 2
    placed_treated = np.cumsum(arms.control) - arms.control / 2
    spread = [
        float(p @ place**2) - float(p @ place) ** 2
        for p, place in ((arms.control, placed_control), (arms.treated, placed_treated))
    ]
    real = math.sqrt(max(spread[0] / control + spread[1] / treated, 1e-300))
    gap = abs(arms.less - 0.5) - stats.norm.ppf(1 - alpha / 2) * null
    return float(stats.norm.cdf(gap / real))


def are_power(control: int, treated: int, *, difference: float, sd: float, are: float, alpha: float) -> float:
    """Power of the rank test: that of a t test with ``are`` times as many patients."""
    from core.progression.planning.means import t_power

    error = sd * math.sqrt((1 / control + 1 / treated) / are)
    return t_power(abs(difference) / error, (control + treated) * are - 2, alpha)


def simulated(
    control: int, treated: int, arms: Arms, alpha: float, *, draws: int = DRAWS, seed: int = SEED
) -> dict[str, float]:
    """Power of rank test and t test in simulated trials: ``{"rank", "t", "draws", "seed"}``.

    Rank test with the normal approximation and ties, without continuity correction; a trial without any
    difference between patients counts as not significant.
    """
    rng = np.random.default_rng([seed, control, treated])
    per_block = max(1, min(draws, CHUNK // len(arms.values)))
    hits, done = np.zeros(2), 0
    while done < draws:
        size = min(per_block, draws - done)
        a = rng.multinomial(control, arms.control, size=size).astype(float)
        b = rng.multinomial(treated, arms.treated, size=size).astype(float)
        hits += (_rank_p(a, b) < alpha).sum(), (_t_p(a, b, arms.values) < alpha).sum()
        done += size
    return {"rank": hits[0] / draws, "t": hits[1] / draws, "draws": draws, "seed": seed}


def _rank_p(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """P of the rank test for counts of values, shape (trials, values)."""
    first, second = a.sum(axis=1), b.sum(axis=1)
    both = a + b
    n = first + second
    ranks = np.cumsum(both, axis=1) - (both - 1) / 2
    gap = (b * ranks).sum(axis=1) - second * (n + 1) / 2
    ties = ((both**3 - both).sum(axis=1)) / (n * (n - 1))
    variance = first * second / 12 * (n + 1 - ties)
    z = np.divide(np.abs(gap), np.sqrt(variance), out=np.zeros_like(gap), where=variance > 1e-9)
    return np.asarray(2 * stats.norm.sf(z))


def _t_p(a: np.ndarray, b: np.ndarray, values: np.ndarray) -> np.ndarray:
    """P of Student's t test for counts of values."""
    first, second = a.sum(axis=1), b.sum(axis=1)
    means = a @ values / first, b @ values / second
    within = a @ values**2 - first * means[0] ** 2 + b @ values**2 - second * means[1] ** 2
    df = first + second - 2
    error = np.sqrt(np.maximum(within, 0) / df * (1 / first + 1 / second))
    gap = np.abs(means[0] - means[1])
    t = np.divide(gap, error, out=np.zeros_like(gap), where=error > 1e-12)
    return np.asarray(2 * stats.t.sf(t, df))
