"""Levels of factors in natural order: numbers inside text by value, so W2 stands before W12."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from core.errors import InputError
from core.natural import natural_key


def ordered_levels(values: Iterable[str], given: Sequence[str] | None = None, name: str = "") -> list[str]:
    """The values that occur, in natural order or in the order given; the first is the reference.

    Raises InputError where a value that occurs is not among those given.
    """
    seen = set(values)
    if given is None:
        return sorted(seen, key=lambda text: (natural_key(text), text))
    absent = sorted(seen - set(given), key=natural_key)
    if absent:
        raise InputError(
            f"levels {name}={','.join(given)}", f"{', '.join(absent)} is in the table too", "name every level"
        )
    return [level for level in given if level in seen]
