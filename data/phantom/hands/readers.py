"""Simulated readers of hands and feet: what two people would score (the model of
``data.phantom.spine.readers``).

Perceived severity = true + b(reader) + s(reader, patient, joint) + v(reader, patient, joint, visit), cut to a
grade. In paired reading s is the same at all visits. Errors grow where a place is hard to see, and what can
hardly be seen gets no grade. An ankylosis or luxation is overlooked now and then, the same at every visit.
Spreads were set so that the change of the total has the published error: SDC 3.1 (mean of two), which is a
sigma of v of 1.58 units a reader (15 trials, 13 readers).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.phantom.hands.course import FINDING, UNITS, HandsCourse, grades
from data.phantom.hands.state import GRADED, NONE
from data.phantom.reader_spreads import ErrorOf, readers_like
from data.phantom.seeds import StudySeed

SITES = tuple(code for features in GRADED.values() for code in features.values())
LIFT = np.array([0, 4, 3, 4])
NOT_VISIBLE = "not visible on the film"
BLUR = 1.0  # by how much spreads grow from a clear place (visibility 1) to a hidden one (0)
GROWTH = 1.034  # root mean square of that factor over the joints of 60 patients' films (visibility 0.96)


@dataclass(frozen=True)
class HandsReader:
    """One person's spreads, in units of severity (1 is a grade); see ``data.phantom.spine.readers.Reader``.

    misses: chance to overlook a joint's ankylosis or luxation. gives_up: no grade below this visibility.
    memory: correlation of s between two sessions, and chance to overlook the same again.
    """

    name: str
    bias: float = 0.0
    patient: float = 0.1
    site: float = 0.28
    visit: float = 0.185
    misses: float = 0.06
    gives_up: float = 0.3
    memory: float = 0.6


HANDS_READERS = (HandsReader("R1"), HandsReader("R2", bias=-0.04, misses=0.09))


def alike(errors: Sequence[ErrorOf]) -> tuple[HandsReader, ...]:
    """Readers with these errors in grades."""
    return readers_like(errors, HANDS_READERS[0], GROWTH)


@dataclass(frozen=True)
class HandsReads:
    """What one reader says. grades: site code -> (patients, visits) as floats, NaN where the reader gives
    none. finding: (patients, visits, units) index into ``FINDING``, 0 where nothing is noticed.
    """

    grades: dict[str, np.ndarray]
    finding: np.ndarray


def read_joints(
    course: HandsCourse,
    study: StudySeed,
    reader: HandsReader,
    visibility: np.ndarray | None = None,
    *,
    read: int = 1,
    first: int = 1,
) -> HandsReads:
    """All films of these patients read in pairs, order blinded.

    visibility: (patients, visits, units) 0 to 1, NaN without a film; all clear if None. read: 1, or 2 for a
    second session over the same films. first: number of the first patient of the course. A patient's reads do
    not depend on how many others there are.
    """
    shape = course.finding.shape
    seen = np.ones(shape) if visibility is None else visibility
    noise = [_draw(study, first + i, shape[1], reader, read) for i in range(shape[0])]
    error = {name: np.stack([one[name] for one in noise]) for name in noise[0]}
    spread = 1.0 + BLUR * (1.0 - np.nan_to_num(seen, nan=1.0))
    hidden = ~(seen >= reader.gives_up)
    noticed = np.where(error["overlooked"] < reader.misses, 0, course.finding)
    eroded = _grade(course.erosion + reader.bias + spread * error["erosion"], 5)
    distal = _grade(course.distal_erosion + reader.bias + spread * error["distal"], 5)
    eroded += np.where(np.isnan(course.distal_erosion), 0, distal)  # only feet are graded on two sides
    narrowed = np.maximum(_grade(course.jsn + reader.bias + spread * error["jsn"], 3), LIFT[noticed])
    given = {}
    for i, unit in enumerate(UNITS):
        for feature, code in GRADED[unit].items():
            values = (eroded if feature == "erosion" else narrowed)[..., i]
            given[code] = np.where(hidden[..., i], np.nan, values)
    return HandsReads(given, np.where(hidden, 0, noticed))


def true_reads(course: HandsCourse) -> HandsReads:
    """The truth in the same shape: every site graded, every finding noticed."""
    return HandsReads({code: one.astype(float) for code, one in grades(course).items()}, course.finding)


def reads_frame(course: HandsCourse, reads: HandsReads, filmed: np.ndarray) -> pd.DataFrame:
    """Reads as rows subject, visit, site, feature, grade (Int64, NA where not scorable), reason.

    A finding at a joint is a row of its own with grade 1, at the joint's narrowing site (a thumb's IP: its
    erosion site). filmed: (patients, visits, units), where there is a film; others have no rows.
    """
    rows = []
    for patient, order in np.ndindex(filmed.shape[:2]):
        head = course.subjects[patient], course.visits[order]
        for i in np.flatnonzero(filmed[patient, order]):
            sites = GRADED[UNITS[i]]
            for feature, code in sites.items():
                grade = reads.grades[code][patient, order]
                given = pd.NA if np.isnan(grade) else int(grade)
                rows.append((*head, code, feature, given, NOT_VISIBLE if np.isnan(grade) else None))
            found = FINDING[reads.finding[patient, order, i]]
            if found != NONE:
                rows.append((*head, sites["jsn"] if "jsn" in sites else sites["erosion"], found, 1, None))
    frame = pd.DataFrame(rows, columns=["subject", "visit", "site", "feature", "grade", "reason"])
    return frame.astype({"grade": "Int64"})


def _grade(perceived: np.ndarray, highest: int) -> np.ndarray:
    return np.clip(np.floor(np.nan_to_num(perceived)), 0, highest)


def _draw(
    study: StudySeed, number: int, visits: int, reader: HandsReader, read: int
) -> dict[str, np.ndarray]:
    """Errors of one reader for one patient, each (visits, units), and what is overlooked."""
    rng = study.reader_rng(number, f"hands {reader.name}")
    habit = _persistent(rng, reader)
    if read > 1:
        rng = study.reader_rng(number, f"hands {reader.name} read {read}")
        habit = _remembered(habit, _persistent(rng, reader), rng, reader.memory)
    drawn = {name: np.empty((visits, len(UNITS))) for name in habit}
    for name, own in habit.items():
        drawn[name][:] = own
    for visit in range(visits):
        for name in ("erosion", "distal", "jsn"):
            drawn[name][visit] += reader.visit * rng.normal(size=len(UNITS))
    return drawn


def _persistent(rng: np.random.Generator, reader: HandsReader) -> dict[str, np.ndarray]:
    """What is the same at every visit of one session: s of each feature, and what is overlooked."""
    count = len(UNITS)
    patient = reader.patient * rng.normal()
    drawn = {"overlooked": rng.random((1, count))[0]}
    return drawn | {
        name: patient + reader.site * rng.normal(size=count) for name in ("erosion", "distal", "jsn")
    }


def _remembered(
    old: dict[str, np.ndarray], new: dict[str, np.ndarray], rng: np.random.Generator, memory: float
) -> dict[str, np.ndarray]:
    """s at another session, correlated with what it was by ``memory``, variance kept."""
    same = rng.random(len(UNITS)) < memory
    fresh = float(np.sqrt(1.0 - memory**2))
    mixed = {name: memory * old[name] + fresh * new[name] for name in new if name != "overlooked"}
    return mixed | {"overlooked": np.where(same, old["overlooked"], new["overlooked"])}
