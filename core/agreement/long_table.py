"""From a long table of ratings to the complete subject x rater table, with what was refused and left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.agreement.grades.confusion import whole
from core.errors import InputError

MAX_RATERS = 1000
Refused = list[dict[str, Any]]


@dataclass(frozen=True)
class Ratings:
    """Ratings by subject and rater.

    complete: shape (n subjects rated by all, k raters). subjects: their labels. raters: in file order.
    clusters: the patient of each of them, None where none was asked for; gap_clusters: of each row of
    ``with_gaps``.
    codes, values: every usable rating as (subject number, rater number) and value, for the mixed model.
    dropped: subjects lacking a rating. refused: rows with reasons, in file order.
    """

    complete: np.ndarray
    subjects: np.ndarray
    raters: list[str]
    clusters: np.ndarray | None
    codes: tuple[np.ndarray, np.ndarray]
    values: np.ndarray
    dropped: int
    refused: Refused
    gap_clusters: np.ndarray | None = None

    def with_gaps(self) -> np.ndarray:
        """Every subject that has a rating, shape (subjects, k), NaN where missing."""
        subject, place = np.unique(self.codes[0], return_inverse=True)
        table = np.full((len(subject), len(self.raters)), np.nan)
        table[place, self.codes[1]] = self.values
        return table


def collect(
    frame: pd.DataFrame, raters: Sequence[str] | None = None, scale: Sequence[float] | None = None
) -> Ratings:
    """The ratings of a long frame.

    frame: columns ``subject``, ``rater`` (text, missing where empty), ``rating`` (float, NaN where missing),
    optionally ``text`` (what stands in the cell where it is no number), ``problem`` (why a row cannot be
    used that was checked before, missing where it can) and ``cluster`` (the patient);
    the index is the row number used in ``refused``.
    raters: all that may count, in their order; by default those of the frame in order of first appearance.
    scale: the grades that there are; others are refused.
    Text, a row without subject, rater or patient, and both of two ratings for one subject and rater are
    refused. Raises InputError where no rating is left, and for a subject of two patients.
    """
    subject, subjects = pd.factorize(frame["subject"])
    rater, names = _rater_codes(frame["rater"], raters)
    problem = _problems(frame, subject, rater, len(names), scale)
    usable = (problem == 0) & frame["rating"].notna().to_numpy()
    refused = _refused(frame, problem)
    if not usable.any():
        raise _nothing_left(frame, refused)
    values = frame["rating"].to_numpy(dtype=float)[usable]
    s, r = subject[usable], rater[usable]
    full = np.bincount(s, minlength=len(subjects)) == len(names)
    kept = full[s]
    row_of = np.cumsum(full) - 1
    patients = _clusters(frame, subject, usable, subjects) if "cluster" in frame else None
    complete = np.empty((int(full.sum()), len(names)))
    complete[row_of[s[kept]], r[kept]] = values[kept]
    return Ratings(
        complete=complete,
        subjects=np.asarray(subjects, dtype=object)[full],
        raters=names,
        clusters=None if patients is None else patients[full],
        gap_clusters=None if patients is None else patients[np.unique(s)],
        codes=(s, r),
        values=values,
        dropped=int((~full).sum()),
        refused=refused,
    )


REASONS = {
    1: "no subject",
    2: "no rater",
    3: "no patient in the cluster column",
    4: "'{text}' is not a number",
    5: "subject {subject} has more than one rating by {rater}",
    6: "{problem}",
    7: "rating {rating:g} is not on the scale",
}


def _rater_codes(column: pd.Series, raters: Sequence[str] | None) -> tuple[np.ndarray, list[str]]:
    codes, found = pd.factorize(column)
    names = [str(name) for name in found]
    if raters is not None:
        there = set(names)
        names = [name for name in dict.fromkeys(raters) if name in there]
        place = {name: number for number, name in enumerate(names)}
        codes = np.array([*(place.get(str(name), -1) for name in found), -1])[codes]  # the last for no rater
    if len(names) > MAX_RATERS:
        raise InputError(
            f"the rater column holds {len(names)} different raters",
            f"at most {MAX_RATERS} are needed",
            "name the column that says who rated",
        )
    return codes, names


def _problems(
    frame: pd.DataFrame, subject: np.ndarray, rater: np.ndarray, k: int, scale: Sequence[float] | None
) -> np.ndarray:
    """A number from REASONS for each row, 0 where there is none."""
    given = frame["rating"].notna().to_numpy()
    text = frame["text"].notna().to_numpy() if "text" in frame else np.zeros(len(frame), dtype=bool)
    named = (subject >= 0) & (rater >= 0)
    key = pd.Series(subject.astype(np.int64) * max(k, 1) + rater)
    known = frame["problem"].notna().to_numpy() if "problem" in frame else np.zeros(len(frame), dtype=bool)
    filled = named & (given | text | known)
    is_duplicate = np.zeros(len(frame), dtype=bool)
    is_duplicate[filled] = key[filled].duplicated(keep=False).to_numpy()
    lost = frame["cluster"].isna().to_numpy() if "cluster" in frame else np.zeros(len(frame), dtype=bool)
    outside = np.zeros(len(frame), dtype=bool)
    if scale is not None:
        outside = given & ~np.isin(whole(frame["rating"]), np.asarray(scale, dtype=float))
    reasons = [subject < 0, rater < 0, lost, known, text, outside, is_duplicate]
    return np.select(reasons, [1, 2, 3, 6, 4, 7, 5], 0)


def _refused(frame: pd.DataFrame, problem: np.ndarray) -> Refused:
    rows = np.flatnonzero(problem)
    if not len(rows):
        return []
    part = frame.iloc[rows].astype(object)
    text = part["text"] if "text" in part else [""] * len(part)
    known = part["problem"] if "problem" in part else [""] * len(part)
    return [
        {
            "row": row,
            "reason": REASONS[number].format(
                text=cell, subject=subject, rater=rater, problem=why, rating=rating
            ),
        }
        for row, number, cell, subject, rater, rating, why in zip(
            part.index.tolist(),
            problem[rows],
            text,
            part["subject"],
            part["rater"],
            part["rating"],
            known,
            strict=True,
        )
    ]


def _nothing_left(frame: pd.DataFrame, refused: Refused) -> InputError:
    if refused:
        first = refused[0]
        why = f"{len(refused)} of {len(frame)} rows are refused, row {first['row']}: {first['reason']}"
    else:
        why = f"{len(frame)} rows and no rating in them"
    return InputError(why, "numbers by subject and rater are needed", "check the columns and --where")


def _clusters(frame: pd.DataFrame, subject: np.ndarray, usable: np.ndarray, subjects: Any) -> np.ndarray:
    """The patient of each subject, as numbers."""
    patient, labels = pd.factorize(frame["cluster"])
    s, p = subject[usable], patient[usable]
    low, high = np.full(len(subjects), len(labels)), np.full(len(subjects), -1)
    np.minimum.at(low, s, p)
    np.maximum.at(high, s, p)
    torn = np.flatnonzero((high >= 0) & (low != high))
    if len(torn):
        one = torn[0]
        raise InputError(
            f"subject {subjects[one]} belongs to {labels[low[one]]} and to {labels[high[one]]}",
            "a subject of one patient is needed",
            "name the subject column so that it tells them apart",
        )
    return low
