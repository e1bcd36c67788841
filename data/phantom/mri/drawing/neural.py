"""The spinal canal: epidural fat, dural sac with CSF, cord, conus, cauda equina."""

from __future__ import annotations

import numpy as np

from data.phantom.mri.anatomy import DRAWN, Spine
from data.phantom.mri.drawing.canvas import Canvas, texture
from data.phantom.mri.drawing.lines import Lines

_LEVELS = ("C2", "C4", "C6", "T1", "T4", "T8", "T11", "T12", "L1", "L3", "L5", "S1", "S2")
_SAC = (7.2, 6.3, 6.2, 6.3, 6.2, 6.3, 7.0, 7.4, 7.8, 7.6, 7.0, 5.6, 3.0)  # half its depth in mm
_SAC_WIDE = (12.0, 11.5, 11.5, 10.0, 8.3, 8.0, 9.0, 9.8, 10.5, 10.5, 10.5, 8.0, 4.5)
_CORD = (3.9, 3.9, 4.0, 3.5, 3.1, 3.1, 3.7, 3.6, 1.9, 0.0, 0.0, 0.0, 0.0)
_CORD_WIDE = (6.0, 6.6, 6.8, 5.4, 4.4, 4.3, 4.9, 4.5, 2.4, 0.0, 0.0, 0.0, 0.0)
STRIP = 48  # rows that are drawn at once
_BEFORE = (2.2, 1.6, 1.6, 1.6, 1.6, 1.5, 1.6, 1.8, 2.0, 2.3, 3.2, 5.0, 6.0)  # from wall to dura


def draw_canal(canvas: Canvas, spine: Spine, lines: Lines) -> None:
    """Paint the canal; bones are painted over its edges later."""
    body = spine.body
    rng = np.random.default_rng([body.seed, 97])
    size = rng.uniform(0.92, 1.1)
    rows = len(canvas.grid.y)
    for start in range(0, rows, STRIP):
        strip = slice(start, min(start + STRIP, rows))
        _strip(
            canvas, lines.of_rows(strip), strip, body.seed, size, np.random.default_rng([body.seed, 97, 1])
        )


def _strip(canvas: Canvas, lines: Lines, rows: slice, seed: int, size: float, rng) -> None:
    """The canal of some rows, in a box that is no wider than it needs to be."""
    g = canvas.grid
    shown = (lines.place > -1.6) & (lines.place < DRAWN.index("S2") + 0.4)
    if not shown.any():
        return
    back, lateral = lines.back[shown], lines.lateral[shown]
    around = canvas.box(
        np.array([(back.min() + back.max()) / 2 + 9, g.y[rows].mean(), (lateral.min() + lateral.max()) / 2]),
        (float(np.ptp(back)) / 2 + 17, float(np.ptp(g.y[rows])), 14.0 + float(np.ptp(lateral)) / 2),
    )
    if around is None:
        return
    box = (around[0], rows, around[2])
    x, y, z = canvas.points(box)
    u = (x - lines.back[None]) * lines.slope[None]
    lat = z - lines.lateral[None]
    half, wide = (size * lines.along(_LEVELS, values)[None] for values in (_SAC, _SAC_WIDE))
    middle = lines.along(_LEVELS, _BEFORE)[None] + half
    ends = (lines.place[None] < DRAWN.index("S2") + 0.3) & (lines.place[None] > -1.5)
    sac = (1 - np.sqrt(((u - middle) / half) ** 2 + (lat / wide) ** 2)) * half
    cover = canvas.inside(sac + 0.5) * ends
    canvas.paint(box, cover, "ligament")
    grain = texture(seed, u, np.broadcast_to(y * 0.35, u.shape), lat)
    flow = 1 - 0.05 * np.maximum(grain[2], 0) - _flow_void(lines, u - middle, half, rng)
    csf = canvas.tissue["csf"][:, None, None, None] * flow
    inner = canvas.inside(sac) * ends
    canvas.paint(box, inner, csf)
    _roots(canvas, box, lines, (u, lat, middle, half), inner, rng)
    cord, cord_wide = (lines.along(_LEVELS, values)[None] for values in (_CORD, _CORD_WIDE))
    fore = lines.along(("C2", "C7", "T3", "T9", "T12", "L1"), (0.0, 0.2, -0.9, -0.9, 0.3, 1.6))[None]
    away = np.sqrt(
        ((u - middle - fore) / np.maximum(cord, 0.3)) ** 2 + (lat / np.maximum(cord_wide, 0.4)) ** 2
    )
    there = ends * (cord > 0.4) * canvas.inside((1 - away) * np.maximum(cord, 0.3))
    grey = 1 + 0.10 * np.exp(-((lat / 2.2) ** 2)) + 0.04 * grain[1]
    canvas.paint(box, there, canvas.tissue["cord"][:, None, None, None] * grey)


def _flow_void(lines: Lines, from_middle: np.ndarray, half: np.ndarray, rng) -> np.ndarray:
    """Signal that pulsation takes away behind the thoracic cord."""
    thoracic = lines.along(("C6", "T2", "T9", "T12"), (0.0, 1.0, 1.0, 0.0))[None]
    behind = np.exp(-(((from_middle - 0.55 * half) / (0.35 * half)) ** 2))
    wave = np.maximum(np.sin(lines.place[None] * rng.uniform(1.2, 2.2) + rng.uniform(0, 6)), 0)
    return np.asarray(rng.uniform(0.1, 0.5) * thoracic * behind * wave)


def _roots(canvas: Canvas, box, lines: Lines, at, inner: np.ndarray, rng) -> None:
    """Roots of the cauda equina: strands that lie behind and thin out downwards."""
    u, lat, middle, half = at
    low = lines.along(("T12", "L1", "L2", "L5", "S1", "S2"), (0.0, 0.6, 1.0, 0.75, 0.5, 0.3))[None]
    if not low.any():
        return
    place = lines.place[None] - DRAWN.index("L1")
    cover = np.zeros_like(inner)
    for number in range(18):
        side = rng.choice([-1, 1])
        back = rng.uniform(-0.1, 0.62) - 0.10 * np.maximum(place, 0) * rng.random()
        out = rng.uniform(0.5, 5.5) + 0.5 * np.maximum(place, 0)
        centre = middle + half * back + 0.4 * np.sin(place * rng.uniform(1, 3) + number)
        away = np.hypot(u - centre, (lat - side * out) * 0.8)
        np.maximum(cover, canvas.inside(rng.uniform(0.5, 0.95) - away), out=cover)
    canvas.paint(box, 0.9 * cover * inner * low, "roots")
