"""Joint ultrasound in a phantom study: some of its patients are scanned, three simulated readers grade."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from data.phantom.generators import Generator
from data.phantom.schedule import MISSES_FILM, Patients, PlannedFilm
from data.phantom.seeds import StudySeed, derived_seed
from data.phantom.ultrasound.dicom import Taken, write_scan
from data.phantom.ultrasound.patients import SIDES, Patient, make_patient
from data.phantom.ultrasound.readers import READERS, alike, read_visits, true_grades
from data.phantom.ultrasound.scans import MODES, Body, body_of, draw_scan
from data.phantom.ultrasound.wrong import KINDS, draw_wrong

EVERY, FIRST = 4, 2  # patients 3, 7, 11 ... are scanned at every visit that they come to
JOINTS = tuple((side, joint) for side in SIDES for joint in ("WR", "MCP2", "MCP3", "PIP2", "PIP3"))
VIEWS = {f"us_{side}_{joint}_{mode}": (side, joint, mode) for side, joint in JOINTS for mode in MODES}
MISSES_SCAN, WRONG_EXTRA = MISSES_FILM, 0.2
CINE, FRAMES = 0.1, 8  # share of power Doppler that comes as a cine, and its frames
COLUMNS = (
    "side", "joint", "mode", "device", "frames", "gs", "pd", "synovium_mm2", "beyond_line_mm", "flow_share",
    "diagnosis", "mirrored", "effusion_mm", "sheath_mm", "erosions",
)  # fmt: skip


@dataclass(frozen=True)
class UltrasoundPart:
    """The ultrasound of a study; see ``generators.Part``."""

    patients: Patients

    @cached_property
    def people(self) -> dict[int, Patient]:
        """Those who are scanned, by their place in the course."""
        places = range(FIRST, len(self.patients.subjects), EVERY)
        return {place: _person(self.patients.study, place, self.patients.domain) for place in places}

    def weeks(self, place: int) -> dict[float, str]:
        """Weeks after baseline of the visits that a patient came to, and their codes."""
        return {
            _week(day): visit
            for day, visit in zip(self.patients.conduct.days[place], self.patients.visits, strict=True)
            if np.isfinite(day)
        }

    @cached_property
    def films(self) -> list[PlannedFilm]:
        return [film for place, person in self.people.items() for film in self._of(place, person)]

    def _of(self, place: int, person: Patient) -> list[PlannedFilm]:
        """The scans of one patient: a few are not taken, now and then one is sent by mistake as well."""
        rng = self.patients.study.rng(person.number, "us:conduct")
        days = self.patients.conduct.days[place]
        start, planned = self.patients.conduct.start[place], []
        for order, (day, visit) in enumerate(zip(days, self.patients.visits, strict=True)):
            wrong, not_taken = rng.random(), rng.random(len(VIEWS)) < MISSES_SCAN
            wrong_view, wrong_kind = int(rng.integers(len(VIEWS))), int(rng.integers(len(KINDS)))
            if not np.isfinite(day):
                continue
            date = (start + dt.timedelta(days=int(day))).strftime("%Y%m%d")
            kinds: list[tuple[str, str | None]] = [
                (view, None) for view, gone in zip(VIEWS, not_taken, strict=True) if not gone
            ]
            if wrong < WRONG_EXTRA:
                kinds.append((list(VIEWS)[wrong_view], KINDS[wrong_kind]))
            planned += [
                PlannedFilm(person.subject, visit, view, place, order, date, kind) for view, kind in kinds
            ]
        return planned

    def states(self, film: PlannedFilm) -> dict[str, float]:
        """The week of the visit, from which the inflammation follows."""
        return {"week": _week(self.patients.conduct.days[film.number, film.order])}

    @cached_property
    def bodies(self) -> dict[int, dict[float, dict[tuple[str, str], Body]]]:
        """Every joint at each visit of each patient (place, week)."""
        return {
            place: {week: {one: body_of(person, *one, week) for one in JOINTS} for week in self.weeks(place)}
            for place, person in self.people.items()
        }

    def reads(self, reader: str, read: int) -> pd.DataFrame:
        """Both scales of every joint that was scanned, each from scans of its mode."""
        readers = self.patients.readers.get(GENERATOR.system, READERS)
        who = next(one for one in readers if one.name == reader)
        taken = {(film.subject, film.visit, film.view) for film in self.films if film.kind is None}
        found = []
        for place, person in self.people.items():
            frame = read_visits(person, self.bodies[place], who, read=read)
            frame["subject"], frame["visit"] = person.subject, frame["week"].map(self.weeks(place))
            modes = frame["feature"].map({"gs": "B", "pd": "PD"})
            views = "us_" + frame["side"] + "_" + frame["joint"] + "_" + modes
            shown = [key in taken for key in zip(frame["subject"], frame["visit"], views, strict=True)]
            found.append(frame[shown])
        return _as_rows(found).assign(reason=None)

    def truth(self) -> pd.DataFrame:
        found = [
            true_grades(joints.items()).assign(subject=person.subject, visit=self.weeks(place)[week])
            for place, person in self.people.items()
            for week, joints in self.bodies[place].items()
        ]
        return _as_rows(found)


def _as_rows(found: list[pd.DataFrame]) -> pd.DataFrame:
    columns = ["subject", "visit", "site", "feature", "grade"]
    return pd.concat(found, ignore_index=True)[columns] if found else pd.DataFrame(columns=columns)


def _person(study: StudySeed, place: int, domain: str) -> Patient:
    return make_patient(study, place + 1, domain=domain, joints=JOINTS)


def _week(day: float) -> float:
    return float(round(float(day) / 7))


def _render(
    study: StudySeed, domain: str, film: PlannedFilm, states: Mapping[str, Any]
) -> tuple[Taken, list[dict[str, Any]]]:
    person, (side, joint, mode) = _person(study, film.number, domain), VIEWS[film.view]
    seed = derived_seed(study.film_seed(), film.subject, film.seed_visit, film.view)
    if film.kind is not None:
        screen, words = draw_wrong(person.machine, film.kind, seed)
        return Taken(screen, person.machine, words.mode, "", "", film.view, film.kind), []
    is_cine = mode == "PD" and np.random.default_rng(seed).random() < CINE
    drawn = draw_scan(person, side, joint, states["week"], mode, frames=FRAMES if is_cine else 1)
    body = drawn.body
    row = dict(
        zip(
            COLUMNS,
            (
                side, joint, mode, person.machine.device, len(drawn.screen.colour), body.gs, body.pd,
                round(body.measures.area, 2), round(body.measures.beyond, 2), round(body.flow.share, 3),
                person.disease, drawn.settings.mirrored, round(body.state.effusion, 2),
                round(body.state.sheath, 2), body.state.erosions,
            ),
            strict=True,
        )
    )  # fmt: skip
    return Taken(drawn.screen, person.machine, mode, side, joint, film.view), [row]


GENERATOR = Generator(
    system="synovitis",
    shows="joint ultrasound",
    views=tuple(VIEWS),
    wrong_kinds=KINDS,
    readers=tuple(reader.name for reader in READERS),
    tag="_us",
    labels="scanned_joints",
    label_columns=COLUMNS,
    part=UltrasoundPart,
    render=_render,
    write_film=write_scan,
    folder="scans",
    rereads=(EVERY, FIRST + 1),
    readers_like=alike,
)
