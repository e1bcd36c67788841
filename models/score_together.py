"""The model's second reading: all films of a patient together, order blinded, in a campaign of its own.

It starts from what the same weights saw on each film alone (the findings of the single-film run), so no film
is looked at twice and no network is loaded. A patient is read anew when the films that show a site are no
longer those with which its findings were made: the new rows supersede the old ones, and reads of single films
stay as they are. Whole patients are committed, so a stopped reading goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from core.domain import Abstained, Box, Finding, Scored
from data.store import CohortStore, Session
from models.base import Paired, TogetherReader
from models.score import Result, Run, begin, file_visit, finding_rows, unscorable_rows, waiting_visits

BATCH_PATIENTS = 20  # a transaction


def read_cohort_together(store: CohortStore, paired: Paired, single: Run, size: str) -> int:
    """Reads together the films of every patient whose films are not read so yet; the number of patients.

    single: the run that holds what this model saw on each film. A size that reads single films only does
    nothing.
    """
    how = paired.identify(size)
    if how is None:
        return 0
    run = paired_run(single, paired, size, how)
    waiting = _stale(store, single, run)
    late = waiting_visits(store, run)
    if not waiting and not late:
        return 0
    begin(store, run)
    reader = paired.build(size)
    for start in range(0, len(waiting), BATCH_PATIENTS):
        _read(store, reader, single, run, waiting[start : start + BATCH_PATIENTS])
    late = waiting_visits(store, run)
    if late:
        with store.write("sharpline score", "read together", details={"run": run.run}) as tx:
            for subject, visit in late:
                file_visit(tx, run, subject, visit)
    return len(waiting)


def paired_run(single: Run, paired: Paired, size: str, how: str) -> Run:
    """The run that films read together are filed under: same weights, same way to read them, same run."""
    settings = json.dumps({"size": size, "read_mode": "paired", "from_run": single.run, "together": how})
    parts = (single.system, single.reader, paired.campaign, single.weights_hash, settings)
    name = hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]
    return Run(name, single.system, single.reader, paired.campaign, "paired", single.weights_hash, settings)


FILMS = """
    SELECT DISTINCT f.run, i.subject, i.visit, f.image, coalesce(f.site, f.image) AS place, f.compared
    FROM main.finding f JOIN main.image i ON i.image = f.image AND i.superseded_by IS NULL
    WHERE f.superseded_by IS NULL AND i.subject IS NOT NULL AND i.visit IS NOT NULL"""


def _stale(
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


def _read(store: CohortStore, reader: TogetherReader, single: Run, run: Run, subjects: list[str]) -> None:
    """Read these patients' films together, then store them in one transaction.

    A patient that another process has read meanwhile, or whose films changed meanwhile, is left to the next
    run.
    """
    seen, missing = _seen(store, single, subjects), _missing(store, single, subjects)
    read = {
        str(subject): _results(reader, rows, missing) for subject, rows in seen.groupby("subject", sort=True)
    }
    details = {"run": run.run, "patients": len(subjects)}
    with store.write("sharpline score", "read together", details=details) as tx:
        still = set(_stale(tx, single, run, subjects))
        now = _seen(tx, single, subjects)
        for subject, rows in seen.groupby("subject", sort=True):
            if subject not in still or _films(rows) != _films(now[now["subject"] == subject]):
                continue
            results, compared = read[str(subject)]
            for table in ("finding", "unscorable"):
                tx.supersede(table, pd.DataFrame({"image": list(results)}).assign(run=run.run))
            tx.insert("finding", finding_rows(run, results, compared))
            tx.insert("unscorable", unscorable_rows(run, results))
            pairs = rows[["subject", "visit"]].drop_duplicates().sort_values(["subject", "visit"])
            for _, visit in pairs.itertuples(index=False, name=None):
                file_visit(tx, run, str(subject), str(visit))


def _films(rows: pd.DataFrame) -> set[tuple[str, str]]:
    """Film and visit; what a run found on a film never changes."""
    return set(rows[["image", "visit"]].itertuples(index=False, name=None))


def _seen(store: CohortStore | Session, single: Run, subjects: list[str]) -> pd.DataFrame:
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


def _missing(store: CohortStore, single: Run, subjects: list[str]) -> dict[str, dict[str, str]]:
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


def _results(
    reader: TogetherReader, rows: pd.DataFrame, missing: Mapping[str, dict[str, str]]
) -> tuple[dict[str, Result], dict[tuple[str, str], dict[str, float]]]:
    """The results of one patient's films, and (image, site) -> other film -> probability of another grade."""
    films = {
        str(image): _result(found, missing.get(str(image), {}))
        for image, found in rows.groupby("image", sort=True)
    }
    names = list(films)
    together = reader.read(list(films.values()))
    compared: dict[tuple[str, str], dict[str, float]] = {}
    for place, result in enumerate(together.films):
        for finding in result.findings if isinstance(result, Scored) else ():
            by = together.change_probability.get(finding.site, {})
            compared[names[place], finding.site] = {
                names[other]: value for (one, other), value in by.items() if one == place
            }
    return dict(zip(names, together.films, strict=True)), compared


def _result(found: pd.DataFrame, missing: dict[str, str]) -> Result:
    """One film's result as the single-film run stored it."""
    rows: list[dict[str, Any]] = [{str(k): v for k, v in row.items()} for row in found.to_dict("records")]
    if pd.isna(rows[0]["site"]):
        return Abstained(str(rows[0]["abstained"]))
    return Scored(tuple(_finding(row) for row in rows), missing)


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
    )
