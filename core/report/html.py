"""A report as one HTML page: everything inside, nothing fetched, light and dark, fit to print."""

from __future__ import annotations

import base64
import json
import math
from functools import singledispatch
from html import escape
from importlib.resources import files
from typing import Any

from core.figures.style import DARK, LIGHT
from core.report.blocks import (
    Beside,
    Block,
    Code,
    Facts,
    Figure,
    FilmMark,
    FilmPicture,
    Heading,
    Report,
    Section,
    Table,
    Text,
)

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data: blob:; connect-src 'none'; form-action 'none'; base-uri 'none'"
)
CONFIG = {
    "displaylogo": False,
    "responsive": True,
    "scrollZoom": False,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
}
KINDS = ("answer", "note", "warning", "item")


def page(report: Report, *, plotly_js: str) -> str:
    """The page as text. plotly_js: the library, put in once; the page fetches nothing."""
    figures = _Figures()
    sections = "\n".join(_section(section, figures) for section in report.sections)
    menu = "".join(f'<a href="#{one.anchor}">{escape(one.title)}</a>' for one in report.sections)
    notices = "".join(f"<p>{escape(text)}</p>" for text in report.notices)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(report.title)} {escape(report.subtitle)}</title>
<style>
{_asset("page.css")}</style>
</head>
<body>
<header>
<h1>{escape(report.title)}</h1>
<p class="subtitle">{escape(report.subtitle)}</p>
<div class="notices" role="note">{notices}</div>
<nav aria-label="Sections">{menu}</nav>
<noscript><p class="warning">Figures need JavaScript; the tables hold the same numbers.</p></noscript>
</header>
<main>
{sections}
</main>
<footer><button type="button" id="save-numbers">All numbers of this report (JSON)</button></footer>
<script type="application/json" id="numbers">{_data(report.numbers)}</script>
<script type="application/json" id="figures">{_data(figures.drawn)}</script>
<script>{plotly_js}</script>
<script>
{_asset("page.js")}</script>
</body>
</html>
"""


class _Figures:
    """The figures of the page in both looks, by the id of the element that shows them."""

    def __init__(self) -> None:
        self.drawn: dict[str, Any] = {}

    def add(self, figure: Figure) -> tuple[str, int]:
        """The element's id, and the height in pixels."""
        name = f"figure-{len(self.drawn) + 1}"
        light, dark = figure.draw(LIGHT), figure.draw(DARK)
        config = CONFIG | {"toImageButtonOptions": {"format": "svg", "filename": f"sharpline_{figure.name}"}}
        self.drawn[name] = {"light": _plain_figure(light), "dark": _plain_figure(dark), "config": config}
        return name, int(light.layout.height)


def _plain_figure(figure: Any) -> dict[str, Any]:
    """Data and layout as JSON values; without plotly's own template, which our look replaces."""
    from plotly.utils import PlotlyJSONEncoder

    figure.update_layout(template="none")
    text = json.dumps(figure.to_plotly_json(), cls=PlotlyJSONEncoder, sort_keys=True)
    found: dict[str, Any] = json.loads(text)
    return found


def _section(section: Section, figures: _Figures) -> str:
    blocks = "\n".join(_block(block, figures) for block in section.blocks)
    made = ", ".join(f"<code>{escape(name)}</code>" for name in section.sources)
    origin = f'<p class="made">Numbers from {made}.</p>' if made else ""
    title = escape(section.title)
    return f'<section id="{escape(section.anchor)}"><h2>{title}</h2>\n{blocks}\n{origin}</section>'


@singledispatch
def _block(block: Block, figures: _Figures) -> str:
    raise TypeError(f"no way to write {type(block).__name__}")


@_block.register
def _(block: Text, figures: _Figures) -> str:
    kind = f' class="{block.kind}"' if block.kind in KINDS else ""
    return f"<p{kind}>{escape(block.text)}</p>"


@_block.register
def _(block: Heading, figures: _Figures) -> str:
    return f"<h3>{escape(block.text)}</h3>"


@_block.register
def _(block: Code, figures: _Figures) -> str:
    return (
        f"<details><summary><code>{escape(block.name)}</code></summary>"
        f"<pre>{escape(block.text)}</pre></details>"
    )


@_block.register
def _(block: Facts, figures: _Figures) -> str:
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in block.rows)
    return f"<dl>{rows}</dl>"


@_block.register
def _(block: Table, figures: _Figures) -> str:
    heads = "".join(
        f'<th scope="col"{_side(place, block.words)}>{escape(name)}</th>'
        for place, name in enumerate(block.columns)
    )
    rows = "\n".join(f"<tr>{_cells(row, block.words)}</tr>" for row in block.rows)
    caption = f"<p class='caption'>{escape(block.caption)}</p>" if block.caption else ""
    table = (
        f'<div class="wide" tabindex="0"><table><thead><tr>{heads}</tr></thead>'
        f"<tbody>\n{rows}\n</tbody></table></div>{caption}"
    )
    if not block.folded:
        return table
    return f"<details><summary>{escape(block.folded)}</summary>{table}</details>"


def _cells(row: tuple[str, ...], words: int) -> str:
    return "".join(
        f"<td{_side(place, words, cell)}>{escape(cell).replace(chr(10), '<br>')}</td>"
        for place, cell in enumerate(row)
    )


def _side(place: int, words: int, text: str = "") -> str:
    if place >= words:
        return ' class="number"'
    return ' class="short"' if 0 < len(text) <= SHORT else ""


@_block.register
def _(block: Figure, figures: _Figures) -> str:
    return _figure(block, figures)


@_block.register
def _(block: Beside, figures: _Figures) -> str:
    title = f"<h3>{escape(block.title)}</h3>" if block.title else ""
    inner = "\n".join(
        _figure(one, figures) if isinstance(one, Figure) else _film(one) for one in block.blocks
    )
    return f'{title}<div class="beside">{inner}</div>'


def _figure(block: Figure, figures: _Figures) -> str:
    name, height = figures.add(block)
    title = f"<h4>{escape(block.title)}</h4>" if block.title else ""
    return (
        f'<figure>{title}<div class="plot" id="{name}" role="img" aria-label="{escape(block.alt)}" '
        f'style="height:{height}px"></div><figcaption>{escape(block.caption)}</figcaption></figure>'
    )


def _film(block: FilmPicture) -> str:
    title = f"<h4>{escape(block.title)}</h4>"
    if block.jpeg is None:
        return f'<figure class="film">{title}<p class="note">{escape(block.message)}</p></figure>'
    data = base64.b64encode(block.jpeg).decode()
    marks = "".join(_mark(mark) for mark in block.marks)
    labels = _labels(block)
    return (
        f'<figure class="film">{title}<svg viewBox="0 0 {block.width + LABEL_ROOM} {block.height}" '
        f'role="img" aria-label="{escape(block.title)}"><image href="data:image/jpeg;base64,{data}" '
        f'width="{block.width}" height="{block.height}"/>{marks}{labels}</svg></figure>'
    )


LABEL_ROOM = 170  # beside the picture, for the grades; always, so that films stand in one size
LINE = 15
SHORT = 28  # letters of a cell that is kept on one line


def _mark(mark: FilmMark) -> str:
    box = mark.box
    return (
        f'<rect x="{box.x0:.1f}" y="{box.y0:.1f}" width="{box.x1 - box.x0:.1f}" '
        f'height="{box.y1 - box.y0:.1f}" stroke="{mark.colour}"><title>{escape(mark.tip)}</title></rect>'
    )


def _labels(block: FilmPicture) -> str:
    """Grades beside the picture, each with a line to its box, never over each other."""
    said = sorted((mark for mark in block.marks if mark.label), key=lambda mark: mark.box.centre[1])
    text, last = [], -math.inf
    for number, mark in enumerate(said):
        below = (len(said) - 1 - number) * LINE
        y = min(max(mark.box.centre[1], last + LINE, LINE), block.height - 6 - below)
        last = y
        text.append(
            f'<path d="M{mark.box.x1:.1f} {mark.box.centre[1]:.1f} L{block.width + 4} {y - 4:.1f}"/>'
            f'<text x="{block.width + 7}" y="{y:.1f}">{escape(mark.label)}</text>'
        )
    return "".join(text)


def _data(value: Any) -> str:
    """JSON that may stand inside a script element; missing numbers are null."""
    text = json.dumps(_plain(value), sort_keys=True, ensure_ascii=False, allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _asset(name: str) -> str:
    return (files("core.report") / name).read_text(encoding="utf-8")
