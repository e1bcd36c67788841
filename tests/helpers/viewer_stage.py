"""A page with nothing but the film viewer, for its tests: ``?scene=`` says what it shows."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import streamlit as st

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from core.figures.style import grade_colour
from pages.common.viewer import (
    ViewedBox,
    ViewedCaption,
    ViewedFilm,
    ViewedLayer,
    ViewedMask,
    ViewedPolygon,
    film_viewer,
)
from pages.common.viewer.stored_films import heads

ROWS, COLUMNS = 300, 200
KINDS = {"R1": "human", "R2": "human", "model:m": "model", "truth": "consensus"}
SITES = [f"S{i}" for i in range(6)]
GRADES = {"BL": (0, 0, 1, 2, 0, 0), "W52": (0, 0, 3, 2, 0, 0), "W104": (1, 0, 3, 2, 0, 0)}
SHIFT = {"BL": (0, 0), "W52": (12, -8), "W104": (-20, 16)}
SHAPES = (
    ViewedPolygon("truth", ((20, 20), (60, 20), (40, 60)), label="outline"),
    ViewedMask.of("R1", np.hypot(*np.mgrid[-150:150, -50:150]) < 20, site="S2", label="mask"),
)


def place(visit, i):
    """Upper left corner of the box of site i: 20 x 20 pixels."""
    x, y = SHIFT[visit]
    return 90 + 8 * (i % 2) + x, 40 + 40 * i + y


def film(visit, spacing=(0.5, 0.5), boxes=True):
    """A bright column on a dark film; bright marks at the sites, brighter with the grade."""
    y, x = np.mgrid[:ROWS, :COLUMNS]
    right, down = SHIFT[visit]
    pixels = 8000 + 16000 * np.exp(-(((x - 105 - right) / 30) ** 2)) + 2000 * np.sin((y - down) / 9)
    for i, grade in enumerate(GRADES[visit]):
        left, top = place(visit, i)
        pixels[top + 6 : top + 14, left + 6 : left + 14] += 4000 + 9000 * grade
    marked = tuple(box(visit, i) for i in range(len(SITES))) if boxes else ()
    shapes = SHAPES if visit == "BL" else ()
    grey, window, limits = pixels.astype(np.uint16), (6000, 45000), (0, 60000)
    return ViewedFilm(
        f"film-{visit}", visit, "cervical", grey, spacing, window, limits, marked, shapes=shapes,
        spacing_source="PixelSpacing (calibrated: GEOMETRY)" if spacing else "",
    )  # fmt: skip


def box(visit, i):
    grade = GRADES[visit][i]
    left, top = place(visit, i)
    cells = tuple((str(grade), grade_colour(grade)) for _ in KINDS)
    return ViewedBox(SITES[i], left, top, left + 20, top + 20, grade_colour(grade), cells, layer="model:m")


LOOSE = ((6, 0), (-6, 0), (6, 0), (-6, 0), (6, 0), (-6, 0))  # no shift or turn explains these
CROWDED = tuple((-80 + 34 * i, 100 - 40 * i) for i in range(6))  # side by side over the whole film


def moved(shown, by):
    """The film with its boxes elsewhere, by so many pixels each."""
    boxes = tuple(
        replace(one, x0=one.x0 + x, x1=one.x1 + x, y0=one.y0 + y, y1=one.y1 + y)
        for one, (x, y) in zip(shown.boxes, by, strict=True)
    )
    return replace(shown, boxes=boxes)


def stack():
    """Three slices: a bright bar on the left, in the middle, on the right."""
    slices = np.full((3, ROWS, COLUMNS), 8000, np.uint16)
    for number in range(3):
        slices[number, 100:200, 20 + 60 * number : 60 + 60 * number] = 40000
    notes = ("0.0 mm", "4.0 mm", "8.0 mm")
    return ViewedFilm("stack", "BL", "MR", slices, (0.5, 0.5), (6000, 45000), (0, 60000), frame_notes=notes)


def cine():
    """Four frames in colour: all red, green, blue, grey; the third is the one that was graded."""
    colours = ((220, 20, 20), (20, 220, 20), (20, 20, 220), (90, 90, 90))
    frames = np.stack([np.full((ROWS, COLUMNS, 3), colour, np.uint8) for colour in colours])
    whole = (0, 255)
    return ViewedFilm(
        "cine", "BL", "US", frames, (0.1, 0.1), whole, whole, times_ms=(0, 40, 80, 120), graded=(2,)
    )


SCREEN_AREAS = {"scan": (50, 60, 150, 160), "scan-deep": (60, 100, 160, 250)}


def scan(name, title):
    """A screen with a scan at 0.2 mm (deep: 0.3 mm) a pixel, which is its area; a model marked all of it."""
    area = SCREEN_AREAS[name]
    x0, y0, x1, y1 = area
    pixels = np.full((ROWS, COLUMNS, 3), 12, np.uint8)
    pixels[y0:y1, x0:x1] = 150
    spacing = (0.3, 0.3) if name == "scan-deep" else (0.2, 0.2)
    cells = tuple(("2", grade_colour(2)) for _ in KINDS)
    marked = (ViewedBox("S2", *area, grade_colour(2), cells, layer="model:m"),)
    whole = (0, 255)
    return ViewedFilm(name, title, "US", pixels, spacing, whole, whole, marked, area=area)


PLACES = {"BL": (-4.0, 0.0, 4.0), "W52": (-7.0, -3.5, 0.0, 3.5, 7.0)}  # of slices, mm from one middle


def placed(visit, layer="structure body"):
    """A stack whose slices get brighter from left to right, with an outline on the slice in the middle."""
    places = PLACES[visit]
    greys = [9000 + 5000 * number for number in range(len(places))]
    slices = np.stack([np.full((ROWS, COLUMNS), grey, np.uint16) for grey in greys])
    middle = places.index(0.0)
    shapes = (ViewedPolygon(layer, ((40, 40), (90, 40), (90, 90)), label="T7", frame=middle),)
    film = ViewedFilm(f"stack-{visit}", f"{visit} · STIR", "T", slices, (0.5, 0.5), (0, 60000), (0, 60000))
    notes = tuple(f"{place:.1f} mm" for place in places)
    return replace(
        film, shapes=shapes, frame_word="slice", places_mm=places, within_mm=2.0, frame_notes=notes
    )


def films(scene, last):
    if scene == "stack":
        return [stack()]
    if scene == "cine":
        return [cine()]
    if scene == "scans":
        return [scan("scan", "BL"), scan("scan-deep", "W24")]
    if scene == "stacks":
        return [placed("BL"), placed("W52")]
    if scene == "aniso":
        return [film("BL", (1.0, 0.5)), film(last, (1.0, 0.5))]
    if scene == "unknown":
        return [film("BL", None), film(last, None)]
    if scene == "sided":
        whose = {"patient": "P9", "side": "left", "view": "PA"}
        return [replace(film("BL"), **whose), replace(film(last), **whose)]
    if scene == "loose":
        return [film("BL"), moved(film(last), LOOSE)]
    if scene == "crowded":
        return [moved(film("BL"), CROWDED), moved(film(last), CROWDED)]
    if scene == "unmarked":
        return [film("BL"), film(last, boxes=False)]
    return [film("BL"), film(last)]


def to_visit(by):
    later = ["W52", "W104"]
    now = later.index(st.session_state.get("last", "W52"))
    st.session_state["last"] = later[max(0, min(1, now + by))]


def picked(site, image):
    st.session_state["picked"] = f"{site} on {image}"
    st.session_state["focus"] = site


def shown_again():
    st.session_state["reveal"] = st.session_state.get("reveal", 0) + 1


st.set_page_config(layout="wide")
scene = st.query_params.get("scene", "pair")
film_viewer(
    films(scene, st.session_state.get("last", "W52")), key="stage", heads=heads(KINDS), order=tuple(SITES),
    focus=st.session_state.get("focus", "S2"), height=460, on_pick=picked, on_visit=to_visit,
    reveal=st.session_state.get("reveal", 0),
    caption=ViewedCaption("Stage study", "P9", "mSASSS", 7, "abc123", "Sharpline", True),
    structures=(ViewedLayer("structure body", "Bodies", "vertebral bodies"),) if scene == "stacks" else (),
    thing={"stacks": "stack", "scans": "image"}.get(scene, "film"),
)  # fmt: skip
if scene == "sided":
    st.html('<div style="height: 2000px"></div>')
    st.button("Show in the films", on_click=shown_again)
st.text(f"Picked: {st.session_state.get('picked', 'nothing')}. Shown: {st.session_state.get('last', 'W52')}")
