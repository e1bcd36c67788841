"""Totals by subject, reader and day, checked row by row: what every analysis of change starts from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.arms import arms_in_order
from core.cells import labels, numbers
from core.errors import InputError

TWO_ROWS = "two rows for one subject, reader and day"


@dataclass(frozen=True)
class Readings:
    """Accepted rows.

    rows: frame ``subject, reader, arm, days, total``; total NaN where a film was not scored; arm missing
    where there is none. Categories of ``subject`` and ``reader`` stand in the order of the file.
    has_arm: whether any subject has one. refused: frame ``row, reason``. reference: the arm that was named to
    compare with, None without one.
    """

    rows: pd.DataFrame
    has_arm: bool
    refused: pd.DataFrame
    reference: str | None = None

    @property
    def arms(self) -> list[str]:
        """The arms that have a subject, the reference first (``core.arms``)."""
        return arms_in_order(self.rows["arm"].dropna().unique(), self.reference)

    @property
    def subjects(self) -> list[str]:
        return list(self.rows["subject"].cat.categories)

    @property
    def readers(self) -> list[str]:
        return list(self.rows["reader"].cat.categories)


def collect(
    frame: pd.DataFrame,
    *,
    readers: Sequence[str] | None = None,
    problems: pd.Series | None = None,
    reference: str | None = None,
) -> Readings:
    """The rows of a long table ``subject, reader, days, total`` and perhaps ``arm``; others are ignored.

    frame: its index is the row number. days: from baseline, may be negative. An empty total is a film that
    was not scored. Refused: a row without subject, reader or day, text for a number, both of two rows for
    one subject, reader and day, and a subject in two arms. readers: only these, in the order of the file.
    problems: why rows cannot be used that were checked before, by the same index, None where they can.
    reference: the arm that others are compared with; by ``core.arms`` without it.
    Raises InputError for a reader, or a reference arm, that is not there.
    """
    subject, subjects = labels(frame["subject"])
    reader, all_readers = labels(frame["reader"])
    wanted = _wanted(all_readers, readers)
    arm, arms = (
        labels(frame["arm"]) if "arm" in frame.columns else (np.full(len(frame), -1), np.empty(0, object))
    )
    days, days_text, days_is_text = numbers(frame["days"])
    total, total_text, total_is_text = numbers(frame["total"])
    reason = np.full(len(frame), None, object)
    kept = pd.DataFrame({"subject": subject, "reader": reader, "days": days})
    placed = (subject >= 0) & (reader >= 0) & ~np.isnan(days)
    twice = placed & kept[placed].duplicated(keep=False).reindex(kept.index, fill_value=False).to_numpy()
    both_arms = _two_arms(subject, arm)
    for mask, text in (
        (twice, TWO_ROWS),
        (both_arms, "this subject is in two arms"),
        *_known(problems),
        (total_is_text, [f"total '{text}' is not a number" for text in total_text[total_is_text]]),
        (days_is_text, [f"days '{text}' is not a number" for text in days_text[days_is_text]]),
        (np.isnan(days) & ~days_is_text, "days is empty"),
        (reader < 0, "reader is empty"),
        (subject < 0, "subject is empty"),
    ):
        reason[mask] = text
    is_wanted = np.isin(reader, wanted) | (reader < 0)
    bad = (reason != None) & is_wanted  # noqa: E711 - elementwise
    refused = pd.DataFrame({"row": frame.index[bad], "reason": pd.array(reason[bad], dtype="str")})
    fine = ~bad & is_wanted
    rows = pd.DataFrame(
        {
            "subject": _category(subject, subjects),
            "reader": _category(reader, all_readers),
            "arm": _category(arm, arms),
            "days": days,
            "total": total,
        }
    )[fine].reset_index(drop=True)
    rows["reader"] = rows["reader"].cat.set_categories([all_readers[code] for code in wanted])
    rows["arm"] = _one_arm(rows)
    found = Readings(rows, bool(rows["arm"].notna().any()), refused, reference)
    arms_in_order(arms, reference)
    return found


def _known(problems: pd.Series | None) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows with a known problem, and what it is."""
    if problems is None:
        return []
    mask = problems.notna().to_numpy(bool)
    return [(mask, problems.to_numpy(object)[mask])]


def _wanted(all_readers: np.ndarray, readers: Sequence[str] | None) -> list[int]:
    """Codes of the readers that count."""
    known = list(all_readers)
    absent = [name for name in readers or () if name not in known]
    if absent:
        raise InputError(f"reader {', '.join(absent)}", f"the readers are {', '.join(known)}", "name these")
    return [code for code, name in enumerate(known) if readers is None or name in readers]


def _category(codes: np.ndarray, texts: np.ndarray) -> pd.Categorical:
    return pd.Categorical.from_codes(codes.tolist(), categories=pd.Index(texts, dtype=object))


def _two_arms(subject: np.ndarray, arm: np.ndarray) -> np.ndarray:
    """Rows of subjects that have rows in more than one arm."""
    given = (subject >= 0) & (arm >= 0)
    arms = pd.DataFrame({"subject": subject[given], "arm": arm[given]}).drop_duplicates()
    duplicates = arms.loc[arms["subject"].duplicated(), "subject"]
    return np.isin(subject, duplicates)


def _one_arm(rows: pd.DataFrame) -> pd.Series:
    """Each subject's arm on all its rows."""
    arm = rows[rows["arm"].notna()].drop_duplicates("subject").set_index("subject")["arm"]
    return rows["subject"].map(arm.to_dict()).astype(rows["arm"].dtype)
