"""The discovertebral units of a stack: which are shown, on which three slices each is read, what is missing.

A unit is the lower half of its upper body and the upper half of its lower one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from core.imaging.spine import UNITS
from models.sparcc.rule.bodies import Body
from models.sparcc.rule.stack import Stack

QUADRANTS = ("UA", "UP", "LA", "LP")
Window = tuple[int, int, int]


@dataclass(frozen=True)
class Quadrant:
    """A quarter of a unit on a slice. level: the body it is part of. inside: which of the body's pixels."""

    name: str
    level: str
    body: Body
    inside: np.ndarray

    @property
    def pixels(self) -> np.ndarray:
        """(n, 2) rows and columns."""
        return np.asarray(self.body.pixels[self.inside])


def quadrants_of(stack: Stack, unit: str, frame: int) -> dict[str, Quadrant]:
    """The four quadrants of a unit on a slice that shows both bodies."""
    upper, lower = UNITS[unit]
    found = {}
    for name in QUADRANTS:
        level = upper if name[0] == "U" else lower
        body = stack.bodies[level][frame]
        half = ~body.is_upper() if name[0] == "U" else body.is_upper()
        side = body.is_anterior() if name[1] == "A" else ~body.is_anterior()
        found[name] = Quadrant(name, level, body, half & side)
    return found


def windows_of(stack: Stack, given: Mapping[str, Window] | None = None) -> dict[str, Window | str]:
    """Unit -> its three slices in their order along the normal, or why it is not read.

    Only units of which a body is named: others are not in this stack. given: slices that another visit says,
    by unit; a unit that it does not name is then not read.
    """
    shown = {unit: pair for unit, pair in UNITS.items() if stack.label_of.keys() & set(pair)}
    return {unit: _window(stack, unit, given) for unit in shown}


def _window(stack: Stack, unit: str, given: Mapping[str, Window] | None) -> Window | str:
    if why := _why_not(stack, UNITS[unit]):
        return why
    upper, lower = UNITS[unit]
    both = stack.bodies[upper].keys() & stack.bodies[lower].keys()
    windows = [three for three in stack.plane.windows(stack.settings.wide_gap) if both.issuperset(three)]
    if given is not None:
        if unit not in given:
            return "the other visit has no slices for it"
        fits = given[unit] in windows
        return given[unit] if fits else "the slices of the other visit do not show both bodies here"
    if not windows:
        return _why_no_window(stack, len(both))
    return _with_most_oedema(stack, unit, windows)


def _why_not(stack: Stack, levels: tuple[str, str]) -> str:
    for level in levels:
        if level not in stack.label_of:
            return f"no body is named {level}"
        if not stack.bodies[level]:
            return f"{level} is too small for end plates and walls to be found"
        if stack.is_cut(level):
            return f"{level} is cut off by the field of view"
    return ""


def _why_no_window(stack: Stack, slices: int) -> str:
    if slices < 3:
        return f"{slices} slices show both bodies: a unit is read on three consecutive ones"
    return "the slices that show both bodies are not consecutive: one is missing between them"


def _with_most_oedema(stack: Stack, unit: str, windows: list[Window]) -> Window:
    """The window with the largest area of oedema in the unit; of equals the one nearest to the middle of its
    bodies, then the first along the normal.
    """
    upper, lower = UNITS[unit]
    area = {frame: _oedema(stack, unit, frame) for frame in {frame for three in windows for frame in three}}
    middle = (stack.middle_of(upper) + stack.middle_of(lower)) / 2

    def rank(window: Window) -> tuple[int, float]:
        away = abs(float(stack.plane.places[list(window)].mean()) - middle)
        return -sum(area[frame] for frame in window), round(away, 6)

    return min(windows, key=rank)


def _oedema(stack: Stack, unit: str, frame: int) -> int:
    """Pixels of oedema in the unit's quadrants on a slice."""
    parts = quadrants_of(stack, unit, frame).values()
    return sum(int(stack.has_oedema(frame, part.pixels).sum()) for part in parts)


def frames_near(stack: Stack, level: str, within: float) -> Iterator[int]:
    """Frames that show a body and lie within mm of its middle; at least the nearest one that shows it."""
    frames = list(stack.bodies[level])
    if not frames:
        return
    away = np.abs(stack.plane.places[frames] - stack.middle_of(level))
    yield from (frame for frame, mm in zip(frames, away, strict=True) if mm <= max(within, float(away.min())))
