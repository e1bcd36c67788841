"""Simulated readers: what two people would score on the films of a phantom study.

Site by site: perceived severity = true severity + b(reader) + s(reader, patient, site) + v(reader, patient,
site, visit), rounded down to a grade and cut to 0-3. In paired reading s is the same at every visit and
cancels in the change, up to corners that it moves across a threshold. Errors grow where a corner is hard to
see, and a corner that can hardly be seen gets no grade.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.domain import ReadMode
from data.phantom.reader_spreads import ErrorOf, readers_like
from data.phantom.seeds import StudySeed
from data.phantom.spine.population import SITES, UNITS

REASONS = {
    "C7I": "hidden by the shoulders",
    "T1S": "hidden by the shoulders",
    "L5I": "hidden by the iliac wings",
    "S1S": "hidden by the iliac wings",
}
NOT_VISIBLE = "not visible on the film"


@dataclass(frozen=True)
class Reader:
    """How one person reads, in units of severity (1 is a whole grade).

    bias: b, constant shift.
    patient, site: spread of s, for a whole patient and for each corner.
    visit: spread of v, for each corner at each visit.
    blur: by how much the spreads grow from a clear corner (visibility 1) to a hidden one (0).
    gives_up: corners with less visibility than this get no grade.
    memory: correlation of s between two sessions: re-reads, and films of one patient read singly.
    """

    name: str
    bias: float
    patient: float = 0.22
    site: float = 0.43
    visit: float = 0.115
    blur: float = 1.0
    gives_up: float = 0.35
    memory: float = 0.6


READERS = (Reader("R1", bias=0.0), Reader("R2", bias=-0.06, gives_up=0.4))
GROWTH = (
    1.167  # root mean square of the factor of blur over the corners of 60 patients' films (visibility 0.83)
)
# A reader who knows the order of films compares them, so the error of a visit is smaller; expects damage to
# grow, so growth looks larger than it is; and leaves a corner that looks better than before at its grade
# with this chance.
CALMER, EXPECTS, KEEPS_WORST = 0.3, 1.6, 0.95


def alike(errors: Sequence[ErrorOf]) -> tuple[Reader, ...]:
    """Readers with these errors in grades."""
    return readers_like(errors, READERS[0], GROWTH)


def read_films(
    severity: np.ndarray,
    visibility: np.ndarray,
    study: StudySeed,
    reader: Reader,
    *,
    mode: ReadMode = ReadMode.PAIRED,
    read: int = 1,
    first: int = 1,
) -> np.ndarray:
    """Grades 0-3 as floats, NaN where the reader gives none; shape (patients, visits, 24 corners).

    severity: true grade + extent, shape (patients, visits, 24 corners).
    visibility: 0 (hidden) to 1, same shape; NaN where there is no film.
    read: 1, or 2 for a second session over the same films.
    A patient's reads do not depend on how many other patients there are.
    """
    patients, visits, _ = severity.shape
    noise = _stack([_draw(study, first + i, visits, reader, mode, read) for i in range(patients)])
    spread = 1.0 + reader.blur * (1.0 - np.nan_to_num(visibility, nan=1.0))
    knows_order = mode is ReadMode.CHRONOLOGICAL
    visit = reader.visit * (CALMER if knows_order else 1.0)
    error = reader.patient * noise["patient"] + reader.site * noise["site"] + visit * noise["visit"]
    seen = severity[:, :1] + EXPECTS * (severity - severity[:, :1]) if knows_order else severity
    perceived = seen + reader.bias + spread * error
    perceived[~(visibility >= reader.gives_up)] = np.nan
    grade = grades_of(perceived)
    return _keep_worst(grade, noise["keep"]) if knows_order else grade


def grades_of(perceived: np.ndarray) -> np.ndarray:
    """Grades of perceived severities, a bridge always in both corners of a unit; NaN stays NaN.

    Last axis: 24 corners, 2u and 2u + 1 facing each other. A unit is called bridged when its corners, those
    that can be seen, reach 3 on average; short of that a corner is at most 2.
    """
    pair = perceived.reshape(*perceived.shape[:-1], UNITS, 2)
    seen = np.isfinite(pair)
    middle = np.where(seen, pair, 0.0).sum(axis=-1) / np.maximum(seen.sum(axis=-1), 1)
    alone = np.clip(np.floor(pair), 0.0, 2.0)
    grade = np.where((middle >= 3.0)[..., None], 3.0, alone)
    return np.where(seen, grade, np.nan).reshape(perceived.shape)


def reads_frame(
    subjects: list[str], visits: list[str], grades: np.ndarray, visibility: np.ndarray
) -> pd.DataFrame:
    """Reads as rows subject, visit, site, grade (Int64, NA where not scorable), reason; only where there is
    a film.

    grades, visibility: shape (patients, visits, 24 corners), as in ``read_films``.
    """
    patients, orders, corners = grades.shape
    site = np.tile(SITES, patients * orders)
    frame = pd.DataFrame(
        {
            "subject": np.repeat(subjects, orders * corners),
            "visit": np.tile(np.repeat(visits, corners), patients),
            "site": site,
            "grade": pd.array(grades.ravel(), dtype="Float64").astype("Int64"),
            "reason": [REASONS.get(code, NOT_VISIBLE) for code in site],
        }
    )
    frame["reason"] = frame["reason"].where(frame["grade"].isna())
    return frame[np.isfinite(visibility.ravel())].reset_index(drop=True)


def _draw(
    study: StudySeed, number: int, visits: int, reader: Reader, mode: ReadMode, read: int
) -> dict[str, np.ndarray]:
    """Standard normal errors of one reader for one patient, shape (visits, 24), drawn visit by visit."""
    corners = len(SITES)
    rng = study.reader_rng(number, reader.name)
    habit = _persistent(rng)
    if read > 1:
        rng = study.reader_rng(number, f"{reader.name} read {read}")
        habit = _mixed(habit, _persistent(rng), reader.memory)
    drawn: dict[str, list[np.ndarray]] = {"patient": [], "site": [], "visit": [], "keep": []}
    for _ in range(visits):
        drawn["visit"].append(rng.normal(size=corners))
        drawn["keep"].append(rng.random(corners))
        anew = _mixed(habit, _persistent(rng), reader.memory)
        patient, site = anew if mode is ReadMode.SINGLE else habit
        drawn["patient"].append(np.full(corners, patient))
        drawn["site"].append(site)
    return {part: np.stack(values) for part, values in drawn.items()}


def _persistent(rng: np.random.Generator) -> tuple[float, np.ndarray]:
    """s as standard normals: one for the patient, one for each corner."""
    return rng.normal(), rng.normal(size=len(SITES))


def _mixed(
    old: tuple[float, np.ndarray], new: tuple[float, np.ndarray], memory: float
) -> tuple[float, np.ndarray]:
    """s at another session: correlated with what it was by ``memory``, variance kept."""
    fresh = float(np.sqrt(1.0 - memory**2))
    return memory * old[0] + fresh * new[0], memory * old[1] + fresh * new[1]


def _keep_worst(grade: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Grades of a reader who knows the order of films and hardly ever lets a corner get better."""
    kept = grade.copy()
    for order in range(1, grade.shape[1]):
        fell = (kept[:, order] < kept[:, order - 1]) & (chance[:, order] < KEEPS_WORST)
        kept[:, order] = np.where(fell, kept[:, order - 1], kept[:, order])
    return kept


def _stack(draws: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {part: np.stack([one[part] for one in draws]) for part in draws[0]}
