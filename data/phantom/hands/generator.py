"""Hands and feet in a phantom study: films of both scored by mTSS, read by two simulated readers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from data.phantom.generators import Generator
from data.phantom.hands.conditions import VIEWS, WRONG_KINDS
from data.phantom.hands.course import HandsCourse, simulate_hands
from data.phantom.hands.labels import SITE_COLUMNS, site_rows
from data.phantom.hands.readers import HANDS_READERS, alike, read_joints, reads_frame, true_reads
from data.phantom.hands.schedule import conduct_hands, hands_visibility
from data.phantom.hands.state import JointState
from data.phantom.hands.tags import limb_tags
from data.phantom.schedule import POOR, Patients, PlannedFilm
from data.phantom.seeds import StudySeed

SYSTEM = "mtss"
DIGITS = 4  # of positions (pixels), gaps (mm) and visibility


@dataclass(frozen=True)
class HandsPart:
    """Hands and feet of the same patients, filmed at the same visits; see ``generators.Part``."""

    patients: Patients

    @cached_property
    def course(self) -> HandsCourse:
        return simulate_hands(self.patients.study, len(self.patients.subjects), len(self.patients.visits))

    @cached_property
    def films(self) -> list[PlannedFilm]:
        return conduct_hands(self.patients.study, self.course, self.patients.conduct)

    @cached_property
    def seen(self) -> np.ndarray:
        """Visibility of every joint, shape (patients, visits, 56 units), NaN where there is no film."""
        return hands_visibility(self.patients.study, self.course, self.films, domain=self.patients.domain)

    def states(self, film: PlannedFilm) -> Mapping[str, JointState]:
        return self.course.states(film.number, film.order)

    def reads(self, reader: str, read: int) -> pd.DataFrame:
        readers = self.patients.readers.get(SYSTEM, HANDS_READERS)
        who = next(one for one in readers if one.name == reader)
        reads = read_joints(self.course, self.patients.study, who, self.seen, read=read)
        return reads_frame(self.course, reads, np.isfinite(self.seen))

    def truth(self) -> pd.DataFrame:
        took_place = np.broadcast_to(self.patients.conduct.came[..., None], self.course.finding.shape)
        return reads_frame(self.course, true_reads(self.course), took_place).drop(columns="reason")


def _render(
    study: StudySeed, domain: str, film: PlannedFilm, states: Mapping[str, Any]
) -> tuple[Any, list[dict[str, Any]]]:
    from data.phantom.hands.films import make_hand_film

    about = (study.film_seed(), film.subject, film.seed_visit, film.view)
    drawn = make_hand_film(*about, states, domain, poor=POOR, kind=film.kind)
    return drawn, site_rows(drawn.joints.round(DIGITS))


GENERATOR = Generator(
    system=SYSTEM,
    shows="hands and feet",
    views=VIEWS,
    wrong_kinds=WRONG_KINDS,
    readers=tuple(reader.name for reader in HANDS_READERS),
    tag="_mtss",
    labels="joints",
    label_columns=SITE_COLUMNS,
    part=HandsPart,
    render=_render,
    dicom_tags=limb_tags,
    readers_like=alike,
)
