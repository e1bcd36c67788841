"""Stored stacks of slices as the viewer shows them: in order along the slice normal, one window for all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.domain import Image, Viewer
from core.errors import CohortError
from core.imaging.stacks import beside_middle, on_axis
from data.queries import stacks
from data.store.cohort import CohortStore
from pages.common.page import Page
from pages.common.viewer import ViewedFilm
from pages.common.viewer.stored_films import shown_grey
from pages.common.viewer.stored_scans import area_shown, reduced, smaller_by

KEPT = 12  # stacks, of all sessions


@dataclass(frozen=True)
class GreyStack:
    """A stack with its frames from left to right, front to back or top to bottom of the patient.

    places_mm: of each frame, empty where not known. order: of each frame, which one it was in the store's
    stack. window, limits: grey values, the same for all slices. notes: what is said of each frame.
    area: of a cine of ultrasound, see ``stored_scans.area_shown``.
    """

    image: Image
    places_mm: np.ndarray
    order: np.ndarray
    pixels: np.ndarray
    window: tuple[float, float]
    limits: tuple[float, float]
    notes: tuple[str, ...]
    area: tuple[float, float, float, float] | None = None

    @property
    def middle_mm(self) -> float:
        """Halfway between the first and the last slice."""
        return float(self.places_mm[0] + self.places_mm[-1]) / 2 if len(self.places_mm) else 0.0

    @property
    def shown_spacing_mm(self) -> tuple[float, float] | None:
        """Of the pixels, which may be fewer than those stored."""
        spacing, smaller = self.image.spacing_mm, self.image.frames.shape[1] // self.pixels.shape[1]
        return None if spacing is None else (spacing[0] * smaller, spacing[1] * smaller)

    @property
    def step_mm(self) -> float:
        """The usual distance between slices; 0 where it is not known."""
        return float(np.median(np.diff(self.places_mm))) if len(self.places_mm) > 1 else 0.0


def grey_stack(page: Page, name: str) -> GreyStack:
    """A row of ``data.queries.stacks.series_list``. Raises CohortError where it cannot be opened."""
    return _kept(page.path, page.state["last_writes"].get("image", 0), name, page.viewer)


@st.cache_resource(show_spinner=False, max_entries=KEPT)
def _kept(path: str, last_write: int, name: str, viewer: Viewer) -> GreyStack:
    image, places, order = on_axis(stacks.open_series(CohortStore(path), name, viewer))
    if image.colour is not None:  # a cine
        smaller = smaller_by(image.colour)
        pixels, area = reduced(image.colour, smaller), area_shown(image, smaller)
        return GreyStack(image, places, order, pixels, (0, 255), (0, 255), frame_notes(image), area)
    return GreyStack(image, places, order, *shown_grey(image.frames), frame_notes(image))


def viewed_stack(page: Page, name: str, title: str, subtitle: str = "", *, patient: str = "") -> ViewedFilm:
    """A series as the viewer shows it; one that is no stack or cannot be read says why in its place."""
    try:
        stack = grey_stack(page, name)
    except CohortError as error:
        reason = f"{error.given}: {error.needed}; {error.todo}."
        return ViewedFilm(name, title, subtitle, message=reason, patient=patient)
    return ViewedFilm(
        name, title, subtitle, stack.pixels, stack.shown_spacing_mm, stack.window, stack.limits,
        patient=patient, frame_notes=stack.notes, within_mm=stack.step_mm / 2,
        times_ms=stack.image.times_ms or (), area=stack.area,
        frame_word="slice" if len(stack.places_mm) else "frame",
        places_mm=tuple(float(place) for place in stack.places_mm - stack.middle_mm),
    )  # fmt: skip


def frame_notes(image: Image) -> tuple[str, ...]:
    """What is known of each frame: its place from the middle of the stack, or its time."""
    if image.times_ms is not None:
        return tuple(f"{time:.0f} ms" for time in image.times_ms)
    stack, places, _ = on_axis(image)
    return beside_middle(places, stack.orientation) if stack.orientation and len(places) else ()
