"""Pictures of the toy: four bright squares on a dark ground, the brighter the higher the grade."""

import numpy as np

from tests.toy.score import TOY

SIDE = 64
TILE = SIDE // 2
CORNERS = {site.code: (TILE * (k // 2), TILE * (k % 2)) for k, site in enumerate(TOY.sites)}


def picture(grades: dict[str, int], seed: int) -> np.ndarray:
    """(64, 64) uint16 with the grades in the four squares; noise from the seed."""
    rng = np.random.default_rng(seed)
    pixels = rng.normal(400, 30, (SIDE, SIDE))
    for site, (top, left) in CORNERS.items():
        pixels[top + 8 : top + 24, left + 8 : left + 24] += 300 + 500 * grades[site]
    return np.clip(pixels, 0, 4095).astype(np.uint16)


def grades_of(patient: int, visit: int) -> dict[str, int]:
    """Grades of a patient, which only grow from visit to visit."""
    rng = np.random.default_rng([7, patient])
    first = rng.choice(3, size=len(CORNERS), p=(0.6, 0.25, 0.15))
    later = rng.random((4, len(CORNERS))) < 0.2
    grown = np.minimum(2, first + later[:visit].sum(axis=0))
    return {site: int(grade) for site, grade in zip(CORNERS, grown, strict=True)}
