"""Numbers as text with ten digits, and the digest of a result that says whether it came out the same."""

from __future__ import annotations

import hashlib
import json
from typing import Any

DIGITS = 10


def digest_of(value: Any) -> str:
    """SHA-256 of JSON values, numbers to ten digits: summing in another order may move the sixteenth."""
    return hashlib.sha256(json.dumps(_rounded(value), sort_keys=True).encode()).hexdigest()


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _rounded(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    if isinstance(value, float):
        return f"{value + 0.0:.{DIGITS - 1}e}" if abs(value) > 1e-12 else f"{0:.{DIGITS - 1}e}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:.{DIGITS - 1}e}"
    return value


def differences(one: Any, other: Any, place: str = "") -> list[tuple[str, Any, Any]]:
    """Where two results differ to ten digits: (place, value of one, value of the other)."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = [*one, *(key for key in other if key not in one)]
        return [
            gap
            for key in keys
            for gap in differences(one.get(key), other.get(key), f"{place}, {key}" if place else str(key))
        ]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True), start=1)
        return [gap for number, (a, b) in pairs for gap in differences(a, b, f"{place} {number}")]
    return [] if _rounded(one) == _rounded(other) else [(place, one, other)]
