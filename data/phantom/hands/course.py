"""Patients with a latent course of damage in hands and feet, and the joint states that follow from it.

A modern trial: most patients have little damage and hardly change in a year, a few have much,
and a few of those change fast. The latent numbers of a joint (erosion, narrowing) share what belongs to the
patient and to the joint. They rise and never fall. Bones grow together or joints dislocate only where the
cartilage is nearly gone; 3.0% of the 20 finger joints of a patient are ankylosed and 1.3% of the 18 that can
be are luxated, as in the 260 films of Sci Rep 2024;14:7696.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.phantom.hands.state import ANKYLOSIS, GRADED, LUXATION, NONE, SUBLUXATION, JointState
from data.phantom.seeds import StudySeed
from data.phantom.spine.course import ARMS, arm_of, visit_codes

UNITS = tuple(GRADED)
WEIGHT = {  # how much sooner (latent) a joint is damaged than the average one
    "MCP2": 0.35, "MCP3": 0.3, "MCP1": 0.0, "MCP4": -0.15, "MCP5": 0.1, "PIP2": -0.05, "PIP3": 0.15,
    "PIP4": 0.0, "PIP5": -0.1, "IP1": -0.2, "ULN": 0.3, "RC": 0.15, "CNL": 0.3, "LUN": 0.05, "NAV": 0.1,
    "MNA": -0.1, "RAD": -0.1, "MC1": 0.0, "MUL": -0.2, "CMC3": 0.0, "CMC4": -0.05, "CMC5": 0.1,
    "MTP5": 0.45, "MTP1": -0.1, "MTP2": 0.0, "MTP3": 0.1, "MTP4": 0.1,
}  # fmt: skip


@dataclass(frozen=True)
class HandsPopulation:
    """Constants of the course, in units of latent severity (1 is about a grade).

    shift, patient, joint, own: mean, and spreads between patients, joints, and features of a joint. severe:
    share of patients with long-standing disease and by how much worse they are. rate, spread: median pace a
    year (log) and its spread. active: share of the pace that is left under active treatment. near: latent
    distance below the first grade at which a clean site has 1/e of its extent. gone: latent narrowing from
    which a joint may fuse or slip; ankylosis, luxation: the chance of each (finger joints).
    """

    shift: float = -1.40
    patient: float = 0.76
    joint: float = 0.75
    own: float = 0.55
    severe: tuple[float, float] = (0.12, 2.4)
    rate: float = -4.15
    spread: float = 1.3
    active: float = 0.45
    near: float = 0.45
    gone: float = 1.88
    ankylosis: float = 0.61
    luxation: float = 0.28


TRIAL = HandsPopulation()


@dataclass(frozen=True)
class HandsCourse:
    """States of all units, arrays of shape (patients, visits, 56 units ``UNITS``).

    erosion, jsn, distal_erosion: severities (``state.JointState``), NaN where the unit has no such site.
    finding: index into ``FINDING``; degree: 0 to 1.
    """

    subjects: tuple[str, ...]
    visits: tuple[str, ...]
    erosion: np.ndarray
    jsn: np.ndarray
    distal_erosion: np.ndarray
    finding: np.ndarray
    degree: np.ndarray

    def states(self, patient: int, visit: int) -> dict[str, JointState]:
        """Unit -> state at one visit, as ``films.make_hand_film`` takes it."""
        at = (patient, visit)
        return {
            unit: JointState(
                erosion=float(np.nan_to_num(self.erosion[at][i])),
                jsn=float(np.nan_to_num(self.jsn[at][i])),
                finding=FINDING[self.finding[at][i]],
                degree=float(self.degree[at][i]),
                distal_erosion=float(np.nan_to_num(self.distal_erosion[at][i])),
            )
            for i, unit in enumerate(UNITS)
        }


FINDING = (NONE, ANKYLOSIS, SUBLUXATION, LUXATION)


def simulate_hands(
    study: StudySeed, patients: int, visits: int = 2, population: HandsPopulation = TRIAL, *, first: int = 1
) -> HandsCourse:
    """The course of patients from ``first`` on, visits 52 weeks apart; nobody depends on the others."""
    each = [_patient(study, number, visits, population) for number in range(first, first + patients)]
    stacked = {name: np.stack([one[name] for one in each]) for name in each[0]}
    return HandsCourse(
        tuple(study.subject(n) for n in range(first, first + patients)), tuple(visit_codes(visits)), **stacked
    )


def _patient(study: StudySeed, number: int, visits: int, p: HandsPopulation) -> dict[str, np.ndarray]:
    """Severities and findings of one patient, each (visits, units); arms are those of ``arm_of``."""
    rng = study.rng(number, "hands")
    count = len(UNITS)
    weight = np.array([WEIGHT.get(unit[3:], 0.0) for unit in UNITS])
    severe = p.severe[1] * (rng.random() < p.severe[0])
    level = p.shift + p.patient * rng.normal() + severe
    mirrored = rng.normal(size=count)
    joint = 0.6 * _other_side(mirrored) + 0.8 * mirrored
    latent = {
        name: level + weight + p.joint * joint + p.own * rng.normal(size=count) for name in ("e", "j", "d")
    }
    latent["j"] = latent["j"] + 0.15
    latent["d"] = latent["d"] - 0.5
    pace = np.exp(p.rate + p.spread * rng.normal() + 0.35 * np.clip(level + 2, 0, 3))
    pace *= p.active if ARMS[arm_of(study, number)] == "Active" else 1.0
    chance, kind = rng.random(count), rng.random(count)
    degree, hallmark = rng.random(count), rng.random()
    rows = []
    for visit in range(visits):
        burst = rng.gamma(1.2) / 1.2
        for name in ("e", "j", "d"):
            local = rng.gamma(0.5, size=count) / 0.5
            if visit:
                worse = np.where(latent[name] > 0, 1.0, 0.55)
                latent[name] = latent[name] + pace * burst * worse * local
        rows.append(_states(latent, chance, kind, degree, hallmark, p))
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def _other_side(values: np.ndarray) -> np.ndarray:
    """The value of the same joint of the other limb."""
    place = {unit: i for i, unit in enumerate(UNITS)}
    swap = {"R": "L", "L": "R"}
    return values[[place[swap[unit[0]] + unit[1:]] for unit in UNITS]]


def severity_of(latent: np.ndarray, near: float, highest: float) -> np.ndarray:
    """Severity (grade + extent): below 1 where the latent value is negative, then 1 more for each unit."""
    clean = 0.999 * np.exp(np.minimum(latent, 0.0) / near)
    return np.where(latent < 0, clean, np.minimum(1.0 + latent, highest))


def _states(latent, chance, kind, degree, hallmark, p: HandsPopulation) -> dict[str, np.ndarray]:
    is_foot = np.array([unit[1] == "F" for unit in UNITS])
    erodes = np.array(["erosion" in GRADED[unit] for unit in UNITS])
    narrows = np.array(["jsn" in GRADED[unit] for unit in UNITS])
    erosion = severity_of(latent["e"], p.near, 5.99)
    jsn = severity_of(latent["j"], p.near, 3.99)
    finding = np.zeros(len(UNITS), np.int64)
    gone = latent["j"] >= p.gone
    finger = np.array([unit[3:6] in ("MCP", "PIP", "IP1", "MTP") for unit in UNITS])
    fuses = np.where(finger, p.ankylosis, 0.5) * (0.5 + hallmark)
    finding[gone & (chance < fuses)] = 1
    slips = gone & finger & (chance > 1 - p.luxation * (1.5 - hallmark))
    slips &= np.array([unit[3:] != "IP1" for unit in UNITS])
    finding[slips & (kind < 0.6)] = 2
    finding[slips & (kind >= 0.6)] = 3
    return {
        "erosion": np.where(erodes, erosion, np.nan),
        "jsn": np.where(narrows, jsn, np.nan),
        "distal_erosion": np.where(is_foot, severity_of(latent["d"], p.near, 5.99), np.nan),
        "finding": finding,
        "degree": degree,
    }


def grades(course: HandsCourse) -> dict[str, np.ndarray]:
    """True grade of every site, code -> (patients, visits): erosion as seen, narrowing with its finding."""
    found: dict[str, np.ndarray] = {}
    lift = np.array([0, 4, 3, 4])[course.finding]
    eroded = np.minimum(np.floor(np.nan_to_num(course.erosion)), 5)
    eroded += np.minimum(np.floor(np.nan_to_num(course.distal_erosion)), 5)
    narrowed = np.maximum(np.minimum(np.floor(np.nan_to_num(course.jsn)), 3), lift)
    for i, unit in enumerate(UNITS):
        for feature, site in GRADED[unit].items():
            found[site] = (eroded if feature == "erosion" else narrowed)[..., i].astype(np.int64)
    return found
