"""What else lies in the beam: side markers, rings, plates, wires and screws."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from data.phantom.hands.body import HandBody
from data.phantom.hands.conditions import LimbConditions
from data.phantom.hands.frame import Placement, Skeleton
from data.phantom.hands.paint import Canvas
from data.phantom.hands.skeleton.anatomy import GIRTH
from data.phantom.hands.soft_tissue import FINGER

LEAD = 2.4  # natural log of what a letter takes away


@dataclass(frozen=True)
class LeadLetter:
    """A side marker on a film: what it takes away (rows, columns) and where that lies, pixels."""

    letter: str
    tile: np.ndarray
    x0: int
    y0: int

    @property
    def middle(self) -> tuple[float, float]:
        return self.x0 + (self.tile.shape[1] - 1) / 2, self.y0 + (self.tile.shape[0] - 1) / 2


def stamp_markers(attenuation: np.ndarray, c: LimbConditions, limbs: tuple[str, ...]) -> None:
    """A side marker beside each limb, or one letter alone; on some devices white in a ring."""
    for one in side_markers(c, limbs, attenuation.shape):
        part = attenuation[one.y0 : one.y0 + one.tile.shape[0], one.x0 : one.x0 + one.tile.shape[1]]
        part += one.tile[: part.shape[0], : part.shape[1]]


def side_markers(c: LimbConditions, limbs: tuple[str, ...], shape: tuple[int, ...]) -> list[LeadLetter]:
    """The letters of a film of ``shape``, kept inside the picture; none on some films."""
    rng = np.random.default_rng([c.draw, 17])
    style, only = rng.random(), rng.random()
    found = []
    for limb in limbs if only < 0.7 else limbs[-1:] if only < 0.95 else ():
        number = 0 if limb.startswith("L") else 1
        x = c.at[number][0] + (0.19 if number else -0.19) + float(rng.normal(0, 0.012))
        y = float(rng.uniform(0.06, 0.16))
        tile = _letter(limb[0], c.spacing, style, rng)
        corner = (
            int(np.clip(share * length - size / 2, 0, max(length - size, 0)))
            for share, length, size in zip((x, y), shape[1::-1], tile.shape[1::-1], strict=True)
        )
        found.append(LeadLetter(limb[0], tile, *corner))
    return found


def _letter(letter: str, spacing: float, style: float, rng: np.random.Generator) -> np.ndarray:
    size = int(24 / spacing)
    tile = np.zeros((size, size), np.uint8)
    height = rng.uniform(7.5, 10.5) / spacing
    font = cv2.FONT_HERSHEY_SIMPLEX if style < 0.5 else cv2.FONT_HERSHEY_DUPLEX
    thick = max(1, int(height * 0.16))
    scale = cv2.getFontScaleFromHeight(font, max(int(height), 6), thick)
    (width, tall), _ = cv2.getTextSize(letter, font, scale, thick)
    cv2.putText(tile, letter, ((size - width) // 2, (size + tall) // 2), font, scale, 255, thick, cv2.LINE_AA)
    if style > 0.6:
        cv2.circle(tile, (size // 2, size // 2), int(0.95 * height), 255, thick, cv2.LINE_AA)
    turn = cv2.getRotationMatrix2D((size / 2, size / 2), float(rng.normal(0, 7)), 1.0)
    return cv2.warpAffine(tile, turn, (size, size)).astype(np.float32) * np.float32(LEAD / 255)


def add_metal(canvas: Canvas, skeleton: Skeleton, placement: Placement, body: HandBody) -> None:
    """Rings that the patient wears and the fitting of an old operation."""
    for ring in body.rings:
        if ring[:2] == skeleton.limb and f"PP{ring[2]}" in skeleton.long:
            _ring(canvas, skeleton, placement, body, int(ring[2]))
    kind = body.metal.get(skeleton.limb, "")
    if kind:
        rng = np.random.default_rng([body.seed, 23, skeleton.limb == "RH"])
        _FITTINGS[kind](canvas, skeleton, placement, rng)


def _ring(canvas: Canvas, skeleton: Skeleton, placement: Placement, body: HandBody, finger: int) -> None:
    bone = skeleton.long[f"PP{finger}"]
    middle, across = bone.point(0.42 * bone.bone.length)[:2], bone.axes[1, :2]
    half = FINGER[1] * GIRTH[finger] * body.girth * body.bulk**0.7 * 0.98
    ends = placement.points(np.stack([middle - half * across, middle + half * across]))
    _line(canvas, ends, 2.4, 1.1)
    for end in ends:
        _line(canvas, np.stack([end, end + 0.01]), 2.4, 2.5)


def _plate(canvas: Canvas, skeleton: Skeleton, placement: Placement, rng) -> None:
    names = [n for n in ("MC4", "MC3", "MC5", "MT1", "MT2") if n in skeleton.long]
    bone = skeleton.long[names[int(rng.integers(len(names)))]]
    low, high = 0.3 * bone.bone.length, 0.8 * bone.bone.length
    line = placement.points(np.stack([bone.point(low)[:2], bone.point(high)[:2]]))
    _line(canvas, line, 4.2, 1.3)
    for share in np.linspace(0.05, 0.95, 5):
        at = line[0] + share * (line[1] - line[0])
        _line(canvas, np.stack([at, at + 0.01]), 3.4, 2.6)


def _wires(canvas: Canvas, skeleton: Skeleton, placement: Placement, rng) -> None:
    name = next(n for n in ("MC1", "MT1") if n in skeleton.long)
    distal = "PP1" if name == "MC1" else "TP1"
    near, far = skeleton.long[name], skeleton.long[distal]
    for sign in (-1, 1):
        start = near.point(0.55 * near.bone.length, 2.5 * sign)[:2]
        end = far.point(0.5 * far.bone.length, -2.5 * sign)[:2]
        _line(canvas, placement.points(np.stack([start, end])), 1.2, 1.1)


def _screw(canvas: Canvas, skeleton: Skeleton, placement: Placement, rng) -> None:
    if "scaphoid" in skeleton.flat:
        outline = skeleton.flat["scaphoid"]
        middle = outline.mean(axis=0)
        along = np.linalg.svd(outline - middle)[2][0]
        ends = np.stack([middle - 8 * along, middle + 8 * along])
    else:
        bone = skeleton.long["MT1"]
        ends = np.stack(
            [bone.point(0.65 * bone.bone.length, -4.0)[:2], bone.point(0.9 * bone.bone.length, 5.0)[:2]]
        )
    _line(canvas, placement.points(ends), 2.6, 2.2)


_FITTINGS = {"plate": _plate, "wires": _wires, "screw": _screw}


def _line(canvas: Canvas, ends: np.ndarray, width: float, thickness: float) -> None:
    """Metal along a line (2, 2) of detector mm: width and thickness in mm."""
    pixel = canvas.pixel
    low = np.floor((ends.min(axis=0) - width) / pixel).astype(int)
    high = np.ceil((ends.max(axis=0) + width) / pixel).astype(int) + 1
    tile = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
    a, b = (tuple(int(v) for v in np.round((end / pixel - low) * 16)) for end in ends)
    cv2.line(tile, a, b, 255, max(1, round(width / pixel)), cv2.LINE_AA, 4)
    rows, cols = canvas.metal.shape
    r0, c0, r1, c1 = max(low[1], 0), max(low[0], 0), min(high[1], rows), min(high[0], cols)
    if r1 > r0 and c1 > c0:
        part = tile[r0 - low[1] : r1 - low[1], c0 - low[0] : c1 - low[0]].astype(np.float32) * (
            thickness / 255
        )
        np.maximum(canvas.metal[r0:r1, c0:c1], part, out=canvas.metal[r0:r1, c0:c1])
