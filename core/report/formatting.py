"""Numbers as a report prints them; a real minus sign, a dash for what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

NOTHING = "–"


def number(value: Any, digits: int = 2, *, signed: bool = False) -> str:
    """A number with so many decimals; -0.00 is 0.00."""
    if value is None or pd.isna(value):
        return NOTHING
    text = f"{float(value):{'+' if signed else ''},.{digits}f}"
    if not float(text.replace(",", "")):
        text = text.lstrip("+-")
    return text.replace("-", "−")


def signed(value: Any, digits: int = 2) -> str:
    """A number with its sign, as a change or a difference is printed."""
    return number(value, digits, signed=True)


def interval(low: Any, high: Any, digits: int = 2, *, signed: bool = False) -> str:
    if low is None or high is None or pd.isna(low) or pd.isna(high):
        return "(no interval)"
    return f"({number(low, digits, signed=signed)} to {number(high, digits, signed=signed)})"


def with_interval(value: Sequence[Any] | None, digits: int = 2, *, signed: bool = False) -> str:
    """[estimate, low, high] as "0.93 (0.86 to 0.97)"."""
    if value is None or value[0] is None or pd.isna(value[0]):
        return NOTHING
    return f"{number(value[0], digits, signed=signed)} {interval(value[1], value[2], digits, signed=signed)}"


def estimated(block: dict[str, Any], digits: int = 2, *, signed: bool = False) -> str:
    """{estimate, ci} as "0.93 (0.86 to 0.97)"."""
    return with_interval([block["estimate"], *block["ci"]], digits, signed=signed)


def percent(block: dict[str, Any], *, signed: bool = False, empty: str = "no case") -> str:
    """{estimate, ci} of a proportion as "12% (3% to 25%)", of a difference as "−22% (−43% to +2%)".

    signed: a difference of proportions. empty: what stands where there is none.
    """
    if block["estimate"] is None:
        return empty
    value, low, high = (
        None if one is None else f"{number(100 * one, 0, signed=signed)}%"
        for one in (block["estimate"], *block["ci"])
    )
    return f"{value} (no interval)" if low is None or high is None else f"{value} ({low} to {high})"


def p_value(value: Any) -> str:
    """A p-value with three decimals, "<0.001" below."""
    if value is None or pd.isna(value):
        return NOTHING
    return "<0.001" if value < 0.001 else f"{float(value):.3f}"


def definition(name: str) -> str:
    """A definition of progression as it is printed: ">=2" as "≥2"."""
    return name.replace(">=", "≥").replace("<=", "≤").replace("-", "−")


def count(value: Any) -> str:
    return NOTHING if value is None or pd.isna(value) else f"{int(value):,}"


def cases(n: int) -> str:
    return f"{n:,} {'case' if n == 1 else 'cases'}"


def listed(names: Sequence[str]) -> str:
    """A, B and C."""
    names = [str(name) for name in names]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else "none"
