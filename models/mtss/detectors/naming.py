"""Which joint is which: side, finger and joint from where the boxes lie, or why that cannot be said.

The joints of a hand are laid over a mean hand by a similarity (turn, size, shift), found from every pair of
boxes, then by an affine map. A PA film of both hands shows the left hand on the left, thumbs to the middle;
a film that was flipped looks the same, so what it says rests on the marker, not on this file.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from scipy.optimize import linear_sum_assignment

from core.domain import Abstained
from models.mtss.detectors.joints import JOINTS

# mm from MCP3, right hand of a PA film (thumb on the left), y downwards; mean of 119 phantom hands after
# Procrustes alignment, whose proportions follow the boxes of real hands
MEAN_HAND = np.array(
    [
        [-54.5, 6.6],
        [-26.4, -41.2],
        [0.0, -44.9],
        [25.9, -35.2],
        [49.5, -15.0],
        [-42.8, 34.2],
        [-21.4, -0.8],
        [0.0, 0.0],
        [20.0, 6.9],
        [38.9, 16.6],
    ]
)
SPREAD = float(np.sqrt(((MEAN_HAND - MEAN_HAND.mean(axis=0)) ** 2).sum(axis=1).mean()))  # mm
PIPS, MCPS = [1, 2, 3, 4], [6, 7, 8, 9]
DRIFTS = (0.0, -15.0, 15.0, 30.0)  # degrees to the ulnar side by which fingers may lean in their MCP joints
MIN_JOINTS = 8  # of the ten of a hand, below which it is not named
GATE = 13.0  # mm of the mean hand: a joint farther from its place is not that joint
DOUBT = 20.0  # mm from the place of a joint without a box, within which a box may be that joint's
BESIDE = 20.0  # mm from the place of any joint of a row, within which a box lies beside the row
EXCHANGE = 6.0  # mm: two joints that lie worse by less than this with their boxes exchanged may be each other
REACH = 0.18  # of the width of all boxes: how far past the parting line a hand's joints may lie
MAX_OFF = 6.0  # mm, root mean square over the named joints
MARGIN = 1.25  # a hand laid the other way round must fit worse by this factor
TILT = 55.0  # degrees by which fingers may point away from upright
SIZES = (0.55, 1.7)  # of a hand against the mean hand, where the pixel size is known


@dataclass(frozen=True)
class Named:
    """units: ``LH.MCP2`` -> index of its box. missing: unit -> why it has none. off_mm: worst hand's misfit.

    spare: indices of boxes that are no joint of either hand. expected: every unit -> x and y where the hand
    model has its middle, in the boxes' pixels. lying: unit -> the box that lies there, also where another
    joint could be meant.
    """

    units: dict[str, int]
    missing: dict[str, str] = field(default_factory=dict)
    spare: tuple[int, ...] = ()
    off_mm: float = 0.0
    expected: dict[str, tuple[float, float]] = field(default_factory=dict, repr=False)
    lying: dict[str, int] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Fit:
    """One hand over boxes. places (10,): index of the box of each joint, -1 for none; off: mm, rms. away (10,
    n): mm from where each joint should lie to each box; laid (10, 2): where that is.
    """

    places: np.ndarray
    off: float
    away: np.ndarray
    laid: np.ndarray

    @property
    def seen(self) -> int:
        """How many joints have a box."""
        return int((self.places >= 0).sum())

    @property
    def cost(self) -> float:
        """Misfit with a joint that has no box counted at the gate."""
        return float(np.sqrt((self.seen * self.off**2 + (10 - self.seen) * GATE**2) / 10))


NOTHING = Fit(np.full(len(JOINTS), -1), GATE, np.zeros((len(JOINTS), 0)), np.zeros((len(JOINTS), 2)))


def name_joints(boxes: np.ndarray, mm_per_pixel: float | None = None) -> Named | Abstained:
    """Names of the boxes (n, 4) of a film of both hands, or why they have none."""
    if len(boxes) < 2 * MIN_JOINTS:
        return Abstained(f"{len(boxes)} finger joints found, {2 * MIN_JOINTS} of 20 are needed")
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    scale = 1.0 if mm_per_pixel is None else mm_per_pixel
    fits: dict[str, Fit] = {}
    for side, members in zip("LR", within_reach(centres), strict=True):
        fit = name_side(centres[members] * scale, side, known=mm_per_pixel is not None)
        if isinstance(fit, Abstained):
            return Abstained(f"{_hand(side)}: {fit.reason}")
        fits[side] = _among_all(fit, members, len(boxes))
    fits = apart(fits)
    for side, fit in fits.items():
        if fit.seen < MIN_JOINTS:
            return Abstained(f"{_hand(side)}: {fit.seen} joints are its own, {MIN_JOINTS} of 10 are needed")
    return _named(fits, without_doubtful(fits), len(boxes), scale)


def _hand(side: str) -> str:
    return "left hand" if side == "L" else "right hand"


def two_hands(centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the boxes of the left and of the right hand: parted at the widest gap that leaves each side
    enough joints.
    """
    order = np.argsort(centres[:, 0], kind="stable")
    gaps = np.diff(centres[order, 0])
    first, last = MIN_JOINTS - 1, len(order) - MIN_JOINTS
    cut = first + int(np.argmax(gaps[first:last])) + 1
    return order[:cut], order[cut:]


def within_reach(centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the boxes that may be of the left and of the right hand: thumbs may lie past the parting
    line, even across each other, so what lies near it may be of either.
    """
    left, right = two_hands(centres)
    x = centres[:, 0]
    line, reach = (x[left].max() + x[right].min()) / 2, REACH * float(np.ptp(x))
    return np.flatnonzero(x < line + reach), np.flatnonzero(x > line - reach)


def name_side(points: np.ndarray, side: str, *, known: bool) -> Fit | Abstained:
    """The joints of one hand, mm (pixels where the size is not known)."""
    mirror = np.array([-1, 1] if side == "L" else [1, 1])
    fit, other = (fit_hand(one, known=known) for one in (points * mirror, points * mirror * [-1, 1]))
    if other.cost * MARGIN < fit.cost and other.off <= MAX_OFF:
        return Abstained("the thumb points outwards")
    if fit.seen < MIN_JOINTS or fit.off > MAX_OFF:
        return Abstained(f"the joints do not lie as in a hand ({fit.seen} of 10 fit, {fit.off:.1f} mm off)")
    if other.cost < fit.cost * MARGIN:
        return Abstained("the hand would fit as well with the thumb on the other side")
    return replace(fit, laid=fit.laid * mirror)


def _among_all(fit: Fit, members: np.ndarray, count: int) -> Fit:
    """The fit of some boxes told in the indices of all; the others are out of its reach."""
    away = np.full((len(JOINTS), count), np.inf)
    away[:, members] = fit.away
    return replace(fit, places=np.where(fit.places >= 0, members[fit.places], -1), away=away)


def apart(fits: dict[str, Fit]) -> dict[str, Fit]:
    """Both hands with every box given to one joint at most: so that all joints together lie nearest."""
    away = np.concatenate([fits["L"].away, fits["R"].away])
    joint, box = linear_sum_assignment(np.minimum(away, GATE))
    near = away[joint, box] < GATE
    places = np.full(len(away), -1)
    places[joint[near]] = box[near]
    return {
        side: replace(fits[side], places=one) for side, one in zip("LR", np.split(places, 2), strict=True)
    }


def without_doubtful(fits: dict[str, Fit]) -> np.ndarray:
    """(20,) box of each joint, left hand first, without joints that may be another one; -1 for none.

    A luxated joint may lie where its neighbour should, and thumbs may lie across each other. So a joint has
    no name where its box could be that of a joint without one, or where it and another joint would lie nearly
    as well with their boxes exchanged.
    """
    away = np.concatenate([fits["L"].away, fits["R"].away])
    places = np.concatenate([fits["L"].places, fits["R"].places])
    lost, named = np.flatnonzero(places < 0), np.flatnonzero(places >= 0)
    box = places[named]
    to_box = away[named][:, box]  # joint by the box of another joint
    own = np.diag(to_box)
    exchanged = to_box + to_box.T < own[:, None] + own[None] + EXCHANGE
    np.fill_diagonal(exchanged, False)
    doubtful = exchanged.any(axis=1) | (away[lost][:, box] < DOUBT).any(axis=0)
    sure = places.copy()
    sure[named[doubtful]] = -1
    return sure_rows(sure, away)


def sure_rows(places: np.ndarray, away: np.ndarray) -> np.ndarray:
    """The same without rows that may be shifted by a finger: four PIP or MCP of which one has no box while a
    box beside the row is no joint's.

    places (20,): box of each joint, -1 for none; away (20, n): mm from where it should lie to each box.
    """
    spare = np.setdiff1d(np.arange(away.shape[1]), places)
    sure = places.copy()
    for first in (0, len(JOINTS)):
        for row in (PIPS, MCPS):
            joints = first + np.array(row)
            if (places[joints] < 0).any() and (away[np.ix_(joints, spare)] < BESIDE).any():
                sure[joints] = -1
    return sure


def fit_hand(points: np.ndarray, *, known: bool = True) -> Fit:
    """A right hand laid over points (n, 2) in mm; ``known`` False: the size of a pixel is not known."""
    best, cost = NOTHING, float("inf")
    for moved in _candidates(points, known):
        for drift in DRIFTS:
            fit = _refine(points, drifted(moved, drift), drifted(MEAN_HAND, drift))
            if fit.cost * (1 + abs(drift) / 90) < cost:
                best, cost = fit, fit.cost * (1 + abs(drift) / 90)
    return best


def drifted(hand: np.ndarray, degrees: float) -> np.ndarray:
    """A hand (10, 2) whose fingers 2 to 5 are turned in their MCP joints, as in ulnar drift."""
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    found = hand.copy()
    found[PIPS] = hand[MCPS] + (hand[PIPS] - hand[MCPS]) @ turn
    return found


def _candidates(points: np.ndarray, known: bool, keep: int = 6) -> np.ndarray:
    """(k, 10, 2) places of the mean hand's joints, from every pair of points on every pair of joints."""
    z, hand = points @ [1, 1j], MEAN_HAND @ [1, 1j]
    i, j = np.nonzero(~np.eye(len(z), dtype=bool))
    a, b = np.nonzero(~np.eye(len(hand), dtype=bool))
    turn = (z[j] - z[i])[:, None] / (hand[b] - hand[a])[None]
    shift = z[i][:, None] - turn * hand[a][None]
    size, tilt = np.abs(turn), np.degrees(np.angle(turn))
    fits = np.abs(tilt) <= TILT
    if known:
        fits &= (size >= SIZES[0]) & (size <= SIZES[1])
    turn, shift = turn[fits], shift[fits]
    if not len(turn):
        return np.zeros((0, len(hand), 2))
    moved = turn[:, None] * hand[None] + shift[:, None]
    away = np.abs(moved[:, :, None] - z[None, None]).min(axis=2) / np.abs(turn)[:, None]
    best = np.argsort(np.minimum(away, GATE).sum(axis=1), kind="stable")[:keep]
    return np.stack([moved[best].real, moved[best].imag], axis=2)


def _refine(points: np.ndarray, moved: np.ndarray, hand: np.ndarray, rounds: int = 3) -> Fit:
    """Joints given to points one by one, the hand laid anew by an affine map, three times."""
    fit = NOTHING
    for number in range(rounds + 1):
        size = float(np.sqrt(((moved - moved.mean(axis=0)) ** 2).sum(axis=1).mean())) / SPREAD
        away = np.linalg.norm(moved[:, None] - points[None], axis=2) / max(size, 1e-9)
        joint, point = linear_sum_assignment(np.minimum(away, GATE))
        near = away[joint, point] < GATE
        joint, point = joint[near], point[near]
        if len(joint) < 4:
            return NOTHING
        places = np.full(len(JOINTS), -1)
        places[joint] = point
        fit = Fit(places, float(np.sqrt((away[joint, point] ** 2).mean())), away, moved)
        if number < rounds:
            moved = _laid(hand, joint, points[point])
    return fit


def _laid(hand: np.ndarray, joint: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The hand moved by the affine map that takes its joints ``joint`` nearest to ``points``, leaning on a
    similarity so that few points cannot shear it at will.
    """
    weight, joints = 3.0, hand[joint]
    z, h = points @ [1, 1j], joints @ [1, 1j]
    centre_z, centre_h = z.mean(), h.mean()
    turn = ((h - centre_h).conj() @ (z - centre_z)) / max(float((np.abs(h - centre_h) ** 2).sum()), 1e-9)
    similar = turn * (hand @ [1, 1j] - centre_h) + centre_z
    target = np.concatenate([points, np.stack([similar.real, similar.imag], axis=1)])
    source = np.concatenate([joints, hand])
    pull = np.sqrt(np.concatenate([np.ones(len(points)), np.full(len(hand), weight / len(hand))]))
    design = np.concatenate([source, np.ones((len(source), 1))], axis=1) * pull[:, None]
    affine = np.linalg.lstsq(design, target * pull[:, None], rcond=None)[0]
    return np.asarray(hand @ affine[:2] + affine[2])


def _named(fits: dict[str, Fit], places: np.ndarray, count: int, scale: float) -> Named:
    units = [f"{side}H.{joint}" for side in fits for joint in JOINTS]
    named = {unit: int(place) for unit, place in zip(units, places, strict=True) if place >= 0}
    why = "no joint was found, or two could be meant, where it should lie"
    laid = np.concatenate([fit.laid for fit in fits.values()]) / scale
    lying = np.concatenate([fit.places for fit in fits.values()])
    return Named(
        named,
        {unit: why for unit in units if unit not in named},
        tuple(sorted(set(range(count)) - set(named.values()))),
        max(fit.off for fit in fits.values()),
        {unit: (float(x), float(y)) for unit, (x, y) in zip(units, laid, strict=True)},
        {unit: int(place) for unit, place in zip(units, lying, strict=True) if place >= 0},
    )
