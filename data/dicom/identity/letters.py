"""Letters in bytes that should hold numbers."""

from __future__ import annotations

import re
from itertools import pairwise

RUN = 6  # letters in a row, of which
TURNS = 2  # changes between up and down in the alphabet make a word; a ramp of values has none or one
_RUNS = re.compile(rb"[A-Za-z]{%d,}" % RUN)


def spells(content: bytes) -> bool:
    """True where the bytes, or every second of them, hold a run of letters that is no ramp of values."""
    if any(_turns(run) >= TURNS and not _is_ramp(run) for run in _RUNS.findall(content)):
        return True
    halves = (content[::2], content[1::2]) if len(content) >= 2 * RUN else ()
    return any(_turns(run) >= TURNS for half in halves for run in _RUNS.findall(half))


def _is_ramp(run: bytes) -> bool:
    """Words of two bytes that only rise, or only fall."""
    return not _turns(run[::2]) and not _turns(run[1::2])


def _turns(run: bytes) -> int:
    steps = [(b > a) - (b < a) for a, b in pairwise(run) if a != b]
    return sum(one != other for one, other in pairwise(steps))
