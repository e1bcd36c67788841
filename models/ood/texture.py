"""What the film looks like close to a scored place: its greys, edges and noise, in numbers.

Real bone has trabeculae, real films have noise and processing of their own; a check that looks at the whole
film only does not see them.
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np

from models.common.pixels import stretch

GREYS = (0.1, 0.25, 0.5, 0.75, 0.9)  # quantiles of a tile
EDGES = (0.5, 0.75, 0.9, 0.99)  # quantiles of the size of its gradient
SCALES = (1.0, 2.0, 4.0, 8.0)  # pixels: detail is what a blur takes away that the blur before it left
SMOOTH = 2.0  # pixels: of the picture that says what is dark, middling and bright
MIN = 1e-4  # before logarithms
NUMBERS = len(GREYS) + len(EDGES) + 3 + len(SCALES) + 1
LAPLACIAN = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)


def texture(tile: np.ndarray) -> np.ndarray:
    """(17,) of one tile (rows, columns) in greys of its film, [0, 1] over the film: quantiles of grey; then
    logarithms of the quantiles of the gradient, of the noise in dark, middling and bright areas, of detail at
    four scales, and of the tile's contrast against the film's. All but the last of the tile stretched over
    its own greys, so that exposure counts little.

    Noise: Immerkaer 1996, Comput Vis Image Underst 64:300.
    """
    low, high = np.quantile(tile, (0.01, 0.99))
    grey = stretch(tile)
    sizes = np.hypot(*(cv2.Sobel(grey, cv2.CV_32F, *way, scale=1 / 8) for way in ((1, 0), (0, 1))))
    found = [*np.quantile(sizes, EDGES), *_noise(grey), *_detail(grey)]
    contrast = np.log(max(float(high - low), 1e-3))
    return np.array([*np.quantile(grey, GREYS), *np.log(MIN + np.array(found)), contrast])


def _noise(grey: np.ndarray) -> list[float]:
    """SD of the noise in the darkest, the middling and the brightest third."""
    away = np.abs(cv2.filter2D(grey, -1, LAPLACIAN, borderType=cv2.BORDER_REFLECT))
    smooth = cv2.GaussianBlur(grey, (0, 0), SMOOTH)
    dark, bright = np.quantile(smooth, (1 / 3, 2 / 3))
    thirds = (smooth <= dark, (smooth > dark) & (smooth <= bright), smooth > bright)
    return [float(np.sqrt(np.pi / 2) / 6 * away[third].mean()) if third.any() else 0.0 for third in thirds]


def _detail(grey: np.ndarray) -> list[float]:
    blurred = [grey, *(cv2.GaussianBlur(grey, (0, 0), scale) for scale in SCALES)]
    return [float((fine - coarse).std()) for fine, coarse in pairwise(blurred)]
