"""What the columns of stored rows are called on a page."""

from __future__ import annotations

import pandas as pd

LABELS = {
    "subject": "patient",
    "body_part": "body part",
    "birth_year": "born",
    "label": "reading",
    "image": "film",
    "happened_at": "time (UTC)",
    "actor": "person",
    "settings": "question",
    "missing_reason": "reason",
    "row_number": "row",
    "planned_day": "planned day",
    "study_date": "film date",
}


def column_labels(rows: pd.DataFrame) -> dict[str, str]:
    """Column -> its label, for ``column_config``; a column without an entry keeps its name, _ as a space."""
    names = [str(name) for name in rows.columns]
    return {name: LABELS.get(name, name.replace("_", " ")) for name in names if "_" in name or name in LABELS}
