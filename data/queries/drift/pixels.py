"""Brightness, contrast and noise of stored images, from a part of their decoded pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from core.errors import StoreError
from data.dicom.images import load_preview
from data.dicom.previews import is_colour
from data.store.cohort import CohortStore

EVERY = 8  # row that is looked at; noise needs neighbours along it
FEATURES = ("brightness", "contrast", "noise")
SPREAD = 0.6745 * np.sqrt(6)  # median of |second difference| of noise with SD 1


def pixel_features(store: CohortStore, images: Sequence[str]) -> pd.DataFrame:
    """``image, brightness, contrast, noise``, as shares of the scale of the file's bits; NaN where its pixels
    cannot be read.
    """
    rows = [(image, *_of_image(store, image)) for image in images]
    return pd.DataFrame(rows, columns=["image", *FEATURES])


def sample(images: pd.Series, many: int) -> list[str]:
    """At most so many of these images, the same ones each time: an id is a hash, its order is by chance."""
    return sorted(set(images.astype(str)))[:many]


def _of_image(store: CohortStore, image: str) -> tuple[float, float, float]:
    try:
        pixels, description = load_preview(store, image)
    except StoreError:
        return np.nan, np.nan, np.nan
    grey = pixels[..., ::EVERY, :, :] if is_colour(pixels) else pixels[..., ::EVERY, :]
    if is_colour(pixels):
        return measured(grey.astype(float) @ np.array([0.299, 0.587, 0.114]), 255.0)
    return measured(grey.astype(float), 2.0 ** int(description.get("bits") or 16) - 1)


def measured(grey: np.ndarray, top: float) -> tuple[float, float, float]:
    """Mean, 5% to 95%, and noise from second differences along rows (..., columns), over the scale's ``top``.

    The noise is that of most pixels: structure makes few large differences, which a median passes over.
    """
    if grey.shape[-1] < 3 or not grey.size:
        return np.nan, np.nan, np.nan
    low, high = np.percentile(grey, (5, 95))
    second = grey[..., :-2] - 2 * grey[..., 1:-1] + grey[..., 2:]
    noise = float(np.median(np.abs(second))) / SPREAD
    return float(grey.mean()) / top, float(high - low) / top, noise / top
