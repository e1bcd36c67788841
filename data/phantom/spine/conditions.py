"""How one film is taken: positioning, exposure, collimation, device, and films that are poor or wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

POOR_KINDS = ("underexposed", "shoulders", "rotated", "soft", "cut_edge", "flat")
WRONG_KINDS = (
    "ap_lumbar",
    "ap_cervical",
    "lateral_thoracic",
    "hand",
    "chest",
    "blank",
    "overexposed",
    "cut_off",
    "motion",
)
DOMAINS = ("first", "second")


@dataclass(frozen=True)
class Conditions:
    """Everything about taking one film. Lengths in mm on the detector, angles in degrees.

    exposure: 1 is a well exposed film. blur: sigma of the unsharpness. motion: length of a smear.
    centre: where the middle of the spine lies, as shares of width and height. draw: seed of everything that
    is laid over the bones in this film (gas, foreign objects, marker).
    """

    view: str
    domain: str = "first"
    kind: str = "good"
    field: tuple[float, float] = (430.0, 290.0)  # height, width of the image
    spacing: float = 0.175
    magnification: float = 1.15
    source_distance: float = 1400.0
    centre: tuple[float, float] = (0.49, 0.47)
    rotation: float = 0.0  # axial rotation of the patient
    side_tilt: float = 0.0
    sag: float = 0.5  # 1: the spine follows the diverging beam and endplates are thin lines
    in_plane: float = 0.0  # patient leaning in the plane of the film
    flexion: float = 0.0  # added lordosis, shared by this film
    shoulder_drop: float = 0.0  # mm; more shows more of C7-T1
    exposure: float = 1.0
    kilovolt: float = 85.0
    grid: float = 0.75  # share of scatter that the grid removes
    grid_lines: float = 0.0
    blur: float = 0.16
    motion: float = 0.0
    noise: float = 1.0
    collimation: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)  # top, right, bottom, left
    collimation_tilt: float = 0.0
    shutter: str = "black"  # what the device shows outside the field: black, raw
    device: int = 0
    contrast: float = 1.0
    sharpening: float = 1.0
    equalise: float = 1.0
    brightness: float = 0.0
    marker: str = "R"
    marker_at: tuple[float, float] = (0.12, 0.08)
    foreign: tuple[str, ...] = ()
    photometric: str = "MONOCHROME2"
    show_spacing: str = "both"  # both, imager, none
    draw: int = 0


def draw_kind(rng: np.random.Generator, *, poor: float = 0.12, wrong: float = 0.0) -> str:
    """``good``, or one of the poor or the wrong kinds with these probabilities."""
    chance = rng.random()
    if chance < wrong:
        return str(rng.choice(WRONG_KINDS))
    if chance < wrong + poor:
        return str(rng.choice(POOR_KINDS))
    return "good"


def draw_conditions(
    rng: np.random.Generator, view: str, domain: str = "first", *, kind: str = "good"
) -> Conditions:
    """Draw the taking of one film of ``view`` (``cervical`` or ``lumbar``)."""
    if view not in ("cervical", "lumbar"):
        raise ValueError(f"view {view!r} is not one of cervical, lumbar")
    if domain not in DOMAINS:
        raise ValueError(f"domain {domain!r} is not one of {', '.join(DOMAINS)}")
    conditions = _neck(rng) if view == "cervical" else _loin(rng)
    conditions = replace(conditions, **_device(rng, domain), domain=domain, kind=kind)
    if domain == "second":
        conditions = _second(rng, conditions)
    if kind in POOR_KINDS:
        return _poor(rng, conditions)
    if kind in WRONG_KINDS:
        return _wrong(rng, conditions)
    if kind != "good":
        raise ValueError(f"kind {kind!r} is not good, poor or wrong: see POOR_KINDS and WRONG_KINDS")
    return conditions


def _common(rng) -> dict:
    return {
        "rotation": float(rng.normal(0, 2.0)),
        "side_tilt": float(rng.normal(0, 1.2)),
        "sag": float(np.clip(rng.normal(0.55, 0.3), -0.2, 1.1)),
        "in_plane": float(rng.normal(0, 2.0)),
        "flexion": float(rng.normal(0, 0.05)),
        "exposure": float(np.exp(rng.normal(0, 0.25))),
        "collimation_tilt": float(rng.normal(0, 0.5)),
        "photometric": "MONOCHROME1" if rng.random() < 0.15 else "MONOCHROME2",
        "show_spacing": str(rng.choice(["both", "imager", "none"], p=[0.62, 0.33, 0.05])),
        "marker": str(rng.choice(["R", "L"], p=[0.6, 0.4])) + str(rng.choice(["", "", "", "A", "MK", "7"])),
        "draw": int(rng.integers(0, 2**31)),
    }


def _edges(rng, widest: float) -> tuple[float, float, float, float]:
    top, right, bottom, left = (float(x) for x in rng.uniform(0, widest, 4))
    return top, right, bottom, left


def _neck(rng) -> Conditions:
    height = float(rng.choice([300, 286, 270, 240], p=[0.5, 0.2, 0.2, 0.1]))
    foreign = tuple(
        name for name, odds in (("earring", 0.10), ("necklace", 0.05), ("tube", 0.01)) if rng.random() < odds
    )
    return Conditions(
        view="cervical",
        field=(height, height * float(np.clip(rng.normal(0.775, 0.04), 0.7, 0.86))),
        spacing=float(rng.choice([0.15, 0.168, 0.175, 0.2])),
        magnification=float(rng.uniform(1.12, 1.22)),
        source_distance=float(rng.choice([1500, 1800])),
        centre=(
            float(np.clip(rng.normal(0.43, 0.045), 0.34, 0.52)),
            float(np.clip(rng.normal(0.55, 0.03), 0.49, 0.61)),
        ),
        shoulder_drop=float(rng.normal(6, 9)),
        kilovolt=float(rng.uniform(66, 76)),
        collimation=_edges(rng, 9),
        marker_at=(float(rng.uniform(0.07, 0.2)), float(rng.uniform(0.5, 0.9))),
        foreign=foreign,
        **_common(rng),
    )


def _loin(rng) -> Conditions:
    height = float(rng.choice([430, 410, 400], p=[0.6, 0.2, 0.2]))
    foreign = tuple(
        name for name, odds in (("button", 0.06), ("clip", 0.04), ("wire", 0.03)) if rng.random() < odds
    )
    return Conditions(
        view="lumbar",
        field=(height, height * float(np.clip(rng.normal(0.64, 0.08), 0.5, 0.82))),
        spacing=float(rng.choice([0.168, 0.175, 0.2])),
        magnification=float(rng.uniform(1.10, 1.22)),
        source_distance=float(rng.choice([1150, 1300, 1500])),
        centre=(
            float(np.clip(rng.normal(0.49, 0.045), 0.4, 0.58)),
            float(np.clip(rng.normal(0.46, 0.03), 0.4, 0.52)),
        ),
        kilovolt=float(rng.uniform(80, 92)),
        collimation=_edges(rng, 11),
        marker_at=(
            float(rng.choice([rng.uniform(0.06, 0.14), rng.uniform(0.86, 0.94)])),
            float(rng.uniform(0.05, 0.3)),
        ),
        foreign=foreign,
        **_common(rng),
    )


def _device(rng, domain: str) -> dict:
    """Three devices make the first domain; the second has two others that process differently."""
    device = int(rng.integers(0, 3)) if domain == "first" else int(rng.integers(3, 5))
    contrast, sharpening, equalise, blur, noise, shutter = (
        (1.00, 1.0, 1.0, 0.15, 1.0, "black"),
        (1.08, 1.5, 0.85, 0.19, 1.15, "raw"),
        (0.92, 0.7, 1.15, 0.13, 0.9, "black"),
        (1.30, 2.6, 0.55, 0.17, 1.4, "raw"),
        (0.80, 0.25, 1.45, 0.24, 1.6, "black"),
    )[device]
    return {
        "device": device,
        "contrast": contrast * float(np.exp(rng.normal(0, 0.08))),
        "sharpening": sharpening * float(np.exp(rng.normal(0, 0.12))),
        "equalise": equalise * float(np.exp(rng.normal(0, 0.06))),
        "blur": blur * float(np.exp(rng.normal(0, 0.08))),
        "noise": noise * float(np.exp(rng.normal(0, 0.12))),
        "brightness": float(rng.normal(0, 0.03)),
        "shutter": shutter,
        "grid": float(np.clip(rng.normal(0.78, 0.05), 0.6, 0.9)),
        "grid_lines": float(rng.uniform(0.3, 1.0)) if device == 3 else 0.0,
    }


def _second(rng, c: Conditions) -> Conditions:
    """Other field of view and levels cut off at the edge."""
    factor = float(rng.uniform(0.82, 1.0))
    return replace(
        c,
        field=(c.field[0] * factor, c.field[1] * float(rng.uniform(0.85, 1.1))),
        centre=(c.centre[0] + float(rng.normal(0, 0.03)), c.centre[1] + float(rng.normal(0, 0.03))),
        rotation=c.rotation * 1.5,
        magnification=float(rng.uniform(1.05, 1.3)),
    )


def _poor(rng, c: Conditions) -> Conditions:
    if c.kind == "shoulders" and c.view == "lumbar":
        c = replace(c, kind="underexposed")
    if c.kind == "underexposed":
        return replace(c, exposure=float(rng.uniform(0.05, 0.12)), contrast=c.contrast * 0.9)
    if c.kind == "shoulders":
        return replace(c, shoulder_drop=float(rng.uniform(-38, -20)))
    if c.kind == "rotated":
        return replace(
            c, rotation=float(rng.choice([-1, 1]) * rng.uniform(8, 14)), side_tilt=float(rng.normal(0, 3))
        )
    if c.kind == "soft":
        return replace(c, blur=float(rng.uniform(0.4, 0.6)), motion=float(rng.uniform(0.3, 0.9)))
    if c.kind == "cut_edge":
        top, right, bottom, left = c.collimation
        if rng.random() < 0.5:
            top += c.field[0] * float(rng.uniform(0.12, 0.22))
        else:
            bottom += c.field[0] * float(rng.uniform(0.14, 0.24))
        return replace(c, collimation=(top, right, bottom, left))
    return replace(c, contrast=c.contrast * 0.62, equalise=c.equalise * 0.8, grid=0.35, noise=c.noise * 1.2)


def _wrong(rng, c: Conditions) -> Conditions:
    if c.kind == "overexposed":
        return replace(c, exposure=5000.0)
    if c.kind == "cut_off":
        _, right, bottom, left = c.collimation
        return replace(c, collimation=(c.field[0] * float(rng.uniform(0.6, 0.72)), right, bottom, left))
    if c.kind == "motion":
        return replace(c, motion=float(rng.uniform(7, 12)), blur=1.2)
    return c
