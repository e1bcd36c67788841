"""Drift of every rater between rounds of reading the same subjects."""

from __future__ import annotations

from typing import Any

import pandas as pd

from core.agreement.verdicts.drift import drift
from core.natural import natural_key

NOT_GRADES = "ratings are not whole numbers with at most 30 levels: drift is tested on grades"
ONE_ROUND = "only one round: drift needs the same subjects rated in two"


def rounds_of(frame: pd.DataFrame) -> list[str]:
    """The rounds in natural order of their names; the first is the one all else is about."""
    return sorted(frame["round"].dropna().unique(), key=natural_key)


def drifts(frame: pd.DataFrame, *, seed: int, first: str = "") -> dict[str, Any]:
    """Drift of each rater from the first round to every later one, on subjects rated in both.

    frame: usable rows only: ``subject, rater, rating, round``, maybe ``cluster`` (the patient), one for each
    subject, rater and round.
    first: the round that the others are compared with, by default the first in natural order.
    Returns rounds, rows [{rater, first, second, ...} as ``core.agreement.verdicts.drift.drift``] and notes.
    """
    rounds = rounds_of(frame)
    if first in rounds:
        rounds = [first, *(name for name in rounds if name != first)]
    rows: list[dict[str, Any]] = []
    notes = {} if len(rounds) > 1 else {"drift": ONE_ROUND}
    patient = frame.drop_duplicates("subject").set_index("subject")["cluster"] if "cluster" in frame else None
    for rater, own in frame.groupby("rater", sort=False, observed=True):
        wide = own.pivot(index="subject", columns="round", values="rating")
        for later in rounds[1:]:
            if rounds[0] not in wide or later not in wide:
                continue
            both = wide[[rounds[0], later]].dropna()
            if both.empty:
                continue
            clusters = None if patient is None else patient[both.index].to_numpy()
            found = drift(both[rounds[0]].to_numpy(float), both[later].to_numpy(float), clusters, seed=seed)
            if found is None:
                notes["drift"] = NOT_GRADES
                continue
            rows.append({"rater": rater, "first": rounds[0], "second": later, **found})
    if not rows and not notes:
        notes["drift"] = "no rater rated a subject in the first round and in a later one"
    return {"rounds": rounds, "rows": rows, "notes": notes}
