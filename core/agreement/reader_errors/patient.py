"""Which part of a reader's error is the same at all sites of a patient.

Where it is, the differences of two readers at one site and at another of the same patient go together. Their
mean product, less what shifts and spreads make alone, is to first order the product of the slopes at which
grades follow a shift there, times the sum of both readers' variances over patients.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np

from core.agreement.estimate import Estimate, estimate
from core.agreement.reader_errors.latent import (
    Fitted,
    Grades,
    as_patterns,
    grade_chances,
    posterior,
    severities,
    slopes,
)
from core.agreement.reader_model import Bootstrap, ratios

USUAL = Bootstrap()


def patient_spread(fitted: Fitted, tables: Mapping[str, Grades], *, bootstrap: Bootstrap = USUAL) -> Estimate:
    """The spread over patients of one reader's error, in grades, the same for all readers.

    tables: those that ``fitted`` was made of. The interval draws patients; 0 where differences go together no
    more than chance has it. None where no patient has two sites that two readers graded.
    """
    sums = [_sums(fitted, tables, one, other) for one, other in combinations(range(len(fitted.shift)), 2)]
    above, below = (np.concatenate([pair[at] for pair in sums]) for at in (0, 1))
    patients = np.concatenate([pair[2] for pair in sums])
    if not below.sum() > 0:
        return estimate(None)
    clusters = Bootstrap(patients, bootstrap.draws, bootstrap.seed)
    found = ratios(above[:, None], below[:, None], patients, clusters)[0]
    variances = (found["estimate"], *found["ci"])
    return estimate(*(None if value is None else np.sqrt(max(value, 0.0)) for value in variances))


def _sums(
    fitted: Fitted, tables: Mapping[str, Grades], one: int, other: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each patient: the products of differences over pairs of sites less those that shifts and spreads
    alone make, and twice the products of slopes, which a variance is multiplied with; and the patient.
    """
    seen: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = []
    for name, table in tables.items():
        if name not in fitted.frequency:
            continue
        pair = table.given[:, [one, other]]
        both = ~np.isnan(pair).any(axis=1)
        slope, mean = _expected(fitted, name, table)
        apart, steep = mean[:, one] - mean[:, other], slope[:, [one, other]].mean(axis=1)
        seen.append(
            (pair[both, 0] - pair[both, 1], apart[both], steep[both], np.asarray(table.patients)[both])
        )
    if not seen:
        return np.zeros(0), np.zeros(0), np.zeros(0)
    difference, apart, steep, names = (np.concatenate(part) for part in zip(*seen, strict=True))
    patients, place = np.unique(names, return_inverse=True)
    found, by_shift, by_slope = (
        _over_pairs(values, place, len(patients)) for values in (difference, apart, steep)
    )
    return found - by_shift, 2 * by_slope, patients


def _over_pairs(values: np.ndarray, place: np.ndarray, count: int) -> np.ndarray:
    """(count,): sum of products over all pairs of different sites of a patient."""
    return np.asarray(np.bincount(place, values, count) ** 2 - np.bincount(place, values**2, count))


def _expected(fitted: Fitted, feature: str, table: Grades) -> tuple[np.ndarray, np.ndarray]:
    """(n, readers) each: expected slope and expected mean grade at each site, given all its grades."""
    grid = severities(table.maximum)
    patterns, place = np.unique(as_patterns(table.given), axis=0, return_inverse=True)
    readers = list(zip(fitted.shift, fitted.spread, strict=True))
    chances = [grade_chances(grid, shift, spread, table.maximum) for shift, spread in readers]
    steep = np.array([slopes(grid, shift, spread, table.maximum) for shift, spread in readers])
    mean = np.array([chance @ np.arange(table.maximum + 1) for chance in chances])
    after = posterior(patterns, fitted.frequency[feature], chances)[place.ravel()]
    return np.asarray(after @ steep.T), np.asarray(after @ mean.T)
