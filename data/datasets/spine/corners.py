"""Corners of vertebrae on lateral films, as several sets publish them: read, checked, turned into marks.

A corner has a vertebra, an edge (``top`` or ``bottom``) and an end (``front`` or ``back``). The front lies at
the image's left on nearly every published film. Where one edge runs the other way than those around it, its
two points were swapped, which is told and put right; where all do, the film may face the other way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from data.datasets.frame import Contents, Mark, Spacing

Point = tuple[float, float]
SPREAD = 2.0  # pixels by which vertices that stand for one point may lie apart
BOX = 0.35  # side of the box around a corner, as a proportion of the distance between neighbouring vertebrae
UNIT_MM = {"C": 22.0, "L": 41.0}  # between the tops of neighbouring vertebrae, magnified as on a detector
SURE = 0.15
WORDS = {"C": "cervical", "L": "lumbar"}


@dataclass(frozen=True)
class Edge:
    """The two ends of an endplate: ``top`` or ``bottom`` of a vertebra such as ``C3``."""

    vertebra: str
    edge: str
    front: Point
    back: Point

    @property
    def name(self) -> str:
        return f"{self.vertebra} {self.edge}"

    @property
    def swapped(self) -> Edge:
        return replace(self, front=self.back, back=self.front)


def one_point(vertices: Sequence[Sequence[float]]) -> Point | None:
    """The point that vertices stand for: their median; None where they lie further apart than ``SPREAD``."""
    try:
        xs, ys = [float(v[0]) for v in vertices], [float(v[1]) for v in vertices]
    except (TypeError, ValueError, IndexError):
        return None
    if not xs or max(max(xs) - min(xs), max(ys) - min(ys)) > SPREAD:
        return None
    return median(xs), median(ys)


def put_right(
    edges: Sequence[Edge], file: str, contents: Contents, *, known_swapped: bool = False
) -> list[Edge]:
    """The edges with front and back as on their neighbours. known_swapped: the file is known for it."""
    backwards = [edge for edge in edges if edge.front[0] > edge.back[0]]
    if known_swapped and 2 * len(backwards) >= len(edges):
        contents.tell(file, "left and right are swapped in this file, as is known; put right", left_out=False)
        return [edge.swapped for edge in edges]
    if not backwards:
        return list(edges)
    if len(backwards) == len(edges):
        reason = "all points run from right to left: the film faces right, or left and right are swapped"
        contents.tell(file, f"{reason}; they were taken as they stand", left_out=False)
        return list(edges)
    wrong = backwards if 2 * len(backwards) < len(edges) else [e for e in edges if e not in backwards]
    names = ", ".join(edge.name for edge in wrong)
    contents.tell(file, f"left and right are swapped at {names}; put right", left_out=False)
    return [edge.swapped if edge in wrong else edge for edge in edges]


def check_order(edges: Sequence[Edge], file: str, contents: Contents) -> None:
    """Tell of edges that do not lie below the one before, as they are listed from head to foot."""
    for one, other in pairwise(edges):
        if _middle(other)[1] <= _middle(one)[1]:
            contents.tell(file, f"{other.name} does not lie below {one.name}", left_out=False)


def check_inside(edges: Iterable[Edge], size: tuple[int, int] | None, file: str, contents: Contents) -> None:
    """Tell of points outside of the picture. size: width, height; None where it is not known."""
    if size is None:
        return
    outside = [
        edge.name
        for edge in edges
        for x, y in (edge.front, edge.back)
        if not (0 <= x <= size[0] and 0 <= y <= size[1])
    ]
    if outside:
        names = ", ".join(dict.fromkeys(outside))
        contents.tell(file, f"points lie outside of the picture: {names}", left_out=False)


def unit_of(edges: Sequence[Edge]) -> float | None:
    """Pixels between like edges of neighbouring vertebrae, the median; None where there are no two."""
    by_name = {edge.name: _middle(edge) for edge in edges}
    found = []
    for edge in edges:
        letter, number = edge.vertebra[0], edge.vertebra[1:]
        below = by_name.get(f"{letter}{int(number) + 1} {edge.edge}") if number.isdigit() else None
        if below is not None:
            here = by_name[edge.name]
            found.append(((below[0] - here[0]) ** 2 + (below[1] - here[1]) ** 2) ** 0.5)
    return median(found) if found else None


def guess_of(edges: Sequence[Edge]) -> Spacing | None:
    """Millimetres a pixel from the height of vertebrae; None without two of one region."""
    unit, letter = unit_of(edges), edges[0].vertebra[0] if edges else ""
    if unit is None or unit <= 0 or letter not in UNIT_MM:
        return None
    how = f"{WORDS[letter]} vertebrae are about {UNIT_MM[letter]:g} mm apart on a film"
    return Spacing(UNIT_MM[letter] / unit, how, sure=SURE)


def marks_of(edges: Sequence[Edge], words: Mapping[str, str], *, fallback: float = 20.0) -> list[Mark]:
    """A box around each front corner. words: ``top``, ``bottom`` -> how the set calls the front corner's
    edge, behind the vertebra. fallback: its side in pixels where no two vertebrae say how large they are.
    """
    side = BOX * (unit_of(edges) or fallback / BOX)
    return [
        Mark(
            f"{edge.vertebra} {words[edge.edge]}",
            (edge.front[0] - side / 2, edge.front[1] - side / 2, side, side),
        )
        for edge in edges
    ]


def size_of(path) -> tuple[int, int] | None:  # type: ignore[no-untyped-def]
    """Width and height of a picture by its header; None where it cannot be opened, which its reading says."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            return int(picture.width), int(picture.height)
    except Exception:
        return None


def _middle(edge: Edge) -> Point:
    return (edge.front[0] + edge.back[0]) / 2, (edge.front[1] + edge.back[1]) / 2
