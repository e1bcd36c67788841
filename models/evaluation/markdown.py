"""Tables and estimates as Markdown, and where they stand in a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table with one header row."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def told(value: Mapping[str, Any], digits: int = 2) -> str:
    """``0.83 (0.66 to 0.86)`` of an estimate; without limits the value alone, ``-`` where there is none."""
    if value["estimate"] is None:
        return "-"
    low, high = value["ci"]
    ends = "" if low is None or high is None else f" ({low:.{digits}f} to {high:.{digits}f})"
    return f"{value['estimate']:.{digits}f}{ends}"


def into_page(page: str, mark: str, text: str) -> str:
    """The page with what stands between ``<!-- mark -->`` and ``<!-- /mark -->`` replaced by the text."""
    opening, closing = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    before, rest = page.split(opening, 1)
    _, after = rest.split(closing, 1)
    return f"{before}{opening}\n{text.strip()}\n{closing}{after}"


def shown(value: dict[str, Any] | None, digits: int = 3, percent: bool = False) -> str:
    """An estimate with its interval, ``-`` where there is none."""
    if not value or value.get("estimate") is None:
        return "-"
    scale = 100 if percent else 1

    def text(number: float | None) -> str:
        return "-" if number is None else f"{number * scale:.{1 if percent else digits}f}"

    low, high = value["ci"]
    unit = "%" if percent else ""
    return f"{text(value['estimate'])}{unit} ({text(low)} to {text(high)})"
