"""Vertebral levels and discovertebral units from head to foot."""

from __future__ import annotations

from itertools import pairwise

LEVELS = (
    *(f"C{number}" for number in range(2, 8)),
    *(f"T{number}" for number in range(1, 13)),
    *(f"L{number}" for number in range(1, 6)),
    "S1",
)
UNITS = {f"{upper}{lower}": (upper, lower) for upper, lower in pairwise(LEVELS)}
