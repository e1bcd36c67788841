"""Cells of a table to numbers and labels: what every check of an input table starts with."""

from __future__ import annotations

import numpy as np
import pandas as pd


def labels(series: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Codes in order of first appearance, -1 where empty, and the texts that they stand for.

    Texts stand without blanks around them, whole numbers without a decimal point.
    """
    codes, values = pd.factorize(series)
    texts = np.array([_text(value) for value in values], object)
    if any(text == "" for text in texts) or len(set(texts)) < len(texts):
        merged, uniques = pd.factorize(pd.Series(texts, dtype=object).replace("", None))
        codes = np.where(codes < 0, -1, np.append(merged, -1)[codes])
        texts = np.asarray(uniques, object)
    return np.asarray(codes, np.int64), texts


def numbers(series: pd.Series) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values as float64 (NaN where empty or no finite number), cells as text, and a mask of what is text."""
    if pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_bool_dtype(series):
        values = series.to_numpy(np.float64, na_value=np.nan)
        infinite = np.isinf(values)
        return np.where(infinite, np.nan, values), values, infinite
    codes, texts = labels(series)
    parsed = pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce").to_numpy(np.float64)
    parsed = np.where(np.isfinite(parsed), parsed, np.nan)
    values = np.append(parsed, np.nan)[codes]
    return values, np.append(texts, np.array([None], object))[codes], (codes >= 0) & np.isnan(values)


def _text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
