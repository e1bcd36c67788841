"""Tables and estimates as Markdown and for a terminal, and where they stand in a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import InputError


@dataclass(frozen=True)
class Table:
    """A table under a line of text; columns without any value are left out. is_long: folded in a page, left
    out in a terminal.
    """

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    is_long: bool = False

    @property
    def filled(self) -> list[list[str]]:
        """Header and rows of the columns that have a value."""
        columns = [
            place for place in range(len(self.head)) if any(row[place].strip("-; ") for row in self.rows)
        ]
        return [[row[place] for place in columns] for row in (self.head, *self.rows)]

    def markdown(self) -> str:
        """The title and the table."""
        head, *rows = self.filled
        text = table(head, rows)
        if self.is_long:
            return f"<details><summary>{self.title}</summary>\n\n{text}\n\n</details>"
        return f"{self.title}\n\n{text}" if self.title else text

    def text(self) -> str:
        """Columns of equal width, the first to the left and the others to the right."""
        lines = [[cell.replace("**", "") for cell in row] for row in self.filled]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        aligned = [
            "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip()
            for row in lines
        ]
        return "\n".join([*([self.title] if self.title else []), *(f"  {line}" for line in aligned)])


Block = str | Table


def as_markdown(blocks: Sequence[Block]) -> str:
    """Paragraphs and tables of a page."""
    return "\n\n".join(one if isinstance(one, str) else one.markdown() for one in blocks if one)


def as_terminal(blocks: Sequence[Block]) -> str:
    """The same for a terminal, without long tables."""
    shown_ = [one for one in blocks if one and not (isinstance(one, Table) and one.is_long)]
    return "\n\n".join(one.lstrip("# ") if isinstance(one, str) else one.text() for one in shown_)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table with one header row."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def shown(value: Mapping[str, Any] | None, digits: int = 3, *, percent: bool = False) -> str:
    """``0.83 (0.66 to 0.86)`` of an estimate; without limits the value alone, ``-`` where there is none.

    percent: ``83.0% (66.0 to 86.0)``, one digit unless another number is given.
    """
    if not value or value.get("estimate") is None:
        return "-"
    scale, unit = (100, "%") if percent else (1, "")
    digits = 1 if percent and digits == 3 else digits
    low, high = value["ci"]
    limits = "" if low is None else f" ({low * scale:.{digits}f} to {high * scale:.{digits}f})"
    return f"{value['estimate'] * scale:.{digits}f}{unit}{limits}"


def counted(number: int, word: str, plural: str = "") -> str:
    """``1 image``, ``2 images``."""
    return f"{number} {word if number == 1 else plural or word + 's'}"


def into_page(page: str, mark: str, text: str) -> str:
    """The page with what stands between ``<!-- mark -->`` and ``<!-- /mark -->`` replaced by the text.

    Raises InputError where the page has no such lines.
    """
    opening, closing = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    before, found, rest = page.partition(opening)
    _, closed, after = rest.partition(closing)
    if not (found and closed):
        raise InputError(
            "the page", f"lines {opening} and {closing} are needed", "add them where the tables shall stand"
        )
    return f"{before}{opening}\n{text.strip()}\n{closing}{after}"
