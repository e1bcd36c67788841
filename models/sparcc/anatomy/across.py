"""Names of the stacks of one visit together: one that shows no end of the spine is named by its neighbour.

Bodies of two stacks are the same where they coincide in the patient's coordinates, which all stacks of a
visit share unless the patient was moved. Two such bodies join the counts of two stacks. Every body that is
told apart by its looks must then say the same: only a count from C2 to L5 is contradicted by a transitional
vertebra, or by a body that was not found. Where they differ none of the joined stacks has names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from core.domain import Abstained, Image
from core.imaging.spine import LEVELS
from models.sparcc.anatomy.levels import MIN_ANCHOR, WITHOUT, Named, column_of, evidence, uneven
from models.sparcc.anatomy.segment import Segmented, levels_of, region_of

NEAR_MM = 6.0  # between the centres of one body on two stacks; the next body is 15 mm off or more
MIN_SHARED = 2  # bodies that two stacks must have in common
DIFFER = "the stacks of the visit contradict each other: {}"


@dataclass(frozen=True)
class _Column:
    """labels: of bodies from head to foot. places (n, 3): their centres in the patient's mm. firsts: as
    ``levels.evidence``. region: that the stack is filed under. confidence: of the stack's own names.
    """

    labels: tuple[int, ...]
    places: np.ndarray
    firsts: dict[str, int]
    region: str
    confidence: float


def name_across(found: Sequence[tuple[Image, Segmented]]) -> list[Segmented]:
    """The stacks of one visit with the names that they have together, in the order given.

    A stack whose bodies cannot be counted, that does not say where it lies, or that shares fewer than two
    bodies with others keeps the names it has.
    """
    columns = {place: column for place, pair in enumerate(found) if (column := _column(*pair))}
    result = [one for _, one in found]
    for members in _joined(columns):
        group = {place: columns[place] for place in members}
        zeros = {first - members[place] for place in members for first in group[place].firsts.values()}
        if len(members) < 2 or not zeros:
            continue
        sure = max(group[place].confidence for place in members)
        wrong = _contradiction(members, group, zeros)
        for place, start in members.items():
            levels = LEVELS[min(zeros) + start :]
            said = wrong or Named(dict(zip(group[place].labels, levels, strict=False)), sure)
            result[place] = _renamed(result[place], said)
    return result


def _column(image: Image, found: Segmented) -> _Column | None:
    """The bodies of a stack in the patient; None where they cannot be counted or placed."""
    if image.spacing_mm is None or image.orientation is None or image.positions_mm is None:
        return None
    if uneven(found.bodies):
        return None
    row, column = (np.array(direction) for direction in image.orientation)
    positions = np.array(image.positions_mm)
    labels = tuple(body.label for body in column_of(found.bodies))
    places = []
    for label in labels:
        frames, down, across = np.nonzero(found.labels == label)
        if not len(frames):
            return None
        in_plane = across.mean() * image.spacing_mm[1] * row + down.mean() * image.spacing_mm[0] * column
        places.append(positions[frames].mean(axis=0) + in_plane)
    sure = found.named.confidence if isinstance(found.named, Named) else MIN_ANCHOR
    return _Column(labels, np.array(places), evidence(found.bodies), region_of(image), sure)


def _joined(columns: dict[int, _Column]) -> list[dict[int, int]]:
    """Groups of stacks that share bodies, each: stack -> number that its uppermost body has in the group."""
    left, groups = set(columns), []
    while left:
        group = {min(left): 0}
        waiting = [min(left)]
        while waiting:
            here = waiting.pop()
            for other in sorted(left - set(group)):
                shifts = _shifts(columns[here], columns[other])
                if len(shifts) >= MIN_SHARED and len(set(shifts)) == 1:
                    group[other] = group[here] + shifts[0]
                    waiting.append(other)
        left -= set(group)
        groups.append(group)
    return groups


def _shifts(one: _Column, other: _Column) -> list[int]:
    """Of each body that two columns share: its number in the first less that in the second."""
    apart = np.linalg.norm(one.places[:, None] - other.places[None], axis=2)
    pairs = [
        (at, int(apart[at].argmin()))
        for at in range(len(apart))
        if apart[at].min() <= NEAR_MM and apart[:, apart[at].argmin()].argmin() == at
    ]
    return [first - second for first, second in pairs]


def _contradiction(members: dict[int, int], group: dict[int, _Column], zeros: set[int]) -> Abstained | None:
    """Why the joined stacks cannot be named: they number a body differently, or the count leaves the spine.

    zeros: numbers that the first body of the group has by each body that is told apart.
    """
    for here, other in combinations(members, 2):
        between = members[other] - members[here]
        if any(shift != between for shift in _shifts(group[here], group[other])):
            return Abstained(DIFFER.format("one has a body where another has two or none"))
    for column in group.values():
        if alien := [name for name in column.firsts if column.region in WITHOUT[name]]:
            return Abstained(DIFFER.format(f"a body of the {column.region} one looks like {alien[0]}"))
    if len(zeros) > 1:
        return Abstained(DIFFER.format(f"their counts differ by {max(zeros) - min(zeros)}"))
    firsts = {place: min(zeros) + start for place, start in members.items()}
    if any(first < 0 or first + len(group[place].labels) > len(LEVELS) for place, first in firsts.items()):
        return Abstained(DIFFER.format("together they show more bodies than a spine has"))
    return None


def _renamed(found: Segmented, named: Named | Abstained) -> Segmented:
    return replace(found, named=named, levels=levels_of(found.bodies, named))
