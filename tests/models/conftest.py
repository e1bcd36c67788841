"""Toy spine films: bright blocks on a dark ground, with a dent, a spur or a bridge at some corners. No
phantom.
"""

import numpy as np
import pytest

from models.msasss.labels import Corner, LabelledFilm
from models.msasss.sites import LEVELS, SITES

GEOMETRY = {"cervical": (15.0, 7.0, 15.0), "lumbar": (27.0, 11.0, 36.0)}  # body height, gap, depth in mm
BOX_MM = {"cervical": 7.5, "lumbar": 12.0}


def toy_film(
    region: str, patient: str, seed: int, spacing: float = 0.4, grades: dict[str, int] | None = None
) -> LabelledFilm:
    """A film whose corners are those of seven blocks in a gentle curve; grades at random unless given."""
    rng = np.random.default_rng(seed)
    body, gap, depth = GEOMETRY[region]
    rows, columns = (int(mm / spacing) for mm in ((7 * (body + gap) + 60), 150))
    film = rng.normal(900, 25, (rows, columns))
    y_mm, x_mm = (np.indices((rows, columns)) + 0.5) * spacing
    grades = grades or {site: int(rng.choice(4, p=[0.55, 0.15, 0.15, 0.15])) for site in SITES[region]}
    front = {}
    for number, level in enumerate(LEVELS[region]):
        top, left = 30 + number * (body + gap), 55 + 6 * np.sin(number / 2)
        front[level] = (left, top, top + body)
        inside = (x_mm > left) & (x_mm < left + depth) & (y_mm > top) & (y_mm < top + body)
        film[inside] += 900 + (250 if number in (0, 6) else 0)
    corners = []
    for site in SITES[region]:
        left, top, bottom = front[site[:-1]]
        x, y, down = left, (bottom if site.endswith("I") else top), (1 if site.endswith("I") else -1)
        grade = grades[site]
        if grade == 1:
            film[(np.hypot(x_mm - x, y_mm - y) < 0.16 * body)] = 900
        if grade >= 2:
            reach = gap * (0.55 if grade == 3 else 0.3)
            film[
                (np.abs(x_mm - x + 1) < 0.08 * body) & (np.abs(y_mm - y - down * reach / 2) < reach / 2)
            ] += 900
        side = BOX_MM[region] / spacing
        corners.append(Corner(site, x / spacing, y / spacing, side, side, grade))
    pixels = np.clip(film, 0, 4095).astype(np.uint16)
    return LabelledFilm(
        f"{patient}-{region}", patient, region, (spacing, spacing), tuple(corners), pixels=pixels
    )


@pytest.fixture(scope="session")
def make_toy():
    return toy_film
