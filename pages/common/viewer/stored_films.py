"""From stored films, findings and grades to what the viewer shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from core.domain import ReaderKind
from core.errors import CohortError
from core.figures.style import DARK, NO_GRADE_COLOUR, grade_colour, reader_marks
from core.reader_labels import models, short_names
from core.scores.system import ScoreSystem
from data.dicom.images import load_image
from data.queries import scores
from data.store.cohort import CohortStore
from data.store.transaction import software_version
from pages.common.page import Page
from pages.common.queries import ask
from pages.common.viewer import ViewedBox, ViewedCaption, ViewedFilm, ViewedLayer

SHOWN_PERCENT = (1.0, 99.7)
SIDE_WORDS = {"L": "left", "R": "right"}
BOTH = "B"
MAX_ABBREVIATION = 3  # letters of a view: PA, AP, LAT


@st.cache_resource(show_spinner=False, max_entries=12)
def grey_values(path: str, image: str) -> tuple[np.ndarray, tuple[float, float], tuple[float, float]]:
    """Pixels, the window shown first, and the full range of one stored image.

    uint16, (rows, columns); of several frames (frames, rows, columns), with one window for all.
    """
    stored = load_image(CohortStore(path), image)
    return shown_grey(stored.pixels if stored.is_film else stored.frames)


def shown_grey(pixels: np.ndarray) -> tuple[np.ndarray, tuple[float, float], tuple[float, float]]:
    """Pixels as the viewer takes them, the window to show first, and their full range."""
    pixels = np.ascontiguousarray(pixels, dtype=np.uint16)
    low, high = np.percentile(_middle(pixels)[..., ::4, ::4], SHOWN_PERCENT)
    return pixels, (float(low), float(high)), (float(pixels.min()), float(pixels.max()))


def _middle(pixels: np.ndarray) -> np.ndarray:
    """The film without its margins, where collimation is black and the open beam white."""
    rows, columns = (size // 7 for size in pixels.shape[-2:])
    return pixels[..., rows : pixels.shape[-2] - rows, columns : pixels.shape[-1] - columns]


def viewed_film(
    page: Page, film: pd.Series, title: str, boxes: tuple[ViewedBox, ...], subtitle: str = "",
    unplaced: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (), *, patient: str = "", side: str = "",
) -> ViewedFilm:  # fmt: skip
    """One pane of the viewer; a film that cannot be read says why in its place.

    film: a row of ``data.queries.patient.films``. unplaced: see ``unplaced_of``. side: see ``side_of``.
    """
    blank = ViewedFilm(
        film["image"], title, subtitle, patient=patient, side=side_text(side), view=_view_text(film["view"])
    )
    spacing = (film["spacing_row_mm"], film["spacing_column_mm"])
    spacing_mm = None if pd.isna(spacing[0]) else (float(spacing[0]), float(spacing[1]))
    try:
        pixels, window, limits = grey_values(page.path, film["image"])
    except CohortError as error:
        return replace(blank, message=f"{error.given}: {error.needed}; {error.todo}.")
    return replace(
        blank,
        pixels=pixels,
        spacing_mm=spacing_mm,
        spacing_source=_text(film.get("spacing_source")),
        window=window,
        limits=limits,
        boxes=boxes,
        unplaced=unplaced,
    )


def no_film(visit: str, region: str, *, patient: str = "", side: str = "") -> ViewedFilm:
    """The pane of a visit that has no film of a region, or none of a side of it."""
    of_side = f"{SIDE_WORDS[side]} {region}" if side in SIDE_WORDS else region
    name = f"none-{patient}-{visit}-{region}-{side}"
    return ViewedFilm(name, visit, message=f"No {of_side} film at this visit.", patient=patient)


def side_text(side: str) -> str:
    """What a film says about its side; nothing where that is unknown or the region has none."""
    return "both sides" if side == BOTH else SIDE_WORDS.get(side, "")


def _text(value: object) -> str:
    return "" if value is None or pd.isna(value) else str(value).strip()  # type: ignore[call-overload]


def _view_text(view: object) -> str:
    text = _text(view)
    return text.upper() if len(text) <= MAX_ABBREVIATION else text


def boxes_of(
    image: str, findings: pd.DataFrame, grades: pd.DataFrame, kinds: Mapping[str, str], system: ScoreSystem
) -> tuple[ViewedBox, ...]:
    """Boxes of the model's findings on one film, head to foot, with every reading's grade beside them.

    findings: of the patient. grades: of the patient at this film's visit, columns ``site, label, grade``.
    """
    here = findings[(findings["image"] == image) & findings["site"].notna() & findings["box"].notna()]
    cells = cells_of(grades)
    found = {row.site: row for row in here.itertuples()}
    return tuple(box_of_finding(found[site], cells, kinds, system) for site in system.codes if site in found)


def unplaced_of(
    boxes: tuple[ViewedBox, ...],
    grades: pd.DataFrame,
    kinds: Mapping[str, str],
    system: ScoreSystem,
    region: str,
) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """(site, cells) of the region's sites that somebody graded at this visit and that have no box.

    grades: as for ``boxes_of``.
    """
    cells, placed = cells_of(grades), {box.site for box in boxes}
    graded = {site for site, _ in cells}
    return tuple(
        (site.code, tuple(_cell(cells.get((site.code, label))) for label in kinds))
        for site in system.sites
        if site.region == region and site.code in graded and site.code not in placed
    )


def cells_of(grades: pd.DataFrame) -> dict[tuple[str, str], object]:
    """(site, reading) -> grade. grades: of one visit, columns ``site, label, grade``."""
    keys = zip(grades["site"].astype(str), grades["label"].astype(str), strict=True)
    return dict(zip(keys, grades["grade"].tolist(), strict=True))


def box_of_finding(
    row: object,
    cells: Mapping[tuple[str, str], object],
    kinds: Mapping[str, str],
    system: ScoreSystem,
    *,
    frame: int | None = None,
) -> ViewedBox:
    """A finding as the viewer marks it, with every reading's grade. row: ``site, box, grade``."""
    site, box, grade = row.site, row.box, _grade(row.grade)  # type: ignore[attr-defined]
    texts = tuple(_cell(cells.get((site, label))) for label in kinds)
    named = ", ".join(f"{label} {text}" for label, (text, _) in zip(kinds, texts, strict=True))
    colour = NO_GRADE_COLOUR if grade is None else grade_colour(grade)
    tip = f"{system.by_code[site].name}: {named}"
    maker = next(iter(models(dict(kinds))), "")
    return ViewedBox(site, box.x0, box.y0, box.x1, box.y1, colour, texts, tip, maker, frame)


def _cell(grade: object) -> tuple[str, str]:
    number = _grade(grade)
    return ("–", "") if number is None else (str(number), grade_colour(number))


def _grade(value: object) -> int | None:
    return None if value is None or pd.isna(value) else int(value)  # type: ignore[call-overload]


def heads(kinds: Mapping[str, str]) -> tuple[ViewedLayer, ...]:
    """Whose grades the cells are, in the order of the readings; each can be switched off in the viewer.

    Colours as in the figures, for a dark film: people neutral, the model its accent, the truth dashed.
    """
    short, marks = short_names(dict(kinds)), reader_marks(dict(kinds), DARK)
    return tuple(
        ViewedLayer(label, short[label], _titled(label, kind), marks[label].colour, marks[label].dash)
        for label, kind in kinds.items()
    )


def _titled(label: str, kind: str) -> str:
    if kind == ReaderKind.MODEL:
        return f"model {label.partition(':')[2] or label}"
    return f"{label} (consensus)" if kind == ReaderKind.CONSENSUS and label != "truth" else label


def caption_of(page: Page, subject: str, system: ScoreSystem) -> ViewedCaption:
    """What a saved picture of this patient's films says: study, cohort version, weights of the newest run."""
    runs = pd.DataFrame() if page.is_reader else ask(page, scores.runs, system.name)
    known = runs["weights_hash"].dropna() if len(runs) else pd.Series(dtype=object)
    return ViewedCaption(
        study=str(page.state.get("study") or ""),
        patient=subject,
        system=system.title,
        version=page.version,
        weights=str(known.iloc[0])[:12] if len(known) else "",
        software=f"Sharpline {software_version()}",
        phantom=bool(page.state["phantom"]),
    )


def side_of(film: pd.Series, findings: pd.DataFrame, system: ScoreSystem) -> str:
    """``L``, ``R`` or ``B`` (both), "" where not known: as its file states, else by the sites found on it."""
    stated = "" if pd.isna(film["laterality"]) else str(film["laterality"]).upper()
    if stated in (*SIDE_WORDS, BOTH):
        return stated
    sites = findings.loc[findings["image"] == film["image"], "site"].dropna()
    sides = {system.by_code[site].side for site in sites if site in system.by_code} & set(SIDE_WORDS)
    return BOTH if len(sides) > 1 else next(iter(sides), "")


def films_showing(
    films: pd.DataFrame, findings: pd.DataFrame, system: ScoreSystem, visit: str, region: str, side: str = ""
) -> pd.DataFrame:
    """The films of a visit that show a region, or a side of it, with ``side`` and count of ``graded`` sites.

    In the order in which a visit's scores take them: most graded sites first, then by name. A film whose side
    is not known may show either.
    """
    part = films["body_part"].fillna("").str.startswith(region)
    found = films[(films["visit"] == visit) & part].copy()
    found["side"] = [side_of(film, findings, system) for _, film in found.iterrows()]
    seen = findings[findings["site"].isin(system.codes) & findings["grade"].notna()]
    found["graded"] = found["image"].map(seen.groupby("image")["site"].nunique()).fillna(0).astype(int)
    if side:
        found = found[~found["side"].isin(set(SIDE_WORDS) - {side})]
    return found.sort_values(["graded", "image"], ascending=[False, True])
