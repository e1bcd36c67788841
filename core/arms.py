"""Which arm the others are compared with, and the order of arms: one rule for every result.

A difference is always an arm minus the reference. The reference is the arm that was named (``--reference``,
or the setting of the study); without one, the arm whose name says that it is the comparator (placebo, sham,
vehicle; then control, standard of care; then comparator), and without such a name the first in natural order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TypeVar

from core.errors import InputError
from core.natural import natural_key

T = TypeVar("T")
REFERENCE_ARM = "reference_arm"  # the setting of a study
COMPARATORS = (  # the first group that an arm of the study belongs to decides
    ("placebo", "pbo", "plc", "plb", "pcb", "sham", "vehicle", "dummy", "untreated", "no treatment"),
    ("control", "controls", "ctrl", "ctl", "standard of care", "standard care", "usual care", "soc"),
    ("comparator", "reference", "active control", "background"),
)


def reference_arm(arms: Iterable[str], given: str | None = None) -> str | None:
    """The arm that others are compared with, None where there is no arm.

    Raises InputError where the one given is not among them.
    """
    names = sorted({str(arm) for arm in arms}, key=_by_name)
    if given:
        if names and given not in names:
            there = f"the arms are {', '.join(names)}"
            raise InputError(f"reference arm {given}", there, "name one of these")
        return given if names else None
    return min(names, key=lambda name: (*_comparator(name), _by_name(name))) if names else None


def arms_in_order(arms: Iterable[str], given: str | None = None) -> list[str]:
    """The arms, the reference first, the others in natural order; ``given`` as in ``reference_arm``."""
    names = {str(arm) for arm in arms}
    first = reference_arm(names, given)
    return sorted(names, key=lambda name: (name != first, _by_name(name)))


def pairs_of_arms(arms: Sequence[T]) -> list[tuple[T, T]]:
    """(an arm, the arm it is compared with) of every pair; arms: in order, the reference first."""
    return [(arm, other) for place, other in enumerate(arms) for arm in arms[place + 1 :]]


def _by_name(name: str) -> tuple[object, ...]:
    return natural_key(name), name


def _comparator(name: str) -> tuple[int, int]:
    """How surely a name is that of the comparator: the group of the word, then whether it is all of it."""
    words = " ".join(re.findall(r"[^\W_]+", name.casefold()))
    for group, known in enumerate(COMPARATORS):
        if any(words == one for one in known):
            return group, 0
        if any(f" {one} " in f" {words} " for one in known):
            return group, 1
    return len(COMPARATORS), 0
