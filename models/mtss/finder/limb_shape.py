"""Whether found places lie as the sites of a hand or foot do: a mean limb laid over them.

The mean limb is moved by a similarity that most of the places agree with, then by an affine map that leans
on it. A site that lies off is given up; a limb that does not fit is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEAN = 4.0  # weight of the similarity against the places
AGREE_MM = 14.0  # of the mean limb, within which a place agrees with a similarity
TILT = 50.0  # degrees by which a limb may be turned
LEAST = 4  # places that a limb is laid over


@dataclass(frozen=True)
class Laid:
    """A mean limb over places. away (n,): mm of the mean limb from each place to where it should lie.

    size: how many times as large as the mean limb. tilt: degrees clockwise. agreeing: places fitted.
    """

    away: np.ndarray
    size: float
    tilt: float
    agreeing: int


def lay(points: np.ndarray, shape: np.ndarray, weights: np.ndarray) -> Laid | None:
    """The mean limb ``shape`` (n, 2) mm over ``points`` (n, 2); places of weight 0 do not pull.

    None where no similarity without mirroring takes four places to within 14 mm of where they should lie.
    """
    used = np.flatnonzero(weights > 0)
    if len(used) < LEAST:
        return None
    turn, shift = _similarity(points[used], shape[used], weights[used])
    if turn == 0:
        return None
    size = abs(turn)
    moved = turn * (shape @ [1, 1j]) + shift
    near = used[np.abs(moved[used] - points[used] @ [1, 1j]) / size < AGREE_MM]
    for _ in range(3):
        if len(near) < LEAST:
            return None
        laid = _affine(points[near], shape, near, weights[near])
        away = np.linalg.norm(laid - points, axis=1) / size
        near = used[away[used] < AGREE_MM]
    return Laid(away, size, float(np.degrees(np.angle(turn))), len(near))


def _similarity(points: np.ndarray, shape: np.ndarray, weights: np.ndarray) -> tuple[complex, complex]:
    """Turn (with size) and shift that most of the places agree with, of all pairs; then over those."""
    z, s = points @ [1, 1j], shape @ [1, 1j]
    i, j = np.nonzero(np.abs(s[:, None] - s[None]) > 15.0)
    turn = (z[j] - z[i]) / (s[j] - s[i])
    turn, i = turn[np.abs(turn) > 1e-6], i[np.abs(turn) > 1e-6]
    if not len(turn):
        return 0, 0
    shift = z[i] - turn * s[i]
    off = np.abs(turn[:, None] * s[None] + shift[:, None] - z[None]) / np.abs(turn)[:, None]
    best = int((np.minimum(off, AGREE_MM) @ weights).argmin())
    keep = off[best] < AGREE_MM
    w = weights * keep
    if keep.sum() < 2:
        return 0, 0
    centre_z, centre_s = (w @ z) / w.sum(), (w @ s) / w.sum()
    spread = float(w @ np.abs(s - centre_s) ** 2)
    turned = complex((w * (s - centre_s).conj()) @ (z - centre_z)) / max(spread, 1e-9)
    return turned, complex(centre_z - turned * centre_s)


def _affine(points: np.ndarray, shape: np.ndarray, which: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """``shape`` moved by the affine map that takes its places ``which`` nearest to ``points``, leaning on the
    similarity of the same places.
    """
    turn, shift = _similarity(points, shape[which], weights)
    similar = turn * (shape @ [1, 1j]) + shift
    target = np.concatenate([points, np.stack([similar.real, similar.imag], axis=1)])
    source = np.concatenate([shape[which], shape])
    pull = np.sqrt(np.concatenate([weights, np.full(len(shape), LEAN / len(shape))]))
    design = np.concatenate([source, np.ones((len(source), 1))], axis=1) * pull[:, None]
    map_ = np.linalg.lstsq(design, target * pull[:, None], rcond=None)[0]
    return np.asarray(shape @ map_[:2] + map_[2])


def mean_shape(limbs: Sequence[np.ndarray], rounds: int = 4) -> np.ndarray:
    """Mean of limbs (n, 2) mm after turning and shifting each onto it; sites not seen are NaN.

    Sizes stay as they are, so the mean limb is of mean size. Its middle is (0, 0).
    """
    start = next((limb for limb in limbs if not np.isnan(limb).any()), None)
    if start is None:
        raise ValueError("no limb shows all its sites")
    mean = start - start.mean(axis=0)
    for _ in range(rounds):
        moved = np.array([_turned_onto(limb, mean) for limb in limbs])
        mean = np.nanmean(moved, axis=0)
        mean = mean - mean.mean(axis=0)
    return np.asarray(mean)


def _turned_onto(limb: np.ndarray, mean: np.ndarray) -> np.ndarray:
    seen = ~np.isnan(limb).any(axis=1)
    z, m = limb @ [1, 1j], mean @ [1, 1j]
    if seen.sum() < 2:
        return np.full_like(limb, np.nan)
    turn = (z[seen] - z[seen].mean()).conj() @ (m[seen] - m[seen].mean())
    turn /= max(abs(turn), 1e-9)
    moved = turn * (z - z[seen].mean()) + m[seen].mean()
    return np.stack([moved.real, moved.imag], axis=1)
