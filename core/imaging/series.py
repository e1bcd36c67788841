"""The slices of a series sorted into stacks by where they lie, and what is wrong with each, by name.

A stack is what one run of a scanner through the body gives: parallel slices of one size and one contrast,
each at a place of its own. Names of files and InstanceNumber say nothing of where a slice lies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from core.domain import Point
from core.imaging.stacks import SAME_DIRECTION, SAME_PLACE_MM, along_normal

PLANES = ("sagittal", "coronal", "axial")
IN_PLANE = 0.82  # cosine up to which a plane has the name of the nearest one (35 degrees)
DOUBLED = 0.1  # proportion of the slice thickness below which two slices lie at one place
ON_GRID = 0.1  # proportion of the slice distance by which a distance may differ from a multiple of it
OVERLAP = 0.7  # proportion of the slice thickness below which slices taken one by one overlap
SHIFTED_MM = 1.0  # by which a slice may lie beside the line through the others, within its plane
NAMED = 4  # places that a sentence names

# what was found, and whether such a stack can be read
LOCALISER, NO_POSITION, NO_SPACING = "localiser", "no position", "no spacing"
MISSING, DOUBLE, UNEVEN, OVERLAPPING, SHIFTED = "missing", "double", "uneven", "overlapping", "shifted"
PLANES_DIFFER, SIZES_DIFFER, CONTRASTS, REPEATS = (
    "two orientations",
    "sizes differ",
    "several contrasts",
    "repeats",
)
STOPS = frozenset({LOCALISER, NO_POSITION, NO_SPACING, MISSING, DOUBLE, UNEVEN, OVERLAPPING, SHIFTED})


@dataclass(frozen=True)
class Slice:
    """One frame of one image, as far as its header says.

    size, spacing_mm: rows, columns. contrast: what tells one contrast from another (sequence, echo ...);
    slices of two contrasts are never of one stack. repeat: what tells two runs apart; it counts only where
    two slices lie at one place. is_volume: taken as a block (3D), where slices may overlap.
    """

    image: str
    frame: int = 0
    position: Point | None = None
    orientation: tuple[Point, Point] | None = None
    size: tuple[int, int] = (0, 0)
    spacing_mm: tuple[float, float] | None = None
    thickness_mm: float | None = None
    contrast: str = ""
    repeat: str = ""
    is_localiser: bool = False
    is_volume: bool = False

    @property
    def plane(self) -> str:
        """Sagittal, coronal, axial or oblique; ``""`` where the direction is not known."""
        if self.orientation is None:
            return ""
        normal = np.abs(np.cross(*self.orientation))
        axis = int(np.argmax(normal))
        return PLANES[axis] if normal[axis] > IN_PLANE * np.linalg.norm(normal) else "oblique"


@dataclass(frozen=True)
class Problem:
    """What is wrong with a stack. kind: one of the names above; words: said with numbers."""

    kind: str
    words: str

    @property
    def stops(self) -> bool:
        """Whether the stack cannot be read because of it."""
        return self.kind in STOPS


@dataclass(frozen=True)
class Stack:
    """Slices in the order of their place along the slice normal.

    spacing_mm: between the centres of neighbours, None where unknown or uneven. gap_mm: that less the
    thickness of a slice, below 0 where slices overlap. places_mm: along the normal.
    """

    slices: tuple[Slice, ...]
    plane: str = ""
    places_mm: tuple[float, ...] = ()
    spacing_mm: float | None = None
    gap_mm: float | None = None
    problems: tuple[Problem, ...] = field(default=())

    @property
    def may_be_read(self) -> bool:
        """Whether nothing stands against reading it as a stack."""
        return not any(problem.stops for problem in self.problems)


def stacks_of(slices: Iterable[Slice]) -> list[Stack]:
    """The stacks of one series, the largest first; slices without a place are together in the last one.

    The order in which slices are given plays no part.
    """
    ordered = sorted(slices, key=lambda one: (one.image, one.frame))
    placed = [one for one in ordered if one.orientation is not None and one.position is not None]
    unplaced = [one for one in ordered if one.orientation is None or one.position is None]
    directions = _clusters(placed)
    stacks = [
        _stack(part)
        for group in directions
        for same in _apart(group, lambda one: (one.size, _rounded(one.spacing_mm), one.contrast))
        for part in _without_repeats(same)
    ]
    stacks = _with_what_the_series_holds(stacks)
    stacks.sort(
        key=lambda stack: (-len(stack.slices), stack.plane, stack.slices[0].contrast, stack.places_mm)
    )
    return stacks + ([_unplaced(unplaced)] if unplaced else [])


def _clusters(slices: Sequence[Slice]) -> list[list[Slice]]:
    """Slices whose rows and columns run in the same directions."""
    found: list[list[Slice]] = []
    for one in slices:
        for group in found:
            if np.abs(np.subtract(one.orientation, group[0].orientation)).max() <= SAME_DIRECTION:  # type: ignore[arg-type]
                group.append(one)
                break
        else:
            found.append([one])
    return found


def _apart(slices: Sequence[Slice], key: Callable[[Slice], object]) -> list[list[Slice]]:
    found: dict[object, list[Slice]] = {}
    for one in slices:
        found.setdefault(key(one), []).append(one)
    return list(found.values())


def _rounded(spacing: tuple[float, float] | None) -> tuple[float, float] | None:
    return None if spacing is None else (round(spacing[0], 3), round(spacing[1], 3))


def _without_repeats(slices: list[Slice]) -> list[list[Slice]]:
    """Two runs at the same places apart, where the headers tell them apart and neither has a double then."""
    if not _doubles(slices):
        return [slices]
    parts = _apart(slices, lambda one: one.repeat)
    return parts if len(parts) > 1 and not any(_doubles(part) for part in parts) else [slices]


def _sorted(slices: Sequence[Slice]) -> tuple[list[Slice], np.ndarray]:
    orientation = slices[0].orientation
    assert orientation is not None
    places = along_normal([one.position for one in slices if one.position is not None], orientation)
    order = np.argsort(places, kind="stable")
    return [slices[index] for index in order], places[order]


def _doubles(slices: Sequence[Slice]) -> list[float]:
    """Places at which two slices lie."""
    _, places = _sorted(slices)
    near = max(SAME_PLACE_MM, DOUBLED * (slices[0].thickness_mm or 0.0))
    return [float(places[index]) for index in np.flatnonzero(np.diff(places) < near)]


def _stack(slices: list[Slice]) -> Stack:
    ordered, places = _sorted(slices)
    first = ordered[0]
    problems = [Problem(LOCALISER, "a localiser")] if any(one.is_localiser for one in ordered) else []
    doubles = _doubles(slices)
    spacing = None
    if doubles:
        problems.append(Problem(DOUBLE, f"two slices at one place, {_at(doubles)}"))
    else:
        spacing, found = _distances(places, first)
        problems += found
    if first.spacing_mm is None:
        problems.append(Problem(NO_SPACING, "the files do not say how many millimetres a pixel is"))
    problems += _beside_the_line(ordered)
    gap = None if spacing is None or first.thickness_mm is None else round(spacing - first.thickness_mm, 4)
    return Stack(
        tuple(ordered), first.plane, tuple(float(place) for place in places), spacing, gap, tuple(problems)
    )


def _distances(places: np.ndarray, first: Slice) -> tuple[float | None, list[Problem]]:
    """The distance between neighbours, and what is wrong with the distances. No two lie at one place."""
    steps = np.diff(places)
    if not len(steps):
        return None, []
    step = float(np.median(steps[steps <= 1.3 * steps.min()]))
    times = np.rint(steps / step)
    if (np.abs(steps - times * step) > ON_GRID * step).any():
        words = f"distances between slices differ, {steps.min():.1f} to {steps.max():.1f} mm"
        return None, [Problem(UNEVEN, words)]
    step, problems = round(float(steps.sum() / times.sum()), 4), []
    holes = [
        float(place + step * (hole + 1))
        for place, count in zip(places, times.astype(int), strict=False)
        for hole in range(count - 1)
    ]
    if holes:
        many = f"{len(holes)} slices are missing" if len(holes) > 1 else "a slice is missing"
        problems.append(Problem(MISSING, f"{many}, {_at(holes)}"))
    if not first.is_volume and first.thickness_mm and step < OVERLAP * first.thickness_mm:
        words = f"slices of {first.thickness_mm:.1f} mm lie {step:.1f} mm apart, as of two series in one"
        problems.append(Problem(OVERLAPPING, words))
    return step, problems


def _beside_the_line(slices: Sequence[Slice]) -> list[Problem]:
    """Slices that lie beside the line through the first pixels of the others."""
    if len(slices) < 3:
        return []
    orientation = np.array(slices[0].orientation, dtype=float)
    within = np.array([one.position for one in slices], dtype=float) @ orientation.T
    _, places = _sorted(slices)
    apart = places - places.mean()
    slope = apart @ (within - within.mean(axis=0)) / max(float(apart @ apart), 1e-12)
    away = np.abs(within - np.median(within - np.outer(apart, slope), axis=0) - np.outer(apart, slope))
    if away.max() <= SHIFTED_MM:
        return []
    return [
        Problem(SHIFTED, f"slices are shifted against each other within their plane, by {away.max():.0f} mm")
    ]


def _at(places: Sequence[float]) -> str:
    shown = ", ".join(f"{place:.1f}" for place in places[:NAMED])
    more = f" and {len(places) - NAMED} more" if len(places) > NAMED else ""
    return f"at {shown} mm{more}"


def _unplaced(slices: list[Slice]) -> Stack:
    problems = [Problem(LOCALISER, "a localiser")] if any(one.is_localiser for one in slices) else []
    problems.append(Problem(NO_POSITION, "the files do not say where its slices lie"))
    if any(one.spacing_mm is None for one in slices):
        problems.append(Problem(NO_SPACING, "the files do not say how many millimetres a pixel is"))
    plane = slices[0].plane if len({one.plane for one in slices}) == 1 else ""
    return Stack(tuple(slices), plane, problems=tuple(problems))


def _with_what_the_series_holds(stacks: list[Stack]) -> list[Stack]:
    """What is odd about a series that gives several stacks, said of each. Three planes are a localiser."""
    is_localiser = set(PLANES) <= {stack.plane for stack in stacks}
    found = []
    for place, stack in enumerate(stacks):
        others = stacks[:place] + stacks[place + 1 :]
        problems = [*stack.problems]
        if is_localiser and LOCALISER not in {problem.kind for problem in problems}:
            problems.append(
                Problem(LOCALISER, "a localiser: sagittal, coronal and axial slices in one series")
            )
        problems += [*_other_directions(stack, others), *_others_of_this_plane(stack, others)]
        found.append(replace(stack, problems=tuple(problems)))
    return found


def _other_directions(stack: Stack, others: Sequence[Stack]) -> list[Problem]:
    turned = [other for other in others if _turned(stack, other)]
    if not turned:
        return []
    counts: dict[str, int] = {}
    for other in turned:
        counts[other.plane] = counts.get(other.plane, 0) + len(other.slices)
    words = " and ".join(f"{count} {plane}" for plane, count in sorted(counts.items()))
    return [Problem(PLANES_DIFFER, f"two orientations in one series: {words} slices beside these")]


def _turned(one: Stack, other: Stack) -> bool:
    first, second = one.slices[0].orientation, other.slices[0].orientation
    return bool(np.abs(np.subtract(first, second)).max() > SAME_DIRECTION)  # type: ignore[arg-type]


def _others_of_this_plane(stack: Stack, others: Sequence[Stack]) -> list[Problem]:
    parallel = [other for other in others if not _turned(stack, other)]
    first, found = stack.slices[0], []
    sizes = [other for other in parallel if other.slices[0].size != first.size]
    if sizes:
        names = ", ".join(
            f"{len(other.slices)} of {other.slices[0].size[0]} x {other.slices[0].size[1]}" for other in sizes
        )
        own = f"{len(stack.slices)} of {first.size[0]} x {first.size[1]}"
        found.append(Problem(SIZES_DIFFER, f"sizes differ in one series: {own}, {names}"))
    same = [other for other in parallel if other.slices[0].size == first.size]
    contrasts = {other.slices[0].contrast for other in same} - {first.contrast}
    if contrasts:
        found.append(Problem(CONTRASTS, f"{len(contrasts) + 1} contrasts in one series, taken apart"))
    spacings = [other for other in same if _rounded(other.slices[0].spacing_mm) != _rounded(first.spacing_mm)]
    if spacings:
        found.append(Problem(SIZES_DIFFER, "pixel spacings differ in one series"))
    repeats = [
        other for other in same if other.slices[0].contrast == first.contrast and other not in spacings
    ]
    if repeats:
        found.append(Problem(REPEATS, f"{len(repeats) + 1} runs through the same places, taken apart"))
    return found
