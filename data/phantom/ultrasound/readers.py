"""Simulated readers of joint ultrasound: three people on a standardised scan, or in daily practice.

Perceived = true + b(reader) + s(reader, patient) + j(reader, joint) + v(reader, joint, visit), cut to a
grade; the true value is measured on what was drawn, so that a joint near a border is the one that is read
either way. s and j stay over visits. Now and then something else (fluid, a dark tendon, colour of motion) is
taken for synovitis or flow. Flow is looked for where a reader sees synovium; a few times it is noted without.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from data.phantom.reader_spreads import ErrorOf, parts_of
from data.phantom.ultrasound.patients import JOINTS, SIDES, Patient
from data.phantom.ultrasound.scans import Body

FEATURES = {"GS": "gs", "PD": "pd"}
Joint = tuple[str, str]


@dataclass(frozen=True)
class Reader:
    """One person's spreads, in grades; GS, then PD. b: bias. patient: of s. joint: of j. visit: of v.

    alarm: chance that a healthy joint is called inflamed, or flow seen where there is none.
    alone: chance that flow is noted where the reader sees no synovium.
    memory: correlation of what stays between two sessions.
    """

    name: str
    bias: tuple[float, float] = (0.0, 0.0)
    patient: tuple[float, float] = (0.06, 0.06)
    joint: tuple[float, float] = (0.15, 0.28)
    visit: tuple[float, float] = (0.15, 0.28)
    alarm: tuple[float, float] = (0.012, 0.016)
    alone: float = 0.2
    memory: float = 0.6


READERS = (Reader("R1"), Reader("R2", bias=(-0.04, 0.04)), Reader("R3", bias=(0.05, -0.05)))
DAILY = tuple(
    replace(
        one,
        bias=(5 * one.bias[0], 2 * one.bias[1]),
        patient=(0.25, 0.12),
        joint=(0.45, 0.38),
        visit=(0.45, 0.38),
        alarm=(0.08, 0.02),
    )
    for one in READERS
)


def alike(errors: Sequence[ErrorOf]) -> tuple[Reader, ...]:
    """Readers with these errors in grades, the same in GS and PD: grades of both are fitted as one.

    What stays with a joint and what is made anew are divided as the shipped reader divides them in each mode;
    false alarms, and flow noted without synovium, are as in that one.
    """
    usual, found = READERS[0], []
    for error in errors:
        modes = [parts_of(error, site=joint, visit=visit, growth=1.0)
                 for joint, visit in zip(usual.joint, usual.visit, strict=True)]  # fmt: skip
        patient, joint, visit = ((one, other) for one, other in zip(*modes, strict=True))
        made = replace(usual, name=error.name, bias=(error.shift, error.shift))
        found.append(replace(made, patient=patient, joint=joint, visit=visit))
    return tuple(found)


def read_visits(
    patient: Patient, bodies: dict[float, dict[Joint, Body]], reader: Reader, *, read: int = 1
) -> pd.DataFrame:
    """GS and PD of every joint at every visit (week -> joint -> body).

    Columns week, side, joint, feature, site, grade. read: 2 for a second session, to which a reader brings a
    part of what stays.
    """
    rows = []
    for week, joints in sorted(bodies.items()):
        for (side, joint), body in joints.items():
            grades = _grades(patient, reader, (side, joint), week, body, read)
            for mode, grade in zip(FEATURES, grades, strict=True):
                rows.append((week, side, joint, FEATURES[mode], f"{side}.{joint}.{mode}", grade))
    return pd.DataFrame(rows, columns=["week", "side", "joint", "feature", "site", "grade"])


def _grades(
    patient: Patient, reader: Reader, joint: Joint, week: float, body: Body, read: int
) -> tuple[int, int]:
    whole = _stays(patient, reader, "patient", read)
    own = _stays(patient, reader, f"joint {_place(joint)}", read)
    rng = patient.study.rng(patient.number, f"us:{reader.name} {_place(joint)} {round(week)} {read}")
    anew, alarmed = rng.normal(size=2), rng.random(2)
    alone, count = rng.random(), rng.random()
    seen = []
    for at, value in enumerate((body.measures.value, body.flow.value)):
        error = reader.patient[at] * whole[at] + reader.joint[at] * own[at] + reader.visit[at] * anew[at]
        perceived = value + reader.bias[at] + error if value >= 0.3 else 0.0
        grade = int(np.clip(np.floor(perceived), 0, 3))
        seen.append(max(grade, 1 + int(count < 0.15)) if alarmed[at] < reader.alarm[at] else grade)
    gs, pd_ = seen
    if pd_ and not gs and alone >= reader.alone:
        gs, pd_ = (1, pd_) if body.gs else (0, 0)
    return gs, pd_


def _stays(patient: Patient, reader: Reader, what: str, read: int) -> np.ndarray:
    """What stays over visits, of GS and PD."""
    first = patient.study.rng(patient.number, f"us:{reader.name} {what}").normal(size=2)
    if read == 1:
        return first
    fresh = patient.study.rng(patient.number, f"us:{reader.name} {what} {read}").normal(size=2)
    return np.asarray(reader.memory * first + np.sqrt(1 - reader.memory**2) * fresh)


def _place(joint: Joint) -> int:
    return SIDES.index(joint[0]) * len(JOINTS) + JOINTS.index(joint[1])


def true_grades(bodies: Iterable[tuple[Joint, Body]]) -> pd.DataFrame:
    """The truth in the same shape: side, joint, feature, site, grade."""
    rows = [
        (side, joint, FEATURES[mode], f"{side}.{joint}.{mode}", grade)
        for (side, joint), body in bodies
        for mode, grade in zip(FEATURES, (body.gs, body.pd), strict=True)
    ]
    return pd.DataFrame(rows, columns=["side", "joint", "feature", "site", "grade"])
