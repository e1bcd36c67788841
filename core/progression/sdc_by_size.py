"""Does the readers' error grow with the amount of change? The SDC within bands of |mean change|."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import stats

from core.agreement.estimate import estimate
from core.progression.sdc import reader_bias, smallest_detectable_change
from core.ties import TIE, tied

MEANING = (
    "SDC of the patients whose mean change has this size, whatever its direction. The study's one SDC is an "
    "average over all sizes: where the bands differ, it is too wide for patients who hardly change and too "
    "narrow for those who change much. A patient is put in a band by the same readings that the error comes "
    "from, so a small sample exaggerates the rise."
)


def sdc_by_size(change: np.ndarray, edges: Sequence[float] | None = None) -> dict[str, Any]:
    """SDC95 by size of change.

    change: shape (subjects, readers), complete (``Changes.complete``).
    edges: inner borders of the bands, rising, such as (0.5, 2): a size at a border belongs to the upper band.
    Without them the borders are the thirds of the sizes; equal ones fall together, so that there can be fewer
    bands where many patients have no change.
    Returns ``bands``: ``label, low, high, n, sdc95 {one_reader, mean_of_readers}, sdc95_ci`` (chi-square),
    ``bias`` with interval; ``trend``: Spearman correlation of size and disagreement (SD between readers) with
    p; ``n``, ``edges``, ``meaning`` and ``notes``. What cannot be computed is None.
    """
    subjects, readers = change.shape
    if subjects < 2 or readers < 2:
        why = f"{subjects} subjects and {readers} readers; 2 of each are needed"
        return {
            "bands": [],
            "trend": None,
            "n": subjects,
            "edges": [],
            "meaning": MEANING,
            "notes": {"bands": why},
        }
    size = np.abs(change.mean(axis=1))
    borders = _thirds(size) if edges is None else [float(edge) for edge in edges]
    place = np.digitize(size + TIE, borders)
    limits = [0.0, *borders, float(size.max())]
    bands = [
        _band(change[place == number], limits[number], limits[number + 1], is_last=number == len(borders))
        for number in range(len(borders) + 1)
    ]
    return {
        "bands": bands,
        "trend": _trend(size, change.std(axis=1, ddof=1)),
        "n": subjects,
        "edges": borders,
        "meaning": MEANING,
        "notes": {
            band["label"]: f"{band['n']} subjects: an SDC needs 2" for band in bands if band["sdc95"] is None
        },
    }


def _thirds(size: np.ndarray) -> list[float]:
    """The thirds of the sizes as borders above the smallest size, each once."""
    cuts = np.quantile(size, [1 / 3, 2 / 3])
    return [float(cut) for cut in np.unique(np.round(cuts, 9)) if cut > size.min() + TIE]


def _band(change: np.ndarray, low: float, high: float, *, is_last: bool) -> dict[str, Any]:
    found = smallest_detectable_change(change)
    readers = change.shape[1]
    return {
        "label": f"{low:.3g} or more" if is_last else f"{low:.3g} to below {high:.3g}",
        "low": low,
        "high": high,
        "n": len(change),
        "sdc95": {"one_reader": found.limit(), "mean_of_readers": found.limit(readers)} if found else None,
        "sdc95_ci": {
            "one_reader": list(found.interval()),
            "mean_of_readers": list(found.interval(readers)),
        }
        if found
        else None,
        "bias": estimate(*reader_bias(change)),
    }


def _trend(size: np.ndarray, spread: np.ndarray) -> dict[str, float] | None:
    if len(size) < 3 or np.ptp(size) == 0 or np.ptp(spread) == 0:
        return None
    found = stats.spearmanr(tied(size), tied(spread))
    return {"spearman": float(found.statistic), "p": float(found.pvalue)}
