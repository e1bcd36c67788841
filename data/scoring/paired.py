"""What paired reading needs from the cohort: the findings of single films, and which patients are out of
date.
"""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from core.domain import Abstained, Box, Finding, Measured, Scored
from data.scoring.filing import Result, Run
from data.store.cohort import CohortStore
from data.store.session import Session

FILMS = """
    SELECT DISTINCT f.run, i.subject, i.visit, f.image, coalesce(f.site, f.image) AS place, f.compared
    FROM main.finding f JOIN main.image i ON i.image = f.image AND i.superseded_by IS NULL
    WHERE f.superseded_by IS NULL AND i.subject IS NOT NULL AND i.visit IS NOT NULL"""


def stale_subjects(
    store: CohortStore | Session, single: Run, run: Run, subjects: list[str] | None = None
) -> list[str]:
    """Patients with a site that was read together with other films than those that show it now."""
    only = "" if subjects is None else "AND list_contains($subjects, i.subject)"
    frame = store.query(
        f"""
        WITH film AS ({FILMS} AND f.run IN ($single, $run) {only}),
        alone AS (
            SELECT subject, place, image, list_sort(list(image) OVER (PARTITION BY subject, place)) AS films
            FROM film WHERE run = $single),
        joint AS (
            SELECT image, place, list_sort(list_append(json_keys(coalesce(compared, '{{}}')), image)) AS films
            FROM film WHERE run = $run)
        SELECT DISTINCT a.subject FROM alone a LEFT JOIN joint j USING (image, place)
        WHERE j.image IS NULL OR j.films <> a.films ORDER BY a.subject
        """,
        {"single": single.run, "run": run.run} | ({} if subjects is None else {"subjects": subjects}),
    )
    return [str(subject) for subject in frame["subject"]]


def films_of(rows: pd.DataFrame) -> set[tuple[str, str]]:
    """Film and visit; what a run found on a film never changes."""
    return set(rows[["image", "visit"]].itertuples(index=False, name=None))


def single_findings(store: CohortStore | Session, single: Run, subjects: list[str]) -> pd.DataFrame:
    """The findings of the single-film run on these patients' films, films in the order of their names."""
    return store.query(
        """
        SELECT i.subject, i.visit, f.image, f.site, f.feature, f.grade, f.grade_probabilities, f.confidence,
            f.geometry, f.abstained
        FROM main.finding f JOIN main.image i ON i.image = f.image AND i.superseded_by IS NULL
        WHERE f.superseded_by IS NULL AND f.run = $run AND list_contains($subjects, i.subject)
            AND i.visit IS NOT NULL ORDER BY i.subject, f.image, f.site, f.feature
        """,
        {"run": single.run, "subjects": subjects},
    )


def missing_sites(store: CohortStore, single: Run, subjects: list[str]) -> dict[str, dict[str, str]]:
    """Film -> site -> why the single-film run could not grade it, of these patients' films."""
    rows = store.query(
        "SELECT u.image, u.site, u.reason FROM main.unscorable u JOIN main.image i ON i.image = u.image "
        "AND i.superseded_by IS NULL WHERE u.superseded_by IS NULL AND u.run = $run "
        "AND list_contains($subjects, i.subject) ORDER BY u.image, u.site",
        {"run": single.run, "subjects": subjects},
    )
    found: dict[str, dict[str, str]] = {}
    for row in rows.itertuples(index=False):
        found.setdefault(str(row.image), {})[str(row.site)] = str(row.reason)
    return found


def as_result(found: pd.DataFrame, missing: dict[str, str]) -> Result:
    """One film's result as the single-film run stored it."""
    rows: list[dict[str, Any]] = [{str(k): v for k, v in row.items()} for row in found.to_dict("records")]
    if pd.isna(rows[0]["site"]):
        return Abstained(str(rows[0]["abstained"]))
    return Scored(tuple(_finding(row) for row in rows), missing)


_MEASURED = ("rule", "value", "limit", "unit", "compared")


def _finding(row: dict[str, Any]) -> Finding:
    shape = json.loads(row["geometry"]) if isinstance(row["geometry"], str) else {}
    return Finding(
        str(row["site"]),
        str(row["feature"]),
        int(row["grade"]),
        tuple(float(p) for p in row["grade_probabilities"]),
        float(row["confidence"]),
        Box(*shape["box"]) if "box" in shape else None,
        tuple((x, y) for x, y in shape["polygon"]) if "polygon" in shape else None,
        shape.get("frame"),
        Measured(**{name: shape[name] for name in _MEASURED}) if "rule" in shape else None,
    )
