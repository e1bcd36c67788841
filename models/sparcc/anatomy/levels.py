"""Names of vertebral bodies found on a stack, counted from the one that is told apart by how it looks.

A name is as sure as the body from which is counted. Where the count does not add up no body gets a name: a
wrong level is worse than none. A transitional vertebra cannot be told from a stack that does not show the
whole spine; the count is then that of the vertebra that looks like L5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.domain import Abstained
from core.imaging.spine import LEVELS

ANCHOR = "L5"
MIN_BODIES = 2
MIN_ANCHOR = 0.5  # confidence from which on names are given
MIN_DISC = 0.5  # share of the usual volume that the disc below the anchor has, where no body is found there
WIDE = 1.7  # times the usual distance between neighbours: a body is missing between
TALL = 1.7  # times the usual height: two bodies that run together
WITHOUT_LUMBAR = ("cervical", "thoracic")  # regions of a stack that cannot show the anchor


@dataclass(frozen=True)
class Found:
    """A body found on a stack. label: in the mask. centre: (forward, up) mm. height: mm. anchor: mean chance
    of its pixels to be those of ``ANCHOR``, 0 to 1. disc_below: volume of the disc below it, as a share of
    the usual one of the stack.
    """

    label: int
    centre: tuple[float, float]
    height: float
    anchor: float
    disc_below: float = 0.0


@dataclass(frozen=True)
class Named:
    """Label -> level, from head to foot, and how sure all these names are, 0 to 1."""

    levels: dict[int, str]
    confidence: float


def name_bodies(bodies: Sequence[Found], region: str = "") -> Named | Abstained:
    """Names of bodies in any order. region: what the stack is filed under, ``""`` where unknown."""
    if len(bodies) < MIN_BODIES:
        return Abstained(f"{len(bodies)} vertebral bodies were found, names need at least {MIN_BODIES}")
    column = sorted(bodies, key=lambda body: -body.centre[1])
    if wrong := _gap(column) or _merged(column):
        return Abstained(wrong)
    anchors = np.array([body.anchor for body in column])
    at = int(anchors.argmax())
    others = np.delete(anchors, at)
    confidence = float(anchors[at] * (1 - others.max()))
    if confidence < MIN_ANCHOR:
        return Abstained(f"no vertebral body is {ANCHOR} for sure ({confidence:.2f}), so none has a name")
    if at == len(column) - 1 and column[at].disc_below < MIN_DISC:
        return Abstained(f"nothing lies below the body that looks like {ANCHOR}, so it may be the sacrum")
    if region in WITHOUT_LUMBAR:
        return Abstained(f"a {region} stack on which a body looks like {ANCHOR}: one of the two is wrong")
    first = LEVELS.index(ANCHOR) - at
    below = len(column) - 1 - at
    if first < 0:
        return Abstained(f"{at} bodies above {ANCHOR}, a spine has {LEVELS.index(ANCHOR)} there up to C2")
    if below > 1:
        return Abstained(
            f"{below} bodies below {ANCHOR}, where S1 alone is scored: the count does not add up"
        )
    return Named({body.label: LEVELS[first + place] for place, body in enumerate(column)}, confidence)


def _gap(column: Sequence[Found]) -> str:
    """Why neighbours are too far apart; distances are held against those next to them, as the neck's are
    shorter than the loin's.
    """
    centres = np.array([body.centre for body in column])
    apart = np.linalg.norm(np.diff(centres, axis=0), axis=1)
    for place, distance in enumerate(apart):
        beside = np.delete(apart[max(place - 2, 0) : place + 3], min(place, 2))
        if len(beside) and distance > WIDE * np.median(beside):
            return f"{distance:.0f} mm between two neighbouring bodies: one seems not to have been found"
    return ""


def _merged(column: Sequence[Found]) -> str:
    """Why a body is too tall to be one."""
    usual = float(np.median([body.height for body in column]))
    tall = max(body.height for body in column)
    return f"a body {tall:.0f} mm high: two seem to run together" if tall > TALL * usual else ""
