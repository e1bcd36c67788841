"""Films of a report: small pictures around the findings, with boxes and every reading's grade."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from core.domain import Box, Image
from core.figures.style import NO_GRADE_COLOUR, grade_colour
from core.imaging.overlays import film_grey
from core.reader_labels import short_names
from core.report.blocks import FilmMark, FilmPicture
from core.scores.system import ScoreSystem

HEIGHT = 460  # pixels of a picture
CLOSE_HEIGHT, CLOSE_EDGE = 300, 1.6  # of a close-up: pixels, and its reach from the middle in box sizes
QUALITY = 82  # of the JPEG
EDGE = 0.12  # of the findings' extent, kept around them
SHOWN_PERCENT = (1.0, 99.7)


def film_picture(
    film: Image,
    title: str,
    findings: pd.DataFrame,
    grades: pd.DataFrame,
    kinds: Mapping[str, str],
    system: ScoreSystem,
) -> FilmPicture:
    """The part of a film around its findings, boxes in the colour of the model's grade.

    findings: of this film, columns ``site, grade, box``. grades: of this patient and visit, columns ``site,
    label, grade``. kinds: label -> kind. A box gets the grades beside it where the readings differ.
    """
    boxed = findings[findings["box"].notna()]
    part = _around(boxed["box"].tolist(), film.pixels.shape)
    scale = min(1.0, HEIGHT / (part.y1 - part.y0))
    return _picture(film, title, boxed, grades, kinds, system, part, scale)


def close_up(
    film: Image,
    title: str,
    findings: pd.DataFrame,
    grades: pd.DataFrame,
    kinds: Mapping[str, str],
    system: ScoreSystem,
    site: str,
) -> FilmPicture | None:
    """One site of a film, large; None where it has no box. The rest as in ``film_picture``."""
    boxed = findings[findings["box"].notna() & (findings["site"] == site)]
    if boxed.empty:
        return None
    box = boxed["box"].iloc[0]
    reach = CLOSE_EDGE * max(box.x1 - box.x0, box.y1 - box.y0)
    (x, y), (rows, columns) = box.centre, film.pixels.shape[:2]
    part = Box(
        float(np.clip(np.floor(x - reach), 0, columns - 1)),
        float(np.clip(np.floor(y - reach), 0, rows - 1)),
        float(np.clip(np.ceil(x + reach), 1, columns)),
        float(np.clip(np.ceil(y + reach), 1, rows)),
    )
    scale = CLOSE_HEIGHT / (part.y1 - part.y0)
    return _picture(film, title, boxed.head(1), grades, kinds, system, part, scale)


def _picture(
    film: Image,
    title: str,
    boxed: pd.DataFrame,
    grades: pd.DataFrame,
    kinds: Mapping[str, str],
    system: ScoreSystem,
    part: Box,
    scale: float,
) -> FilmPicture:
    """A part of a film at a scale, with these boxes."""
    pixels = film.pixels[int(part.y0) : int(part.y1), int(part.x0) : int(part.x1)]
    small = _smaller(pixels, scale)
    known = grades[grades["grade"].notna()]
    keys = zip(known["site"].astype(str), known["label"].astype(str), strict=True)
    cells = dict(zip(keys, known["grade"].astype(int).tolist(), strict=True))
    order = {site: number for number, site in enumerate(system.codes)}
    marks = tuple(
        _mark(row, part, scale, cells, kinds, system)
        for row in sorted(boxed.to_dict("records"), key=lambda row: order.get(str(row["site"]), len(order)))
    )
    return FilmPicture(title, _jpeg(small, film.pixels), small.shape[1], small.shape[0], marks)


def _around(boxes: list[Box], shape: tuple[int, ...]) -> Box:
    """The frame of all boxes with an edge, the whole film without one."""
    rows, columns = shape[:2]
    if not boxes:
        return Box(0, 0, columns, rows)
    x0, x1 = min(box.x0 for box in boxes), max(box.x1 for box in boxes)
    y0, y1 = min(box.y0 for box in boxes), max(box.y1 for box in boxes)
    edge_y = EDGE * (y1 - y0) + 8
    wide = max(x1 - x0, 0.55 * (y1 - y0)) / 2 + edge_y  # a narrow strip of spine says little
    middle = (x0 + x1) / 2
    return Box(
        float(np.clip(np.floor(middle - wide), 0, columns - 1)),
        float(np.clip(np.floor(y0 - edge_y), 0, rows - 1)),
        float(np.clip(np.ceil(middle + wide), 1, columns)),
        float(np.clip(np.ceil(y1 + edge_y), 1, rows)),
    )


def _smaller(pixels: np.ndarray, scale: float) -> np.ndarray:
    import cv2

    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    small: np.ndarray = cv2.resize(
        np.ascontiguousarray(pixels, dtype=np.float32),
        size,
        interpolation=cv2.INTER_AREA if scale <= 1 else cv2.INTER_CUBIC,
    )
    return small


def _jpeg(small: np.ndarray, film: np.ndarray) -> bytes:
    """The picture, its grey values spread over those of the whole film."""
    import cv2

    low, high = np.percentile(film[::4, ::4], SHOWN_PERCENT)
    done, data = cv2.imencode(
        ".jpg", film_grey(small, (float(low), float(high))), [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
    )
    if not done:
        raise RuntimeError("a grey picture of 8 bits could not be encoded")
    return bytes(data)


def _mark(
    row: Mapping[Any, Any],
    part: Box,
    scale: float,
    cells: Mapping[tuple[str, str], int],
    kinds: Mapping[str, str],
    system: ScoreSystem,
) -> FilmMark:
    site, box, grade = str(row["site"]), row["box"], row["grade"]
    given = {label: cells.get((site, label)) for label in kinds}
    texts = [_text(value) for value in given.values()]
    short = short_names(dict(kinds))
    said = " · ".join(f"{short[label]} {text}" for label, text in zip(given, texts, strict=True))
    name = system.by_code[site].name if site in system.by_code else site
    colour = NO_GRADE_COLOUR if pd.isna(grade) else grade_colour(int(grade))
    place = Box(
        (box.x0 - part.x0) * scale, (box.y0 - part.y0) * scale,
        (box.x1 - part.x0) * scale, (box.y1 - part.y0) * scale,
    )  # fmt: skip
    tip = f"{name}: " + ", ".join(f"{label} {text}" for label, text in zip(given, texts, strict=True))
    differs = len({text for text in texts if text != "–"}) > 1
    return FilmMark(place, colour, f"{site}: {said}" if differs else "", tip)


def _text(grade: int | None) -> str:
    return "–" if grade is None else str(grade)
