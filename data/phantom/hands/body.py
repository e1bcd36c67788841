"""One patient's hands and feet: size, bone, habitus, and how disease would look at every joint."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class HandBody:
    """The same over all visits. Factors are 1 in an average adult.

    size: lengths. girth: width of bones. mineral: density of bone. bulk: soft tissue. space: joint spaces.
    oa: liability to osteoarthritis, 0 to 1. drift: readiness to deviate to the ulnar side. metal: a fitting
    of each limb (``RH`` ...: ``""``, ``plate``, ``wires``, ``screw``). rings: fingers that wear one.
    """

    seed: int
    domain: str
    size: float
    girth: float
    mineral: float
    bulk: float
    space: float
    oa: float
    drift: float
    ulna: float  # mm by which the ulna is longer (positive) than usual
    hallux: float  # degrees of hallux valgus
    metal: dict[str, str]
    rings: tuple[str, ...]


@dataclass(frozen=True)
class Look:
    """How disease looks at one joint of this patient. side: -1 radial, 1 ulnar first. share: of proximal."""

    side: float
    share: float
    palmar: float
    narrow_side: float
    bend: float
    flex: float
    sclerosis: float
    lean: float
    phase: float
    oa: float
    bites: tuple[tuple[float, float, float], ...]  # side, palmar offset, size of further bites


def make_hand_body(seed: int, *, domain: str = "first") -> HandBody:
    """Draw a patient. ``domain="second"`` has larger hands and more soft tissue."""
    rng = np.random.default_rng([20_251_117, seed])
    second = domain == "second"
    male = rng.random() < (0.45 if second else 0.25)
    size = float(np.clip(rng.normal(1.03 if male else 0.955, 0.037), 0.86, 1.09))
    rings = tuple(
        f"{side}{finger}"
        for side, finger, odds in (("LH", 4, 0.07), ("RH", 4, 0.05), ("LH", 3, 0.02), ("RH", 5, 0.01))
        if rng.random() < odds
    )
    metal = {}
    for limb, odds in (("RH", 0.025), ("LH", 0.025), ("RF", 0.03), ("LF", 0.03)):
        metal[limb] = str(rng.choice(["plate", "wires", "screw"])) if rng.random() < odds else ""
    return HandBody(
        seed=int(seed),
        domain=domain,
        size=size,
        girth=float(size * np.clip(rng.normal(1.04 if male else 0.97, 0.045), 0.86, 1.18)),
        mineral=float(np.clip(rng.normal(1.0, 0.16), 0.6, 1.35)),
        bulk=float(np.clip(rng.normal(1.08 if second else 1.0, 0.09), 0.82, 1.35)),
        space=float(np.clip(rng.normal(1.0, 0.09), 0.8, 1.22)),
        oa=float(rng.beta(1.1, 3.2)),
        drift=float(np.clip(rng.normal(0.7, 0.35), 0.1, 1.5)),
        ulna=float(np.clip(rng.normal(-0.3, 1.1), -2.5, 2.2)),
        hallux=float(np.clip(rng.gamma(2.2, 6.0), 0, 38)),
        metal=metal,
        rings=rings,
    )


def joint_look(body: HandBody, unit: str) -> Look:
    """The look of one joint, from the patient and its name alone."""
    digest = hashlib.sha256(f"{body.seed}\x1f{unit}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest[:8], "big"))
    radial_first = -1.0 if rng.random() < 0.68 else 1.0
    bites = tuple(
        (float(rng.choice([-1.0, 1.0])), float(rng.uniform(-0.6, 0.8)), float(rng.uniform(0.5, 0.9)))
        for _ in range(4)
    )
    return Look(
        side=radial_first,
        share=float(rng.beta(3.0, 1.6)),
        palmar=float(rng.uniform(-0.5, 0.7)),
        narrow_side=float(rng.choice([-1.0, 1.0])),
        bend=float(np.clip(rng.normal(0, 5), -10, 10)),
        flex=float(np.clip(rng.normal(0, 4), -9, 9)),
        sclerosis=float(rng.uniform(0.0, 0.9) if rng.random() < 0.45 else 0.0),
        lean=float(rng.uniform(0.6, 1.0)),
        phase=float(rng.uniform(0, 6.28)),
        oa=float(np.clip(rng.normal(0, 0.22) + body.oa, 0, 1)),
        bites=bites,
    )
