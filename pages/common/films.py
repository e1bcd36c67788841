"""From stored films, findings and grades to what the viewer shows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import streamlit as st

from core.errors import CohortError
from core.figures.style import NO_GRADE_COLOUR, grade_colour
from core.readings import short_names
from core.scores.system import ScoreSystem
from data.previews import preview_path, read_preview, to_film
from data.store import CohortStore
from pages.common.opening import Page
from pages.common.viewer import ViewedBox, ViewedFilm

SHOWN_PERCENT = (1.0, 99.7)


@st.cache_resource(show_spinner=False, max_entries=12)
def grey_values(path: str, image: str) -> tuple[np.ndarray, tuple[float, float], tuple[float, float]]:
    """Pixels (uint16, rows x columns), the window shown first, and the full range of one stored film."""
    film = to_film(image, *read_preview(preview_path(CohortStore(path).folder, image)))
    pixels = np.ascontiguousarray(film.pixels, dtype=np.uint16)
    low, high = np.percentile(_middle(pixels)[::4, ::4], SHOWN_PERCENT)
    return pixels, (float(low), float(high)), (float(pixels.min()), float(pixels.max()))


def _middle(pixels: np.ndarray) -> np.ndarray:
    """The film without its margins, where collimation is black and the open beam white."""
    rows, columns = (size // 7 for size in pixels.shape)
    return pixels[rows : pixels.shape[0] - rows, columns : pixels.shape[1] - columns]


def viewed_film(
    page: Page, film: pd.Series, title: str, boxes: tuple[ViewedBox, ...], subtitle: str = ""
) -> ViewedFilm:
    """One pane of the viewer; a film that cannot be read says why in its place.

    film: a row of ``data.queries.patient.films``.
    """
    spacing = (film["spacing_row_mm"], film["spacing_column_mm"])
    spacing_mm = None if pd.isna(spacing[0]) else (float(spacing[0]), float(spacing[1]))
    try:
        pixels, window, limits = grey_values(page.path, film["image"])
    except CohortError as error:
        return ViewedFilm(
            film["image"], title, subtitle, message=f"{error.given}: {error.needed}; {error.todo}."
        )
    return ViewedFilm(film["image"], title, subtitle, pixels, spacing_mm, window, limits, boxes)


def no_film(visit: str, region: str) -> ViewedFilm:
    return ViewedFilm(f"none-{visit}-{region}", visit, message=f"No {region} film at this visit.")


def boxes_of(
    image: str, findings: pd.DataFrame, grades: pd.DataFrame, kinds: Mapping[str, str], system: ScoreSystem
) -> tuple[ViewedBox, ...]:
    """Boxes of the model's findings on one film, head to foot, with every reading's grade beside them.

    findings: of the patient. grades: of the patient at this film's visit, columns ``site, label, grade``.
    """
    here = findings[(findings["image"] == image) & findings["site"].notna() & findings["box"].notna()]
    keys = zip(grades["site"].astype(str), grades["label"].astype(str), strict=True)
    cells: dict[tuple[str, str], object] = dict(zip(keys, grades["grade"].tolist(), strict=True))
    found = {row.site: row for row in here.itertuples()}
    return tuple(_box(found[site], cells, kinds, system) for site in system.codes if site in found)


def _box(
    row: object, cells: Mapping[tuple[str, str], object], kinds: Mapping[str, str], system: ScoreSystem
) -> ViewedBox:
    site, box, grade = row.site, row.box, _grade(row.grade)  # type: ignore[attr-defined]
    most = system.by_code[site].maximum
    texts = tuple(_cell(cells.get((site, label)), most) for label in kinds)
    named = ", ".join(f"{label} {text}" for label, (text, _) in zip(kinds, texts, strict=True))
    colour = NO_GRADE_COLOUR if grade is None else grade_colour(grade, most)
    tip = f"{system.by_code[site].name}: {named}"
    return ViewedBox(site, box.x0, box.y0, box.x1, box.y1, colour, texts, tip)


def _cell(grade: object, most: int) -> tuple[str, str]:
    number = _grade(grade)
    return ("–", "") if number is None else (str(number), grade_colour(number, most))


def _grade(value: object) -> int | None:
    return None if value is None or pd.isna(value) else int(value)  # type: ignore[call-overload]


def heads(kinds: Mapping[str, str]) -> tuple[str, ...]:
    """The short names over the grade cells, in the order of the readings."""
    short = short_names(dict(kinds))
    return tuple(short[label] for label in kinds)


def of_region(films: pd.DataFrame, visit: str, region: str) -> pd.Series | None:
    """The film of a visit and region, the last one where there are several; None where there is none."""
    part = films["body_part"].fillna("").str.startswith(region)
    found = films[(films["visit"] == visit) & part]
    return None if found.empty else found.iloc[-1]
