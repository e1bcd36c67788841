"""Which side is which, from the side markers: geometry cannot tell a film that was flipped.

A letter that reads the right way beside the limb that it names says that the film was not flipped; a
mirrored letter beside the limb that only looks like the one it names says that it was. Anything else is a
contradiction, on which nobody should score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.domain import Abstained


@dataclass(frozen=True)
class Letter:
    """A side marker: which, whether it reads mirrored, where it lies (x), how sure that is."""

    letter: str
    mirrored: bool
    x: float
    sure: float


def turned_over(letters: Sequence[Letter], middle: float) -> bool | Abstained:
    """Whether the film was flipped; False where it bears no letter. middle: x between the limbs."""
    said = {turned_by(one, middle) for one in letters}
    if not said:
        return False
    if None in said:
        return Abstained("a side marker lies beside the other limb; which side is which is not certain")
    if len(said) > 1:
        return Abstained("one side marker reads mirrored and one does not; sides are not certain")
    return bool(said.pop())


def turned_by(one: Letter, middle: float) -> bool | None:
    """What one letter says, None where its place and the way it reads contradict each other.

    On a film as it should be the left limb and its ``L`` lie on the left.
    """
    on_left = one.x < middle
    turned = on_left != (one.letter == "L")
    return turned if turned == one.mirrored else None


def side_by_letters(letters: Sequence[Letter]) -> str | Abstained:
    """``L`` or ``R`` as the side markers of a film of one limb say, ``""`` without one."""
    if any(one.mirrored for one in letters):
        return Abstained("the side marker reads mirrored: the film was flipped")
    said = {one.letter for one in letters}
    if len(said) > 1:
        return Abstained("the film bears side markers of both sides; which limb it shows is not certain")
    return said.pop() if said else ""
