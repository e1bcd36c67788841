"""One patient of the phantom study: bones, habitus and the morphology of every scored site.

Lengths are millimetres in the patient. Local axes of a vertebra: ``a`` to posterior, ``h`` to caudal,
``l`` along the beam of a lateral film. Proportions follow ``spine-radiograph-geometry`` (medians of two
sources per level); a body is drawn once per patient and stays the same over visits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

CERVICAL_LEVELS = ("C2", "C3", "C4", "C5", "C6", "C7", "T1", "T2", "T3")
LUMBAR_LEVELS = ("T9", "T10", "T11", "T12", "L1", "L2", "L3", "L4", "L5", "S1", "S2", "S3")
SITES = {
    "cervical": ("C2I", "C3S", "C3I", "C4S", "C4I", "C5S", "C5I", "C6S", "C6I", "C7S", "C7I", "T1S"),
    "lumbar": ("T12I", "L1S", "L1I", "L2S", "L2I", "L3S", "L3I", "L4S", "L4I", "L5S", "L5I", "S1S"),
}
LABELLED_LEVELS = {
    "cervical": ("C2", "C3", "C4", "C5", "C6", "C7", "T1"),
    "lumbar": ("T11", "T12", "L1", "L2", "L3", "L4", "L5", "S1"),
}

# level: (anterior height / reference, posterior / anterior height, half depth / own height, half width mm,
#         tilt of the body in degrees, caudal end to posterior positive)
_CERVICAL = {
    "C2": (1.18, 1.00, 0.53, 9.0, 1.0),
    "C3": (1.04, 1.00, 0.53, 9.5, 3.5),
    "C4": (0.99, 1.00, 0.57, 10.0, 6.0),
    "C5": (0.93, 1.02, 0.63, 10.5, 7.0),
    "C6": (0.97, 1.02, 0.62, 11.5, 11.0),
    "C7": (1.12, 1.01, 0.56, 12.5, 19.0),
    "T1": (1.18, 1.03, 0.55, 13.5, 26.0),
    "T2": (1.24, 1.04, 0.56, 13.5, 29.0),
    "T3": (1.28, 1.05, 0.57, 13.5, 28.0),
}
_LUMBAR = {
    "T9": (0.79, 1.07, 0.72, 15.0, -6.0),
    "T10": (0.81, 1.07, 0.72, 16.0, -9.0),
    "T11": (0.84, 1.08, 0.71, 17.5, -13.0),
    "T12": (0.87, 1.08, 0.70, 19.0, -16.0),
    "L1": (0.92, 1.07, 0.69, 20.0, -16.5),
    "L2": (0.99, 1.03, 0.66, 21.0, -16.0),
    "L3": (1.02, 0.99, 0.65, 22.5, -10.0),
    "L4": (1.02, 0.95, 0.65, 24.0, -1.0),
    "L5": (1.02, 0.83, 0.64, 25.5, 12.5),
    "S1": (1.06, 0.80, 0.60, 26.0, 38.0),
    "S2": (0.80, 0.85, 0.47, 22.0, 47.0),
    "S3": (0.66, 0.88, 0.42, 18.0, 46.0),
}
# anterior gap of the disc below a level / mean height of its neighbours
_GAPS = {
    "C2": 0.34, "C3": 0.39, "C4": 0.43, "C5": 0.44, "C6": 0.445, "C7": 0.36, "T1": 0.26, "T2": 0.22,
    "T9": 0.22, "T10": 0.23, "T11": 0.26, "T12": 0.32, "L1": 0.375, "L2": 0.435, "L3": 0.485, "L4": 0.54,
    "L5": 0.52, "S1": 0.07, "S2": 0.04,
}  # fmt: skip


@dataclass(frozen=True)
class Vertebra:
    """Shape of one vertebral body.

    anterior, posterior: wall heights. depth: half depth. width: half width. waists, concavities, lips in mm.
    tilt: degrees in the sagittal plane; side_tilt, axial: degrees out of it.
    """

    level: str
    anterior: float
    posterior: float
    depth: float
    width: float
    waist_anterior: float
    waist_posterior: float
    waist_side: float
    concavity_upper: float
    concavity_lower: float
    saddle: float
    lip: float
    shell: float
    endplate: float
    upper_plate: float  # share of ``endplate`` that is left: 1, less within the sacrum
    lower_plate: float
    corner: float  # radius of the rounded edge between wall and plate
    tilt: float
    side_tilt: float
    axial: float
    texture: int


@dataclass(frozen=True)
class Corner:
    """How disease looks at one site in this patient: shares of erosion, squaring, sclerosis; spur shape."""

    erosion: float
    squaring: float
    sclerosis: float
    bite_height: float  # erosion: height / depth
    bite_side: float  # mm off the midline
    lean: float  # syndesmophyte: degrees away from the line to the neighbour, to anterior
    bulge: float
    girth: float
    breadth: float  # mm along the beam
    density: float
    phase: float
    wear: float  # share of the early change that is this corner's own form, without disease


@dataclass(frozen=True)
class Body:
    """One patient. ``gaps``: anterior disc gap in mm below a level. ``spurs``: degenerative spur in mm
    by site."""

    seed: int
    domain: str
    vertebrae: dict[str, Vertebra]
    gaps: dict[str, float]
    corners: dict[str, Corner]
    spurs: dict[str, float]
    sclerotic_discs: dict[str, float]
    bulk: float  # 1 is a person of normal weight
    bone: float  # 1 is normal mineral content
    trunk_depth: float
    trunk_width: float
    neck_depth: float
    shoulder: float  # mm below C7 at which the shoulders begin (negative: above)
    transitional: str  # "", "lumbarised" or "sacralised"
    aorta: float  # 0 none to 1 heavily calcified
    clips: int  # surgical clips in the upper abdomen
    fillings: int
    crest: float  # 0 low to 1 high iliac crests
    larynx: float  # 0 high to 1 low


def make_body(seed: int, *, domain: str = "first") -> Body:
    """Draw a patient. ``domain="second"`` widens habitus and allows transitional vertebrae."""
    rng = np.random.default_rng([20_250_901, seed])
    second = domain == "second"
    bulk = float(np.clip(rng.normal(1.0, 0.12), 0.78, 1.35)) * (1.12 if second else 1.0)
    transitional = ""
    if second and rng.random() < 0.25:
        transitional = "lumbarised" if rng.random() < 0.5 else "sacralised"
    vertebrae: dict[str, Vertebra] = {}
    gaps: dict[str, float] = {}
    _region(rng, vertebrae, gaps, _CERVICAL, rng.normal(15.2, 0.8), neck=True)
    _region(rng, vertebrae, gaps, _LUMBAR, rng.normal(27.3, 1.3), neck=False)
    if transitional == "lumbarised":
        gaps["S1"] = 0.24 * vertebrae["S1"].anterior
        vertebrae["S1"] = replace(vertebrae["S1"], lower_plate=0.8)
        vertebrae["S2"] = replace(vertebrae["S2"], upper_plate=0.8)
    if transitional == "sacralised":
        gaps["L5"] = 0.16 * vertebrae["L5"].anterior
    spurs, sclerotic = _degeneration(rng, vertebrae, gaps)
    return Body(
        seed=int(seed),
        domain=domain,
        vertebrae=vertebrae,
        gaps=gaps,
        corners={site: _corner(rng, view) for view in SITES for site in SITES[view]},
        spurs=spurs,
        sclerotic_discs=sclerotic,
        bulk=bulk,
        bone=float(np.clip(rng.normal(1.0, 0.16), 0.62, 1.35)),
        trunk_depth=float(rng.normal(225, 14) * bulk),
        trunk_width=float(rng.normal(300, 16) * bulk**0.8),
        neck_depth=float(rng.normal(118, 7) * bulk**0.6),
        shoulder=float(rng.normal(4, 11)),
        transitional=transitional,
        aorta=float(np.clip(rng.normal(-0.5, 0.7), 0, 1)),
        clips=int(rng.integers(3, 9)) if rng.random() < 0.05 else 0,
        fillings=int(rng.integers(0, 6)),
        crest=float(rng.random()),
        larynx=float(rng.random()),
    )


def _region(rng, vertebrae, gaps, table, reference, *, neck: bool) -> None:
    scale = reference
    depth_factor = np.clip(rng.normal(1.0, 0.06), 0.9, 1.13)
    stance = np.clip(rng.normal(0, 4.5), -8, 8)
    lordosis = np.clip(rng.normal(1.0, 0.16), 0.7, 1.35)
    scoliosis = rng.normal(0, 2.0)
    waist = rng.normal(1.0, 0.15)
    texture = int(rng.integers(0, 2**31))
    gap_factor = np.clip(rng.normal(1.0, 0.09), 0.82, 1.2)
    centre = 6.0 if neck else -6.0
    n = len(table)
    for i, (level, (height, ratio, depth, width, tilt)) in enumerate(table.items()):
        anterior = scale * height * np.clip(rng.normal(1, 0.03), 0.94, 1.06)
        fused = level in ("S2", "S3")
        phase = np.sin(np.pi * i / n + 0.4)
        vertebrae[level] = Vertebra(
            level=level,
            anterior=float(anterior),
            posterior=float(anterior * ratio * np.clip(rng.normal(1, 0.025), 0.95, 1.05)),
            depth=float(scale * height * depth * depth_factor * np.clip(rng.normal(1, 0.025), 0.95, 1.05)),
            width=float(width * scale / (15.2 if neck else 27.3) * np.clip(rng.normal(1, 0.03), 0.94, 1.06)),
            waist_anterior=float(
                (1.05 if neck else 2.0) * waist * rng.uniform(0.7, 1.3) * (0.2 if fused else 1.0)
            ),
            waist_posterior=float((0.5 if neck else 1.0) * waist * rng.uniform(0.8, 1.2)),
            waist_side=float((0.6 if neck else 2.4) * rng.uniform(0.8, 1.2)),
            concavity_upper=float((0.7 if neck else 1.7) * rng.uniform(0.6, 1.4) * (0.25 if fused else 1.0)),
            concavity_lower=float(
                (1.3 if neck else 2.2) * rng.uniform(0.6, 1.4) * (0.25 if fused or level == "S1" else 1.0)
            ),
            saddle=float((1.6 if neck else 0.3) * rng.uniform(0.6, 1.3)),
            lip=float((0.6 if neck else 0.35) * rng.uniform(0.6, 1.3)),
            shell=float((0.27 if neck else 0.33) * rng.uniform(0.8, 1.2) * (0.3 if fused else 1.0)),
            endplate=float((0.58 if neck else 0.76) * rng.uniform(0.85, 1.15)),
            upper_plate=0.22 if fused else 1.0,
            lower_plate=0.18 if fused or level == "S1" else 1.0,
            corner=float((0.9 if neck else 1.5) * rng.uniform(0.7, 1.3)),
            tilt=float(centre + (tilt - centre) * lordosis + stance + np.clip(rng.normal(0, 1.3), -2.5, 2.5)),
            side_tilt=float(scoliosis * phase + rng.normal(0, 0.7)),
            axial=float(0.5 * scoliosis * phase + rng.normal(0, 0.8)),
            texture=texture + 97 * i,
        )
        if level in _GAPS:
            gaps[level] = _GAPS[level] * gap_factor * float(np.clip(rng.normal(1, 0.08), 0.85, 1.16))
    levels = list(table)
    for upper, lower in pairwise(levels):
        gaps[upper] *= (vertebrae[upper].anterior + vertebrae[lower].anterior) / 2


def _corner(rng, view: str) -> Corner:
    main = rng.choice(3, p=(0.5, 0.18, 0.32) if view == "cervical" else (0.42, 0.28, 0.30))
    shares = rng.uniform(0.0, 0.35, 3) * (rng.random(3) < 0.5)
    shares[main] = rng.uniform(0.85, 1.0)
    return Corner(
        erosion=float(shares[0]),
        squaring=float(shares[1]),
        sclerosis=float(shares[2]),
        bite_height=float(rng.uniform(0.8, 1.35)),
        bite_side=float(rng.normal(0, 1.5)),
        lean=float(rng.uniform(4, 24)),
        bulge=float(rng.uniform(0.06, 0.2)),
        girth=float(rng.uniform(0.85, 1.2)),
        breadth=float(rng.uniform(0.85, 1.2)),
        density=float(rng.uniform(0.85, 1.15)),
        phase=float(rng.uniform(0, 6.28)),
        wear=float(0.27 * rng.beta(0.6, 1.4)),
    )


def _degeneration(rng, vertebrae, gaps) -> tuple[dict[str, float], dict[str, float]]:
    """Spurs by site and sclerosis by disc; a degenerated disc is narrower. About one disc in seven; of
    the other rims one in four carries a short normal lip."""
    spurs: dict[str, float] = {}
    sclerotic: dict[str, float] = {}
    liable = rng.beta(1.3, 5.0)
    for view, sites in SITES.items():
        for upper, lower in zip(sites[0::2], sites[1::2], strict=True):
            level = upper[:-1]
            odds = liable * (1.6 if level in ("C5", "C6", "L4", "L5") else 0.7)
            longest = 3.0 if view == "cervical" else 5.5
            if rng.random() > odds:
                for site in (upper, lower):
                    if rng.random() < 0.25:
                        spurs[site] = float(longest * rng.uniform(0.12, 0.4))
                continue
            severity = rng.uniform(0.3, 1.0)
            gaps[level] *= 1 - 0.35 * severity
            sclerotic[level] = severity
            spurs[upper] = float(severity * longest * rng.uniform(0.3, 1.0))
            spurs[lower] = float(severity * longest * rng.uniform(0.3, 1.0))
    return spurs, sclerotic
