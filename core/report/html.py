"""A report as one HTML page: everything inside, nothing fetched, light and dark, fit to print.

The layout is ``page.html.jinja``; Jinja2 escapes every value that it writes.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

from core.figures.style import DARK, LIGHT
from core.report.blocks import Block, Figure, FilmMark, FilmPicture, Report

if TYPE_CHECKING:
    from jinja2 import Template

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
LABEL_ROOM = 170  # beside a film, for the grades; always, so that films stand in one size
LINE = 15  # pixels from one label to the next
_FILM = re.compile(r"\b[Ff]ilm(s?)\b")
_MODEL = re.compile(r"\bmodel:(?=\S)")
SHORT = 28  # letters of a cell that is kept on one line


def page(report: Report, *, plotly_js: str) -> str:
    """The page as text. plotly_js: the library, put in once; the page fetches nothing."""
    from markupsafe import Markup

    return _template().render(
        report=report,
        figures=_Figures(),
        css=Markup(_asset("page.css")),
        js=Markup(_asset("page.js")),
        plotly_js=Markup(plotly_js),
    )


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined, pass_context
    from markupsafe import Markup

    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals.update(POLICY=Markup(POLICY), LABEL_ROOM=LABEL_ROOM, SHORT=SHORT)
    environment.filters.update(
        base64=_base64, json=_json, kind=_kind, labels=_labels, named=pass_context(_named), tenth=_tenth
    )
    return environment.from_string(_asset("page.html.jinja"))


class _Drawn(NamedTuple):
    """The element of a figure: its id, and its height in pixels."""

    name: str
    height: int


class _Figures:
    """The figures of the page in both looks, by the id of the element that shows them."""

    def __init__(self) -> None:
        self.drawn: dict[str, Any] = {}

    def add(self, figure: Figure) -> _Drawn:
        name = f"figure-{len(self.drawn) + 1}"
        light, dark = figure.draw(LIGHT), figure.draw(DARK)
        config = CONFIG | {"toImageButtonOptions": {"format": "svg", "filename": f"sharpline_{figure.name}"}}
        self.drawn[name] = {"light": _plain_figure(light), "dark": _plain_figure(dark), "config": config}
        return _Drawn(name, int(light.layout.height))


def _plain_figure(figure: Any) -> dict[str, Any]:
    """Data and layout as JSON values; without plotly's own template, which our look replaces."""
    from plotly.utils import PlotlyJSONEncoder

    from core.figures.foreign_tags import without_foreign_tags

    figure.update_layout(template="none")
    figure = without_foreign_tags(figure)
    text = json.dumps(figure.to_plotly_json(), cls=PlotlyJSONEncoder, sort_keys=True)
    found: dict[str, Any] = json.loads(text)
    return found


def _kind(block: Block | FilmPicture) -> str:
    return type(block).__name__


def _named(context: Mapping[str, Any], text: str) -> str:
    """Models by the name that pages show: "model NAME"; lines of code keep the id. Films as what they are."""
    words = _MODEL.sub("model ", text)
    thing = context["report"].thing
    return words if thing == "film" else _FILM.sub(lambda found: _like(found[0], thing) + found[1], words)


def _like(word: str, thing: str) -> str:
    return thing.capitalize() if word[0].isupper() else thing


def _tenth(value: float) -> str:
    return f"{value:.1f}"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _labels(film: FilmPicture) -> list[tuple[FilmMark, float]]:
    """The marks with a label, each with the height of its text, so that no two lie over each other."""
    labelled = sorted((mark for mark in film.marks if mark.label), key=lambda mark: mark.box.centre[1])
    placed, last = [], -math.inf
    for number, mark in enumerate(labelled):
        below = (len(labelled) - 1 - number) * LINE
        last = min(max(mark.box.centre[1], last + LINE, LINE), film.height - 6 - below)
        placed.append((mark, last))
    return placed


def _json(value: Any) -> Any:
    """JSON that may stand inside a script element, written as it is; missing numbers are null."""
    from markupsafe import Markup

    text = json.dumps(_plain(value), sort_keys=True, ensure_ascii=False, allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))


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
