"""Slices of two visits that show the same place: matched by their place along the normal, never by number.

The patient does not lie as before, so places are counted from the middle of the bodies that both visits name.
"""

from __future__ import annotations

import numpy as np

from core.domain import Abstained, Image
from core.imaging.stacks import matched_frames, shift_by_middles
from models.sparcc.rule.score import StackScore
from models.sparcc.rule.settings import Settings
from models.sparcc.rule.stack import Anatomy, Stack, look_at
from models.sparcc.rule.units import Window


def windows_like(
    baseline: StackScore, first: tuple[Image, Anatomy], second: tuple[Image, Anatomy]
) -> dict[str, Window]:
    """The slices of a later visit that lie where the baseline's three of each unit do.

    A unit of which a slice has no partner within half the slice distance, or whose partners are not three in
    a row, is left out. Empty where the rule cannot be used on one of the stacks, or they share no body.
    """
    stacks = [
        look_at(image, anatomy, np.zeros(image.frames.shape), Settings())
        for image, anatomy in (first, second)
    ]
    one, two = stacks
    if isinstance(one, Abstained) or isinstance(two, Abstained):
        return {}
    shift = shift_of(one, two)
    if shift is None:
        return {}
    within = max(one.plane.step, two.plane.step) / 2
    partner = matched_frames(one.plane.places, two.plane.places, shift=shift, within=within)
    possible = set(two.plane.windows(two.settings.wide_gap))
    found = {}
    for name, unit in baseline.units.items():
        if all(frame in partner for frame in unit.frames):
            first_frame, middle, last = (partner[frame] for frame in unit.frames)
            if (first_frame, middle, last) in possible:
                found[name] = (first_frame, middle, last)
    return found


def shift_of(one: Stack, two: Stack) -> float | None:
    """mm to add to the second stack's places, by the middles of bodies that both name; None without one."""
    first, second = ({name: stack.middle_of(name) for name in stack.label_of} for stack in (one, two))
    return shift_by_middles(first, second)
