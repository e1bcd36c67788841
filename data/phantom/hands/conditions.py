"""How one film of hands or feet is taken."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from data.phantom.hands.skeleton.hand import Posture
from data.phantom.spine.conditions import DOMAINS, Conditions

POOR_KINDS = ("underexposed", "soft", "rotated", "cut_edge", "missing_finger", "overlap")
WRONG_KINDS = ("one_hand", "foot_as_hand", "mirrored", "chest", "blank")
VIEWS = ("hands", "feet")
GREYS = 1023


@dataclass(frozen=True)
class LimbConditions(Conditions):
    """Conditions of a film of both hands or both feet; see the base class.

    at: shares of the field where the middle (x) and the tip (y) of the left and of the right limb lie.
    turns, rolls: degrees, of each limb. air: grey of the bare beam. heel: fall of the beam across the film.
    """

    at: tuple[tuple[float, float], tuple[float, float]] = ((0.25, 0.06), (0.75, 0.06))
    turns: tuple[float, float] = (0.0, 0.0)
    rolls: tuple[float, float] = (0.0, 0.0)
    postures: tuple[Posture, Posture] = (Posture(), Posture())
    missing: str = ""
    air: float = 0.09
    gamma: float = 1.0
    heel: float = 0.1
    bits: int = 10


def draw_limb_conditions(
    rng: np.random.Generator, view: str, domain: str = "first", kind: str = "good"
) -> LimbConditions:
    """Conditions of one film of ``view`` (``hands`` or ``feet``)."""
    if view not in VIEWS:
        raise ValueError(f"view {view!r} is not one of {', '.join(VIEWS)}")
    if domain not in DOMAINS:
        raise ValueError(f"domain {domain!r} is not one of {', '.join(DOMAINS)}")
    if kind not in ("good", *POOR_KINDS, *WRONG_KINDS):
        raise ValueError(f"kind {kind!r} is not good, poor or wrong: see POOR_KINDS and WRONG_KINDS")
    device = _device(rng, domain)
    spacing = float(device.pop("spacing"))
    base = {
        "view": view, "domain": domain, "kind": kind, "spacing": spacing,
        "field": (1670 * 0.15, 2010 * 0.15) if domain == "first" else (1710 * 0.144, 2080 * 0.144),
        "magnification": float(rng.uniform(1.01, 1.04)),
        "source_distance": float(rng.choice([1000, 1100, 1150])),
        "kilovolt": float(rng.uniform(48, 55)), "exposure": float(np.exp(rng.normal(0, 0.22))),
        "grid": 0.55, "collimation": tuple(float(x) for x in rng.uniform([-2, -2, -2, -2], [7, 9, 4, 9])),
        "collimation_tilt": float(rng.normal(0, 0.8)),
        "photometric": "MONOCHROME1" if rng.random() < 0.15 else "MONOCHROME2",
        "show_spacing": str(rng.choice(["both", "imager", "none"], p=[0.62, 0.33, 0.05])),
        "marker": "both", "heel": float(rng.uniform(0.02, 0.16)), "draw": int(rng.integers(0, 2**31)),
        "turns": tuple(float(x) for x in rng.normal([-2, 2], 3.5)),
        "rolls": tuple(float(x) for x in rng.normal(0, 2.5 if domain == "first" else 4.0, 2)),
        "at": _places(rng), "postures": (_posture(rng), _posture(rng)),
    }  # fmt: skip
    conditions = LimbConditions(**(base | device))
    return _special(rng, conditions)


def _places(rng) -> tuple[tuple[float, float], tuple[float, float]]:
    top = float(rng.uniform(0.03, 0.055))
    return (
        (float(rng.normal(0.252, 0.006)), top + float(rng.uniform(0, 0.02))),
        (float(rng.normal(0.748, 0.006)), top + float(rng.uniform(0, 0.02))),
    )


def _posture(rng) -> Posture:
    return Posture(
        fan=float(np.clip(rng.beta(1.7, 5.0), 0.04, 0.6)),
        wrist=float(rng.normal(12, 4)),
        curl=float(abs(rng.normal(0, 2.2))),
        thumb=float(np.clip(rng.normal(-7, 3), -13, 0)),
        thumb_roll=float(rng.normal(46, 9)),
        draw=int(rng.integers(0, 2**31)),
    )


def _device(rng, domain: str) -> dict:
    """Three devices of the first domain and two of the second, which process and sample otherwise."""
    device = int(rng.integers(0, 3)) if domain == "first" else int(rng.integers(3, 5))
    contrast, sharpening, equalise, blur, noise, air, gamma, shutter, spacing = (
        (1.00, 1.0, 1.0, 0.095, 1.0, 0.085, 1.00, "black", 0.15),
        (1.12, 1.5, 1.2, 0.110, 1.2, 0.13, 0.90, "raw", 0.15),
        (1.45, 0.7, 0.2, 0.085, 0.9, 0.02, 1.00, "black", 0.15),
        (1.30, 2.4, 1.4, 0.105, 1.4, 0.20, 0.75, "raw", 0.144),
        (1.60, 0.2, 0.0, 0.160, 1.5, 0.01, 0.90, "black", 0.144),
    )[device]
    return {
        "device": device,
        "contrast": contrast * float(np.exp(rng.normal(0, 0.06))),
        "equalise": equalise,
        "sharpening": sharpening * float(np.exp(rng.normal(0, 0.12))),
        "blur": blur * float(np.exp(rng.normal(0, 0.08))),
        "noise": 0.3 * noise * float(np.exp(rng.normal(0, 0.12))),
        "air": air * float(np.exp(rng.normal(0, 0.12))),
        "gamma": gamma * float(np.exp(rng.normal(0, 0.05))),
        "shutter": shutter,
        "spacing": spacing,
    }


def _special(rng, c: LimbConditions) -> LimbConditions:
    if c.kind == "underexposed":
        return replace(c, exposure=float(rng.uniform(0.02, 0.05)), contrast=0.8 * c.contrast)
    if c.kind == "soft":
        return replace(c, blur=float(rng.uniform(0.35, 0.55)), motion=float(rng.uniform(0.4, 1.0)))
    if c.kind == "rotated":
        left, right = (float(side * rng.uniform(16, 32)) for side in rng.choice([-1, 1], 2))
        return replace(c, rolls=(left, right))
    if c.kind == "cut_edge":
        top, right, bottom, left = c.collimation
        return replace(c, collimation=(top + float(rng.uniform(25, 60)), right, bottom, left))
    if c.kind == "missing_finger":
        return replace(c, missing=f"{rng.choice(['RH', 'LH'])}{int(rng.integers(2, 6))}")
    if c.kind == "overlap":
        (lx, ly), (rx, ry) = c.at
        return replace(c, at=((lx + 0.09, ly), (rx - 0.09, ry + 0.04)), turns=(14.0, -15.0))
    if c.kind == "one_hand":
        return replace(c, missing=str(rng.choice(["RH", "LH"])))
    return c
