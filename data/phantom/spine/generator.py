"""The spine in a phantom study: lateral films scored by mSASSS, read by two simulated readers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from data.phantom.generators import Generator
from data.phantom.schedule import POOR, Patients, PlannedFilm, visibility
from data.phantom.seeds import StudySeed
from data.phantom.spine.conditions import WRONG_KINDS
from data.phantom.spine.population import REGIONS, SITES
from data.phantom.spine.readers import READERS, alike, read_films, reads_frame
from data.phantom.spine.tags import spine_tags

CORNER_COLUMNS = ("site", "x", "y", "grade", "extent", "visibility", "visible", "x0", "y0", "x1", "y1")
SYSTEM = "msasss"
DIGITS = 4  # of positions (pixels), extent and visibility


@dataclass(frozen=True)
class SpinePart:
    """The spines of a study; see ``generators.Part``."""

    patients: Patients

    @property
    def films(self) -> list[PlannedFilm]:
        return self.patients.conduct.films

    @cached_property
    def seen(self) -> np.ndarray:
        """Visibility of every corner, shape (patients, visits, 24), NaN where there is no film."""
        shape = self.patients.course.severity.shape
        return visibility(self.patients.study, self.films, shape, domain=self.patients.domain)

    def states(self, film: PlannedFilm) -> dict[str, tuple[int, float]]:
        severity = self.patients.course.severity[film.number, film.order]
        return {
            site: (int(min(value, 3)), float(value - min(int(value), 3)))
            for site, value in zip(SITES, severity, strict=True)
        }

    def reads(self, reader: str, read: int) -> pd.DataFrame:
        readers = self.patients.readers.get(SYSTEM, READERS)
        who = next(one for one in readers if one.name == reader)
        course = self.patients.course
        grades = read_films(course.severity, self.seen, self.patients.study, who, read=read)
        return reads_frame(self.patients.subjects, self.patients.visits, grades, self.seen)

    def truth(self) -> pd.DataFrame:
        truth = self.patients.course.truth[np.repeat(self.patients.conduct.came.ravel(), len(SITES))]
        return truth[["subject", "visit", "site", "grade"]]


def _render(
    study: StudySeed, domain: str, film: PlannedFilm, states: Mapping[str, Any]
) -> tuple[Any, list[dict[str, Any]]]:
    from data.phantom.spine.films import make_film

    about = (study.film_seed(), film.subject, film.seed_visit, film.view)
    drawn = make_film(*about, states, domain, poor=POOR, kind=film.kind)
    corners: Any = drawn.corners[list(CORNER_COLUMNS)].round(DIGITS)
    return drawn, corners.to_dict("records")


GENERATOR = Generator(
    system=SYSTEM,
    shows="spine",
    views=REGIONS,
    wrong_kinds=WRONG_KINDS,
    readers=tuple(reader.name for reader in READERS),
    tag="",
    labels="corners",
    label_columns=CORNER_COLUMNS,
    part=SpinePart,
    render=_render,
    dicom_tags=spine_tags,
    readers_like=alike,
)
