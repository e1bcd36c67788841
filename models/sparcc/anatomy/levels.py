"""Names of vertebral bodies found on a stack, counted from those that are told apart by how they look.

From L5 upwards and from C2 downwards. A name is as sure as the body from which is counted; a column that may
be the whole spine is counted from both, and the two must agree. Where the count does not add up no body gets
a name: a wrong level is worse than none. A transitional vertebra cannot be told from a stack that does not
show the whole spine; the count is then that of the vertebra that looks like L5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.domain import Abstained
from core.imaging.sequences import CERVICAL, LUMBAR, THORACIC, WHOLE
from core.imaging.spine import LEVELS

L5, C2 = "L5", "C2"
MIN_BODIES = 2
MIN_ANCHOR = 0.5  # confidence from which on names are given
MIN_DISC = 0.5  # share of the usual volume that the disc below L5 has, where no body is found there
WIDE = 1.7  # times the usual distance between neighbours: a body is missing between
TALL = 1.7  # times the usual height: two bodies that run together
LONG = 17  # bodies of a column that may be the whole spine
WITHOUT = {L5: (CERVICAL, THORACIC), C2: (THORACIC, LUMBAR)}  # regions of stacks that cannot show the anchor


@dataclass(frozen=True)
class Found:
    """A body found on a stack. label: in the mask. centre: (forward, up) mm. height: mm. anchor, first: mean
    chance of its pixels to be those of L5 and of C2, 0 to 1. disc_below: volume of the disc below it, as a
    share of the usual one of the stack.
    """

    label: int
    centre: tuple[float, float]
    height: float
    anchor: float
    disc_below: float = 0.0
    first: float = 0.0


@dataclass(frozen=True)
class Named:
    """Label -> level, from head to foot, and how sure all these names are, 0 to 1."""

    levels: dict[int, str]
    confidence: float


def column_of(bodies: Sequence[Found]) -> list[Found]:
    """The bodies from head to foot."""
    return sorted(bodies, key=lambda body: -body.centre[1])


def uneven(bodies: Sequence[Found]) -> str:
    """Why bodies cannot be counted: too few, one missing between two, two in one; ``""`` where they can."""
    if len(bodies) < MIN_BODIES:
        return f"{len(bodies)} vertebral bodies were found, names need at least {MIN_BODIES}"
    column = column_of(bodies)
    return _gap(column) or _merged(column)


def name_bodies(bodies: Sequence[Found], region: str = "") -> Named | Abstained:
    """Names of bodies in any order. region: what the stack is filed under, ``""`` where unknown."""
    if wrong := uneven(bodies):
        return Abstained(wrong)
    column = column_of(bodies)
    places = _anchors(column)
    sure = {name: found for name, found in places.items() if found[1] >= MIN_ANCHOR}
    if not sure:
        asked = C2 if region == CERVICAL else L5
        return Abstained(
            f"no vertebral body is {asked} for sure ({places[asked][1]:.2f}), so none has a name"
        )
    for name in sure:
        if region in WITHOUT[name]:
            return Abstained(f"a {region} stack on which a body looks like {name}: one of the two is wrong")
    firsts = {LEVELS.index(name) - at for name, (at, _) in sure.items()}
    confidence = max(chance for _, chance in sure.values())
    return _why_not(column, sure, region) or _counted(column, firsts, confidence)


def evidence(bodies: Sequence[Found]) -> dict[str, int]:
    """Of bodies that can be counted: anchor that one is for sure -> number of the level that the uppermost
    body then is, which may be none. An L5 with nothing below is no evidence.
    """
    column = column_of(bodies)
    sure = {name: at for name, (at, chance) in _anchors(column).items() if chance >= MIN_ANCHOR}
    if _ends_at(column, sure.get(L5)):
        del sure[L5]
    return {name: LEVELS.index(name) - at for name, at in sure.items()}


def _anchors(column: Sequence[Found]) -> dict[str, tuple[int, float]]:
    """Anchor -> the body that stands out as it, and how far."""
    chances = {L5: [body.anchor for body in column], C2: [body.first for body in column]}
    return {name: _told_apart(each) for name, each in chances.items()}


def _told_apart(chances: Sequence[float]) -> tuple[int, float]:
    at = int(np.argmax(chances))
    others = np.delete(chances, at)
    return at, float(chances[at] * (1 - others.max()))


def _ends_at(column: Sequence[Found], at: int | None) -> bool:
    """Whether a body has neither a body nor a disc below."""
    return at == len(column) - 1 and column[at].disc_below < MIN_DISC


def _why_not(column: Sequence[Found], sure: dict[str, tuple[int, float]], region: str) -> Abstained | None:
    """What stands against counting from the bodies that are told apart."""
    if len(sure) < len(WITHOUT) and (region == WHOLE or len(column) >= LONG):
        lacking = next(name for name in WITHOUT if name not in sure)
        return Abstained(
            f"{len(column)} bodies, but none is {lacking} for sure: a whole spine needs both ends"
        )
    if L5 not in sure:
        return None
    at = sure[L5][0]
    below = len(column) - 1 - at
    if _ends_at(column, at):
        return Abstained(f"nothing lies below the body that looks like {L5}, so it may be the sacrum")
    if at > LEVELS.index(L5):
        return Abstained(f"{at} bodies above {L5}, a spine has {LEVELS.index(L5)} there up to C2")
    if below > 1:
        return Abstained(f"{below} bodies below {L5}, where S1 alone is scored: the count does not add up")
    return None


def _counted(column: Sequence[Found], firsts: set[int], confidence: float) -> Named | Abstained:
    """Names from the one level that the uppermost body can be."""
    if len(firsts) > 1:
        return Abstained(f"the counts from {C2} and from {L5} differ by {max(firsts) - min(firsts)}")
    first = firsts.pop()
    if first < 0:
        return Abstained(f"{-first} bodies above {C2}, which is the uppermost with a disc below")
    if first + len(column) > len(LEVELS):
        return Abstained(f"{len(column)} bodies from {LEVELS[first]} on, more than a spine has")
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
