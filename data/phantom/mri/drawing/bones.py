"""Vertebral bodies, discs and posterior elements, drawn from the front to the back of each level."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np

from data.phantom.mri.anatomy import BODY_LABEL, DISC_LABEL, Placed, Spine
from data.phantom.mri.drawing.canvas import Box, Canvas, texture
from data.phantom.mri.lesions import Lesion, relative_distance, strength
from data.phantom.mri.shape import Node, inside, plate_height

SHELL, PLATE_SHELL = 0.7, 0.95  # mm of dark line at a wall and at an end plate
ROUGH = 0.22  # mm by which a surface is uneven


@dataclass(frozen=True)
class Blob:
    """A haemangioma: a ball of fat and water in a body, coarse within. Local mm."""

    a: float
    h: float
    l: float  # noqa: E741 - the field's axis name
    radius: float


@dataclass(frozen=True)
class Marrow:
    """What the marrow and discs of one patient are like, and what is in them that is no inflammation.

    fat: mean fat fraction. patchy: how uneven it is. water: of each disc by the level above, 0 dry to 1.
    """

    fat: float
    patchy: float
    water: dict[str, float]
    nodes: dict[str, tuple[Node, ...]] = field(default_factory=dict)
    blobs: dict[str, Blob] = field(default_factory=dict)
    bland: tuple[Lesion, ...] = ()  # Modic 1 change and fat: drawn like lesions, not inflammation


def draw_bones(canvas: Canvas, spine: Spine, marrow: Marrow, lesions: tuple[Lesion, ...]) -> None:
    """All discs, then all bodies over them, then what lies behind."""
    levels = list(spine.placed)
    for upper, lower in itertools.pairwise(levels):
        _disc(canvas, spine, upper, lower, marrow)
    for level, placed in spine.placed.items():
        own = tuple(lesion for lesion in lesions if lesion.level == level)
        _body(canvas, level, placed, marrow, own)


def _box(canvas: Canvas, p: Placed, margin: float = 3.0) -> Box | None:
    v = p.vertebra
    high = max(v.anterior, v.posterior) / 2 + margin
    tilt = np.radians(abs(p.tilt))
    reach = (
        (v.depth + margin) * np.cos(tilt) + high * np.sin(tilt),
        high * np.cos(tilt) + (v.depth + margin) * np.sin(tilt),
        v.width + margin,
    )
    return canvas.box(p.centre, reach)


def _body(canvas: Canvas, level: str, p: Placed, marrow: Marrow, lesions: tuple[Lesion, ...]) -> None:
    box = _box(canvas, p)
    if box is None:
        return
    v = p.vertebra
    a, h, l = p.local(*canvas.points(box))  # noqa: E741
    where = inside(v, a, h, l, marrow.nodes.get(level, ()))
    grain = texture(v.texture, a, h, l)
    edge = where.edge(v.corner) + ROUGH * (grain[2] + 0.5 * grain[1])
    cover = canvas.inside(edge)
    canvas.paint(box, cover, "bone")
    thick = np.where(where.plates() < where.wall(), PLATE_SHELL * min(v.endplate / 0.7, 1.3), SHELL)
    core = canvas.inside(edge - thick)
    canvas.paint(box, core, _marrow(canvas, marrow, v.texture, grain, where, v))
    _vein(canvas, box, p, (a, h, l), core)
    if level in marrow.blobs:
        _blob(canvas, box, marrow.blobs[level], (a, h, l), core, grain)
    cut = np.zeros_like(core)
    bland = tuple(one for one in marrow.bland if one.level == level)
    for lesion in (*bland, *lesions):
        if not lesion.in_body:
            continue
        distance = relative_distance(lesion, v, where, a, l)
        uneven = 1 + 0.10 * grain[1] + 0.05 * grain[0]
        canvas.paint(box, core * strength(distance + 0.09 * grain[1]), _lesion_signal(canvas, lesion, uneven))
        if lesion in lesions and not lesion.fatty:
            np.maximum(cut, cover * (distance <= 1), out=cut)
    if level in BODY_LABEL:
        canvas.label(box, cover, BODY_LABEL[level])
    if cut.any():
        canvas.add_oedema(box, cut)


def _marrow(canvas: Canvas, marrow: Marrow, seed: int, grain: np.ndarray, where, v) -> np.ndarray:
    """Signals of marrow: fat and water mixed unevenly, more fat about the vein and at the plates."""
    rng = np.random.default_rng([seed, 11])
    mean = marrow.fat + rng.normal(0, 0.03)
    fat = mean + marrow.patchy * (0.04 * grain[0] + 0.055 * grain[1] + 0.055 * grain[2])
    fat = fat + 0.05 * np.exp(-np.maximum(where.plates(), 0) / 2.5)
    fat = np.clip(fat, 0.08, 0.92).astype(np.float32)
    water, pure = canvas.tissue["marrow water"], canvas.tissue["pure fat"]
    return np.stack(
        [np.float32(w) * (1 - fat) + np.float32(f) * 0.92 * fat for w, f in zip(water, pure, strict=True)]
    )


def _lesion_signal(canvas: Canvas, lesion: Lesion, uneven: np.ndarray) -> np.ndarray:
    base = canvas.tissue["fat" if lesion.fatty else "oedema"].copy()
    if not lesion.fatty:
        base[0] = lesion.brightness
    return base[:, None, None, None] * uneven


def _vein(canvas: Canvas, box: Box, p: Placed, at, core: np.ndarray) -> None:
    """The basivertebral vein: a cleft at half height that opens to the canal."""
    a, h, l = at  # noqa: E741
    v = p.vertebra
    if v.level.startswith(("C", "S")):
        return
    rng = np.random.default_rng([v.texture, 13])
    start, half = v.depth * rng.uniform(-0.05, 0.35), rng.uniform(0.5, 1.0)
    run = np.clip((a - start) / (v.depth - start), 0, 1)
    thick = half * (0.4 + 1.3 * run**2) - np.abs(h - 0.3 * np.sin(a / 3))
    wide = (2.0 + 5.0 * (1 - run)) * v.width / 20 + 1.5
    cover = core * canvas.inside(thick) * canvas.inside(wide - np.abs(l)) * canvas.inside(a - start)
    canvas.paint(box, cover * np.float32(rng.uniform(0.35, 0.8)), "vein")


def _blob(canvas: Canvas, box: Box, blob: Blob, at, core: np.ndarray, grain: np.ndarray) -> None:
    a, h, l = at  # noqa: E741
    away = np.sqrt((a - blob.a) ** 2 + (h - blob.h) ** 2 + (l - blob.l) ** 2) + 0.5 * grain[1]
    fat, oedema = canvas.tissue["fat"], canvas.tissue["oedema"]
    mixed = (0.55 * fat + 0.45 * oedema)[:, None, None, None] * (1 - 0.18 * np.maximum(grain[0], 0))
    canvas.paint(box, core * canvas.inside(blob.radius - away), mixed)


def _disc(canvas: Canvas, spine: Spine, upper: str, lower: str, marrow: Marrow) -> None:
    above, below = spine.placed[upper], spine.placed[lower]
    u, w = above.vertebra, below.vertebra
    top = above.point(0, (u.anterior + u.posterior) / 4, 0)
    bottom = below.point(0, -(w.anterior + w.posterior) / 4, 0)
    axes = above.axes + below.axes
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    middle = Placed(u, (top + bottom) / 2, axes, (above.tilt + below.tilt) / 2)
    depth, width = (u.depth + w.depth) / 2, (u.width + w.width) / 2
    reach = depth + 5
    tilt = np.radians(abs(middle.tilt))
    box = canvas.box(middle.centre, (reach, 10 * np.cos(tilt) + reach * np.sin(tilt) + 4, width + 3))
    if box is None:
        return
    x, y, z = canvas.points(box)
    a, _, l = middle.local(x, y, z)  # noqa: E741
    au, hu, lu = above.local(x, y, z)
    al, hl, ll = below.local(x, y, z)
    from_top = hu - plate_height(u, "lower", au, lu)
    from_bottom = plate_height(w, "upper", al, ll) - hl
    gap = np.maximum(from_top + from_bottom, 0.5)
    water = marrow.water.get(upper, 0.5)
    bulge = -1.5 if lower in ("S2", "S3") else 0.6 + 1.2 * (1 - water)
    round_ = np.sqrt(np.maximum(1 - np.clip(np.abs(l) / width, 0, 1) ** 2.6, 0))
    edge = np.minimum((depth + bulge) * round_ - np.abs(a), np.minimum(from_top, from_bottom) + 2.5)
    cover = canvas.inside(edge)
    canvas.paint(box, cover, "annulus")
    seed = u.texture + 7
    grain = texture(seed, a, from_top, l)
    r2 = ((a - 0.08 * depth) / (0.72 * depth)) ** 2 + (l / (0.72 * width)) ** 2
    r2 = r2 + (np.abs(from_top - from_bottom) / (0.94 * gap)) ** 3 + 0.05 * grain[1]
    soft = np.clip((1.3 - r2) / 1.1, 0, 1) ** 1.2
    cleft = 1 - 0.35 * water * np.exp(-((np.abs(from_top - from_bottom) / 1.1) ** 2)) * (r2 < 0.55)
    wet, dry = canvas.tissue["nucleus"], canvas.tissue["dry disc"]
    inner = (water * wet + (1 - water) * dry)[:, None, None, None] * (cleft * (1 + 0.07 * grain[0]))
    canvas.paint(box, cover * soft, inner)
    rim = np.clip(1 - np.minimum(from_top, from_bottom) / 0.8, 0, 1) * cover
    canvas.paint(box, 0.7 * rim, "bone")
    unit = f"{upper}{lower}"
    if unit in DISC_LABEL:
        within = canvas.inside(np.minimum(edge, np.minimum(from_top, from_bottom)))
        canvas.label(box, within, DISC_LABEL[unit])
