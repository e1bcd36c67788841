"""What an analyst gets to see of a subset that nobody had planned: estimates and intervals, no p-values."""

from __future__ import annotations

from typing import Any

P_VALUES = ("p", "exact_p", "p_adjusted")


def without_p(result: Any) -> Any:
    """The same result with every p-value taken out (None), at any depth."""
    if isinstance(result, dict):
        return {name: None if name in P_VALUES else without_p(value) for name, value in result.items()}
    if isinstance(result, list):
        return [without_p(value) for value in result]
    return result
