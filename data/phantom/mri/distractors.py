"""What is in marrow and discs without inflammation: Schmorl nodes, haemangiomas, Modic change, wear."""

from __future__ import annotations

import itertools

import numpy as np

from core.imaging.spine import LEVELS
from data.phantom.mri.anatomy import whole_spine
from data.phantom.mri.drawing.bones import Blob, Marrow
from data.phantom.mri.lesions import CORNER, PLATE, Lesion
from data.phantom.mri.shape import Node
from data.phantom.spine.body import Body

LIABLE = ("T8", "T9", "T10", "T11", "T12", "L1", "L2", "L3")  # to Schmorl nodes
SCHMORL, HAEMANGIOMA, MODIC_1, FATTY_CORNER = 0.035, 0.022, 0.22, 0.35


def draw_marrow(body: Body, age: float = 42.0) -> Marrow:
    """Marrow and discs of one body, the same at every visit."""
    rng = np.random.default_rng([body.seed, 107])
    vertebrae, _ = whole_spine(body)
    fat = float(np.clip(rng.normal(0.36 + 0.0035 * (age - 40), 0.06), 0.2, 0.6))
    liable = float(rng.beta(1.6, 3.0))
    water: dict[str, float] = {}
    nodes: dict[str, tuple[Node, ...]] = {}
    bland: list[Lesion] = []
    for upper, lower in itertools.pairwise(LEVELS):
        worn = body.sclerotic_discs.get(upper, 0.0)
        wet = rng.beta(6, 2.0) * (1 - 0.4 * liable) - 0.8 * worn
        water[upper] = float(np.clip(wet, 0.03, 1.0))
        modic = rng.random() < MODIC_1 and worn > 0.35
        for level, plate in ((upper, "lower"), (lower, "upper")):
            v = vertebrae[level]
            if rng.random() < SCHMORL * (2.0 if level in LIABLE else 0.3):
                nodes[level] = (*nodes.get(level, ()), _node(rng, plate, v))
            if modic:
                bland.append(_band(rng, level, plate, v, fatty=False))
            elif worn > 0.5 and rng.random() < 0.5:
                bland.append(_band(rng, level, plate, v, fatty=True))
            elif rng.random() < FATTY_CORNER * 0.12:
                bland.append(_fatty_corner(rng, level, plate, v))
    blobs: dict[str, Blob] = {}
    for level in LEVELS:
        v = vertebrae[level]
        if rng.random() < HAEMANGIOMA:
            radius = float(rng.uniform(0.18, 0.45) * v.anterior)
            a, h, side = rng.uniform(-0.4, 0.4, 3) * (v.depth, 0.5 * v.anterior, v.width)
            blobs[level] = Blob(float(a), float(h), float(side), radius)
    return Marrow(fat, float(rng.uniform(0.6, 1.5)), water, nodes, blobs, tuple(bland))


def _node(rng, plate: str, v) -> Node:
    return Node(
        plate,
        float(rng.uniform(-0.35, 0.45) * v.depth),
        float(rng.uniform(-0.45, 0.45) * v.width),
        float(rng.uniform(0.18, 0.34) * v.depth),
        float(rng.uniform(0.09, 0.24) * v.anterior),
    )


def _band(rng, level: str, plate: str, v, *, fatty: bool) -> Lesion:
    """Modic 1 (water) or 2 (fat): a band along a worn disc."""
    return Lesion(
        level=level,
        kind=PLATE,
        plate=plate,
        place=float(rng.uniform(-0.5, 0.3)),
        lateral=float(rng.uniform(-0.3, 0.3) * v.width),
        along=float(rng.uniform(0.4, 1.0) * v.depth),
        deep=float(rng.uniform(0.14, 0.32) * v.anterior),
        wide=float(rng.uniform(0.35, 0.8) * v.width),
        brightness=float(rng.uniform(0.4, 0.75)),
        fatty=fatty,
    )


def _fatty_corner(rng, level: str, plate: str, v) -> Lesion:
    size = v.depth / 17
    return Lesion(
        level, CORNER, plate, float(rng.choice([-1.0, 1.0])), float(rng.uniform(-0.5, 0.5) * v.width),
        float(rng.uniform(5, 11) * size), float(rng.uniform(4, 9) * size), float(rng.uniform(5, 10) * size),
        0.0, True,
    )  # fmt: skip
