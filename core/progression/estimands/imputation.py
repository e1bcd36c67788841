"""Change at the visit of everyone: missing films put in under an assumption, arms compared by ANCOVA.

Every missing change is put in as its conditional mean given the patient's films; the comparison of arms is
linear, so this gives what multiple imputation gives with infinitely many imputations (Wolbers et al. 2022).
Under missing at random it is the contrast of the maximum likelihood MMRM.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan, sqrt

import numpy as np
from scipy import special

from core.progression.estimands.normal_model import NormalModel, fit, patterns, regression
from core.progression.estimands.panel import Panel

MAX_CELLS = 2_000_000  # sets x patients that are held at once


@dataclass(frozen=True)
class Level:
    """An estimate with a t interval; p two-sided, NaN without spread."""

    estimate: float
    se: float
    df: float
    low: float
    high: float
    p: float


@dataclass(frozen=True)
class Effects:
    """ANCOVA under one assumption: as estimated (first row) and with each patient left out in turn.

    means: (1 + n, arms) at mean baseline. shift: (1 + n, arms, arms), by how much the means of all arms rise
    when 1 is added to the missing changes of an arm (second axis). df: patients minus columns of the design.
    """

    means: np.ndarray
    shift: np.ndarray
    df: int
    converged: bool

    def mean(self, arm: int) -> Level:
        return jackknife(self.means[:, arm], self.df)

    def difference(self, arm: int, other: int, delta: float = 0.0, delta_other: float = 0.0) -> Level:
        """Arm minus other, with ``delta`` added to the arm's missing changes and another to the other's."""
        gap = self.means[:, arm] - self.means[:, other]
        raised = self.slope(arm, other, arm) * delta + self.slope(arm, other, other) * delta_other
        return jackknife(gap + raised, self.df)

    def slope(self, arm: int, other: int, shifted: int) -> np.ndarray:
        """Rise of arm minus other for 1 added to the missing changes of ``shifted``, (1 + n,)."""
        return np.asarray(self.shift[:, shifted, arm] - self.shift[:, shifted, other])


def jackknife(values: np.ndarray, df: float) -> Level:
    """values: the estimate, then the estimate without each patient in turn (Efron and Stein 1981)."""
    rest = values[1:]
    n = len(rest)
    se = sqrt((n - 1) / n * float(((rest - rest.mean()) ** 2).sum()))
    return level(float(values[0]), se, df)


def level(value: float, se: float, df: float) -> Level:
    half = float(special.stdtrit(df, 0.975)) * se
    p = float(2 * special.stdtr(df, -abs(value) / se)) if se > 0 else nan
    return Level(value, se, df, value - half, value + half, p)


def effects(panel: Panel, assumptions: list[str]) -> dict[str, Effects]:
    """The comparison of arms under each assumption by name, see ``strategies.ASSUMPTIONS``."""
    parts: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {name: [] for name in assumptions}
    converged = True
    for block in leave_one_out(len(panel.y)):
        model = fit(panel.y, panel.x, block)
        converged &= model.converged
        for name, found in parts.items():
            found.append(ancova(panel, filled(panel, model, name), block))
    df = len(panel.y) - panel.x.shape[1]
    return {
        name: Effects(
            np.concatenate([means for means, _ in found]),
            np.concatenate([shift for _, shift in found]),
            df,
            converged,
        )
        for name, found in parts.items()
    }


def leave_one_out(n: int) -> list[np.ndarray]:
    """Weights of everyone, then of everyone but each patient in turn, in blocks of sets."""
    weights = np.vstack([np.ones(n), 1.0 - np.eye(n)])
    return np.array_split(weights, max(1, len(weights) * n // MAX_CELLS))


def filled(panel: Panel, model: NormalModel, assumption: str) -> np.ndarray:
    """Change at the visit under every set of the model, shape (sets, n): seen, or the conditional mean."""
    target = panel.target
    found = np.tile(panel.y[:, target], (len(model.covariance), 1))
    for pattern in patterns(panel.y):
        if target in pattern.seen:
            continue
        rows, seen = pattern.rows, pattern.seen
        at_target, at_seen = profile(panel, model, rows, seen, assumption)
        if len(seen):
            slope = regression(model.covariance, seen, np.array([target]))
            at_target = at_target + ((panel.y[np.ix_(rows, seen)] - at_seen) @ slope)[:, :, 0]
        found[:, rows] = at_target
    return found


def profile(
    panel: Panel, model: NormalModel, rows: np.ndarray, seen: np.ndarray, assumption: str
) -> tuple[np.ndarray, np.ndarray]:
    """Means at the target, (sets, rows), and at the visits seen, (sets, rows, seen), that are assumed.

    A gap between two films is missing at random under every assumption; so is the reference arm.
    """
    own = panel.x[rows] @ model.coefficients
    reference = panel.x_reference[rows] @ model.coefficients
    target = panel.target
    last = int(seen.max()) if len(seen) else -1
    if assumption == "mar" or last > target:
        return own[:, :, target], own[:, :, seen]
    if assumption == "cr":
        return reference[:, :, target], reference[:, :, seen]
    if assumption == "cir" and last >= 0:
        step = reference[:, :, target] - reference[:, :, last]
        return own[:, :, last] + step, own[:, :, seen]
    return reference[:, :, target], own[:, :, seen]


def ancova(panel: Panel, change: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least squares means by arm, (sets, arms), and how they move with each arm's missing changes.

    change: (sets, n), at the visit. weights: (sets, n), patients counted so many times.
    """
    x, q = panel.x, panel.x.shape[1]
    squares = (weights @ (x[:, :, None] * x[:, None, :]).reshape(len(x), q * q)).reshape(-1, q, q)
    absent = np.array([panel.is_missing & (panel.arm == arm) for arm in range(len(panel.arms))], float)
    right = np.stack([(weights * change) @ x, *[(weights * one) @ x for one in absent]], axis=2)
    theta = np.linalg.solve(squares, right)
    levels = np.einsum("aq,sqk->ska", panel.at_arms, theta)
    return levels[:, 0], levels[:, 1:]
