"""Columns of a design that do not follow from earlier ones."""

from __future__ import annotations

import numpy as np


def independent_columns(x: np.ndarray) -> np.ndarray:
    """Mask of columns that do not follow from earlier ones."""
    size = np.sqrt((x**2).sum(axis=0))
    scaled = x / np.where(size > 0, size, 1)
    kept = np.zeros(x.shape[1], bool)
    basis = np.zeros((len(x), 0))
    for column in range(x.shape[1]):
        rest = scaled[:, column] - basis @ (basis.T @ scaled[:, column])
        rest -= basis @ (basis.T @ rest)
        length = np.sqrt(rest @ rest)
        if length > 1e-9:
            kept[column] = True
            basis = np.column_stack([basis, rest / length])
    return kept
