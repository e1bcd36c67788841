"""Stored images of ultrasound as the viewer shows them: colour as colour, cines with the time of frames."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import ceil, sqrt

import numpy as np
import pandas as pd
import streamlit as st

from core.domain import Box, Image
from core.errors import CohortError
from core.imaging.ultrasound import orientation, scans_box
from data.dicom.images import load_image
from data.store.cohort import CohortStore
from pages.common.page import Page
from pages.common.viewer import ViewedBox, ViewedFilm
from pages.common.viewer.stored_films import shown_grey, side_text

LARGEST = 48 << 20  # bytes that a browser is sent; a longer cine is shown smaller
KEPT = 8  # images, of all sessions


@dataclass(frozen=True)
class ShownScan:
    """An image as it is shown. smaller: by how much its rows and columns are fewer than those stored.

    area: (x0, y0, x1, y1) of its scans, in pixels as shown.
    """

    pixels: np.ndarray
    window: tuple[float, float]
    limits: tuple[float, float]
    spacing_mm: tuple[float, float] | None
    times_ms: tuple[float, ...]
    smaller: int
    orientation: str
    area: tuple[float, float, float, float] | None


@st.cache_resource(show_spinner=False, max_entries=KEPT)
def shown_scan(path: str, image: str, last_write: int) -> ShownScan:
    """An image of the cohort. last_write: of images; a person may have stated something since. Raises
    CohortError where it cannot be read.
    """
    stored = load_image(CohortStore(path), image)
    values = stored.frames if stored.colour is None else stored.colour
    smaller = smaller_by(values)
    pixels = reduced(values, smaller)
    if stored.colour is None:
        pixels, window, limits = shown_grey(pixels)
    else:
        window = limits = (0.0, 255.0)
    spacing = _spacing(stored)
    return ShownScan(
        pixels[0] if len(pixels) == 1 else pixels, window, limits,
        None if spacing is None else (spacing[0] * smaller, spacing[1] * smaller),
        stored.times_ms or (), smaller, orientation(stored).words,
        area_shown(stored, smaller),
    )  # fmt: skip


def area_shown(image: Image, smaller: int) -> tuple[float, float, float, float] | None:
    """The scans of a picture, in pixels so many times larger; None where they fill it, or none is found."""
    box = scans_box(image)
    rows, columns = image.frames.shape[1:]
    if box is None or box == Box(0, 0, columns, rows):
        return None
    return box.x0 / smaller, box.y0 / smaller, box.x1 / smaller, box.y1 / smaller


def _spacing(image: Image) -> tuple[float, float] | None:
    """Of the whole picture where the file has one; else of its only calibrated scan."""
    scales = {area.mm_per_pixel for area in image.areas if area.kind == "tissue" and area.mm_per_pixel}
    return image.spacing_mm or (scales.pop() if len(scales) == 1 else None)


def smaller_by(values: np.ndarray) -> int:
    """By how much frames are made smaller, so that a browser can take them."""
    return max(1, ceil(sqrt(values.nbytes / LARGEST)))


def reduced(values: np.ndarray, by: int) -> np.ndarray:
    """Frames with so many times fewer rows and columns, the mean of the pixels that become one."""
    import cv2

    if by == 1:
        return np.ascontiguousarray(values)
    rows, columns = values.shape[1] // by, values.shape[2] // by
    small = np.empty((len(values), rows, columns, *values.shape[3:]), values.dtype)
    for place, frame in enumerate(values):
        cut = np.ascontiguousarray(frame[: rows * by, : columns * by])
        small[place] = cv2.resize(cut, (columns, rows), interpolation=cv2.INTER_AREA)
    return small


def viewed_scan(
    page: Page, row: pd.Series, title: str, subtitle: str, boxes: tuple[ViewedBox, ...],
    graded: Iterable[int] = (), *, patient: str,
) -> ViewedFilm:  # fmt: skip
    """One pane; an image that cannot be read says why in its place. row: of ``data.queries.patient.films``.

    boxes: in pixels as stored. graded: frames from which a grade was made, told of a cine.
    """
    side = "" if pd.isna(row["laterality"]) else str(row["laterality"])
    view = "" if pd.isna(row["view"]) else str(row["view"])
    blank = ViewedFilm(row["image"], title, subtitle, patient=patient, side=side_text(side), view=view)
    try:
        scan = shown_scan(page.path, row["image"], page.state["last_writes"].get("image", 0))
    except CohortError as error:
        return replace(blank, message=f"{error.given}: {error.needed}; {error.todo}.")
    said = [subtitle, f"shown {scan.smaller} times smaller" if scan.smaller > 1 else "", scan.orientation]
    is_cine = scan.pixels.ndim - (scan.pixels.dtype == np.uint8) == 3
    frames = sorted(set(graded)) if is_cine else []
    return replace(
        blank,
        subtitle=" · ".join(part for part in said if part),
        pixels=scan.pixels, spacing_mm=scan.spacing_mm, window=scan.window, limits=scan.limits,
        spacing_source="" if pd.isna(row["spacing_source"]) else str(row["spacing_source"]),
        boxes=tuple(_smaller(box, scan.smaller) for box in boxes),
        frame_notes=tuple(f"{time:.0f} ms" for time in scan.times_ms), times_ms=scan.times_ms,
        graded=tuple(frames), area=scan.area,
    )  # fmt: skip


def _smaller(box: ViewedBox, by: int) -> ViewedBox:
    """A box on the picture as shown; it lies on every frame, as the probe is held still."""
    corners = {name: getattr(box, name) / by for name in ("x0", "y0", "x1", "y1")}
    return replace(box, frame=None, **corners)
