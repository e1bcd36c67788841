"""The film viewer of all pages: 16-bit films on canvas, alone or as a linked pair, with boxes and grades."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from streamlit import runtime

HERE = Path(__file__).parent


@dataclass(frozen=True)
class ViewedBox:
    """One site on a film: where (film pixels), in which colour, and the grade cells beside it."""

    site: str
    x0: float
    y0: float
    x1: float
    y1: float
    colour: str
    cells: tuple[tuple[str, str], ...] = ()  # (text, colour or "")
    tip: str = ""


@dataclass(frozen=True)
class ViewedFilm:
    """What the viewer shows in one pane.

    pixels: uint16, shape (rows, columns), bone bright; None shows ``message`` instead.
    spacing_mm: (between rows, between columns); None where unknown, the scale bar then says so.
    window, limits: (low, high) grey values; the first is shown, the second is the preset "Full range".
    """

    image: str
    title: str
    subtitle: str = ""
    pixels: np.ndarray | None = None
    spacing_mm: tuple[float, float] | None = None
    window: tuple[float, float] = (0, 65535)
    limits: tuple[float, float] = (0, 65535)
    boxes: tuple[ViewedBox, ...] = ()
    message: str = ""


def film_viewer(
    films: list[ViewedFilm],
    *,
    key: str,
    heads: tuple[str, ...] = (),
    order: tuple[str, ...] = (),
    focus: str | None = None,
    height: int = 560,
    on_pick: Callable[[str, str], None] | None = None,
) -> None:
    """Show one or two films; ``on_pick(site, image)`` is called before the rerun that a click causes.

    heads: names over the grade cells of a box. order: sites from head to foot, for the keys n and p.
    focus: the site to show large; a change of it zooms there.
    """
    data = {
        "films": [_payload(film, f"{key}.{place}") for place, film in enumerate(films)],
        "heads": list(heads),
        "order": list(order),
        "focus": focus,
        "height": height,
    }

    def picked() -> None:
        clicked = st.session_state[key].site
        if clicked and on_pick is not None:
            on_pick(clicked["site"], clicked["film"])

    _component()(data=data, key=key, on_site_change=picked)


@cache
def _component() -> Any:
    html, css, js = ((HERE / f"viewer.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js"))
    return st.components.v2.component("sharpline.film_viewer", html=html, css=css, js=js)


def _payload(film: ViewedFilm, place: str) -> dict[str, Any]:
    rows, columns = film.pixels.shape if film.pixels is not None else (0, 0)
    return {
        "id": film.image,
        "title": film.title,
        "subtitle": film.subtitle,
        "url": "" if film.pixels is None else _served(film.pixels, place),
        "rows": rows,
        "columns": columns,
        "spacing": list(film.spacing_mm) if film.spacing_mm else None,
        "window": {"low": film.window[0], "high": film.window[1]},
        "range": {"low": film.limits[0], "high": film.limits[1]},
        "message": film.message,
        "boxes": [_box(box) for box in film.boxes],
    }


def _box(box: ViewedBox) -> dict[str, Any]:
    cells = [{"text": text, "colour": colour} for text, colour in box.cells]
    place = {"x0": box.x0, "y0": box.y0, "x1": box.x1, "y1": box.y1}
    return {"site": box.site, **place, "colour": box.colour, "cells": cells, "tip": box.tip}


def _served(pixels: np.ndarray, place: str) -> str:
    """An address under which the browser fetches the film; "" where no server runs (page tests).

    The file is the SHA-256 of the grey values (32 bytes), then they, little-endian uint16, row by row. The
    digest stands in front because Streamlit names a large file by parts of its content only. Pixels go beside
    the page's messages, so that a changed box or grade does not send the film again.
    """
    if not runtime.exists():
        return ""
    grey = np.ascontiguousarray(pixels, dtype="<u2").tobytes()
    content = sha256(grey).digest() + grey
    url = runtime.get_instance().media_file_mgr.add(content, "application/octet-stream", place)
    return st.get_option("server.baseUrlPath").rstrip("/") + url
