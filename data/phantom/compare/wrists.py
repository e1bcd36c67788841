"""Wrists to compare: 34 real ones of RAM-W600, and the same cut out of phantom films of hands.

Real films: Yang S et al., RAM-W600, NeurIPS 2025 (arXiv:2507.05193), CC BY 4.0. They lie beside the project
or in a folder of one's own, never in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from core.errors import InputError
from data.phantom.hands.course import TRIAL, simulate_hands
from data.phantom.hands.films import make_hand_film
from data.phantom.hands.render import LimbFilm
from data.phantom.seeds import StudyRole, StudySeed

SIDE, PIXEL_MM = 600, 0.15
SHORTEST = 450  # rows and columns that a cut at the edge of a film must still have
ATTRIBUTION = (
    "Real wrists: RAM-W600 (Yang S, Wang H, Fu Y, Tian Y, Kamishima T, Ikebe M, Ou Y, Okutomi M; NeurIPS "
    "2025, arXiv:2507.05193), CC BY 4.0, BMP saved as PNG"
)
CARPUS = ("MUL", "NAV", "LUN", "CMC3", "CMC4", "CNL", "RC")  # sites whose middle is that of the real pictures


@dataclass(frozen=True)
class Wrist:
    """One wrist. pixels: uint8, 600 x 600 of 0.15 mm or what of it is on the film, bone bright. patient:
    unique among both kinds.
    """

    pixels: np.ndarray
    patient: str
    name: str


def real_wrists(folder: Path) -> list[Wrist]:
    """The pictures under ``folder/images``, named PATIENT_STUDY_SIDE. Raises InputError without any."""
    wrists = []
    for path in sorted((folder / "images").glob("*.png")):
        pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if pixels is None or pixels.shape != (SIDE, SIDE):
            raise InputError(path.name, f"a picture of {SIDE} x {SIDE} pixels is needed", "leave it out")
        wrists.append(Wrist(pixels, f"real {path.stem.partition('_')[0]}", path.stem))
    if not wrists:
        raise InputError(
            str(folder), "images/*.png of wrists are needed", "name the folder that holds images/"
        )
    return wrists


def phantom_wrists(
    patients: int, *, seed: int = 0, domain: str = "first", role: StudyRole = StudyRole.TEST
) -> Iterator[Wrist]:
    """One wrist a patient, right and left in turn, of a good film of the last of two visits."""
    study = StudySeed(role, seed)
    for number in range(1, patients + 1):
        course = simulate_hands(study, 1, 2, TRIAL, first=number)
        subject, visit = course.subjects[0], course.visits[1]
        film = make_hand_film(
            study.film_seed(), subject, visit, "hands", course.states(0, 1), domain, kind="good"
        )
        side = "RL"[number % 2]
        pixels = cut_out(film, side)
        if pixels is not None:
            yield Wrist(pixels, f"phantom {subject}", f"{subject}_{visit}_{side}")


def cut_out(film: LimbFilm, side: str) -> np.ndarray | None:
    """The 90 mm around the carpus of a hand as it is shown at first; None where the film ends before.

    The film's own 10 bits are taken as 8, as a system does that saves what it shows.
    """
    joints: pd.DataFrame = film.joints
    carpus = joints[joints["unit"].isin([f"{side}H.{site}" for site in CARPUS])]
    if carpus.empty:
        return None
    spacing = film.spacing_mm[0]
    x, y = carpus["x"].mean(), carpus["y"].mean()
    scale = spacing / PIXEL_MM
    film8 = np.clip(np.rint(film.pixels / 1023 * 255), 0, 255).astype(np.uint8)
    small = cv2.resize(film8, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    left, top = round(x * scale) - SIDE // 2, round(y * scale) - SIDE // 2
    cut = small[max(top, 0) : top + SIDE, max(left, 0) : left + SIDE]
    return cut if min(cut.shape) >= SHORTEST else None
