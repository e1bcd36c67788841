"""How one stack is planned and taken: field of view, sequence, coil, noise, and what goes a little wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.phantom.mri.drawing.tissues import Protocol
from data.phantom.spine.conditions import DOMAINS

VIEWS = ("cervical", "thoracic", "lumbar", "whole")
SPACING_MM = 3.5
CENTRE = {"cervical": ("C4", "C5"), "thoracic": ("T6", "T8"), "lumbar": ("L2", "L4"), "whole": ("T7", "T8")}
_FIELD = {
    "cervical": (250.0, 250.0),
    "thoracic": (370.0, 300.0),
    "lumbar": (310.0, 300.0),
    "whole": (690.0, 300.0),
}
_PIXEL = {"cervical": 0.82, "thoracic": 1.04, "lumbar": 0.97, "whole": 1.15}


@dataclass(frozen=True)
class Scan:
    """Taking one stack of both sequences. Lengths in mm, angles in degrees, signal relative to that of CSF.

    field: height, width. slices: number. thickness: of a slice, the rest of the spacing is gap.
    shift: of the middle of the field (x, y, z). turn: plan against the spine, about x and y.
    lie: how the patient lies in the scanner, about the three axes of the patient. table: isocentre.
    noise, noise_t1: standard deviation. normalised: share of the coil's shading that was taken out.
    reach: depth in mm at which the coil's signal is halved. band: depth behind which the saturation band
    begins in front of the spine, its remaining signal.
    residual: share of fat signal left where suppression works. failure: the same where it fails.
    shift_fat: pixels of chemical shift in T1. ghost: share of signal repeated. phase: axis of phase encoding
    (0 rows, 1 columns). resolution: share of the phase steps taken.
    """

    view: str
    domain: str
    protocol: Protocol
    field: tuple[float, float]
    pixel: float
    slices: int
    thickness: float
    shift: tuple[float, float, float]
    turn: tuple[float, float]
    lie: tuple[float, float, float]
    table: tuple[float, float, float]
    flexion: float
    device: int
    noise: float
    noise_t1: float
    normalised: float
    reach: float
    ripple: float
    band: float
    band_left: float
    residual: float
    failure: float
    shift_fat: float
    ghost: float
    phase: int
    resolution: float
    scale: float
    draw: int


def draw_scan(
    rng: np.random.Generator, view: str, domain: str = "first", *, visit: Visit | None = None
) -> Scan:
    """Draw the taking of one stack. Raises ValueError for a view or domain that does not exist."""
    if view not in VIEWS:
        raise ValueError(f"view {view!r} is not one of {', '.join(VIEWS)}")
    visit = draw_visit(rng, domain) if visit is None else visit
    second = domain == "second"
    height, width = (
        value * float(rng.uniform(0.88, 1.1) if second else rng.uniform(0.97, 1.05)) for value in _FIELD[view]
    )
    if view == "whole":
        height = _FIELD[view][0]
    pixel = _PIXEL[view] * (float(rng.uniform(0.85, 1.2)) if second else 1.0)
    return Scan(
        view=view,
        domain=domain,
        protocol=visit.protocol,
        field=(height, width),
        pixel=round(pixel, 3),
        slices=int(rng.integers(17, 20)),
        thickness=visit.thickness,
        shift=(float(rng.normal(0, 6)), float(rng.normal(0, 7)), float(np.clip(rng.normal(0, 1.6), -4, 4))),
        turn=(float(rng.normal(0, 1.0)), float(rng.normal(0, 1.3))),
        lie=visit.lie,
        table=visit.table,
        flexion=visit.flexion,
        device=visit.device,
        noise=float(np.exp(rng.normal(np.log(0.033 if second else 0.026), 0.25))),
        noise_t1=float(np.exp(rng.normal(np.log(0.016), 0.25))),
        normalised=float(np.clip(rng.normal(0.85 if second else 0.3, 0.15), 0.0, 1.0)),
        reach=float(rng.uniform(75, 105)),
        ripple=float(rng.uniform(0.02, 0.10)),
        band=float(rng.uniform(22, 45)),
        band_left=float(rng.uniform(0.12, 0.4)),
        residual=float(rng.uniform(0.05, 0.17)) if not second else float(rng.uniform(0.01, 0.05)),
        failure=float(rng.uniform(0.05, 0.3)) if not second else float(rng.uniform(0.1, 0.7)),
        shift_fat=float(rng.uniform(0.2, 0.8)) if not second else float(rng.uniform(0.6, 1.4)),
        ghost=float(np.exp(rng.normal(np.log(0.02), 0.5))),
        phase=0 if rng.random() < 0.8 else 1,
        resolution=float(rng.uniform(0.68, 0.9)),
        scale=float(rng.uniform(350, 900)),
        draw=int(rng.integers(0, 2**31)),
    )


@dataclass(frozen=True)
class Visit:
    """What all stacks of one visit share: scanner, protocol, and how the patient lies."""

    protocol: Protocol
    device: int
    thickness: float
    lie: tuple[float, float, float]
    table: tuple[float, float, float]
    flexion: float


def draw_visit(rng: np.random.Generator, domain: str = "first") -> Visit:
    """Draw scanner, protocol and position of one visit. Raises ValueError for an unknown domain."""
    if domain not in DOMAINS:
        raise ValueError(f"domain {domain!r} is not one of {', '.join(DOMAINS)}")
    first = domain == "first"
    device = int(rng.integers(0, 2)) if first else int(rng.integers(2, 4))
    tesla = 1.5 if device in (0, 2) else 3.0
    kind = "STIR" if first else ("DIXON" if device == 2 else "SPAIR")
    protocol = Protocol(
        kind=kind,
        tr=5000.0 if first else 4800.0,
        te=80.0 if first else 85.0,
        ti={1.5: 165.0, 3.0: 220.0}[tesla] if kind == "STIR" else 0.0,
        t1_tr=600.0 if first else 520.0,
        t1_te=10.0 if first else 14.0,
        field=tesla,
    )
    angles, places = rng.normal(0, (1.5, 1.2, 2.0)), rng.normal(0, (5.0, 8.0, 12.0))
    return Visit(
        protocol,
        device,
        SPACING_MM if rng.random() < 0.6 else 3.0,
        (float(angles[0]), float(angles[1]), float(angles[2])),
        (float(places[0]), float(places[1]), float(places[2])),
        float(rng.normal(0, 0.05)),
    )
