"""Levels of factors in natural order: numbers inside text by value, so W2 stands before W12."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from core.errors import InputError

_NUMBER = re.compile(r"(\d+(?:\.\d+)?)")


def natural_key(text: str) -> tuple[tuple[int, float, str], ...]:
    """Sorts text piece by piece, numbers by value and before letters, letters without case."""
    pieces = [piece for piece in _NUMBER.split(text) if piece]
    return tuple(
        (0, float(piece), "") if _NUMBER.fullmatch(piece) else (1, 0.0, piece.casefold()) for piece in pieces
    )


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
