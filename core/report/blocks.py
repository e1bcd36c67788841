"""What a report is made of: sections of paragraphs, facts, tables, figures and films, without any layout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from core.domain import Box
from core.figures.style import Look


@dataclass(frozen=True)
class Text:
    """A paragraph. kind: ``""``, ``answer`` (what the reader attended for), ``note`` or ``warning``."""

    text: str
    kind: str = ""


@dataclass(frozen=True)
class Facts:
    """Names and their values."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Table:
    """Rows of text; the first ``words`` columns are words, the rest numbers that stand to the right.

    A line break in a cell is kept. folded: the line that opens the table; without it, it stands open.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    words: int = 1
    folded: str = ""


@dataclass(frozen=True)
class Figure:
    """A plotly figure, drawn for a light or a dark page.

    caption: one sentence on what it says. alt: what it shows, for who cannot see it.
    """

    name: str
    draw: Callable[[Look], Any]
    alt: str
    caption: str = ""
    title: str = ""


@dataclass(frozen=True)
class FilmMark:
    """A box on a film, in pixels of the picture. label: what stands beside it; tip: what shows over it."""

    box: Box
    colour: str
    label: str = ""
    tip: str = ""


@dataclass(frozen=True)
class FilmPicture:
    """A film as a small picture with boxes, or why there is none.

    jpeg: the picture, ``width`` x ``height`` pixels; None with a ``message``.
    """

    title: str
    jpeg: bytes | None = None
    width: int = 0
    height: int = 0
    marks: tuple[FilmMark, ...] = ()
    message: str = ""


@dataclass(frozen=True)
class Beside:
    """Blocks that stand side by side where the page is wide enough. title: over them."""

    blocks: tuple[Figure | FilmPicture, ...]
    title: str = ""


@dataclass(frozen=True)
class Heading:
    """A heading within a section."""

    text: str


@dataclass(frozen=True)
class Code:
    """Text to be kept as it is, opened by its name."""

    name: str
    text: str


Block = Text | Facts | Table | Figure | Beside | Heading | Code


@dataclass(frozen=True)
class Section:
    """sources: the named queries and functions that its numbers come from."""

    anchor: str
    title: str
    blocks: tuple[Block, ...]
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """A whole report. notices: what a first-time reader must see before any number.

    numbers: everything that was computed, in full precision, as JSON values. thing: what the score is made
    from, in the words of the page.
    """

    title: str
    subtitle: str
    notices: tuple[str, ...]
    sections: tuple[Section, ...]
    numbers: dict[str, Any] = field(default_factory=dict)
    thing: str = "film"
