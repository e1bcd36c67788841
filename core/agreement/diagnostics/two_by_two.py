"""A 2 x 2 table of a yes/no finding against its reference: the figures a validation table holds.

Wilson intervals for proportions.
"""

from __future__ import annotations

import math
from typing import Any

from core.agreement.estimate import MISSING, Z95, Estimate, estimate
from core.agreement.grades.kappa import kappa
from core.agreement.proportion import proportion


def diagnostic(tp: int, fn: int, fp: int, tn: int) -> dict[str, Any]:
    """Sensitivity, specificity, PPV, NPV, accuracy, prevalence (Wilson), and what follows from the table.

    Returns each as {estimate, ci}; also balanced_accuracy, f1, kappa, mcc, lr_positive, lr_negative, counts
    and notes {key: reason}. A share of nothing is None.
    Raises ValueError for a negative count.
    """
    counts = {"tp": tp, "fn": fn, "fp": fp, "tn": tn}
    if min(counts.values()) < 0:
        raise ValueError(f"counts are {counts}; none may be negative")
    sensitivity, specificity = proportion(tp, tp + fn), proportion(tn, tn + fp)
    result: dict[str, Any] = {
        "sensitivity": sensitivity,
        "specificity": specificity,
        "ppv": proportion(tp, tp + fp),
        "npv": proportion(tn, tn + fn),
        "accuracy": proportion(tp + tn, tp + fn + fp + tn),
        "prevalence": proportion(tp + fn, tp + fn + fp + tn),
        "balanced_accuracy": _balanced(tp, fn, fp, tn),
        "f1": _share(2 * tp, 2 * tp + fp + fn),
        "kappa": kappa([[tp, fn], [fp, tn]], [1, 0]),
        "mcc": _share(tp * tn - fp * fn, math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))),
        "lr_positive": _likelihood_ratio(tp, tp + fn, fp, fp + tn),
        "lr_negative": _likelihood_ratio(fn, tp + fn, tn, fp + tn),
    }
    return result | {"counts": counts, "n": sum(counts.values()), "notes": _notes(result)}


def _share(above: float, below: float) -> Estimate:
    return estimate(above / below) if below else dict(MISSING)


def _balanced(tp: int, fn: int, fp: int, tn: int) -> Estimate:
    """Mean of sensitivity and specificity; interval by variance recovery from their Wilson limits."""
    if not tp + fn or not tn + fp:
        return dict(MISSING)
    parts = proportion(tp, tp + fn), proportion(tn, tn + fp)
    value = sum(part["estimate"] for part in parts) / 2
    down = math.hypot(*(part["estimate"] - part["ci"][0] for part in parts)) / 2
    up = math.hypot(*(part["ci"][1] - part["estimate"] for part in parts)) / 2
    return estimate(value, value - down, value + up)


def _likelihood_ratio(a: int, of_diseased: int, b: int, of_healthy: int) -> Estimate:
    """(a / diseased) / (b / healthy), log interval (Simel 1991); no interval where a count is 0."""
    if not of_diseased or not of_healthy or not b:
        return dict(MISSING)
    value = (a / of_diseased) / (b / of_healthy)
    if not a:
        return estimate(value)
    half = Z95 * math.sqrt(1 / a - 1 / of_diseased + 1 / b - 1 / of_healthy)
    return estimate(value, value * math.exp(-half), value * math.exp(half))


def _notes(result: dict[str, Any]) -> dict[str, str]:
    return {
        name: "it divides by 0 in this table" for name, value in result.items() if value["estimate"] is None
    }
