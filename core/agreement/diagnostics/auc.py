"""Area under the ROC curve: DeLong's interval for independent cases, a patient bootstrap for clustered ones.

Sources: DeLong 1988 (doi:10.2307/2531595) through mid-ranks, Sun and Xu 2014
(doi:10.1109/LSP.2014.2337313). Ties count one half. Intervals are cut to 0..1. An area of exactly 1 or 0 has
no spread that could be seen: there the limit is that of ``rank_limits``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from core.agreement.bootstrap import DRAWS, SEED, cluster_weights, percentiles
from core.agreement.correlation import midranks
from core.agreement.estimate import MISSING, Z95, estimate, number

RANKS = "ranks, Newcombe 2006"
EDGE = "all cases are told apart: the interval is from their numbers alone"


def auc(
    labels: Any, scores: Any, *, clusters: Any = None, draws: int = DRAWS, seed: int = SEED
) -> dict[str, Any]:
    """AUC with its interval: DeLong, or a bootstrap of patients where ``clusters`` names them.

    labels: shape (n,), true for cases with the finding. scores: shape (n,), higher for more likely.
    Returns estimate, ci, ranks (limits that hold near 1 as well, independent cases only), se, method,
    n_positive, n_negative and notes. None without cases of both kinds.
    """
    labels, scores = np.asarray(labels).astype(bool), np.asarray(scores, dtype=float)
    sizes = {"n_positive": int(labels.sum()), "n_negative": int((~labels).sum())}
    if not all(sizes.values()):
        note = {"auc": "cases with and without the finding are needed"}
        return dict(MISSING) | {"ranks": None, "se": None, "method": None} | sizes | {"notes": note}
    value, positive, negative = _components(labels, scores)
    if clusters is not None:
        return _bootstrap(labels, scores, clusters, draws, seed, value) | sizes
    se = _se(positive, negative)
    ranks = list(rank_limits(value, len(positive), len(negative)))
    if value in (0.0, 1.0):
        found = estimate(value, *ranks) | {"ranks": ranks, "se": number(se), "method": RANKS}
        return found | sizes | {"notes": {"auc": EDGE}}
    found = estimate(value, *_cut(value, se)) | {"ranks": ranks}
    notes = {} if number(se) is not None else {"auc": "an interval needs two cases of each kind"}
    return found | {"se": number(se), "method": "DeLong"} | sizes | {"notes": notes}


def rank_limits(value: float, positive: int, negative: int) -> tuple[float, float]:
    """95% limits of an area from the numbers of cases alone, by a variance that is that at the limit.

    Source: Newcombe 2006 (doi:10.1002/sim.2324), method 5: as Wilson's interval of a proportion, with the
    variance of Hanley and McNeil, in which both numbers of cases are replaced by their mean. At an area of 1
    the upper limit is 1 and the lower one is not.
    """
    return _solved(value, positive, negative, 0.0), _solved(value, positive, negative, 1.0)


def _solved(value: float, m: int, n: int, end: float) -> float:
    """Where between the value and the end the distance is 1.96 standard errors."""
    inner, outer = value, end
    many = (m + n) / 2 - 1
    for _ in range(60):
        area = (inner + outer) / 2
        scale = 1 + many * ((1 - area) / (2 - area) + area / (1 + area))
        reach = Z95 * np.sqrt(area * (1 - area) * scale / (m * n))
        inner, outer = (area, outer) if abs(value - area) < reach else (inner, area)
    return float((inner + outer) / 2) if end != value else value


def weighted_auc(labels: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """AUC under each row of case weights, shape (draws,); NaN where a draw lacks one kind of case.

    weights: shape (draws, n).
    """
    values, place = np.unique(scores, return_inverse=True)
    positive = _by_value(weights * labels, place, len(values))
    negative = _by_value(weights * ~labels, place, len(values))
    below = np.cumsum(negative, axis=1) - negative / 2
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(pairs > 0, (positive * below).sum(axis=1) / pairs, np.nan)


def _by_value(weights: np.ndarray, place: np.ndarray, values: int) -> np.ndarray:
    from scipy.sparse import csr_array

    n = len(place)
    gather = csr_array((np.ones(n), (place, np.arange(n))), shape=(values, n))
    return (gather @ weights.T).T


def _components(labels: np.ndarray, scores: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """AUC, and for each positive (negative) case the share of the other kind on its right side."""
    everyone = midranks(scores)
    positive, negative = scores[labels], scores[~labels]
    m, n = len(positive), len(negative)
    of_positive = (everyone[labels] - midranks(positive)) / n
    of_negative = 1 - (everyone[~labels] - midranks(negative)) / m
    return float(of_positive.mean()), of_positive, of_negative


def _se(positive: np.ndarray, negative: np.ndarray) -> float:
    if len(positive) < 2 or len(negative) < 2:
        return float("nan")
    return float(np.sqrt(positive.var(ddof=1) / len(positive) + negative.var(ddof=1) / len(negative)))


def _cut(value: float, se: float) -> tuple[float, float]:
    return max(value - Z95 * se, 0.0), min(value + Z95 * se, 1.0)


def _bootstrap(
    labels: np.ndarray, scores: np.ndarray, clusters: Any, draws: int, seed: int, value: float
) -> dict[str, Any]:
    if value in (0.0, 1.0):  # so has every draw: each patient counts as one case of either kind
        who = np.asarray(clusters)
        limits = rank_limits(value, len(np.unique(who[labels])), len(np.unique(who[~labels])))
        return estimate(value, *limits) | {"ranks": None, "se": None, "method": RANKS, "notes": {"auc": EDGE}}
    found = np.concatenate(
        [weighted_auc(labels, scores, rows) for rows in cluster_weights(clusters, draws=draws, seed=seed)]
    )
    interval, lost = percentiles(found)
    notes = {"bootstrap": f"{draws} draws of patients, seed {seed}, {lost} without a value"}
    return estimate(value, *interval) | {
        "ranks": None,
        "se": number(np.nanstd(found)),
        "method": "patient bootstrap",
        "notes": notes,
    }
