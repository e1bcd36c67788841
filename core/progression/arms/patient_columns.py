"""Strata and covariates of patients, from columns of a table with several rows for each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from core.cells import labels, numbers
from core.errors import InputError
from core.natural import natural_key


def patient_columns(table: pd.DataFrame, names: Sequence[str], subject: str = "subject") -> pd.DataFrame:
    """One row a subject (the index, as text), one column a name: numbers where all are, else text.

    A value may be missing on some rows of a subject, or on all. Raises InputError for a column that is not
    there, or a subject with two values.
    """
    absent = [name for name in names if name not in table.columns]
    if absent:
        there = f"the table has the columns {', '.join(map(str, table.columns))}"
        raise InputError(f"no column {', '.join(absent)}", there, "name these")
    codes, subjects = labels(table[subject])
    columns = {name: _of_subjects(table[name], codes, subjects, name) for name in dict.fromkeys(names)}
    return pd.DataFrame(columns, index=pd.Index(subjects, dtype=object))


def _of_subjects(series: pd.Series, codes: np.ndarray, subjects: np.ndarray, name: str) -> np.ndarray:
    values, _, is_text = numbers(series)
    words, texts = labels(series)
    given = (codes >= 0) & (words >= 0)
    pairs = pd.DataFrame({"subject": codes[given], "value": words[given]}).drop_duplicates()
    twice = pairs[pairs["subject"].duplicated(keep=False)]
    if len(twice):
        own = twice[twice["subject"] == twice["subject"].iloc[0]]
        raise InputError(
            f"subject {subjects[own['subject'].iloc[0]]} has {name} {' and '.join(texts[own['value']])}",
            "one value for each subject is needed",
            "give the value at baseline on every row",
        )
    first = np.full(len(subjects), -1)
    first[pairs["subject"]] = pairs["value"]
    if is_text.any() or pd.api.types.is_bool_dtype(series):
        return np.append(texts, np.array([None], object))[first]
    number_of = pd.Series(values[given], index=words[given]).groupby(level=0).first()
    return np.array([number_of[code] if code >= 0 else np.nan for code in first], float)


def stratum_of(patients: pd.DataFrame, strata: Sequence[str]) -> np.ndarray:
    """The stratum of each patient, "Europe / low", None where a part is missing; "" without strata."""
    if not strata:
        return np.full(len(patients), "", object)
    parts = [np.append(words, np.array([None], object))[codes]
             for codes, words in (labels(patients[name]) for name in strata)]  # fmt: skip
    return np.array(
        [None if any(one is None for one in row) else " / ".join(row) for row in zip(*parts, strict=True)],
        object,
    )


def as_columns(frame: pd.DataFrame) -> np.ndarray:
    """Columns of a linear model, shape (rows, columns): numbers around their mean, levels of text as 0/1.

    The first level has none. No value may be missing.
    """
    parts = [np.zeros((len(frame), 0))]
    for name in frame.columns:
        if pd.api.types.is_numeric_dtype(frame[name]):
            values = frame[name].to_numpy(float)
            parts.append((values - values.mean())[:, None] if len(values) else values[:, None])
        else:
            values, texts = frame[name].to_numpy(object), sorted(frame[name].unique(), key=natural_key)
            indicators = [(values == level).astype(float) for level in texts[1:]]
            parts.append(np.array(indicators).T if indicators else np.zeros((len(frame), 0)))
    return np.column_stack(parts)
