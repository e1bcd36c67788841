"""A schematic of what a system scores: where each unit lies in the body, and bones to see it by."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, hypot, pi, sin

Point = tuple[float, float]
Outline = tuple[Point, ...]
EDGE = 9  # points along each long side of a bone


@dataclass(frozen=True)
class Drawing:
    """Places and outlines in one plane, in mm of an adult, x to the right and y downwards, as on the film.

    places: (unit, x, y) of every unit of the system. bones: closed outlines. captions: (text, x, y).
    """

    places: tuple[tuple[str, float, float], ...]
    bones: tuple[Outline, ...]
    captions: tuple[tuple[str, float, float], ...] = ()

    @property
    def frame(self) -> tuple[float, float, float, float]:
        """x0, y0, x1, y1 around everything that is drawn."""
        points = [point for bone in self.bones for point in bone]
        points += [(x, y) for _, x, y in (*self.places, *self.captions)]
        xs, ys = [x for x, _ in points], [y for _, y in points]
        return min(xs), min(ys), max(xs), max(ys)

    def moved(self, *, x: float = 0.0, y: float = 0.0, scale: float = 1.0, mirror: bool = False) -> Drawing:
        """The same scaled, mirrored left to right where asked, and shifted, in this order."""
        turn = -scale if mirror else scale

        def at(px: float, py: float) -> Point:
            return round(turn * px + x, 2), round(scale * py + y, 2)

        return Drawing(
            tuple((unit, *at(px, py)) for unit, px, py in self.places),
            tuple(tuple(at(*point) for point in bone) for bone in self.bones),
            tuple((text, *at(px, py)) for text, px, py in self.captions),
        )


def joined(*drawings: Drawing) -> Drawing:
    """Several drawings as one."""
    return Drawing(
        tuple(place for one in drawings for place in one.places),
        tuple(bone for one in drawings for bone in one.bones),
        tuple(caption for one in drawings for caption in one.captions),
    )


def long_bone(base: Point, head: Point, ends: float, shaft: float) -> Outline:
    """The outline of a long bone from base to head, ``ends`` mm wide at both ends and ``shaft`` between."""
    (x0, y0), (x1, y1) = base, head
    length = hypot(x1 - x0, y1 - y0)
    across = (-(y1 - y0) / length, (x1 - x0) / length)

    def at(t: float, side: float) -> Point:
        round_off = min(1.0, 2.4 * (min(t, 1 - t) * length / ends) ** 0.5)
        half = side * round_off * (shaft + (ends - shaft) * abs(2 * t - 1) ** 2.5) / 2
        return x0 + t * (x1 - x0) + half * across[0], y0 + t * (y1 - y0) + half * across[1]

    steps = [0.0, 0.02, *(place / EDGE for place in range(1, EDGE)), 0.98, 1.0]
    return tuple(at(t, 1.0) for t in steps) + tuple(at(t, -1.0) for t in reversed(steps))


def round_bone(centre: Point, wide: float, high: float, turn: float = 0.0) -> Outline:
    """The outline of a short bone: an ellipse, turned clockwise by so many degrees."""
    angle = turn * pi / 180
    points = [(wide / 2 * cos(2 * pi * i / 24), high / 2 * sin(2 * pi * i / 24)) for i in range(24)]
    return tuple(
        (centre[0] + x * cos(angle) - y * sin(angle), centre[1] + x * sin(angle) + y * cos(angle))
        for x, y in points
    )
