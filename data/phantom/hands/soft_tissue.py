"""Soft tissue of a hand: tapered pieces along the fingers, the palm and the forearm, in one smooth union."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np

from data.phantom.hands import ray_kernels
from data.phantom.hands.body import HandBody
from data.phantom.hands.frame import Placement, Skeleton
from data.phantom.hands.paint import Canvas

COARSE_MM = 0.6
# half widths in mm at MCP, PIP, DIP and pulp
FINGER = (11.4, 10.7, 9.2, 7.6)


def hand_pieces(skeleton: Skeleton, body: HandBody) -> list[tuple[float, ...]]:
    """Pieces in the hand's frame: x, y, radius at both ends, half depth over radius at both ends."""
    wide = body.girth * body.bulk**0.7
    pieces = []
    for finger in range(1, 6):
        share = {1: 1.12, 2: 1.0, 3: 1.02, 4: 0.95, 5: 0.84}[finger] * wide
        bones = [skeleton.long[name] for name in (f"{p}{finger}" for p in ("MC", "PP", "MP", "DP"))
                 if name in skeleton.long]  # fmt: skip
        points = [bones[0].tip[:2]] + [p.tip[:2] for p in bones[1:]]
        radii = [share * r for r in (FINGER[0], *FINGER[-(len(bones) - 1) :])]
        if len(bones) > 1:
            points[-1] = points[-1] + bones[-1].axes[0, :2] * (-3.0 if len(bones) > 2 or finger == 1 else 0.0)
        for (a, b), (ra, rb) in zip(pairwise(points), pairwise(radii), strict=True):
            pieces.append((*a, ra, *b, rb, 0.86, 0.82))
        base, tip = bones[0].origin[:2], bones[0].tip[:2]
        palm = {1: (11.0, 12.0), 2: (15.0, 12.0), 3: (16.5, 12.5), 4: (15.5, 12.0), 5: (14.0, 11.0)}[finger]
        pieces.append((*base, palm[0] * wide, *tip, palm[1] * wide, 0.82, 0.74))
    thenar = 0.5 * (skeleton.long["MC1"].tip[:2] + skeleton.long["MC2"].origin[:2])
    pieces.append((*thenar, 15.0 * wide, *skeleton.long["MC2"].point(12.0)[:2], 14.0 * wide, 0.8, 0.7))
    hollow = [
        (skeleton.long["MC1"].origin, 11.0, "radius", -7.0),
        (skeleton.long["MC5"].origin, 13.0, "ulna", 3.0),
    ]
    for start, r, name, aside in hollow:
        bone = skeleton.flat[name]
        end = bone[bone[:, 1] < bone[:, 1].min() + 12].mean(axis=0) + np.array([aside * body.size, 6.0])
        pieces.append((*start[:2], r * wide, *end, 12.0 * wide, 0.9, 0.9))
    pieces += _wrist_pieces(skeleton, body)
    return pieces


def _wrist_pieces(skeleton: Skeleton, body: HandBody) -> list[tuple[float, ...]]:
    wide = body.girth * body.bulk**0.6
    radius, ulna = skeleton.flat["radius"], skeleton.flat["ulna"]
    rows = []
    for bone, r in ((radius, 15.0), (ulna, 13.0)):
        top = bone[bone[:, 1] < bone[:, 1].min() + 12].mean(axis=0)
        low = bone[bone[:, 1] > bone[:, 1].max() - 6].mean(axis=0)
        far = low + (low - top) * 1.2
        rows.append((*top, r * wide, *low, (r + 4) * wide, 0.95, 1.02))
        rows.append((*low, (r + 4) * wide, *far, (r + 8) * wide, 1.02, 1.05))
        rows.append((*top, r * wide, *(skeleton.flat["capitate"].mean(axis=0)), 16 * wide, 0.95, 0.9))
    return rows


def add_flesh(canvas: Canvas, pieces: list[tuple[float, ...]], placement: Placement, rng) -> None:
    """Water equivalent of the soft tissue: skin, fat, muscle with a slow unevenness."""
    rows, cols = canvas.soft.shape
    step = max(1, round(COARSE_MM / canvas.pixel))
    coarse = np.zeros((int(np.ceil(rows / step)), int(np.ceil(cols / step))), np.float32)
    unit = step * canvas.pixel
    table = np.array(pieces, float)
    table[:, 0:2], table[:, 3:5] = placement.points(table[:, 0:2]), placement.points(table[:, 3:5])
    table[:, [2, 5]] *= placement.magnification
    ray_kernels.add_flesh(coarse, unit, table)
    thickness = 2 * coarse ** (1 / 6)
    uneven = cv2.GaussianBlur(rng.standard_normal(coarse.shape, dtype=np.float32), (0, 0), 3.5 / unit)
    uneven += 0.5 * cv2.GaussianBlur(rng.standard_normal(coarse.shape, dtype=np.float32), (0, 0), 1.2 / unit)
    thickness *= 0.94 + 0.035 * uneven / uneven.std()
    big = cv2.resize(
        thickness, (coarse.shape[1] * step, coarse.shape[0] * step), interpolation=cv2.INTER_CUBIC
    )
    big = cv2.GaussianBlur(big, (0, 0), 0.35 / canvas.pixel)
    canvas.soft += np.maximum(big[:rows, :cols], 0)
