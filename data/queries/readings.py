"""From the cohort's rows to the readings that an agreement analysis compares."""

from __future__ import annotations

import pandas as pd

from core.agreement.comparison import TOTAL, Interval, Readings
from core.reader_labels import shown_readings
from core.scores.system import ScoreSystem
from core.visit_order import order_of_study


def readings(
    totals: pd.DataFrame,
    readers: pd.DataFrame,
    system: ScoreSystem,
    campaign: str,
    *,
    asked: Interval | None = None,
) -> Readings:
    """First reads of one campaign, with every model and truth, one label a reading.

    totals: ``data.queries.scores.totals``. readers: ``data.queries.scores.readers`` of the same system.
    asked: an interval that is wanted besides those that the study has anyway.
    """
    shown = shown_readings(totals, campaign)
    modes = readers.set_index(["reader", "campaign"])["read_mode"].to_dict()
    scored = set(shown["component"])
    return Readings(
        totals=shown,
        visits=visits_in_order(shown),
        components=[name for name in (TOTAL, *(part.name for part in system.components)) if name in scored],
        unit=system.title,
        modes={
            str(row.label): str(modes.get((row.reader, row.campaign)) or "")
            for row in shown.drop_duplicates("label").itertuples()
        },
        asked=asked,
    )


def visits_in_order(frame: pd.DataFrame) -> list[str]:
    """Visit names in the order of the study; those without a place last, by name (``core.visit_order``).

    frame: columns ``visit, visit_order``, perhaps ``day``.
    """
    return order_of_study(frame).names


def read_modes(readers: pd.DataFrame) -> dict[str, str]:
    """Campaign -> how its films were shown, "" where that is not known."""
    modes = readers["read_mode"].fillna("").astype(str)
    return dict(zip(readers["campaign"].astype(str), modes, strict=True))
