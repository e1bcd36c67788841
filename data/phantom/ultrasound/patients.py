"""Who is scanned: diagnosis, machine, joints, and how inflamed each joint is at each visit.

Diagnoses come in the sizes of the paper (146 RA+, 68 RA-, 121 PsA, 5 SpA of 340). What they leave in a joint
is weak by design: which joints are scanned and inflamed, some more flow and erosions in RA+, sheaths of
extensor tendons in PsA. A hospital has one machine, and hospitals see the diseases a little unevenly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.phantom.seeds import StudySeed
from data.phantom.spine.course import arm_of
from data.phantom.ultrasound.anatomy import kind_of
from data.phantom.ultrasound.machines import Machine, machines

DISEASES = ("RA+", "RA-", "PsA", "SpA")
SIZES = {"RA+": 146, "RA-": 68, "PsA": 121, "SpA": 5}
BLOCK = sum(SIZES.values())
JOINTS = (
    *(f"MCP{number}" for number in range(1, 6)), *(f"PIP{number}" for number in range(2, 6)),
    *(f"DIP{number}" for number in range(2, 6)), "WR",
)  # fmt: skip
SIDES = ("R", "L")


@dataclass(frozen=True)
class Leaning:
    """What a diagnosis moves. chosen: how often a joint of a kind is scanned; inflamed: shift of its latent
    inflammation; flow: shift of flow where there is synovitis; erosions: mean in a joint; sheath: chance of
    tenosynovitis at a joint; second: chance of the second machine.
    """

    chosen: dict[str, float]
    inflamed: dict[str, float]
    flow: float
    erosions: float
    sheath: dict[str, float]
    second: float


LEANINGS = {
    "RA+": Leaning(
        {"MCP": 1.15, "PIP": 0.75, "DIP": 0.25, "WR": 3.6}, {"MCP": 0.3, "PIP": 0.1, "DIP": -0.5, "WR": 0.45},
        0.35, 0.30, {"MCP": 0.06, "PIP": 0.04, "DIP": 0.02, "WR": 0.22}, 0.35,
    ),
    "RA-": Leaning(
        {"MCP": 1.1, "PIP": 0.95, "DIP": 0.28, "WR": 3.2}, {"MCP": -0.1, "PIP": 0.0, "DIP": -0.4, "WR": 0.0},
        -0.15, 0.12, {"MCP": 0.06, "PIP": 0.04, "DIP": 0.03, "WR": 0.14}, 0.42,
    ),
    "PsA": Leaning(
        {"MCP": 0.9, "PIP": 0.95, "DIP": 0.80, "WR": 2.0}, {"MCP": -0.1, "PIP": 0.1, "DIP": 0.3, "WR": -0.15},
        -0.05, 0.14, {"MCP": 0.24, "PIP": 0.20, "DIP": 0.20, "WR": 0.24}, 0.50,
    ),
    "SpA": Leaning(
        {"MCP": 0.9, "PIP": 0.9, "DIP": 0.6, "WR": 2.4}, {"MCP": -0.1, "PIP": 0.0, "DIP": 0.1, "WR": 0.0},
        -0.1, 0.08, {"MCP": 0.10, "PIP": 0.08, "DIP": 0.08, "WR": 0.12}, 0.45,
    ),
}  # fmt: skip
PERSON, JOINT, VISIT = 0.6, 0.8, 0.25  # spreads of latent inflammation
CUTS = (0.36, 0.92, 2.05)  # latent values at which synovitis begins, passes the line, becomes convex
FLOW_OF, FLOW_SPREAD = 0.55, 0.75  # of flow on latent inflammation, and its own spread
FLOW_CUTS = (0.76, 1.18, 2.3)
FALL = {0: 0.25, 1: 0.95}  # of latent inflammation under treatment, by arm (placebo, active)
FALL_SPREAD, HALF_WEEKS = 0.45, 8.0
FLOW_FALL = 0.35  # more of flow, which answers first


@dataclass(frozen=True)
class Patient:
    """One patient. joints: (side, joint) that are scanned. answer: fall of inflammation in the end."""

    study: StudySeed
    number: int
    domain: str
    disease: str
    machine: Machine
    joints: tuple[tuple[str, str], ...]
    answer: float

    @property
    def subject(self) -> str:
        return self.study.subject(self.number)

    def states(self, week: float) -> dict[tuple[str, str], JointState]:
        """State of every scanned joint at a week after baseline."""
        return {one: self.state(*one, week) for one in self.joints}

    def state(self, side: str, joint: str, week: float) -> JointState:
        """State of a joint: what stays (its inflammation at baseline, wear) and what a visit adds."""
        kind, leaning = kind_of(joint), LEANINGS[self.disease]
        place = SIDES.index(side) * len(JOINTS) + JOINTS.index(joint)
        stays = self.study.rng(self.number, f"us:joint {place}")
        own, flow_own, worn, sheath_own, fluid_own = stays.normal(), stays.normal(), *stays.random(3)
        visit = self.study.rng(self.number, f"us:visit {place} {round(week)}")
        flare = self.study.rng(self.number, f"us:visit {round(week)}").normal()
        fallen = self.answer * (1 - 2 ** (-week / HALF_WEEKS))
        person = self.study.rng(self.number, "us:person").normal()
        latent = PERSON * person + JOINT * own + leaning.inflamed[kind] - fallen
        latent += VISIT * (visit.normal() + (0.6 * flare if week else 0.0))
        flow = FLOW_OF * latent + FLOW_SPREAD * (0.8 * flow_own + 0.6 * visit.normal())
        flow += leaning.flow - FLOW_FALL * fallen
        return JointState(
            hypertrophy=severity(latent, CUTS),
            flow=severity(flow, FLOW_CUTS),
            erosions=int(np.searchsorted(_chances(leaning.erosions), worn)),
            sheath=float(sheath_own < leaning.sheath[kind]) * float(0.35 + 0.6 * visit.random()),
            effusion=float(fluid_own < 0.16 + 0.10 * (latent > CUTS[0])) * float(0.3 + 0.9 * visit.random()),
        )


@dataclass(frozen=True)
class JointState:
    """Severity of hypertrophy and of flow (1: grade 1 begins), gaps in bone, mm of sheath and of fluid."""

    hypertrophy: float
    flow: float
    erosions: int
    sheath: float
    effusion: float


def _chances(mean: float) -> np.ndarray:
    """Chance of none, of at most one, two and three of what is rare."""
    return np.exp(-mean) * np.cumsum(np.cumprod([1.0, mean, mean / 2, mean / 3]))


def severity(latent: float, cuts: tuple[float, float, float]) -> float:
    """Severity of a latent value: the cuts become 1, 2 and 3."""
    at = (cuts[0] - 0.9, *cuts, cuts[2] + 0.9)
    return float(np.interp(latent, at, (0.0, 1.0, 2.0, 3.0, 3.9)))


def disease_of(study: StudySeed, number: int) -> str:
    """Diagnosis of patient ``number``: among each 340 in a row those of the paper."""
    block, place = divmod(number - 1, BLOCK)
    everyone = np.repeat(np.arange(len(DISEASES)), list(SIZES.values()))
    return DISEASES[int(study.rng(block, "us:disease").permutation(everyone)[place])]


def make_patient(
    study: StudySeed, number: int, *, domain: str = "first", joints: tuple[tuple[str, str], ...] | None = None
) -> Patient:
    """Patient ``number`` (from 1) of a study. joints: those scanned, else 2 to 6 by chance."""
    disease = disease_of(study, number)
    leaning, rng = LEANINGS[disease], study.rng(number, "us:patient")
    here, second = machines(domain), bool(rng.random() < leaning.second)
    answer = FALL[arm_of(study, number)] + FALL_SPREAD * rng.normal()
    count = 2 + int(rng.binomial(4, 0.41))
    weights = np.array([leaning.chosen[kind_of(joint)] for _ in SIDES for joint in JOINTS])
    drawn = np.sort(rng.choice(len(weights), count, replace=False, p=weights / weights.sum()))
    chosen = tuple((SIDES[place // len(JOINTS)], JOINTS[place % len(JOINTS)]) for place in drawn)
    machine = here[second] if len(here) > 1 else here[0]
    return Patient(study, number, domain, disease, machine, joints or chosen, answer)
