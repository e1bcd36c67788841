"""Pedicles, articular processes, laminae, spinous processes, ribs, dens and arch of C1, as tapered rods."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.phantom.mri.anatomy import Placed, Spine
from data.phantom.mri.drawing.canvas import Box, Canvas, texture
from data.phantom.mri.lesions import FACET, SPINOUS, Lesion, strength

Point = tuple[float, float]
CORTEX = 0.7  # mm
SEEN = 0.75  # of the cortex, which is thin and lies in many directions


@dataclass(frozen=True)
class Rod:
    """A bone between two points (a behind the posterior wall, h) in mm of a vertebra of reference size.

    radius: at both ends. lateral: of its axis. wide: half its width. part: what it is.
    """

    part: str
    start: Point
    end: Point
    radius: Point
    lateral: float
    wide: float


def rods(p: Placed) -> list[Rod]:
    """The rods of one level, both sides, lengths in mm; each a little other in size and place."""
    v = p.vertebra
    of_region = {"C": _cervical, "T": _thoracic, "L": _lumbar, "S": _sacral}[v.level[0]](v)
    rng = np.random.default_rng([v.texture, 17])
    return [_varied(rod, rng) for rod in of_region]


def _varied(rod: Rod, rng) -> Rod:
    thick, wide, moved = rng.uniform(0.82, 1.18, 2), rng.uniform(0.85, 1.15), rng.normal(0, 0.8, 5)
    return Rod(
        rod.part,
        (rod.start[0] + float(moved[0]), rod.start[1] + float(moved[1])),
        (rod.end[0] + float(moved[2]), rod.end[1] + float(moved[3])),
        (rod.radius[0] * float(thick[0]), rod.radius[1] * float(thick[1])),
        rod.lateral + (float(moved[4]) if rod.lateral else 0.0),
        rod.wide * float(wide),
    )


def _scaled(size: float, rods_: list[Rod]) -> list[Rod]:
    return [
        Rod(
            r.part,
            (r.start[0] * size, r.start[1] * size),
            (r.end[0] * size, r.end[1] * size),
            (r.radius[0] * size, r.radius[1] * size),
            r.lateral,
            r.wide * size,
        )
        for r in rods_
    ]


def _lumbar(v) -> list[Rod]:
    w, size = v.width, v.anterior / 27
    long = {"L1": 0.93, "L2": 1.0, "L3": 1.05, "L4": 0.97, "L5": 0.72}[v.level]
    found = [  # a plate: an upper and a lower edge, and what joins them to the lamina
        Rod("spinous", (24, 5), (21 + 25 * long, 6), (5.0, 5.5), 0.0, 3.2),
        Rod("spinous", (25, 12), (19 + 25 * long, 17), (5.5, 7.0), 0.0, 3.6),
        Rod("lamina", (19, 3), (26, 9), (3.0, 4.5), 0.0, 4.0),
    ]
    for side in (-1, 1):
        found += [
            Rod("pedicle", (-3, -4.5), (12, -4), (5.2, 4.8), side * 0.55 * w, 4.3),
            Rod("superior", (13, -6), (14, -18), (5.0, 3.6), side * (0.55 * w + 4), 5.0),
            Rod("pars", (13, -4), (19, 4), (4.4, 4.0), side * 0.57 * w, 4.2),
            Rod("inferior", (19, 4), (23.5, 18), (4.2, 4.0), side * (0.52 * w + 2), 5.0),
            Rod("lamina", (17, 0), (24, 13), (3.2, 3.8), side * 0.28 * w, 5.0),
            Rod("transverse", (11, -5), (13, -5), (4.0, 4.0), side * (0.55 * w + 14), 10.0),
        ]
    return _scaled(size, found)


def _thoracic(v) -> list[Rod]:
    w, size = v.width, v.anterior / 21
    low = v.level in ("T11", "T12")
    tip = (38.0, 13.0) if low else (36.0, 27.0)
    found = [Rod("spinous", (15, 4), tip, (5.6, 3.4), 0.0, 2.9)]
    for side in (-1, 1):
        found += [
            Rod("pedicle", (-3, -4), (9, -4.5), (4.6, 4.2), side * 0.62 * w, 3.0),
            Rod("superior", (10, -5), (11.5, -13), (3.6, 2.8), side * 0.62 * w, 4.4),
            Rod("inferior", (14, 3), (16.5, 13), (3.2, 3.0), side * 0.58 * w, 4.4),
            Rod("lamina", (12, -3), (17, 9), (2.9, 3.2), side * 0.32 * w, 5.0),
            Rod("transverse", (15, -4), (17, -4), (4.4, 4.4), side * (0.62 * w + 9), 6.0),
            Rod("rib", (-3, -8), (8, -7), (4.6, 4.2), side * (w + 4), 4.0),
            Rod("rib", (9, -5), (14, -2), (4.4, 4.0), side * (w + 13), 6.0),
        ]
    return _scaled(size, found)


def _cervical(v) -> list[Rod]:
    w, size = v.width, v.anterior / 15.5
    reach = {"C2": 31, "C3": 25, "C4": 25, "C5": 28, "C6": 36, "C7": 46}[v.level]
    drop = {"C2": 5, "C3": 8, "C4": 9, "C5": 10, "C6": 11, "C7": 11}[v.level]
    thick = 5.5 if v.level in ("C2", "C7") else 3.8
    found = [Rod("spinous", (18, 3), (reach, drop), (4.0, thick), 0.0, 3.2)]
    for side in (-1, 1):
        found += [
            Rod("pedicle", (-2, -1), (5, 0), (3.2, 3.2), side * (w + 1), 2.6),
            Rod("superior", (6, 0), (3.5, -6), (4.6, 3.6), side * (w + 4.5), 4.8),
            Rod("inferior", (7, 1), (10.5, 7), (4.6, 3.4), side * (w + 4.5), 4.8),
            Rod("lamina", (13, -1), (17, 5), (2.3, 2.8), side * 6.5, 4.5),
        ]
    if v.level == "C2":
        top = -v.anterior / 2 / size
        found += [
            Rod(
                "dens",
                (-v.depth / size * 1.05, top + 2),
                (-v.depth / size * 1.0, top - 15),
                (5.6, 4.6),
                0.0,
                5.2,
            ),
            Rod(
                "arch",
                (-v.depth / size - 9.6, top - 11),
                (-v.depth / size - 9.6, top - 8),
                (2.8, 3.0),
                0.0,
                9.0,
            ),
            Rod("arch", (21, top - 12), (24, top - 11), (3.0, 3.4), 0.0, 9.0),
        ]
    return _scaled(size, found)


def _sacral(v) -> list[Rod]:
    size = v.anterior / 27
    found = [Rod("spinous", (12, 0), (17, 6), (3.5, 4.5), 0.0, 4.0)]
    for side in (-1, 1):
        found += [Rod("wing", (-14, 0), (4, 0), (12.0, 9.0), side * (v.width + 6), 8.0)]
        if v.level == "S1":
            found += [Rod("superior", (9, -6), (12, -16), (5.0, 3.6), side * (0.55 * v.width + 4), 5.0)]
    return _scaled(size, found)


def draw_posterior(canvas: Canvas, spine: Spine, fat: float, lesions: tuple[Lesion, ...]) -> None:
    """What is behind the bodies, C1 and the dens, with the oedema in it."""
    for level, placed in spine.placed.items():
        own = [lesion for lesion in lesions if lesion.level == level and not lesion.in_body]
        _arch(canvas, placed, rods(placed), fat, own)


def _arch(canvas: Canvas, p: Placed, parts: list[Rod], fat: float, lesions: list[Lesion]) -> None:
    """All rods of a level as one bone: marrow runs on from one into the next."""
    boxes = [_around(canvas, p, rod) for rod in parts]
    found = [(rod, box) for rod, box in zip(parts, boxes, strict=True) if box is not None]
    if not found:
        return
    whole = canvas.hull([box for _, box in found])
    edge = np.full(canvas.size(whole), -9.0, np.float32)
    inflamed: list[tuple[Lesion, np.ndarray]] = []
    for rod, box in found:
        a, h, l = p.local(*canvas.points(box))  # noqa: E741
        part = edge[canvas.within(box, whole)]
        np.maximum(part, depth_in(p, rod, a, h, l), out=part)
        for lesion in lesions:
            if holds(lesion, rod):
                distance = np.full(edge.shape, 9.0, np.float32)
                end = ends_of(p, rod)[1]
                distance[canvas.within(box, whole)] = np.hypot(a - end[0], h - end[1]) / lesion.deep
                inflamed.append((lesion, distance))
    grain = texture(p.vertebra.texture + 3, *p.local(*canvas.points(whole)))
    edge += p.vertebra.anterior / 27 * (0.7 * grain[2] + 0.25 * grain[1])
    cover, core = canvas.inside(edge), canvas.inside(edge - CORTEX)
    canvas.paint(whole, SEEN * cover, "bone")
    share = np.clip(fat + 0.06 + 0.04 * grain[0] + 0.06 * grain[1], 0.1, 0.95)
    water, pure = canvas.tissue["marrow water"], canvas.tissue["pure fat"]
    mixed = np.stack([w * (1 - share) + f * 0.92 * share for w, f in zip(water, pure, strict=True)])
    canvas.paint(whole, core, mixed.astype(np.float32))
    for lesion, distance in inflamed:
        _paint_lesion(canvas, whole, lesion, distance, (cover, core), grain)


def ends_of(p: Placed, rod: Rod) -> np.ndarray:
    """Both ends of a rod, local a and h."""
    return np.array([(p.vertebra.depth * 0.86 + a, h) for a, h in (rod.start, rod.end)])


def _around(canvas: Canvas, p: Placed, rod: Rod) -> Box | None:
    ends = ends_of(p, rod)
    middle = p.point(float(ends[:, 0].mean()), float(ends[:, 1].mean()), rod.lateral)
    reach = float(np.hypot(*(ends[1] - ends[0])) / 2 + max(rod.radius) + 2)
    return canvas.box(middle, (reach, reach, rod.wide + 2))


def depth_in(p: Placed, rod: Rod, a: np.ndarray, h: np.ndarray, l: np.ndarray) -> np.ndarray:  # noqa: E741
    """Distance from the surface of a rod, positive inside."""
    ends = ends_of(p, rod)
    way = ends[1] - ends[0]
    t = np.clip(((a - ends[0, 0]) * way[0] + (h - ends[0, 1]) * way[1]) / (way @ way), 0, 1)
    radius = rod.radius[0] + (rod.radius[1] - rod.radius[0]) * t
    aside = (l - rod.lateral) * (radius / rod.wide)
    away = np.hypot(np.hypot(a - ends[0, 0] - t * way[0], h - ends[0, 1] - t * way[1]), aside)
    return np.asarray(radius - away, np.float32)


def holds(lesion: Lesion, rod: Rod) -> bool:
    """Whether a lesion of its level lies in a rod."""
    if lesion.kind == SPINOUS:
        return rod.part == "spinous"
    part = "superior" if lesion.plate == "upper" else "inferior"
    return lesion.kind == FACET and rod.part == part and rod.lateral * lesion.lateral > 0


def _paint_lesion(canvas: Canvas, box, lesion: Lesion, distance, covers, grain) -> None:
    cover, core = covers
    base = canvas.tissue["oedema"].copy()
    base[0] = lesion.brightness
    canvas.paint(box, core * strength(distance), base[:, None, None, None] * (1 + 0.1 * grain[1]))
    canvas.add_oedema(box, cover * (distance <= 1))
