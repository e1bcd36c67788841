"""Which joint is which: side, finger and joint from where the boxes lie, or why that cannot be said.

The joints of a hand are laid over a mean hand by a similarity (turn, size, shift), found from every pair of
boxes, then by an affine map. A PA film of both hands shows the left hand on the left, thumbs to the middle;
a film that was turned over looks the same, so what it says rests on the marker, not on this file.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from scipy.optimize import linear_sum_assignment

from core.domain import Abstained
from models.mtss.sites import JOINTS

# mm from MCP3, right hand of a PA film (thumb on the left), y downwards; mean of 119 phantom hands after
# Procrustes alignment, whose proportions follow the boxes of real hands (domain.md D1, shared/real)
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
LEAST_JOINTS = 8  # of the ten of a hand, below which it is not named
GATE = 13.0  # mm of the mean hand: a joint farther from its place is not that joint
DOUBT = 20.0  # mm from the place of a joint without a box, within which a box may be that joint's
MOST_OFF = 6.0  # mm, root mean square over the named joints
MARGIN = 1.25  # a hand laid the other way round must fit worse by this factor
TILT = 55.0  # degrees by which fingers may point away from upright
SIZES = (0.55, 1.7)  # of a hand against the mean hand, where the pixel size is known


@dataclass(frozen=True)
class Named:
    """units: ``LH.MCP2`` -> index of its box. missing: unit -> why it has none. off_mm: worst hand's misfit.

    spare: indices of boxes that are no joint of either hand.
    """

    units: dict[str, int]
    missing: dict[str, str] = field(default_factory=dict)
    spare: tuple[int, ...] = ()
    off_mm: float = 0.0


@dataclass(frozen=True)
class Fit:
    """One hand over boxes. places (10,): index of the box of each joint, -1 for none; off: mm, rms. away (10,
    n): mm from where each joint should lie to each box.
    """

    places: np.ndarray
    off: float
    away: np.ndarray

    @property
    def cost(self) -> float:
        """Misfit with a joint that has no box counted at the gate."""
        seen = int((self.places >= 0).sum())
        return float(np.sqrt((seen * self.off**2 + (10 - seen) * GATE**2) / 10))


NOTHING = Fit(np.full(len(JOINTS), -1), GATE, np.zeros((len(JOINTS), 0)))


def name_joints(boxes: np.ndarray, mm_per_pixel: float | None = None) -> Named | Abstained:
    """Names of the boxes (n, 4) of a film of both hands, or why they have none."""
    if len(boxes) < 2 * LEAST_JOINTS:
        return Abstained(f"{len(boxes)} finger joints found, {2 * LEAST_JOINTS} of 20 are needed")
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    left, right = two_hands(centres)
    scale = 1.0 if mm_per_pixel is None else mm_per_pixel
    fits = {}
    for side, members in (("L", left), ("R", right)):
        fit = name_side(centres[members] * scale, side, known=mm_per_pixel is not None)
        if isinstance(fit, Abstained):
            return Abstained(f"{'left' if side == 'L' else 'right'} hand: {fit.reason}")
        fits[side] = (members, fit)
    return _named(fits, len(boxes))


def two_hands(centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the boxes of the left and of the right hand: parted at the widest gap that leaves each side
    enough joints.
    """
    order = np.argsort(centres[:, 0], kind="stable")
    gaps = np.diff(centres[order, 0])
    first, last = LEAST_JOINTS - 1, len(order) - LEAST_JOINTS
    cut = first + int(np.argmax(gaps[first:last])) + 1
    return order[:cut], order[cut:]


def name_side(points: np.ndarray, side: str, *, known: bool) -> Fit | Abstained:
    """The joints of one hand, mm (pixels where the size is not known)."""
    as_right = points * ([-1, 1] if side == "L" else [1, 1])
    fit, other = (fit_hand(one, known=known) for one in (as_right, as_right * [-1, 1]))
    seen = int((fit.places >= 0).sum())
    if other.cost * MARGIN < fit.cost and other.off <= MOST_OFF:
        return Abstained("the thumb points outwards")
    if seen < LEAST_JOINTS or fit.off > MOST_OFF:
        return Abstained(f"the joints do not lie as in a hand ({seen} of 10 fit, {fit.off:.1f} mm off)")
    if other.cost < fit.cost * MARGIN:
        return Abstained("the hand would fit as well with the thumb on the other side")
    return without_doubtful(fit)


def without_doubtful(fit: Fit) -> Fit:
    """The fit without joints whose box could as well be that of another joint, which has none.

    A luxated joint may lie where its neighbour should; naming it for its neighbour would be a guess.
    """
    lost = np.flatnonzero(fit.places < 0)
    named = np.flatnonzero(fit.places >= 0)
    doubtful = [joint for joint in named if (fit.away[lost, fit.places[joint]] < DOUBT).any()]
    places = fit.places.copy()
    places[doubtful] = -1
    return replace(fit, places=places)


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
        fit = Fit(places, float(np.sqrt((away[joint, point] ** 2).mean())), away)
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


def _named(fits: dict[str, tuple[np.ndarray, Fit]], count: int) -> Named:
    units: dict[str, int] = {}
    missing: dict[str, str] = {}
    for side, (members, fit) in fits.items():
        for joint, place in zip(JOINTS, fit.places, strict=True):
            if place >= 0:
                units[f"{side}H.{joint}"] = int(members[place])
            else:
                missing[f"{side}H.{joint}"] = "no joint was found, or two could be meant, where it should lie"
    spare = tuple(sorted(set(range(count)) - set(units.values())))
    return Named(units, missing, spare, max(fit.off for _, fit in fits.values()))
