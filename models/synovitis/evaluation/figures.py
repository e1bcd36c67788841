"""Figures of classified pictures in the paper's terms, with intervals that draw patients.

Weighted AUC: each class against the rest, weighed by how often it is the true one, as scikit-learn's
``roc_auc_score(multi_class="ovr", average="weighted")`` has it; a class that does not occur has no weight. Of
two classes it is the area of the one named first. Balanced accuracy is the mean sensitivity of the classes
that occur (two at least), Spearman's correlation that of the answered and the true class.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.agreement.bootstrap import DRAWS, cluster_weights, percentiles
from core.agreement.diagnostics.auc import weighted_auc
from core.agreement.estimate import Estimate, estimate, number

MEASURES = ("auc", "balanced_accuracy", "spearman", "accuracy")
MIN_PATIENTS = 2  # of an interval
MAX_LOST = 0.05  # share of draws without a value above which there is no interval


@dataclass(frozen=True)
class Answers:
    """Pictures that a network answered. truth, answer (n,): places of classes; an answer below 0 is none.

    probabilities: (n, classes), None where only answers are known (readers). patients: (n,).
    """

    truth: np.ndarray
    answer: np.ndarray
    patients: np.ndarray
    classes: int
    probabilities: np.ndarray | None = None

    def of(self, kept: np.ndarray) -> Answers:
        """Those of a mask (n,)."""
        chances = None if self.probabilities is None else self.probabilities[kept]
        return Answers(self.truth[kept], self.answer[kept], self.patients[kept], self.classes, chances)


def figures(said: Answers, *, draws: int = DRAWS) -> dict[str, Any]:
    """n, patients, the measures with their intervals, AUC and sensitivity of each class, counts of true
    classes, and the table (answer by truth).
    """
    weights = np.ones((1, len(said.truth)))
    whole = _measures(said, weights)
    drawn = _drawn(said, draws) if len(set(said.patients.tolist())) >= MIN_PATIENTS and draws else {}
    table = _tables(said, weights)[0]
    return {
        "n": len(said.truth),
        "patients": len(set(said.patients.tolist())),
        **{name: _estimate(whole[name], drawn.get(name)) for name in MEASURES},
        "counts": table.sum(axis=0).astype(int).tolist(),
        "sensitivity": [number(value) for value in _sensitivities(table[None])[0]],
        "class_auc": [number(value) for value in _class_auc(said, weights)[0]],
        "table_given_by_true": table.astype(int).tolist(),
    }


def by_fold(said: Answers, part: np.ndarray) -> dict[str, Any]:
    """Mean and SD (n - 1) over folds of each measure. part (n,): the fold of each picture.

    folds: how many have a value; one without, as Spearman's where one grade is always answered, is left out.
    """
    values = [
        _measures(said.of(part == one), np.ones((1, int((part == one).sum())))) for one in _unique(part)
    ]
    return {name: _mean_sd([float(one[name][0]) for one in values]) for name in MEASURES}


def _mean_sd(values: list[float]) -> dict[str, Any]:
    known = [value for value in values if np.isfinite(value)]
    return {
        "mean": number(np.mean(known)) if known else None,
        "sd": float(np.std(known, ddof=1)) if len(known) > 1 else None,
        "folds": len(known),
        "values": [number(value) for value in values],
    }


def _unique(part: np.ndarray) -> list[Any]:
    return list(dict.fromkeys(sorted(part.tolist())))


def _measures(said: Answers, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Every measure under each row of weights, NaN where it does not exist."""
    tables = _tables(said, weights)
    n = tables.sum((-1, -2))
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "auc": _weighted_auc(said, weights),
            "balanced_accuracy": _balanced(_sensitivities(tables)),
            "spearman": spearman_of(tables),
            "accuracy": np.where(n > 0, np.trace(tables, axis1=-2, axis2=-1) / n, np.nan),
        }


def _tables(said: Answers, weights: np.ndarray) -> np.ndarray:
    """(draws, classes, classes) counts, rows the answer, columns the truth."""
    known = said.answer >= 0
    cell = said.answer[known] * said.classes + said.truth[known]
    spread = np.zeros((int(known.sum()), said.classes**2))
    spread[np.arange(len(cell)), cell] = 1
    found = weights[:, known] @ spread
    return np.asarray(found.reshape(-1, said.classes, said.classes))


def _sensitivities(tables: np.ndarray) -> np.ndarray:
    of_true = tables.sum(-2)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(of_true > 0, np.diagonal(tables, axis1=-2, axis2=-1) / of_true, np.nan))


def _balanced(sensitivities: np.ndarray) -> np.ndarray:
    """Their mean over the classes that occur; NaN where only one does, which any answer could suit."""
    known = np.isfinite(sensitivities)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(known, sensitivities, 0).sum(-1) / known.sum(-1)
    return np.asarray(np.where(known.sum(-1) > 1, means, np.nan))


def spearman_of(tables: np.ndarray) -> np.ndarray:
    """Spearman's correlation (mid-ranks) of two ordered classes from their tables (..., q, q)."""
    rows, columns = tables.sum(-1), tables.sum(-2)
    n = rows.sum(-1)[..., None]
    ranks = [np.cumsum(one, axis=-1) - one / 2 - n / 2 for one in (rows, columns)]
    together = np.einsum("...i,...ij,...j->...", ranks[0], tables, ranks[1])
    squares = [(ranks[0] ** 2 * rows).sum(-1), (ranks[1] ** 2 * columns).sum(-1)]
    below = np.sqrt(squares[0] * squares[1])
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(below > 0, together / below, np.nan))


def _class_auc(said: Answers, weights: np.ndarray) -> np.ndarray:
    """(draws, classes) area of each class against the rest; NaN where there are no probabilities."""
    if said.probabilities is None:
        return np.full((len(weights), said.classes), np.nan)
    found = [
        weighted_auc(said.truth == one, said.probabilities[:, one], weights) for one in range(said.classes)
    ]
    return np.stack(found, axis=1)


def _weighted_auc(said: Answers, weights: np.ndarray) -> np.ndarray:
    areas = _class_auc(said, weights)
    share = np.stack([(weights * (said.truth == one)).sum(axis=1) for one in range(said.classes)], axis=1)
    share = np.where(np.isfinite(areas), share, 0)
    total = share.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(total > 0, (np.nan_to_num(areas) * share).sum(axis=1) / total, np.nan))


def _drawn(said: Answers, draws: int) -> dict[str, np.ndarray]:
    blocks = [_measures(said, rows) for rows in cluster_weights(said.patients, draws=draws)]
    return {name: np.concatenate([block[name] for block in blocks]) for name in MEASURES}


def _estimate(value: np.ndarray, drawn: np.ndarray | None) -> Estimate:
    if drawn is None or np.isnan(drawn).mean() > MAX_LOST or np.isnan(value[0]):
        return estimate(value[0])
    (low, high), _ = percentiles(drawn)
    return estimate(value[0], low, high)


def constant(truth: np.ndarray, classes: int, answer: int = 0) -> dict[str, Any]:
    """Accuracy and balanced accuracy of who always gives one answer."""
    occurs = len(set(truth.tolist()))
    hit = truth == answer
    return {
        "answer": answer,
        "n": len(truth),
        "accuracy": number(hit.mean()) if len(truth) else None,
        "balanced_accuracy": 1 / occurs if hit.any() else (0.0 if occurs else None),
        "auc": 0.5 if occurs > 1 else None,
    }
