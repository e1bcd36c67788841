"""A phantom study read by its simulated readers, as arrays: what the report and the calibration look at."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from core.domain import ReadMode
from core.scores.engine.totals import compute
from core.scores.msasss import MSASSS
from data.phantom.schedule import conduct, visibility
from data.phantom.seeds import StudySeed
from data.phantom.spine.course import Course, simulate, visit_codes
from data.phantom.spine.population import OASIS, SITES, Population
from data.phantom.spine.readers import READERS, Reader, read_films
from data.phantom.spine.validation.calibrate import MEAN_VISIBILITY


@dataclass
class Readings:
    """A course and how well its films show it; grades and totals are computed when they are asked for.

    seen: visibility of every corner, shape (patients, visits, 24), NaN where there is no film.
    """

    study: StudySeed
    course: Course
    seen: np.ndarray
    _grades: dict[tuple[str, ReadMode, int], np.ndarray] = field(default_factory=dict)
    _totals: dict[tuple[str, ReadMode, int], np.ndarray] = field(default_factory=dict)

    @property
    def true_grades(self) -> np.ndarray:
        """Grades that films are drawn from, shape (patients, visits, 24)."""
        return np.minimum(np.floor(self.course.severity), 3.0)

    @property
    def true_totals(self) -> np.ndarray:
        return self.true_grades.sum(axis=2)

    def grades(self, reader: Reader, mode: ReadMode = ReadMode.PAIRED, read: int = 1) -> np.ndarray:
        """Grades of one reader, NaN where not scorable, shape (patients, visits, 24)."""
        key = (reader.name, mode, read)
        if key not in self._grades:
            self._grades[key] = read_films(
                self.course.severity, self.seen, self.study, reader, mode=mode, read=read
            )
        return self._grades[key]

    def totals(self, reader: Reader, mode: ReadMode = ReadMode.PAIRED, read: int = 1) -> np.ndarray:
        """Totals of one reader, rule seg_mean, NaN where it gives none, shape (patients, visits)."""
        key = (reader.name, mode, read)
        if key not in self._totals:
            self._totals[key] = seg_mean_totals(self.grades(reader, mode, read))
        return self._totals[key]

    def both(self, mode: ReadMode = ReadMode.PAIRED) -> np.ndarray:
        """Totals of the two readers, shape (patients, visits, 2)."""
        return np.stack([self.totals(reader, mode) for reader in READERS], axis=2)

    def is_placebo(self) -> np.ndarray:
        return (self.course.subjects["arm"] == "Placebo").to_numpy()


def read_study(
    study: StudySeed, patients: int, visits: int = 3, population: Population = OASIS, *, films: bool = True
) -> Readings:
    """The study read; films=False takes every film as taken and every corner as equally clear."""
    course = simulate(study, patients, visits, population)
    shape = course.severity.shape
    if not films:
        return Readings(study, course, np.full(shape, MEAN_VISIBILITY))
    return Readings(study, course, visibility(study, conduct(study, course).films, shape))


def seg_mean_totals(grades: np.ndarray) -> np.ndarray:
    """Totals by the rule engine of the product, shape (patients, visits), NaN where the rule gives none."""
    patients, visits, corners = grades.shape
    names = [f"{number:05d}" for number in range(patients)]
    frame = pd.DataFrame(
        {
            "subject": np.repeat(names, visits * corners),
            "visit": np.tile(np.repeat(visit_codes(visits), corners), patients),
            "reader": "R",
            "site": np.tile(SITES, patients * visits),
            "grade": pd.array(grades.ravel(), dtype="Float64").astype("Int64"),
        }
    )
    totals = compute(frame, MSASSS, "seg_mean").totals
    wide = totals.pivot(index="subject", columns="visit", values="total")
    return wide.reindex(index=names, columns=visit_codes(visits)).to_numpy(dtype=float)
