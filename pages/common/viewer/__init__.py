"""The film viewer of all pages: 16-bit films on canvas, alone or in pairs, blinking or subtracted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from streamlit import runtime

from core.figures.style import DARK, NO_GRADE_COLOUR, grade_colour
from core.imaging.registration import NotRegistered, Registration, register_pair
from core.imaging.stacks import matched_frames

HERE = Path(__file__).parent
SCRIPTS = (
    "state", "geometry", "orientation", "films", "frames", "paint", "labels", "measures", "sites", "menus",
    "save", "input", "keys", "viewer",
)  # fmt: skip


LOOSE_MM = 2.0  # residual of a registration above which a difference may be displacement


@dataclass(frozen=True)
class ViewedLayer:
    """Whose marks and grades can be switched on and off: a reader, the model, the truth of a phantom.

    code: what boxes and shapes name as their ``layer``. short: one to three letters for buttons and heads.
    dash: ``solid``, or another word for a dashed line. The colour stands on a dark film.
    """

    code: str
    short: str
    title: str = ""
    colour: str = DARK.people[0]
    dash: str = "solid"
    width: float = 2.0  # of outlines, screen pixels


@dataclass(frozen=True)
class ViewedBox:
    """One site on a film: where (film pixels), the colour of its grade, and the grade cells beside it.

    cells: one (text, colour or "") a layer, in the order of the viewer's ``heads``.
    frame: of a stack, on which it is drawn; every one where None.
    layer: who marked the box; while it is off, the box shows the grade of the first layer that is on. Without
    one it is always shown.
    """

    site: str
    x0: float
    y0: float
    x1: float
    y1: float
    colour: str
    cells: tuple[tuple[str, str], ...] = ()
    tip: str = ""
    layer: str = ""
    frame: int | None = None


@dataclass(frozen=True)
class ViewedPolygon:
    """An outline, points (x, y) in film pixels; it is closed from the last point to the first.

    site: what a click on it chooses. frame: of a stack, on which it is drawn; every one where None.
    """

    layer: str
    points: tuple[tuple[float, float], ...]
    site: str = ""
    label: str = ""
    frame: int | None = None


@dataclass(frozen=True)
class ViewedMask:
    """A region as run lengths: off and on in turn, row by row, beginning with off.

    x0, y0: where its upper left corner lies, in film pixels. rows, columns: of the mask.
    """

    layer: str
    x0: float
    y0: float
    rows: int
    columns: int
    runs: tuple[int, ...]
    site: str = ""
    label: str = ""

    @classmethod
    def of(cls, layer: str, mask: np.ndarray, *, site: str = "", label: str = "") -> ViewedMask:
        """From a mask on the film's grid (bool, rows x columns); only its frame is kept.

        An empty mask has no rows.
        """
        down, across = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if not len(down):
            return cls(layer, 0, 0, 0, 0, (), site, label)
        inside = mask[down[0] : down[-1] + 1, across[0] : across[-1] + 1]
        flat = np.concatenate([[False], inside.ravel().astype(bool)])
        ends = np.append(np.flatnonzero(flat[1:] != flat[:-1]), inside.size)
        runs = tuple(int(long) for long in np.diff(ends, prepend=0))
        rows, columns = inside.shape
        return cls(layer, int(across[0]), int(down[0]), rows, columns, runs, site, label)


@dataclass(frozen=True)
class ViewedFilm:
    """What the viewer shows in one pane.

    pixels: uint16, bone bright, shape (rows, columns), or (frames, rows, columns) of a stack or cine; of a
    picture in colour uint8, with red, green and blue behind; None shows ``message`` instead.
    times_ms: of each frame of a cine, by which it is played. graded: frames from which a grade was made.
    frame_notes: what is said of each frame beside its number, such as its place or time.
    frame_word: what a frame is called. places_mm: of each slice along the normal, growing the same way and
    counted from one middle in both films that are shown; linked slices are those at one place. within_mm:
    how far two such places may lie apart. focus_mm: how much of it is shown with a chosen site.
    site_frames: (site, frame) of sites that lie on a known frame, also without a box.
    landmarks: (name, (x, y)) by which two stacks are registered; of films it is their boxes.
    spacing_mm: (between rows, between columns); None where unknown, the scale bar then says so.
    spacing_source: the words of the header that the millimetres are from, "" where that is not on record.
    window, limits: (low, high) grey values; the first is shown, the second is the preset "Full range".
    shapes: outlines and masks of layers. unplaced: (site, cells) of sites that were graded but not found on
    the film; the list of sites names them.
    area: (x0, y0, x1, y1) in pixels, the part of a screen that it opens on; a tool shows the rest.
    patient, side, view: stand on the film beside its title, in full screen and in saved pictures too.
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
    shapes: tuple[ViewedPolygon | ViewedMask, ...] = ()
    unplaced: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    frame_notes: tuple[str, ...] = ()
    patient: str = ""
    side: str = ""
    view: str = ""
    spacing_source: str = ""
    frame_word: str = "frame"
    places_mm: tuple[float, ...] = ()
    within_mm: float = 0.0
    focus_mm: float | None = None
    landmarks: tuple[tuple[str, tuple[float, float]], ...] = ()
    site_frames: tuple[tuple[str, int], ...] = ()
    times_ms: tuple[float, ...] = ()
    graded: tuple[int, ...] = ()
    area: tuple[float, float, float, float] | None = None

    @property
    def is_colour(self) -> bool:
        """Whether it has red, green and blue."""
        return self.pixels is not None and self.pixels.dtype == np.uint8


@dataclass(frozen=True)
class ViewedCaption:
    """What a saved picture says below it; visits, sites, grades, window and registration the viewer adds.

    weights: hash of the model whose marks are shown, "" where there is none.
    """

    study: str = ""
    patient: str = ""
    system: str = ""
    version: int = 0
    weights: str = ""
    software: str = ""
    phantom: bool = False


def film_viewer(
    films: list[ViewedFilm],
    *,
    key: str,
    heads: tuple[ViewedLayer | str, ...] = (),
    order: tuple[str, ...] = (),
    focus: str | None = None,
    height: int = 560,
    on_pick: Callable[[str, str], None] | None = None,
    on_visit: Callable[[int], None] | None = None,
    can_visit: tuple[bool, bool] = (True, True),
    reveal: int = 0,
    caption: ViewedCaption | None = None,
    structures: tuple[ViewedLayer, ...] = (),
    thing: str = "film",
    can_subtract: bool = True,
) -> None:
    """Show one or two films; ``on_pick(site, image)`` is called before the rerun that a click causes.

    heads: whose grades the cells of a box are, one a cell (``films.heads``); each can be switched off in the
    browser. A bare text is its short name.
    order: sites from head to foot, for the keys n and p and the list of sites.
    focus: the site to show large; a change of it goes there, at the zoom that a person has set.
    on_visit: called with 1 or -1 before the rerun when a person asks for the next or previous visit (keys N
    and P, two buttons); without it there are neither keys nor buttons.
    can_visit: whether there is a previous and a next visit to ask for; the second film is blank from then on
    until another one is given.
    reveal: another number than before brings the viewer into sight.
    caption: what a saved picture (PNG, SVG) says about the study; see ``ViewedCaption``.
    structures: layers of outlines that belong to nobody's grades, each with a switch of its own under the
    films. thing: what is shown, in the words of tools and help. can_subtract: whether grey means the same in
    both films.

    Of two films the sites found on both give a registration (``core.imaging.registration``): linked
    movement, blink and difference use it. Zoom, place and window stay when films, site or page change;
    ``key`` names them.
    """
    data = {
        "key": key,
        "films": [_payload(film, f"{key}.{place}") for place, film in enumerate(films)],
        "layers": [_layer(head) for head in heads],
        "structures": [_layer(one) for one in structures],
        "thing": thing,
        "canSubtract": can_subtract and not any(film.is_colour for film in films),
        "partners": _partners(films),
        "order": list(order),
        "focus": focus,
        "height": height,
        "registration": _registration(films),
        "visits": on_visit is not None,
        "canVisit": {"earlier": can_visit[0], "later": can_visit[1]},
        "reveal": reveal,
        "caption": asdict(caption) if caption else None,
        "zero": grade_colour(0),
        "none": NO_GRADE_COLOUR,
    }

    def picked() -> None:
        clicked = st.session_state[key].site
        if clicked and on_pick is not None:
            on_pick(clicked["site"], clicked["film"])

    def asked() -> None:
        wanted = st.session_state[key].visit
        if wanted and on_visit is not None:
            on_visit(1 if wanted["by"] > 0 else -1)

    _component()(data=data, key=key, on_site_change=picked, on_visit_change=asked)


@cache
def _component() -> Any:
    html, css = ((HERE / f"viewer.{kind}").read_text(encoding="utf-8") for kind in ("html", "css"))
    js = "\n".join((HERE / "js" / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS)
    return st.components.v2.component("sharpline.film_viewer", html=html, css=css, js=js)


def _layer(head: ViewedLayer | str) -> dict[str, str]:
    layer = head if isinstance(head, ViewedLayer) else ViewedLayer(head, head)
    return asdict(layer) | {"title": layer.title or layer.short}


def _payload(film: ViewedFilm, place: str) -> dict[str, Any]:
    shape = () if film.pixels is None else film.pixels.shape[:-1] if film.is_colour else film.pixels.shape
    frames, rows, columns = (1, *shape)[-3:] if shape else (0, 0, 0)
    return {
        "id": film.image,
        "title": film.title,
        "subtitle": film.subtitle,
        "patient": film.patient,
        "side": film.side,
        "view": film.view,
        "url": "" if film.pixels is None else _served(film.pixels, place),
        "rows": rows,
        "columns": columns,
        "frames": frames,
        "colour": film.is_colour,
        "times": list(film.times_ms),
        "graded": list(film.graded),
        "area": list(film.area) if film.area else None,
        "notes": list(film.frame_notes),
        "word": film.frame_word,
        "places": list(film.places_mm),
        "focusMm": film.focus_mm,
        "siteFrames": dict(film.site_frames),
        "spacing": list(film.spacing_mm) if film.spacing_mm else None,
        "source": film.spacing_source,
        "window": {"low": film.window[0], "high": film.window[1]},
        "range": {"low": film.limits[0], "high": film.limits[1]},
        "message": film.message,
        "boxes": [_box(box) for box in film.boxes],
        "shapes": [_shape(shape) for shape in film.shapes],
        "unplaced": [{"site": site, "cells": _cells(cells)} for site, cells in film.unplaced],
    }


def _box(box: ViewedBox) -> dict[str, Any]:
    place = {"x0": box.x0, "y0": box.y0, "x1": box.x1, "y1": box.y1}
    look = {"colour": box.colour, "layer": box.layer, "tip": box.tip, "frame": box.frame}
    return {"site": box.site, **place, **look, "cells": _cells(box.cells)}


def _cells(cells: tuple[tuple[str, str], ...]) -> list[dict[str, str]]:
    return [{"text": text, "colour": colour} for text, colour in cells]


def _shape(shape: ViewedPolygon | ViewedMask) -> dict[str, Any]:
    return {"kind": "mask" if isinstance(shape, ViewedMask) else "polygon", **vars(shape)}  # asdict is slow


# -- how the second film lies on the first -----------------------------------------------------------------


def _partners(films: list[ViewedFilm]) -> list[list[int | None]] | None:
    """Of each of two stacks, frame by frame, the other's at the same place; None where places are unknown."""
    if len(films) != 2 or not all(film.places_mm for film in films):
        return None
    one, two = films
    within = max(one.within_mm, two.within_mm)
    there = matched_frames(one.places_mm, two.places_mm, within=within)
    back = {other: frame for frame, other in there.items()}
    return [
        [found.get(frame) for frame in range(len(film.places_mm))]
        for film, found in ((one, there), (two, back))
    ]


def _registration(films: list[ViewedFilm]) -> dict[str, Any] | None:
    if len(films) != 2 or any(film.pixels is None for film in films) or films[0].image == films[1].image:
        return None
    return _registered(*(_sites(film) for film in films), *(film.spacing_mm for film in films))


def _sites(film: ViewedFilm) -> tuple[tuple[str, tuple[float, float]], ...]:
    if film.landmarks or film.places_mm:
        return film.landmarks
    return tuple((box.site, ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)) for box in film.boxes)


@lru_cache(maxsize=64)
def _registered(first: Any, second: Any, first_spacing: Any, second_spacing: Any) -> dict[str, Any]:
    """The registration as the browser reads it; kept, because a page runs again after each click."""
    found = register_pair(dict(first), dict(second), first_spacing, second_spacing)
    return {
        "whole": None if isinstance(found.whole, NotRegistered) else _movement(found.whole),
        "reason": found.whole.reason if isinstance(found.whole, NotRegistered) else "",
        "near": {site: _movement(one) for site, one in found.near.items()},
    }


def _movement(found: Registration) -> dict[str, Any]:
    (a, c, e), (b, d, f) = found.matrix
    return {
        "matrix": [a, b, c, d, e, f],
        "residual": found.residual,
        "unit": found.unit,
        "kind": found.kind,
        "used": len(found.used),
        "out": len(found.left_out),
        "loose": found.unit == "mm" and found.residual > LOOSE_MM,
    }


def _served(pixels: np.ndarray, place: str) -> str:
    """An address under which the browser fetches the film; "" where no server runs (page tests).

    The file is the SHA-256 of the values (32 bytes), then they, little-endian uint16, or bytes of red, green
    and blue, row by row, frame after frame. The digest stands in front because Streamlit names a large file
    by parts of its content only.
    Pixels go beside the page's messages, so that a changed box or grade does not send the film again.
    """
    if not runtime.exists():
        return ""
    kind = np.uint8 if pixels.dtype == np.uint8 else "<u2"
    values = np.ascontiguousarray(pixels, dtype=kind).tobytes()
    content = sha256(values).digest() + values
    url = runtime.get_instance().media_file_mgr.add(content, "application/octet-stream", place)
    return st.get_option("server.baseUrlPath").rstrip("/") + url
