"""Natural order of names: numbers inside text by value, so W2 stands before W12."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"(\d+(?:\.\d+)?)")


def natural_key(text: str) -> tuple[tuple[int, float, str], ...]:
    """Sorts text piece by piece, numbers by value and before letters, letters without case."""
    pieces = [piece for piece in _NUMBER.split(text) if piece]
    return tuple(
        (0, float(piece), "") if _NUMBER.fullmatch(piece) else (1, 0.0, piece.casefold()) for piece in pieces
    )
