"""A screen of an ultrasound machine, drawn: speckle in a box, flow, and the furniture around and over it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from core.domain import Box, Image, ScanArea

WHITE = (255, 255, 255)


@dataclass(frozen=True)
class Screen:
    """What is drawn. scan: box of the echoes. mark: where that of the probe is (``left``, ``right``, ``""``).

    text: a line above the scan. over: letters and a caliper over the scan. flow: pixels across of a patch of
    power Doppler, 0 for none. tint: of the grey scale.
    """

    size: tuple[int, int] = (300, 400)
    scan: tuple[int, int, int, int] = (60, 50, 340, 260)
    mark: str = "left"
    text: str = "MSK 12L 4cm"
    over: bool = False
    flow: int = 0
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    seed: int = 1

    @property
    def box(self) -> Box:
        return Box(*self.scan)


def speckle(shape: tuple[int, int], seed: int) -> np.ndarray:
    """Echoes between 15 and 235, with the correlation of a beam, and a bright bone that fades."""
    random = np.random.default_rng(seed)
    parts = [
        cv2.GaussianBlur(random.normal(size=shape).astype(np.float32), (0, 0), 2.2, sigmaY=1.3) for _ in "ri"
    ]
    echo = np.hypot(*parts)
    depth = np.linspace(0, 1, shape[0])[:, None]
    level = 90 - 50 * depth + 150 * np.exp(-(((depth - 0.6) / 0.025) ** 2))
    return np.clip(15 + level * echo / float(echo.mean()), 15, 235)


def flow_patch(across: int, seed: int) -> np.ndarray:
    """Colours of power Doppler, from dark red to yellow, in a square."""
    random = np.random.default_rng(seed)
    strength = cv2.GaussianBlur(random.random((across, across)).astype(np.float32), (0, 0), 1.5)
    strength = (strength - strength.min()) / max(float(np.ptp(strength)), 1e-6)
    red = 110 + 145 * strength
    return np.stack([red, 230 * np.clip(2 * strength - 0.8, 0, 1), 10 * strength], axis=-1).astype(np.uint8)


def draw(screen: Screen) -> np.ndarray:
    """The screen as uint8 (rows, columns, 3)."""
    rows, columns = screen.size
    picture = np.zeros((rows, columns, 3), np.uint8)
    x0, y0, x1, y1 = screen.scan
    grey = speckle((y1 - y0, x1 - x0), screen.seed)
    picture[y0:y1, x0:x1] = np.clip(grey[..., None] * np.array(screen.tint), 0, 255).astype(np.uint8)
    if screen.flow:
        top, left = y0 + (y1 - y0) // 3, x0 + (x1 - x0) // 3
        picture[top : top + screen.flow, left : left + screen.flow] = flow_patch(screen.flow, screen.seed)
    _furnish(picture, screen)
    return picture


def _furnish(picture: np.ndarray, screen: Screen) -> None:
    x0, y0, x1, y1 = screen.scan
    if screen.text:
        cv2.putText(picture, screen.text, (8, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.45, WHITE, 1, cv2.LINE_AA)
    for y in range(y0, y1, 25):
        picture[y : y + 2, x1 + 8 : x1 + 14] = 255
    if screen.mark:
        cv2.circle(picture, (x0 + 8 if screen.mark == "left" else x1 - 8, y0 - 10), 5, (60, 200, 60), -1)
    if screen.over:
        cv2.rectangle(picture, (x0 + 60, y0 + 40), (x1 - 60, y1 - 60), WHITE, 1)
        cv2.putText(picture, "PIP", (x0 + 10, y1 - 12), cv2.FONT_HERSHEY_SIMPLEX, 0.5, WHITE, 1)


def picture_of(screen: Screen, *, stated: bool = False, mode: str = "", frames: int = 1) -> Image:
    """As an image, of several frames with new speckle in each. stated: the file says where the scan lies."""
    from dataclasses import replace

    colour = np.stack([draw(replace(screen, seed=screen.seed + place)) for place in range(frames)])
    brightness = np.rint(colour @ np.array([0.299, 0.587, 0.114]) * 257).astype(np.uint16)
    areas = (ScanArea(screen.box, (0.1, 0.1)),) if stated else ()
    return Image("drawn", brightness, colour=colour, areas=areas, mode=mode, modality="US")
