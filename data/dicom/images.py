"""Images of the cohort as stored: the full pixels from the de-identified file, or the small decoded
preview.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from core.domain import Image
from core.errors import StoreError
from data.dicom.previews import film_path, preview_path, read_preview, to_film
from data.store.cohort import CohortStore


def load_preview(store: CohortStore, image: str) -> tuple[np.ndarray, dict[str, Any]]:
    """The decoded picture of a film, mapped read-only, and what is known of it.

    Grey: uint16 (rows, columns), bone bright. Colour: uint8 (rows, columns, 3).
    The description has ``window`` [darkest, brightest grey value to show first], ``spacing_mm`` [row, column]
    or None, ``colour``, ``frame``, ``frames``, ``modality``, ``body_part``, ``view``, ``laterality`` and the
    linear way back to the file's own values (``slope``, ``sign``, ``offset``, ``intercept``).
    """
    return read_preview(preview_path(store.folder, image))


def load_film(store: CohortStore, image: str) -> Image:
    """The film as a scorer takes it: uint16 (rows, columns), bone bright; colour as its brightness."""
    return to_film(image, *load_preview(store, image))


def stored_film(store: CohortStore, image: str) -> Path:
    """The de-identified DICOM file of a film. Raises StoreError where it is missing."""
    path = film_path(store.folder, image)
    if not path.is_file():
        raise StoreError(
            f"the film {image[:12]} is missing from {store.folder.name}",
            "it was there when it was taken in",
            "run 'sharpline ingest' on the delivery again; missing files are made anew",
        )
    return path
