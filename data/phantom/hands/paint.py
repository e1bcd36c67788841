"""What accumulates along the rays of a hand film, and how placed bones are added to it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from data.phantom.hands import ray_kernels
from data.phantom.hands.frame import Placed, Placement, Skeleton
from data.phantom.hands.texture import STEP, mesh

FLAT_DEPTH = {  # half thickness, rounding, shell of the rim in mm
    "scaphoid": (7.0, 4.5, 0.7), "lunate": (7.4, 4.5, 0.7), "triquetrum": (5.4, 4.0, 0.6),
    "pisiform": (4.5, 4.5, 0.5), "trapezium": (7.0, 4.5, 0.7), "trapezoid": (7.0, 4.0, 0.75),
    "capitate": (8.2, 5.0, 0.75), "hamate": (7.2, 4.5, 0.65), "radius": (7.6, 9.0, 0.55),
    "ulna": (6.5, 6.5, 0.5), "hook": (4.0, 2.2, 0.55), "sesamoid": (2.1, 2.6, 0.3),
    "hallucal": (3.4, 4.5, 0.5), "mcuneiform": (7.5, 6.0, 0.7), "icuneiform": (7.0, 5.0, 0.6),
    "lcuneiform": (7.0, 6.0, 0.6), "cuboid": (7.5, 7.0, 0.6), "navicular": (7.0, 6.0, 0.8),
    "talus": (8.0, 9.0, 0.7), "calcaneus": (8.5, 10.0, 0.6),
}  # fmt: skip


@dataclass
class Canvas:
    """Path lengths in mm, float32 (rows, columns); soft is water equivalent. pixel: mm."""

    cortical: np.ndarray
    trabecular: np.ndarray
    soft: np.ndarray
    metal: np.ndarray
    pixel: float

    @classmethod
    def empty(cls, shape: tuple[int, int], pixel: float) -> Canvas:
        cortical, trabecular, soft, metal = (np.zeros(shape, np.float32) for _ in range(4))
        return cls(cortical, trabecular, soft, metal, pixel)


def add_long_bones(
    canvas: Canvas, skeleton: Skeleton, placement: Placement, beam_from: tuple[float, float, float], seed: int
) -> None:
    """All long bones; those grown together are one. beam_from: where the beam starts, detector mm and
    distance."""
    for group in _groups(skeleton):
        _add_group(canvas, [skeleton.long[name] for name in group], placement, beam_from, seed)


def _groups(skeleton: Skeleton) -> list[list[str]]:
    """Long bones that belong together because their joint is gone."""
    group_of = {name: [name] for name in skeleton.long}
    for a, b in skeleton.fused:
        if a in group_of and b in group_of and group_of[a] is not group_of[b]:
            merged = group_of[a] + group_of[b]
            for name in merged:
                group_of[name] = merged
    return list({id(group): group for group in group_of.values()}.values())


def _add_group(canvas: Canvas, placed: list[Placed], placement: Placement, beam_from, seed: int) -> None:
    matrix = placement.matrix()
    axes = np.stack([p.axes @ matrix.T for p in placed])
    at = [(matrix @ p.origin) for p in placed]
    ends = np.concatenate([[o, o + a[0] * p.bone.length] for o, a, p in zip(at, axes, placed, strict=True)])
    level = float((ends[:, 2].min() + ends[:, 2].max()) / 2)
    origins = np.array([[*(o[:2] * placement.magnification + placement.shift), o[2] - level] for o in at])
    rooms = np.stack([_rooms(p, a) for p, a in zip(placed, axes, strict=True)])
    middle = origins[:, :2].mean(axis=0)
    beam = (middle - np.array(beam_from[:2])) / beam_from[2]
    bites = [(i, row) for i, p in enumerate(placed) for row in p.bone.bites]
    bridges = _bridges(placed, origins, axes, placement)
    rng = np.random.default_rng([seed, len(placed), int(abs(placed[0].bone.length) * 1000)])
    ray_kernels.add_bones(
        canvas.cortical, canvas.trabecular, canvas.pixel, origins, np.ascontiguousarray(axes),
        np.asarray(beam, float), placement.magnification,
        np.stack([p.bone.table for p in placed]), np.stack([p.bone.parameters for p in placed]),
        np.array([row for _, row in bites], float).reshape(-1, ray_kernels.BITE),
        np.array([i for i, _ in bites], np.int64), bridges, mesh(seed % 6) * np.float32(0.23), STEP,
        rng.uniform(0, 512, 2), rooms, 1.15, float(rooms[:, :, 0].max()) + 1,
    )  # fmt: skip


def _rooms(p: Placed, axes: np.ndarray) -> np.ndarray:
    """How far each cross-section reaches across the film and along the ray, (rows, 2) in mm."""
    table = p.bone.table
    wide, deep = table[:, ray_kernels.A] * (1 + 1.1 * table[:, ray_kernels.K]), table[:, ray_kernels.B]
    aside = np.hypot(table[:, ray_kernels.OV], table[:, ray_kernels.OW])
    lean = 0.8 * abs(axes[0, 2]) * np.maximum(wide, deep)
    across = np.sqrt((wide * np.hypot(*axes[1, :2])) ** 2 + (deep * np.hypot(*axes[2, :2])) ** 2)
    along = np.sqrt((wide * axes[1, 2]) ** 2 + (deep * axes[2, 2]) ** 2)
    rooms = np.stack([across + aside + lean + 0.4, along + aside + lean + 0.6], axis=1)
    spread = np.maximum(rooms[2:], np.maximum(rooms[1:-1], rooms[:-2]))
    return np.concatenate([spread[:1], spread, spread[-1:]])


def _bridges(placed: list[Placed], origins, axes, placement: Placement) -> np.ndarray:
    """New bone across each gone joint of the group: from the neck of one bone into the base of the next."""
    rows = []
    for i in range(len(placed) - 1):
        near, far = placed[i].bone, placed[i + 1].bone
        back, on = near.length - 1.3 * near.head_width, 0.9 * far.base_width
        m = placement.magnification
        start = origins[i] + axes[i, 0] * back * np.array([m, m, 1])
        end = origins[i + 1] + axes[i + 1, 0] * on * np.array([m, m, 1])
        rows.append((*start, *end, 0.80 * near.head_width, 0.80 * far.base_width))
    return np.array(rows, float).reshape(-1, 8)


def add_flat_bones(
    canvas: Canvas, skeleton: Skeleton, placement: Placement, mineral: float, thin: float, seed: int
) -> None:
    """Carpals, radius and ulna: bodies with rounded edges, seen from in front; fused ones are one."""
    rng = np.random.default_rng([seed, 77])
    for group in _flat_groups(skeleton):
        for layer in range(1 if group[0].startswith(("hook", "sesamoid", "hallucal")) else 2):
            _add_flat(canvas, skeleton, group, layer, placement, mineral, thin, rng, seed)


def _flat_groups(skeleton: Skeleton) -> list[list[str]]:
    group_of = {name: [name] for name in skeleton.flat}
    for a, b in skeleton.fused:
        if a in group_of and b in group_of and group_of[a] is not group_of[b]:
            merged = group_of[a] + group_of[b]
            for name in merged:
                group_of[name] = merged
    return list({id(group): group for group in group_of.values()}.values())


def _layer(points: np.ndarray, layer: int, rng: np.random.Generator, is_long: bool) -> np.ndarray:
    """The outline of the dorsal (0) or palmar (1) half, which are not quite the same."""
    if layer == 0:
        return points
    middle = points.mean(axis=0)
    shift = rng.normal(0, 0.35, 2)
    if is_long:
        top = points[:, 1].min()
        return points + np.array([0.0, 1.1]) * np.exp(-(points[:, 1:] - top) / 6.0)
    return (points - middle) * rng.uniform(0.92, 1.0) + middle + shift


def _add_flat(
    canvas: Canvas, skeleton: Skeleton, group: list[str], layer: int, placement: Placement, mineral: float,
    thin: float, rng: np.random.Generator, seed: int,
) -> None:  # fmt: skip
    long = next((i for i, name in enumerate(group) if name in ("radius", "ulna")), None)
    outlines = [
        placement.points(_layer(skeleton.flat[name], layer, rng, name in ("radius", "ulna")))
        for name in group
    ]
    everything = np.concatenate(outlines)
    pixel = canvas.pixel
    room = 3 if len(group) == 1 else round(2.2 / pixel) + 3
    low = np.floor(everything.min(axis=0) / pixel).astype(int) - room
    high = np.ceil(everything.max(axis=0) / pixel).astype(int) + room + 1
    mask = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
    for points in outlines:
        cv2.fillPoly(mask, [np.round((points / pixel - low) * 16).astype(np.int32)], 1, shift=4)
    if len(group) > 1:
        size = max(3, 2 * round(1.6 / pixel) + 1)
        mask = cv2.morphologyEx(
            mask, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
        )
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(mask, contours, -1, 1, cv2.FILLED)
    inside = cv2.distanceTransform(mask, cv2.DIST_L2, 5) * np.float32(pixel)
    inside = cv2.GaussianBlur(inside, (0, 0), max(0.4, 0.12 / pixel)) + np.float32(0.08) * (mask > 0)
    half, rounding, rim = FLAT_DEPTH[group[0].split("_")[0]]
    half, rounding = half * placement.magnification, min(rounding, float(inside.max()) * 0.98)
    shell: float | np.ndarray = rim * (1 - 0.35 * thin) * mineral**0.5
    face = 0.5 * mineral**0.5
    core = 0.95
    if long is not None:
        rows = np.arange(mask.shape[0], dtype=np.float32)[:, None] * pixel
        end = np.maximum(rows - float(outlines[long][:, 1].min()) + low[1] * pixel, 0)
        shaft = np.clip((end - 16.0) / 34.0, 0, 1) ** 1.3
        shell = (0.5 + 2.6 * shaft + 0.45 * np.exp(-((end / 7.0) ** 2))) * mineral**0.5
        face = (0.42 + 1.9 * shaft) * mineral**0.5
        core = 1.0 - 0.85 * shaft
    outer = half * _dome(inside / rounding)
    inner = np.maximum(half - face, 0.1) * _dome((inside - shell) / rounding)
    inner = np.minimum(inner, outer)
    if long is not None and layer == 0:
        outer = outer + _under_the_joint(mask, pixel) * (end < 18.0) * 2.6 * mineral**0.5
    keep = _keep(skeleton, group, placement, mask.shape, low, pixel)
    texture = _texture(mask.shape, low, pixel, placement, rng, seed, long is not None)
    _add(canvas.cortical, (outer - inner) * keep, low)
    _add(canvas.trabecular, inner * core * mineral * (1 - 0.4 * thin) * (1 + texture) * keep, low)


def _under_the_joint(mask: np.ndarray, pixel: float) -> np.ndarray:
    """The dense plate under the distal surface of a forearm bone: 1 in a band of 2 mm."""
    shift = max(1, round(2.0 / pixel))
    below = np.zeros_like(mask)
    below[shift:] = mask[:-shift]
    return cv2.GaussianBlur((mask & ~below & 1).astype(np.float32), (0, 0), max(0.5, 0.35 / pixel))


def _dome(distance: np.ndarray) -> np.ndarray:
    return np.sqrt(np.clip(1 - (1 - np.clip(distance, 0, 1)) ** 2, 0, 1))


def _keep(skeleton, group, placement, shape, low, pixel) -> np.ndarray:
    """1 where bone is left, 0 in bites, with a ragged edge."""
    keep = np.ones(shape, np.float32)
    y = ((np.arange(shape[0]) + low[1] + 0.5) * pixel)[:, None]
    x = ((np.arange(shape[1]) + low[0] + 0.5) * pixel)[None, :]
    for name in group:
        for i, (bx, by, radius) in enumerate(skeleton.bites.get(name, [])):
            cx, cy = placement.points(np.array([[bx, by]]))[0]
            ragged = min(0.12, 0.22 / radius)
            wave = 1 + ragged * np.sin(1.9 * x + 1.3 * y + i) * np.sin(1.6 * y - 1.1 * x + 2 * i)
            distance = np.hypot(x - cx, y - cy) / radius * wave
            keep *= np.clip((distance - 0.8) / 0.35, 0.12, 1).astype(np.float32)
    return keep


def _texture(shape, low, pixel, placement: Placement, rng, seed: int, is_long: bool) -> np.ndarray:
    field = mesh(seed % 6)
    y = ((np.arange(shape[0]) + low[1]) * pixel)[:, None] - placement.shift[1]
    x = ((np.arange(shape[1]) + low[0]) * pixel)[None, :] - placement.shift[0]
    turn = -placement.turn + (0.0 if is_long else rng.uniform(-0.6, 0.6))
    u = (-np.sin(turn) * x + np.cos(turn) * y) / STEP + rng.uniform(0, 512)
    v = (np.cos(turn) * x + np.sin(turn) * y) / STEP + rng.uniform(0, 512)
    mapped = cv2.remap(
        np.pad(field, ((0, 1), (0, 1)), mode="wrap"),
        np.float32(v % 512),
        np.float32(u % 512),
        cv2.INTER_LINEAR,
    )
    broad = cv2.GaussianBlur(rng.standard_normal(shape, dtype=np.float32), (0, 0), 2.2 / pixel)
    broad *= np.float32(0.07 if is_long else 0.12) / max(float(broad.std()), 1e-6)
    return mapped * np.float32(0.17 if is_long else 0.22) + broad


def _add(target: np.ndarray, part: np.ndarray, low: np.ndarray) -> None:
    rows, cols = target.shape
    r0, c0 = max(low[1], 0), max(low[0], 0)
    r1, c1 = min(low[1] + part.shape[0], rows), min(low[0] + part.shape[1], cols)
    if r1 > r0 and c1 > c0:
        target[r0:r1, c0:c1] += part[r0 - low[1] : r1 - low[1], c0 - low[0] : c1 - low[0]]
