"""Rows of a named query in the order of visits, also where the study has none for them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from core.visit_order import order_of_study


def by_visit(frame: pd.DataFrame, first: Sequence[str] = ("subject",)) -> pd.DataFrame:
    """The rows by the columns ``first``, then by visit (``core.visit_order``), else as they stand.

    frame: ``visit, visit_order`` and the columns ``first``, already in the order of SQL: only visits without
    a place, which SQL orders by the alphabet (W104 before W52), are put right.
    """
    if frame["visit_order"].notna().all():
        return frame
    place = {visit: number for number, visit in enumerate(order_of_study(frame).names)}
    keys = [frame[name].to_numpy() for name in reversed(first)]
    visits = frame["visit"].map(place).fillna(len(place)).to_numpy(int)
    ordered = frame.iloc[np.lexsort((visits, *keys))].reset_index(drop=True)
    ordered.attrs = frame.attrs
    return ordered
