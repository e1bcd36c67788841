"""Simulated readers of hands and feet: what two people would score (the model of ``data.phantom.readers``).

Perceived severity = true + b(reader) + s(reader, patient, joint) + v(reader, patient, joint, visit), cut to a
grade. In paired reading s is the same at all visits. Errors grow where a place is hard to see, and what can
hardly be seen gets no grade. An ankylosis or luxation is overlooked now and then, the same at every visit.
Spreads were set so that the change of the total has the published error: SDC 3.1 (mean of two), which is a
sigma of v of 1.58 units a reader (domain.md E).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.phantom.hands.course import UNITS, HandsCourse
from data.phantom.hands.state import GRADED
from data.phantom.seeds import StudySeed

SITES = tuple(code for features in GRADED.values() for code in features.values())
LIFT = np.array([0, 4, 3, 4])
BLUR = 1.0  # by how much spreads grow from a clear place (visibility 1) to a hidden one (0)


@dataclass(frozen=True)
class HandsReader:
    """One person's spreads, in units of severity (1 is a grade); see ``data.phantom.readers.Reader``.

    misses: chance to overlook a joint's ankylosis or luxation. gives_up: no grade below this visibility.
    """

    name: str
    bias: float = 0.0
    patient: float = 0.1
    site: float = 0.28
    visit: float = 0.185
    misses: float = 0.06
    gives_up: float = 0.3


HANDS_READERS = (HandsReader("R1"), HandsReader("R2", bias=-0.04, misses=0.09))


def read_hands(
    course: HandsCourse,
    study: StudySeed,
    reader: HandsReader,
    visibility: np.ndarray | None = None,
    *,
    first: int = 1,
) -> dict[str, np.ndarray]:
    """Site code -> grades (patients, visits) as floats, NaN where the reader gives none.

    visibility: (patients, visits, units) 0 to 1, NaN without a film; all clear if None. first: number of the
    first patient of the course. A patient's reads do not depend on how many others there are.
    """
    shape = course.finding.shape
    seen = np.ones(shape) if visibility is None else visibility
    noise = [_draw(study, first + i, shape[1], reader) for i in range(shape[0])]
    error = {name: np.stack([one[name] for one in noise]) for name in noise[0]}
    spread = 1.0 + BLUR * (1.0 - np.nan_to_num(seen, nan=1.0))
    noticed = np.where(error["overlooked"] < reader.misses, 0, LIFT[course.finding])
    eroded = _grade(course.erosion + reader.bias + spread * error["erosion"], 5)
    eroded += _grade(np.nan_to_num(course.distal_erosion) + reader.bias + spread * error["distal"], 5)
    narrowed = np.maximum(_grade(course.jsn + reader.bias + spread * error["jsn"], 3), noticed)
    hidden = ~(seen >= reader.gives_up)
    grades = {}
    for i, unit in enumerate(UNITS):
        for feature, code in GRADED[unit].items():
            values = (eroded if feature == "erosion" else narrowed)[..., i]
            grades[code] = np.where(hidden[..., i], np.nan, values)
    return grades


def _grade(perceived: np.ndarray, highest: int) -> np.ndarray:
    return np.clip(np.floor(np.nan_to_num(perceived)), 0, highest)


def _draw(study: StudySeed, number: int, visits: int, reader: HandsReader) -> dict[str, np.ndarray]:
    """Errors of one reader for one patient, each (visits, units), and what is overlooked."""
    rng = study.rng(number, f"hands {reader.name}")
    count = len(UNITS)
    patient = reader.patient * rng.normal()
    drawn = {"overlooked": np.repeat(rng.random((1, count)), visits, axis=0)}
    habit = {name: patient + reader.site * rng.normal(size=count) for name in ("erosion", "distal", "jsn")}
    for name, own in habit.items():
        drawn[name] = np.empty((visits, count))
        drawn[name][:] = own
    for visit in range(visits):
        for name in habit:
            drawn[name][visit] += reader.visit * rng.normal(size=count)
    return drawn
