"""G and D study of a table of totals: the scores at both films, and the change between them."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.agreement.generalisability.study import d_study, g_study
from core.progression.change import totals_at
from core.progression.pairing import Interval, choose_films
from core.progression.totals_table import Readings


def generalisability(readings: Readings, interval: Interval) -> dict[str, Any]:
    """``status``: the G study of both films; ``change``: components, SDC and ICC by number of readers."""
    films = choose_films(readings.rows, interval)
    scores = np.stack([totals_at(readings, films[day]) for day in ("from_day", "to_day")], axis=2)
    return {"status": g_study(scores), "change": d_study(scores[:, :, 1] - scores[:, :, 0])}
