"""What each image of ultrasound shows, how that was found and how sure it is."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from core.domain import Viewer
from data.queries.answer import answer
from data.store.cohort import CohortStore

PARTS = {"joint": "joint", "side": "laterality", "mode": "mode", "view": "view"}  # word -> column
COLUMNS = ["subject", "visit", "image", *PARTS, "frames", "device", "sure", "found"]


def shown(store: CohortStore, viewer: Viewer) -> pd.DataFrame:
    """``subject, visit, image, joint, side, mode, view, frames, device, sure, found`` of every image of
    ultrasound; NA where a value is not known.

    sure: the least confidence of joint, side and mode, 0 where one is not known. found: from where each is,
    and guesses that were not sure enough, in words.
    """
    sql = """
        SELECT subject, visit, image, joint, laterality, mode, view, frame_count, device, classification
        FROM image WHERE modality = 'US' ORDER BY subject, visit, joint, laterality, mode, image
    """
    rows = answer(store, viewer, sql)
    records = [json.loads(text) if isinstance(text, str) else {} for text in rows["classification"]]
    named = rows.rename(columns={column: word for word, column in PARTS.items()})
    named = named.rename(columns={"frame_count": "frames"})
    kept = [
        {word: (row[word], record.get(column, {})) for word, column in PARTS.items()}
        for row, record in zip(named.to_dict("records"), records, strict=True)
    ]
    return named.assign(sure=[_sure(one) for one in kept], found=[_found(one) for one in kept])[COLUMNS]


def _sure(parts: dict[str, tuple[Any, dict[str, Any]]]) -> float:
    values = [
        0.0 if pd.isna(value) else float(record.get("confidence", 0.0))
        for word, (value, record) in parts.items()
        if word != "view"
    ]
    return min(values)


def _found(parts: dict[str, tuple[Any, dict[str, Any]]]) -> str:
    said = []
    for word, (value, record) in parts.items():
        if pd.notna(value):
            said.append(
                f"{word} by {record.get('source') or 'the file'} ({float(record.get('confidence', 0)):.2f})"
            )
        elif record.get("value"):
            said.append(f"{word} perhaps {record['value']} ({float(record.get('confidence', 0)):.2f})")
        elif word != "view":
            said.append(f"{word} not stated")
    return "; ".join(said)
