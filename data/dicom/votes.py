"""Hints of a header that vote for a value, each with a weight of its own; agreeing ones add up, contradicting
ones count against::

    support of a value = 1 - product over its hints of (1 - weight)
    confidence of the best = its support * (1 - support of the runner-up / 2)
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Hint:
    """One piece of evidence: ``value`` as ``source`` says it, weight 0 to 1.

    is_one_of_several: the same words name other values as well.
    """

    value: str
    source: str
    weight: float
    is_one_of_several: bool = False


def settle(hints: Iterable[Hint]) -> dict[str, Any]:
    """The best supported value with its sources, confidence, and what contradicts it."""
    by_value: dict[str, list[Hint]] = {}
    for hint in hints:
        by_value.setdefault(hint.value, []).append(hint)
    if not by_value:
        return {"value": "", "source": "", "confidence": 0.0}
    support = {
        value: 1 - float(np.prod([1 - hint.weight for hint in own])) for value, own in by_value.items()
    }
    ranked = sorted(support, key=lambda value: -support[value])
    best = ranked[0]
    runner_up = support[ranked[1]] if len(ranked) > 1 else 0.0
    settled: dict[str, Any] = {
        "value": best,
        "source": " + ".join(dict.fromkeys(hint.source for hint in by_value[best])),
        "confidence": round(support[best] * (1 - runner_up / 2), 3),
    }
    against = {hint.source: hint.value for value in ranked[1:] for hint in by_value[value]}
    return settled | ({"contradicted_by": against} if against else {})


def hints_from_text(
    text: object, patterns: tuple[tuple[str, str], ...], source: str, weight: float
) -> Iterator[Hint]:
    """One hint where the text names exactly one of the values; two weak ones where it names two."""
    words = plain(text)
    if not words:
        return
    found = [value for value, pattern in patterns if re.search(rf"(?<![a-z])(?:{pattern})(?![a-z])", words)]
    if "spine" in found and len(found) > 1:
        found.remove("spine")
    for value in found[:3]:
        several = len(found) > 1
        yield Hint(value, source, weight / (2 * len(found) - 1) if several else weight, several)


def plain(text: object) -> str:
    """Lower case, accents off, everything but letters and digits as a space."""
    decomposed = unicodedata.normalize("NFKD", str(text or "").replace("ß", "ss"))
    folded = decomposed.encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", " ", folded.lower()).strip()
