"""Small pieces of HTML for the trail from a number to its pixels: crops, bars, grades of every reading."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.domain import Box
from core.errors import CohortError
from core.figures.style import NO_GRADE_COLOUR, Look, grade_colour, ink_on
from core.imaging.crops import Spacing, Window, box_on, colour_jpeg, crop, jpeg, shown_range
from core.reader_labels import display_name
from pages.common.page import Page
from pages.common.viewer.stored_films import grey_values
from pages.common.viewer.stored_scans import ShownScan, shown_scan

NONE = "–"
ENDS = """<style>
.trail { display: flex; flex-wrap: wrap; gap: 0.4rem 1rem; align-items: flex-start; font-size: 0.86rem; }
.trail figure { margin: 0; }
.trail .cut { position: relative; overflow: hidden; background: #000; border-radius: 4px; }
.trail .cut img { display: block; width: 100%; height: 100%; object-fit: cover; }
.trail .cut i { position: absolute; box-sizing: border-box; border: 2px solid; border-radius: 2px; }
.trail .none { display: flex; align-items: center; justify-content: center; text-align: center;
  background: rgba(128,128,128,0.14); border-radius: 4px; padding: 0.6rem; box-sizing: border-box; }
.trail figcaption, .trail .soft { opacity: 0.75; font-size: 0.8rem; line-height: 1.3; }
.trail table { border-collapse: collapse; }
.trail td, .trail th { padding: 0.1rem 0.7rem 0.1rem 0; text-align: left; font-weight: normal;
  vertical-align: top; border: 0; }
.trail th { opacity: 0.75; }
.trail b.grade { display: inline-block; min-width: 1.35rem; text-align: center; border-radius: 3px;
  font-weight: 600; }
.trail .bar { display: grid; grid-template-columns: 1.1rem 7rem 3rem; gap: 0.45rem; align-items: center; }
.trail .bar > span { height: 0.7rem; background: rgba(128,128,128,0.18); border-radius: 2px; }
.trail .bar > em { font-style: normal; }
.trail .bar > span > i { display: block; height: 100%; border-radius: 2px; }
.trail .bar small { text-align: right; font-variant-numeric: tabular-nums; }
</style>"""


@dataclass(frozen=True)
class Place:
    """Where a site lies on a film of a visit.

    image: "" where no film shows it, then ``why``. frame: of an image of several. box: the finding's box,
    None where only a neighbour's is known (``about``, the box that the picture is centred on). colour: of
    the model's grade. is_scan: the box is all that a machine scanned, and the picture shows no more.
    """

    visit: str
    image: str = ""
    spacing: Spacing | None = None
    box: Box | None = None
    about: Box | None = None
    colour: str = NO_GRADE_COLOUR
    why: str = ""
    frame: int = 0
    is_scan: bool = False


@st.cache_data(show_spinner=False, max_entries=400)
def _cut(
    path: str, image: str, frame: int, centre: tuple[float, float], side: float, spacing: Spacing, size: int
) -> str:
    """A picture of a part of a film, or of a frame of it, as text for an address."""
    pixels, shown, _ = grey_values(path, image)
    pixels = pixels[frame] if pixels.ndim == 3 else pixels
    grey = crop(pixels, Window(centre, side, spacing), size)
    return base64.b64encode(jpeg(grey, shown_range(grey, shown))).decode()


@st.cache_data(show_spinner=False, max_entries=400)
def _cut_of_scan(path: str, image: str, frame: int, window: Window, size: int, last_write: int) -> str:
    """The same of a picture of ultrasound, in colour where it has any."""
    scan: ShownScan = shown_scan(path, image, last_write)
    by, is_colour = scan.smaller, scan.pixels.dtype == np.uint8
    pixels = scan.pixels[frame] if scan.pixels.ndim - is_colour == 3 else scan.pixels
    x, y = window.centre
    shown = Window((x / by, y / by), window.side, (window.spacing[0] * by, window.spacing[1] * by))
    part = crop(pixels, shown, size)
    data = colour_jpeg(part) if is_colour else jpeg(part, shown_range(part, scan.window))
    return base64.b64encode(data).decode()


def picture(page: Page, place: Place, side: float, size: int, site: str) -> str:
    """The crop of a visit: ``side`` mm wide (film pixels where the film has no spacing), ``size`` on screen.

    Where there is none, the reason stands in its place.
    """
    if not place.image or place.about is None:
        return _nothing(place, size)
    spacing = place.spacing or (1.0, 1.0)
    window = Window(place.about.centre, side, spacing)
    try:
        data = _data(page, place, window, size)
    except CohortError as error:
        return _nothing(Place(place.visit, why=f"{error.given}: {error.needed}"), size)
    unit = "mm" if place.spacing else "pixels"
    note = f" · {place.why}" if place.why else ""
    return (
        f'<figure data-image="{escape(place.image)}" data-visit="{escape(place.visit)}" '
        f'data-site="{escape(site)}" style="width:{size}px"><div class="cut" style="width:{size}px;'
        f'height:{_height(place, window, size)}px"><img alt="{escape(site)} at {escape(place.visit)}" '
        f'src="data:image/jpeg;base64,{data}">{_frame(window, place, size)}</div>'
        f"<figcaption><b>{escape(place.visit)}</b>, {side:.0f} {unit} wide{escape(note)}</figcaption>"
        "</figure>"
    )


def _data(page: Page, place: Place, window: Window, size: int) -> str:
    if place.is_scan:
        last_write = page.state["last_writes"].get("image", 0)
        return _cut_of_scan(page.path, place.image, place.frame, window, 2 * size, last_write)
    return _cut(page.path, place.image, place.frame, window.centre, window.side, window.spacing, 2 * size)


def _height(place: Place, window: Window, size: int) -> int:
    """Of a scan as high as it is, so that nothing of the machine's screen is beside it; else a square."""
    if not place.is_scan or place.about is None:
        return size
    high = (place.about.y1 - place.about.y0) * window.spacing[0]
    return min(size, round(size * high / window.side))


def _frame(window: Window, place: Place, size: int) -> str:
    if place.box is None or place.is_scan:
        return ""
    on = box_on(window, place.box, size)
    return (
        f'<i style="left:{on.x0:.1f}px;top:{on.y0:.1f}px;width:{on.x1 - on.x0:.1f}px;'
        f'height:{on.y1 - on.y0:.1f}px;border-color:{place.colour}"></i>'
    )


def _nothing(place: Place, size: int) -> str:
    return (
        f'<figure data-visit="{escape(place.visit)}" style="width:{size}px"><div class="none" style="width:'
        f'{size}px;height:{size}px"><span class="soft">{escape(place.why)}</span></div>'
        f"<figcaption><b>{escape(place.visit)}</b></figcaption></figure>"
    )


def grade_cell(grade: Any, on: Look) -> str:
    """A grade in its colour; a dash where there is none."""
    if grade is None or pd.isna(grade):
        return f'<b class="grade" style="opacity:0.75">{NONE}</b>'
    number = int(grade)
    if number == 0:
        return f'<b class="grade" style="background:{on.grid}">0</b>'
    colour = grade_colour(number)
    return f'<b class="grade" style="background:{colour};color:{ink_on(colour)}">{number}</b>'


def grade_table(
    rows: Sequence[tuple[str, Sequence[Any], str]],
    on: Look,
    *,
    visits: Sequence[str] = (),
    short: Mapping[str, str] | None = None,
) -> str:
    """A line per reading: name, a grade per visit, and a remark such as why there is none.

    short: name -> what stands for it, the name then is told on hover.
    """
    names = short or {}
    named = "".join(f"<th>{escape(visit)}</th>" for visit in visits)
    head = f"<tr><td></td>{named}<td></td></tr>" if visits else ""
    body = "".join(
        f'<tr data-reading="{escape(name)}"><td title="{escape(name)}">'
        f"{escape(names.get(name, display_name(name)))}</td>"
        + "".join(f"<td>{grade_cell(grade, on)}</td>" for grade in grades)
        + f'<td class="soft">{escape(remark)}</td></tr>'
        for name, grades, remark in rows
    )
    return f"<table>{head}{body}</table>"


def bars(probabilities: Sequence[float], meanings: Sequence[str]) -> str:
    """A bar per grade; the meaning of the grade on hover."""
    lines = []
    for grade, share in enumerate(probabilities):
        meaning = meanings[grade] if grade < len(meanings) else ""
        lines.append(
            f'<div class="bar" title="{escape(meaning)}"><em>{grade}</em><span><i style="width:'
            f'{100 * share:.1f}%;background:{grade_colour(grade)}"></i></span>'
            f"<small>{100 * share:.0f}%</small></div>"
        )
    return "".join(lines)


def facts(pairs: Mapping[str, str]) -> str:
    """Names and values, one pair a line; what has no value is left out."""
    lines = (f"<tr><th>{escape(name)}</th><td>{value}</td></tr>" for name, value in pairs.items() if value)
    return f"<table>{''.join(lines)}</table>"


def card(*parts: str) -> None:
    """Pieces beside each other, wrapped where there is no room."""
    st.html(f'{ENDS}<div class="trail">{"".join(f"<div>{part}</div>" for part in parts if part)}</div>')
