"""Fit the phantom's parameters to published figures: ``python -m data.phantom.spine.validation.calibrate``
prints them.

Nothing runs this in daily use: what it printed stands in ``population.py`` and ``readers.py``. Damage at
baseline is fitted by quantiles, growth and reader errors together by a simplex search, all on tuning
patients.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy.optimize import minimize

from core.agreement.icc import icc
from core.domain import ReadMode
from data.phantom.seeds import StudyRole, StudySeed
from data.phantom.spine.course import ARMS, baseline_latent, draw_patient, severity_course, stack
from data.phantom.spine.population import OASIS, REGIONS, SITES, UNITS, Population
from data.phantom.spine.readers import READERS, Reader, read_films

HOSPITAL = np.array(  # msasss_corner_counts.csv: counts of grades 0-3 by region and corner of the pair
    [[[17, 127, 167, 37], [42, 190, 81, 35]], [[20, 167, 99, 62], [29, 161, 97, 61]]]
)
OASIS_MEAN = 11.6
MEAN_VISIBILITY = 0.83  # of corners on the phantom's films
TARGETS = {  # figure: (value, tolerance)
    "order known, placebo: mean change": (2.0, 0.1),
    "order known, placebo: spread of change": (3.5, 0.3),
    "order known, placebo: no progression": (0.39, 0.08),
    "order known, placebo: 5 units or more": (0.12, 0.02),
    "paired: status ICC": (0.935, 0.005),
    "paired: change ICC": (0.67, 0.03),
    "paired: SDC": (2.0, 0.08),
}


def target_frequencies() -> np.ndarray:
    """Share of grades 0-3 by region and corner of the pair, shape (2, 2, 4).

    The mix of grades 1-3 is the hospital set's; its share of damaged corners (92%) is scaled down to the
    mean total of OASIS. A bridge counts in both corners, so the two shares of grade 3 are averaged.
    """
    share = HOSPITAL / HOSPITAL.sum(axis=2, keepdims=True)
    share[:, :, 3] = share[:, :, 3].mean(axis=1, keepdims=True)
    total = (share @ np.arange(4)).sum() * len(SITES) / 4
    share = share * OASIS_MEAN / total
    share[:, :, 0] = 1.0 - share[:, :, 1:].sum(axis=2)
    return share


def fit_thresholds(population: Population, latent: np.ndarray) -> Population:
    """The population with thresholds that give the target frequencies; latent: shape (patients, 24)."""
    target = target_frequencies()
    pair = latent.reshape(len(latent), len(REGIONS), UNITS // 2, 2)
    middle = pair.mean(axis=3)
    bridge = [float(np.quantile(middle[:, r], 1.0 - target[r, :, 3].mean())) for r in range(len(REGIONS))]
    erosion, syndesmophyte = np.zeros((2, 2)), np.zeros((2, 2))
    for region, corner in np.ndindex(2, 2):
        values, is_open = pair[:, region, :, corner], middle[:, region] <= bridge[region]
        grown = target[region, corner, 2] * values.size / is_open.sum()
        erosion[region, corner] = np.quantile(values, target[region, corner, 0])
        syndesmophyte[region, corner] = np.quantile(values[is_open], 1.0 - grown)
    fitted: dict[str, Any] = {
        "erosion": tuple(map(tuple, erosion.tolist())),
        "syndesmophyte": tuple(map(tuple, syndesmophyte.tolist())),
        "bridge": tuple(bridge),
    }
    return replace(population, baseline=replace(population.baseline, **fitted))


def fit_growth_and_readers(
    population: Population, readers: tuple[Reader, ...], *, patients: int = 4000, seed: int = 101
) -> tuple[Population, tuple[Reader, ...]]:
    """Rate and pace of the growth and the spreads of the readers, fitted to TARGETS by a simplex search."""

    def unpack(values: np.ndarray) -> tuple[Population, tuple[Reader, ...]]:
        rate, pace, patient, site, visit = (float(value) for value in values)
        grown = replace(population.growth, rate=rate, patient=pace)
        fitted = tuple(replace(reader, patient=patient, site=site, visit=visit) for reader in readers)
        return replace(population, growth=grown), fitted

    def loss(values: np.ndarray) -> float:
        found = figures(*unpack(values), patients=patients, seed=seed)
        return sum(((found[name] - value) / tolerance) ** 2 for name, (value, tolerance) in TARGETS.items())

    reader = readers[0]
    start = np.array(
        [population.growth.rate, population.growth.patient, reader.patient, reader.site, reader.visit]
    )
    simplex = np.vstack([start, *(start * (1.0 + 0.1 * step) for step in np.eye(len(start)))])
    options: Any = {"initial_simplex": simplex, "maxfev": 150, "xatol": 0.003, "fatol": 0.02}
    return unpack(minimize(loss, start, method="Nelder-Mead", options=options).x)


def figures(
    population: Population, readers: tuple[Reader, ...], *, patients: int, seed: int
) -> dict[str, float]:
    """The figures of TARGETS over 104 weeks on tuning patients, all corners equally clear."""
    study = StudySeed(StudyRole.TUNE, seed)
    draws = stack([draw_patient(study, number, 3, population) for number in range(1, patients + 1)])
    severity = severity_course(draws, population)[:, ::2]
    clear = np.full(severity.shape, MEAN_VISIBILITY)
    known, paired = (
        np.stack([read_films(severity, clear, study, one, mode=mode).sum(axis=2) for one in readers], axis=2)
        for mode in (ReadMode.CHRONOLOGICAL, ReadMode.PAIRED)
    )
    placebo = (known[:, 1] - known[:, 0]).mean(axis=1)[draws["arm"] == ARMS.index("Placebo")]
    change = paired[:, 1] - paired[:, 0]
    return {
        "order known, placebo: mean change": float(placebo.mean()),
        "order known, placebo: spread of change": float(placebo.std(ddof=1)),
        "order known, placebo: no progression": float((placebo <= 0).mean()),
        "order known, placebo: 5 units or more": float((placebo >= 5).mean()),
        "paired: status ICC": icc(paired[:, 0])["forms"]["ICC(A,1)"]["estimate"],
        "paired: change ICC": icc(change)["forms"]["ICC(A,1)"]["estimate"],
        "paired: SDC": float(0.98 * np.diff(change, axis=1).std(ddof=1)),
    }


def main() -> None:
    study = StudySeed(StudyRole.TUNE, 77)
    draws = stack([draw_patient(study, number, 1, OASIS) for number in range(1, 20_001)])
    population = fit_thresholds(OASIS, baseline_latent(draws, OASIS))
    population, readers = fit_growth_and_readers(population, READERS)
    print(population.baseline, population.growth, *readers, sep="\n")
    for name, value in figures(population, readers, patients=10_000, seed=102).items():
        print(f"{name}: {value:.3f} (target {TARGETS[name][0]})")


if __name__ == "__main__":
    main()
