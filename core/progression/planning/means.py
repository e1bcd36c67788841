"""Power of tests of a difference of means: t test, ANCOVA with baseline, MMRM at the last visit.

The t test by the noncentral t distribution (both tails, as R's power.t.test with ``strict = TRUE``). ANCOVA:
residual variance (1 - correlation^2) of that of the change, one degree of freedom less, and the mean loss
for an estimated slope, 1 + 1 / (N - 4), exact for a normal baseline. MMRM: Lu, Luo and Chen 2008 (Int J
Biostat 4:9, formula 3), with t in place of the normal distribution, degrees of freedom from the patients that
are left at the last visit.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import stats


def t_power(effect: float, df: float, alpha: float) -> float:
    """Power of a two-sided t test; effect: noncentrality, the difference over its standard error."""
    if df < 1:
        return 0.0
    limit = stats.t.ppf(1 - alpha / 2, df)
    upper = stats.nct.sf(limit, df, effect)
    lower = stats.nct.cdf(-limit, df, effect)
    found = np.nan_to_num(upper) + np.nan_to_num(lower)
    return float(found if np.isfinite(upper) else stats.norm.sf(limit - effect))


def t_test(control: int, treated: int, *, difference: float, sd: float, alpha: float) -> float:
    """Power of the t test of change with so many patients in the arms."""
    error = sd * math.sqrt(1 / control + 1 / treated)
    return t_power(abs(difference) / error, control + treated - 2, alpha)


def ancova(
    control: int, treated: int, *, difference: float, sd: float, correlation: float, alpha: float
) -> float:
    """Power of ANCOVA; correlation: of the change with the baseline value, within arms."""
    n = control + treated
    if n <= 4:
        return 0.0
    variance = sd**2 * (1 - correlation**2) * (1 / control + 1 / treated) * (1 + 1 / (n - 4))
    return t_power(abs(difference) / math.sqrt(variance), n - 3, alpha)


def mmrm(
    control: int,
    treated: int,
    *,
    difference: float,
    sd: float,
    correlation: float,
    between_visits: np.ndarray,
    retention: np.ndarray,
    alpha: float,
) -> float:
    """Power of the mixed model for the difference at the last visit, baseline as covariate.

    between_visits, retention: as in ``inflation``, the same in both arms.
    """
    factor = inflation(between_visits, retention)
    variance = sd**2 * (1 - correlation**2) * factor * (1 / control + 1 / treated)
    left = (control + treated) * float(retention[-1])
    if left <= 4:
        return 0.0
    variance *= 1 + 1 / (left - 4)
    return t_power(abs(difference) / math.sqrt(variance), left - 3, alpha)


def inflation(between_visits: np.ndarray, retention: np.ndarray) -> float:
    """How much dropout raises the variance of the mean at the last visit: phi of Lu, Luo and Chen; 1 without.

    between_visits: correlations between visits, shape (visits, visits). retention: share of patients who are
    still there at each visit, never rising; missing at random, once gone never back.
    """
    visits = len(retention)
    information = np.zeros((visits, visits))
    leaving = retention - np.append(retention[1:], 0.0)
    for seen in range(1, visits + 1):
        information[:seen, :seen] += leaving[seen - 1] * np.linalg.inv(between_visits[:seen, :seen])
    return float(np.linalg.inv(information)[-1, -1])


def exchangeable(visits: int, correlation: float) -> np.ndarray:
    """The same correlation between every two visits."""
    return np.full((visits, visits), correlation) + (1 - correlation) * np.eye(visits)


def steady_loss(visits: int, dropout: float) -> np.ndarray:
    """Retention at each visit when the same number leaves before every visit."""
    return 1 - dropout * np.arange(1, visits + 1) / visits
