"""Everything around the spine, coarse: fat, muscles, vessels, organs, airways, the base of the skull.

Each voxel of a slice gets one tissue, later ones over earlier ones; edges are blurred by half a pixel and
fields of noise make the tissues uneven.
"""

from __future__ import annotations

import cv2
import numpy as np

from data.phantom.mri.anatomy import DRAWN, Spine
from data.phantom.mri.drawing.canvas import SUB_SLICES, Canvas
from data.phantom.mri.drawing.lines import Lines

NAMES = (
    "air", "fat", "muscle", "ligament", "loose fat", "vessel", "organ", "bowel", "lung", "blood", "bone",
    "brain", "csf", "fluid", "between",
)  # fmt: skip
CODE = {name: number for number, name in enumerate(NAMES)}
_LEVELS = ("C2", "C5", "C7", "T3", "T8", "T12", "L3", "L5", "S1", "S3")
_BACK = (52.0, 58.0, 62.0, 56.0, 54.0, 58.0, 68.0, 72.0, 62.0, 42.0)  # posterior wall to skin, mm
_FAT = (7.0, 8.0, 11.0, 9.0, 7.5, 9.5, 13.0, 18.0, 22.0, 22.0)  # under the skin of the back
Noise = dict[str, np.ndarray]


def field(rng: np.random.Generator, shape: tuple[int, int, int], cells: tuple[int, int, int]) -> np.ndarray:
    """Smooth noise of about unit variance with that many cells along each axis."""
    slices, rows, columns = shape
    coarse = rng.normal(size=(cells[1], cells[2], cells[0])).astype(np.float32)
    fine = cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC)
    fine = fine.reshape(rows, columns, -1)
    at = np.linspace(0, cells[0] - 1, slices)
    low = np.minimum(at.astype(int), cells[0] - 2) if cells[0] > 1 else np.zeros(slices, int)
    share = (at - low).astype(np.float32)
    high = np.minimum(low + 1, cells[0] - 1)
    mixed = fine[..., low] * (1 - share) + fine[..., high] * share
    return np.ascontiguousarray(np.moveaxis(mixed, 2, 0)) * np.float32(1.35)


class Around:
    """Distances of every voxel of the slices from the lines of the spine, and the tissue there."""

    def __init__(self, canvas: Canvas, spine: Spine, lines: Lines, rng: np.random.Generator) -> None:
        g, self.body, self.lines = canvas.grid, spine.body, lines
        self.x, self.y = g.x.astype(np.float32)[None, :], g.y.astype(np.float32)[:, None]
        self.lat = g.z.astype(np.float32)[:, None, None] - lines.lateral[None]
        self.u = ((self.x - lines.back) * lines.slope)[None]
        self.v = -self.u - 2 * 0.95 * lines.depth[None]
        self.place = lines.place[None]
        self.shape = g.shape
        furrow = 4.0 * np.exp(-((self.lat / 11) ** 2))
        bulk = self.body.bulk
        skin = lines.smooth_back + lines.along(_LEVELS, _BACK) + 55 * (bulk - 1)
        self.from_back = (skin - self.x)[None] - furrow
        self.fat = lines.along(_LEVELS, _FAT)[None] * bulk**2.5
        self.what = np.zeros(g.shape, np.uint8)
        size = max(g.x[-1] - g.x[0], g.y[-1] - g.y[0])
        n = max(int(size / 9), 12)
        nothing: np.ndarray = np.zeros((1, 1, 1), np.float32)
        self.front = self.wall = self.mix = self.low = nothing
        self.noise = {
            "blobs": field(rng, g.shape, (4, max(n // 2, 6), max(n // 2, 6))),
            "streaks": field(rng, g.shape, (9, n, 3 * n)),
            "fine": field(rng, g.shape, (len(g.z), 3 * n, 3 * n)),
        }

    def at(self, level: str) -> float:
        return float(DRAWN.index(level))

    def put(self, name: str, where: np.ndarray) -> None:
        """Make a tissue of every voxel of a mask that may be broadcast."""
        np.copyto(self.what, CODE[name], where=where)

    def between(self, first: str, last: str, margin: float = 0.5) -> np.ndarray:
        """Rows from the middle of one level to the middle of another, half a level more on both sides."""
        return (self.place > self.at(first) - margin) & (self.place < self.at(last) + margin)

    def along(self, levels: tuple[str, ...], values: tuple[float, ...]) -> np.ndarray:
        """A measure by row, ready to be broadcast."""
        return self.lines.along(levels, values)[None]

    def tube(
        self, name, span: tuple[str, str], centre, radius: tuple[float, float], wall: float = 0.0
    ) -> None:
        """A tube along the spine that thins out at its ends. centre, radius: (v, to the right), wall: mm."""
        first, last = (self.at(level) for level in span)
        end = np.clip(np.minimum(self.place - first + 0.5, last + 0.5 - self.place) / 1.4, 0, 1)
        narrow = np.maximum(end, 1e-4) ** 0.7
        v, lat = self.v - centre[0], self.lat - centre[1]
        for tissue, more in (("ligament", wall), (name, 0.0)):
            near = np.hypot(v / (radius[0] + more), lat / (radius[1] + more)) < narrow
            self.put(tissue, near & (end > 0))


def draw_soft_tissue(canvas: Canvas, spine: Spine, lines: Lines, rng: np.random.Generator) -> np.ndarray:
    """Paint the whole canvas. Returns the distance in mm of voxels from the skin of the back, shape
    (slices, rows, columns), which the coil's shading follows."""
    around = Around(canvas, spine, lines, rng)
    _trunk(around)
    _abdomen(around)
    _thorax(around)
    _neck(around)
    _vessels(around)
    _back(around)
    _head(around, spine)
    _fill(canvas, around)
    return np.broadcast_to(around.from_back, around.shape)


def _front_skin(r: Around) -> np.ndarray:
    """x of the skin in front: trunk or neck, with the chin and face over it."""
    body = r.body
    back = r.lines.smooth_back + r.lines.along(_LEVELS, _BACK)
    depth = r.lines.along(
        ("C2", "C4", "C6", "T1", "T4", "T9", "L3", "S2"),
        (150, body.neck_depth, body.neck_depth, body.neck_depth + 25, 0.82 * body.trunk_depth,
         body.trunk_depth, body.trunk_depth, body.trunk_depth * 0.95),
    )  # fmt: skip
    head = np.clip(-r.lines.place - 0.1, 0, 1) * 40
    line = (back - depth - head)[:, 0]
    wide = max(int(14 / (r.y[1, 0] - r.y[0, 0])), 1)
    kernel = np.hanning(2 * wide + 3)[1:-1]
    return np.convolve(np.pad(line, wide, mode="edge"), kernel / kernel.sum(), mode="valid")[:, None]


def _trunk(r: Around) -> None:
    front = r.x - _front_skin(r)
    edge = front[None] - 0.02 * r.lat**2 * 0.3
    inside = (edge > 0) & (r.from_back > 0)
    r.put("fat", inside)
    wall = r.lines.along(("C2", "C7", "T4", "T12", "L4"), (5, 5, 8, 16, 24))[None] * r.body.bulk**2
    r.put("muscle", inside & (edge > wall) & (edge < wall + 9))
    r.front = edge
    r.wall = wall + 9


def _abdomen(r: Around) -> None:
    dome = 1.9 * np.exp(-(((r.v - 55) / 38) ** 2)) + 0.25 * r.noise["blobs"]
    low = r.place + dome > r.at("T11") - 0.2
    r.low = low.astype(np.float32)
    cavity = low & (r.v > 3) & (r.front > r.wall)
    blobs = r.noise["blobs"] + 0.25 * r.noise["streaks"]
    r.put("loose fat", cavity)
    r.put("bowel", cavity & (blobs > 0.25) & (r.v > 14))
    r.put("organ", cavity & (blobs < -0.75) & (r.v > 18))
    r.put("air", cavity & (blobs > 1.6) & (r.v > 30))
    r.put(
        "organ",
        cavity
        & (r.place + 0.5 * r.noise["blobs"] + 0.02 * r.v < r.at("L3"))
        & (r.lat > 4)
        & (r.v > 22 + 0.4 * (r.lat - 20) ** 2 / 20),
    )
    kidney = (
        ((np.abs(r.lat) - 52) / 22) ** 2 + ((r.place - r.at("L1") - 0.5) / 1.6) ** 2 + ((r.v + 12) / 24) ** 2
    )
    r.put("organ", low & (kidney < 1))
    psoas = r.between("L1", "S1") & (np.abs(r.lat) > r.lines.depth[None] * 0.95 + 3)
    thick = np.clip((r.place - r.at("T12")) * 7, 0, 26)
    r.put("muscle", psoas & (r.u < -6) & (r.v < thick - 14) & (np.abs(r.lat) < 58))
    r.put("muscle", r.between("T12", "L2") & (r.v > 0.5) & (r.v < 4.5) & (np.abs(r.lat) < 13))
    bladder = ((r.place - r.at("S3") - 0.8) / 1.5) ** 2 + ((r.v - 58) / 24) ** 2 + (r.lat / 34) ** 2
    r.put("ligament", bladder < 1.15)
    r.put("fluid", bladder < 0.95)
    rectum = r.between("S2", "S3", 2.5) & (np.hypot((r.v - 22) / 13, r.lat / 16) < 1 + 0.3 * r.noise["blobs"])
    r.put("bowel", rectum)
    r.put("air", rectum & (r.noise["blobs"] > 0.5))
    r.put("ligament", (r.v > -0.4) & (r.v < 1.4) & (np.abs(r.lat) < 16) & (r.place > -0.5))


def _vessels(r: Around) -> None:
    """Aorta and inferior vena cava, whose blood flows out of the picture."""
    rng = np.random.default_rng([r.body.seed, 101])
    wave = 2.0 * np.sin(r.place * 1.1 + rng.uniform(0, 6))
    out, left = rng.uniform(-2, 3), rng.uniform(-3, 4)
    levels = ("T4", "T8", "T12", "L2", "L4")
    aorta = r.along(levels, (8.0, 3.0, 10.0, 13.0, 12.0)), r.along(levels, (-16.0, -17.0, -12.0, -10.0, -8.0))
    r.tube("vessel", ("T4", "L4"), (aorta[0] + out, aorta[1] - left + wave), (9.5, 9.5), wall=1.2)
    r.tube("vessel", ("T9", "L4"), (12.0 + out, 17.0 + wave), (9.0, 10.0), wall=0.8)


def _thorax(r: Around) -> None:
    there = (r.place > r.at("T1") - 1.2 + 0.02 * r.v) & (r.low == 0)
    chest = there & (r.v > 2) & (r.front > r.wall)
    r.put("loose fat", chest)
    wide = r.lines.along(("T1", "T4", "T8", "T11"), (26.0, 20.0, 16.0, 13.0))[None]
    r.put("lung", chest & (np.abs(r.lat) > wide) & (r.v > -14))
    r.put("lung", chest & (r.place > r.at("T6")) & (np.abs(r.lat) > 11) & (r.v > 6) & (r.v < 26))
    heart = ((r.place - r.at("T8")) / 3.3) ** 2 + ((r.v - 64) / 42) ** 2 + ((r.lat + 12) / 46) ** 2
    r.put("loose fat", there & (heart < 1.1))
    r.put("muscle", there & (heart < 1.0))
    r.put("vessel", there & (heart < 0.72 + 0.08 * r.noise["blobs"]))
    r.put(
        "vessel", r.between("T3", "T5") & (np.hypot(r.v - 38, (r.place - r.at("T4")) * 18) < 15) & (r.lat < 8)
    )
    r.put("muscle", chest & (r.noise["blobs"] + 0.3 * r.noise["streaks"] > 0.8))
    r.tube("muscle", ("C6", "T10"), (9.0 + 2 * r.noise["blobs"], -3.0), (4.5, 8.0))
    r.tube("air", ("C7", "T4"), (24.0 + r.along(("C7", "T4"), (0.0, 6.0)), 1.0), (8.5, 8.5), wall=2.0)
    r.put("ligament", there & (r.v > -0.4) & (r.v < 1.4) & (np.abs(r.lat) < 14))


def _neck(r: Around) -> None:
    there = (r.place > -2.5) & (r.place < r.at("T1") - 1.2 + 0.02 * r.v)
    front = there & (r.v > 1) & (r.front > 6)
    r.put("muscle", front & (r.v < 6) & (np.abs(r.lat) < 18))
    deep = front & (r.v >= 6)
    r.put("muscle", deep & (r.noise["blobs"] + 0.4 * r.noise["streaks"] > -0.35))
    r.put("loose fat", deep & (r.noise["blobs"] + 0.4 * r.noise["streaks"] <= -0.35))
    low = r.lines.along(("C2", "C4", "C5", "C6", "T1"), (10.0, 11.0, 17.0, 20.0, 22.0))[None]
    wide = r.lines.along(("C2", "C4", "C5", "C6", "T1"), (4.5, 5.0, 6.0, 8.0, 8.5))[None]
    tube = np.hypot((r.v - low - wide) / wide, r.lat / (wide + 3))
    r.put("ligament", there & (r.place > -1.5) & (tube < 1.25))
    r.put("air", there & (r.place > -1.5) & (tube < 1 + 0.15 * r.noise["blobs"]))
    for side in (-1, 1):
        r.put("vessel", there & (np.hypot(r.v - 12, r.lat - side * 24) < 5.5))
        r.put("vessel", there & (r.place > -0.5) & (np.hypot(r.u + 6, r.lat - side * 15.5) < 1.9))
    r.put("ligament", there & (r.place > -0.4) & (r.v > -0.3) & (r.v < 1.2) & (np.abs(r.lat) < 12))


def _back(r: Around) -> None:
    behind = (r.u > 4) & (r.from_back > 0)
    muscle = behind & (r.from_back > r.fat) & (np.abs(r.lat) > 3.0 + 0.06 * r.u)
    r.put("loose fat", behind & (r.from_back > r.fat))
    fatty = r.lines.along(("C2", "C7", "T8", "L2", "L5", "S2"), (1.5, 1.6, 2.0, 1.7, 1.15, 0.9))[None]
    r.put("muscle", muscle)
    r.mix = np.clip((r.noise["streaks"] + 0.45 * r.noise["blobs"] - fatty) / 0.9 + 0.35, 0, 0.9)
    between = behind & (r.from_back > r.fat) & (np.abs(r.lat) <= 3.0 + 0.06 * r.u) & (r.u > 17)
    r.put("between", between)
    r.put("ligament", behind & (np.abs(r.from_back - r.fat) < 0.9 + 0.3 * r.noise["blobs"]))
    r.put("muscle", (r.from_back > 0) & (r.from_back < 1.6))
    gutter = (np.abs(r.lat) > 6) & (r.u > -2) & (r.u < 6) & (np.abs(r.lat) < 26)
    r.put("loose fat", gutter)
    away = np.hypot(r.u - 2.0, 0.6 * (np.abs(r.lat) - 13))
    wave = np.sin(2 * np.pi * (r.place - 0.27))
    r.put("muscle", gutter & (away < 3.2) & (wave > 0.75))
    r.put("vessel", gutter & (away > 2.6) & (away < 4.4) & (wave > 0.9) & (r.noise["fine"] > 0.3))


def _head(r: Around, spine: Spine) -> None:
    axis = spine.placed["C2"]
    wall = axis.point(0.86 * axis.vertebra.depth, 0, 0)
    p, q = (r.x - wall[0])[None], (r.y - wall[1])[None]
    size = spine.placed["C2"].vertebra.anterior / 17.5
    p, q, lat = p / size, q / size, r.lat / size
    if float(q.min()) > -26:
        return

    def oval(
        at: tuple[float, float], radius: tuple[float, float], wide: float, grow: float = 0.0
    ) -> np.ndarray:
        a, b = radius
        return ((p - at[0]) / (a + grow)) ** 2 + ((q - at[1]) / (b + grow)) ** 2 + (
            lat / (wide + grow)
        ) ** 2 < 1

    above = q < -24
    fossa = ((12.0, -72.0), (52.0, 44.0), 60.0)
    r.put("muscle", above & (p > -8) & (r.from_back > r.fat))
    r.put("fat", above & oval(*fossa, grow=13))
    r.put("bone", above & oval(*fossa, grow=7.5))
    r.put("loose fat", above & oval(*fossa, grow=5.5) & (p > 6))
    r.put("bone", above & oval(*fossa, grow=2.5))
    r.put("csf", above & oval(*fossa))
    folds = r.noise["fine"] + 0.6 * np.sin((q + 66) * 1.3 + 0.04 * (p - 34) ** 2) < 2.1
    r.put("brain", above & oval(*fossa, grow=-2.5) & (p > -26))
    r.put("csf", above & oval((17.0, -33.0), (21.0, 12.0), 26.0))
    r.put("brain", above & oval((31.0, -52.0), (19.0, 13.0), 40.0))
    r.put("csf", above & oval((9.0, -66.0), (3.5, 11.0), 9.0))
    r.put("csf", above & (np.abs(p - 13 + 0.2 * (q + 40)) < 1.4) & (np.abs(lat) < 30) & (q > -100))
    r.put("brain", above & oval((36.0, -66.0), (25.0, 24.0), 50.0) & folds)
    r.put("brain", above & (np.hypot(p - 5 + 0.28 * (q + 30), 1.2 * lat) < 6.5) & (q > -62) & (q < -22))
    slope = (p + 8) + (q + 30) * -0.72
    clivus = above & (np.abs(slope) < 7.0) & (q < -31) & (q > -78) & (np.abs(lat) < 17)
    r.put("bone", clivus)
    r.put("loose fat", clivus & (np.abs(slope) < 5.2))
    face = above & (slope < -7)
    r.put("muscle", face & (r.noise["blobs"] > -0.2) & (r.front > 6))
    r.put("air", face & oval((-46.0, -38.0), (11.0, 17.0), 14.0))
    r.put("air", face & oval((-80.0, -62.0), (28.0, 11.0), 15.0))


def _fill(canvas: Canvas, r: Around) -> None:
    """Signals of the tissues, uneven, into the canvas; muscles and what lies between spinous processes are
    shot through with fat."""
    lookup = np.array([canvas.tissue["muscle" if name == "between" else name] for name in NAMES], np.float32)
    uneven = 1 + 0.03 * r.noise["fine"] + 0.05 * r.noise["streaks"]
    between = np.clip(0.3 + 0.14 * r.noise["streaks"] + 0.12 * r.noise["blobs"], 0.03, 0.9)
    fat = np.where(r.what == CODE["between"], between, r.mix * (r.what == CODE["muscle"]))
    moves = np.clip((r.v[0] - 8) / 12, 0, 0.85)
    for number, channel in enumerate(canvas.signal):
        values = lookup[:, number]
        base = values[r.what] * uneven + fat * (canvas.tissue["fat"][number] - values[CODE["muscle"]])
        for place, slice_ in enumerate(base.astype(np.float32)):
            soft = cv2.GaussianBlur(slice_, (3, 3), 0.65)
            breathing = cv2.GaussianBlur(slice_, (0, 0), 2.6 / canvas.grid.pixel)
            soft += moves * (breathing - soft)
            channel[place * SUB_SLICES : (place + 1) * SUB_SLICES] = soft
