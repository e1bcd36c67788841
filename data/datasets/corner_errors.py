"""How far a model's corners lie from those of a set, in pixels, millimetres and parts of the diagonal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.errors import InputError
from data.datasets.labels import ANNOTATIONS
from data.store.cohort import CohortStore

QUANTITIES = ("mean", "median", "p95")


def corner_errors(store: CohortStore, labels: Path) -> dict[str, Any]:
    """Model -> figures over the corners of labelled films, and by site. labels: as ``write_labels`` wrote.

    A corner that the model did not find is counted in ``missed``, not in the errors. Millimetres are those of
    the labels, stated or guessed. Raises InputError where there are no labels.
    """
    marked = _marked(labels)
    found = store.query(
        "SELECT i.subject, i.visit, f.site, u.reader, "
        "((f.geometry->'box'->>0)::DOUBLE + (f.geometry->'box'->>2)::DOUBLE) / 2 AS x, "
        "((f.geometry->'box'->>1)::DOUBLE + (f.geometry->'box'->>3)::DOUBLE) / 2 AS y "
        "FROM main.finding f JOIN main.image i ON i.image = f.image JOIN main.run u ON u.run = f.run "
        "WHERE f.superseded_by IS NULL AND i.superseded_by IS NULL AND u.superseded_by IS NULL "
        "AND f.abstained IS NULL AND f.site IS NOT NULL AND f.compared IS NULL AND i.view = 'lateral'"
    ).drop_duplicates(["subject", "visit", "site", "reader"])
    return {
        str(reader): _figures(marked, own.drop(columns="reader"))
        for reader, own in found.groupby("reader", sort=True)
    }


def _marked(labels: Path) -> pd.DataFrame:
    """``subject, visit, site, true_x, true_y, mm, diagonal``, one row a corner."""
    rows = []
    for path in sorted(labels.rglob(ANNOTATIONS)):
        content = json.loads(path.read_text(encoding="utf-8"))
        images = {image["id"]: image for image in content["images"]}
        for box in content["annotations"]:
            image, site = images[box["image_id"]], box["attributes"].get("site")
            if site is None:
                continue
            x, y, width, height = box["bbox"]
            spacing = image.get("spacing_mm")
            rows.append(
                {
                    "subject": image["patient"],
                    "visit": image["visit"],
                    "site": site,
                    "true_x": x + width / 2,
                    "true_y": y + height / 2,
                    "mm": float(np.mean(spacing)) if spacing else np.nan,
                    "diagonal": float(np.hypot(image["width"], image["height"])),
                }
            )
    if not rows:
        raise InputError(f"--labels {labels}", "labels with corners are needed", "write them with 'dataset'")
    return pd.DataFrame(rows)


def _figures(marked: pd.DataFrame, found: pd.DataFrame) -> dict[str, Any]:
    both = marked.merge(found, on=["subject", "visit", "site"], how="left")
    both["px"] = np.hypot(both["x"] - both["true_x"], both["y"] - both["true_y"])
    both["in_mm"], both["part"] = both["px"] * both["mm"], both["px"] / both["diagonal"]
    by_site = {str(site): _of(rows) for site, rows in both.groupby("site", sort=False)}
    return {"corners": _of(both), "patients": int(marked["subject"].nunique()), "by_site": by_site}


def _of(rows: pd.DataFrame) -> dict[str, Any]:
    seen = rows[rows["px"].notna()]
    shares = {
        "within_half_percent_of_diagonal": (seen["part"] <= 0.005).mean(),
        "within_one_percent_of_diagonal": (seen["part"] <= 0.01).mean(),
    }
    figures = {
        f"{name}_{unit}": value
        for unit, column in (("px", "px"), ("mm", "in_mm"))
        for name, value in zip(QUANTITIES, _quantities(seen[column].dropna()), strict=True)
    }
    plain = {name: None if pd.isna(value) else float(value) for name, value in (figures | shares).items()}
    return {"n": len(rows), "missed": len(rows) - len(seen), **plain}


def _quantities(values: pd.Series) -> tuple[float, float, float]:
    if values.empty:
        return (np.nan,) * 3
    return float(values.mean()), float(values.median()), float(values.quantile(0.95))
