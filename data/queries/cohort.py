"""Who is in the cohort, which films there are, and what is missing."""

from __future__ import annotations

from typing import Any

import pandas as pd

from core.arms import REFERENCE_ARM
from core.domain import CohortFilter, Viewer
from core.imaging.sequences import OEDEMA
from data.queries.answer import answer
from data.queries.series import A_SCAN, A_SLICE, A_THING, SERIES, THINGS
from data.queries.visit_rows import by_visit
from data.store.cohort import CohortStore
from data.study.source import data_set_of

MAX_LEVELS = 8

_OEDEMA = ", ".join(f"'{name}'" for name in sorted(OEDEMA))
COUNTS = f"""
    WITH seen AS (
        SELECT {A_THING} AS thing, bool_or(f.abstained IS NULL) AS is_read
        FROM finding f JOIN image i USING (image) GROUP BY ALL)
    SELECT (SELECT count(*) FROM subject) AS subjects,
        (SELECT count(DISTINCT visit) FROM visit) AS visits,
        (SELECT {THINGS} FROM image i) AS images,
        (SELECT count(DISTINCT {SERIES}) FROM image i WHERE {A_SLICE}) AS stacks,
        (SELECT {THINGS} FROM image i WHERE subject IS NULL OR visit IS NULL) AS unassigned,
        (SELECT count(*) FROM reader WHERE kind = 'human') AS readers,
        (SELECT count(*) FROM reader WHERE kind = 'model') AS models,
        (SELECT count(DISTINCT {SERIES}) FROM image i WHERE {A_SLICE} AND i.sequence IS NOT NULL
            AND i.sequence NOT IN ({_OEDEMA}) AND {SERIES} NOT IN (SELECT thing FROM seen)) AS other_stacks,
        (SELECT count(*) FROM seen WHERE is_read) AS read_images,
        (SELECT count(*) FROM seen WHERE NOT is_read) AS rejected_images,
        (SELECT count(*) FROM total WHERE component = 'total') AS totals
"""


def state(store: CohortStore) -> dict[str, Any]:
    """What every page needs first: ``is_empty, version, phantom, blinded, study, reference_arm, model_reads,
    data_set, last_writes``, in one opening.

    reference_arm: that others are compared with, None where none was set. model_reads: whether a model has
    read any film. data_set: see ``data.study.source``. last_writes: table -> last event that changed it.
    """
    if not store.exists():
        nothing = {"is_empty": True, "version": 0, "phantom": False, "blinded": True, "study": ""}
        return nothing | {"reference_arm": None, "model_reads": False, "data_set": None, "last_writes": {}}
    with store.reading() as session:
        meta = store.meta()
        rows = session.value("SELECT (SELECT count(*) FROM subject) + (SELECT count(*) FROM image)")
        read = session.value("SELECT 1 FROM finding WHERE grade IS NOT NULL LIMIT 1")
        last_writes = session.last_writes()
    return {
        "is_empty": not rows,
        "version": int(meta.get("cohort_version", 0)),
        "phantom": meta.get("phantom") == "true",
        "blinded": meta.get("blinded") != "false",
        "study": meta.get("study", ""),
        "reference_arm": meta.get(REFERENCE_ARM) or None,
        "model_reads": read is not None,
        "data_set": data_set_of(meta),
        "last_writes": last_writes,
    }


def counts(store: CohortStore, viewer: Viewer) -> pd.DataFrame:
    """One row of counts. A series of slices counts as one image.

    ``subjects, visits, images, stacks`` (of the images), ``unassigned, readers, models, other_stacks`` (of
    sequences that no model reads), ``read_images, rejected_images, totals``: a film that a model rejected,
    and none read for any score, is a rejected one.
    """
    return answer(store, viewer, COUNTS)


def films_for(store: CohortStore, viewer: Viewer, system: str, foreign: tuple[str, ...]) -> pd.DataFrame:
    """One row: ``films`` that the model of a system is offered, ``seen`` by it, ``abstained`` on.

    foreign: body parts whose films it is not offered. Slices of a series and ultrasound scans are no films.
    """
    sql = f"""
        SELECT count(*) AS films, count(f.image) AS seen, coalesce(sum(f.abstained::INTEGER), 0) AS abstained
        FROM image i LEFT JOIN (
            SELECT image, bool_or(abstained IS NOT NULL) AS abstained FROM finding WHERE system = $system
            GROUP BY image) f USING (image)
        WHERE NOT list_contains($foreign::TEXT[], coalesce(i.body_part, '')) AND NOT {A_SLICE}
            AND NOT {A_SCAN}
    """
    return answer(store, viewer, sql, values={"system": system, "foreign": list(foreign)})


def levels(store: CohortStore, viewer: Viewer) -> pd.DataFrame:
    """What one can filter by: ``kind`` (arm, sex, visit, covariate), ``name``, ``level``, ``patients``.

    Visits in their order. Covariates: text ones of the patient with at most eight levels.
    """
    sql = f"""
        WITH level AS (
            SELECT 'arm' AS kind, 'arm' AS name, arm AS level, NULL AS place, subject FROM subject
            UNION ALL SELECT 'sex', 'sex', sex, NULL, subject FROM subject
            UNION ALL SELECT 'visit', 'visit', visit, visit_order, subject FROM visit
            UNION ALL SELECT 'covariate', name, text, NULL, subject FROM covariate
                WHERE visit IS NULL AND text IS NOT NULL),
        counted AS (
            SELECT kind, name, level, min(place) AS place, count(DISTINCT subject) AS patients
            FROM level WHERE level IS NOT NULL GROUP BY kind, name, level)
        SELECT kind, name, level, patients FROM counted
        QUALIFY count(*) OVER (PARTITION BY kind, name) <= {MAX_LEVELS} OR kind <> 'covariate'
        ORDER BY kind, name, place, level
    """
    return answer(store, viewer, sql)


def properties(store: CohortStore, viewer: Viewer) -> pd.DataFrame:
    """What patients can be filtered by: ``subject, kind, name, text, number``, as ``core.facets`` reads it.

    Columns of patients, and covariates of the patient or of the first visit, as far as this viewer sees them.
    """
    sql = """
        WITH first AS (SELECT subject, arg_min(visit, visit_order) AS visit FROM visit GROUP BY subject),
        property AS (
            SELECT subject, 'arm' AS kind, 'arm' AS name, arm AS text, NULL::DOUBLE AS number FROM subject
            UNION ALL SELECT subject, 'sex', 'sex', sex, NULL FROM subject
            UNION ALL SELECT subject, 'centre', 'centre', centre, NULL FROM subject
            UNION ALL SELECT subject, 'birth_year', 'birth_year', NULL, birth_year FROM subject
            UNION ALL SELECT c.subject, 'covariate', c.name, c.text, c.number
                FROM covariate c JOIN subject s USING (subject) LEFT JOIN first f USING (subject)
                WHERE c.name <> 'birth_year' AND (c.visit IS NULL OR c.visit = f.visit))
        SELECT subject, kind, name, text, number FROM property WHERE text IS NOT NULL OR number IS NOT NULL
        ORDER BY kind, name, subject
    """
    return answer(store, viewer, sql)


def subjects(store: CohortStore, viewer: Viewer, chosen: CohortFilter) -> pd.DataFrame:
    """One row per chosen patient.

    ``subject, arm, sex, birth_year, centre, visits, last_day, films, abstained`` (films a model refused).
    """
    sql = f"""
        WITH seen AS (
            SELECT subject, count(*) AS visits, max(coalesce(day, planned_day)) AS last_day
            FROM visit GROUP BY subject),
        refused AS (SELECT DISTINCT image FROM finding WHERE abstained IS NOT NULL),
        filmed AS (
            SELECT subject, {THINGS} AS films,
                count(DISTINCT CASE WHEN r.image IS NOT NULL THEN {A_THING} END) AS abstained
            FROM image i LEFT JOIN refused r USING (image) WHERE subject IS NOT NULL GROUP BY subject)
        SELECT s.subject, arm, sex, birth_year, centre, coalesce(visits, 0) AS visits, last_day,
            coalesce(films, 0) AS films, coalesce(abstained, 0) AS abstained
        FROM subject s LEFT JOIN seen USING (subject) LEFT JOIN filmed USING (subject)
        WHERE s.subject IN ({{patients}}) ORDER BY s.subject
    """
    return answer(store, viewer, sql, chosen=chosen)


def chosen_subjects(store: CohortStore, viewer: Viewer, chosen: CohortFilter) -> pd.DataFrame:
    """``subject`` of the chosen patients: what a count or a mask needs, without their films and visits."""
    sql = "SELECT subject FROM subject WHERE subject IN ({patients}) ORDER BY subject"
    return answer(store, viewer, sql, chosen=chosen)


def films_by_visit(store: CohortStore, viewer: Viewer, chosen: CohortFilter) -> pd.DataFrame:
    """``visit, visit_order, body_part, patients, films``: how many chosen patients have films of what.

    A series of slices counts as one film.
    """
    sql = f"""
        WITH placed AS (
            SELECT visit, min(visit_order) AS visit_order FROM visit GROUP BY visit)
        SELECT i.visit, visit_order, coalesce(nullif(i.body_part, ''), 'unknown') AS body_part,
            count(DISTINCT i.subject) AS patients, {THINGS} AS films
        FROM image i LEFT JOIN placed USING (visit)
        WHERE i.subject IN ({{patients}}) AND i.visit IS NOT NULL
        GROUP BY ALL ORDER BY visit_order, i.visit, body_part
    """
    return by_visit(answer(store, viewer, sql, chosen=chosen), ())


def films(store: CohortStore, viewer: Viewer, chosen: CohortFilter) -> pd.DataFrame:
    """One row per image of the chosen patients.

    ``subject, visit, visit_order, body_part, view, image, thing`` (the film, or the stack that a slice is
    of), ``is_slice, abstained`` (the reason, where a model refused it).
    """
    sql = f"""
        WITH refused AS (
            SELECT image, string_agg(DISTINCT abstained, '; ') AS abstained FROM finding
            WHERE abstained IS NOT NULL GROUP BY image)
        SELECT i.subject, i.visit, v.visit_order, i.body_part, i.view, i.image, {A_THING} AS thing,
            {A_SLICE} AS is_slice, r.abstained
        FROM image i LEFT JOIN visit v USING (subject, visit) LEFT JOIN refused r USING (image)
        WHERE i.subject IN ({{patients}}) AND i.visit IS NOT NULL
        ORDER BY i.subject, v.visit_order, i.visit, i.body_part, i.image
    """
    return answer(store, viewer, sql, chosen=chosen)


def without_film(store: CohortStore, viewer: Viewer, chosen: CohortFilter) -> pd.DataFrame:
    """Visits of the chosen patients without a film of a body part that the study films.

    The study films what at least a tenth of its filmed visits show: a stray hand film asks for no other.
    ``subject, visit, visit_order, body_part``.
    """
    sql = """
        WITH filmed AS (
            SELECT DISTINCT subject, visit, body_part FROM image
            WHERE subject IS NOT NULL AND visit IS NOT NULL AND body_part IS NOT NULL),
        part AS (
            SELECT body_part FROM filmed GROUP BY body_part
            HAVING 10 * count(*) >= (SELECT count(DISTINCT (subject, visit)) FROM filmed))
        SELECT v.subject, v.visit, v.visit_order, p.body_part
        FROM visit v CROSS JOIN part p
        WHERE v.subject IN ({patients}) AND NOT EXISTS (
            SELECT 1 FROM image i
            WHERE i.subject = v.subject AND i.visit = v.visit AND i.body_part = p.body_part)
        ORDER BY v.subject, v.visit_order, p.body_part
    """
    return answer(store, viewer, sql, chosen=chosen)


def unassigned(store: CohortStore, viewer: Viewer) -> pd.DataFrame:
    """Films without subject or visit: ``image, subject, modality, body_part, view, film_date, warnings``."""
    sql = """
        SELECT image, subject, modality, body_part, view, film_date, warnings
        FROM image WHERE subject IS NULL OR visit IS NULL ORDER BY subject, film_date, image
    """
    return answer(store, viewer, sql)


def refused(store: CohortStore, viewer: Viewer, *, most: int = 500) -> pd.DataFrame:
    """What was not taken, newest first, at most ``most``: ``happened_at, source, row_number, reason``."""
    sql = f"""
        SELECT e.happened_at, r.source, r.row_number, r.reason
        FROM refused r LEFT JOIN event e USING (event)
        ORDER BY r.event DESC, r.source, r.row_number LIMIT {int(most)}
    """
    return answer(store, viewer, sql, own_events=True)


def baseline(store: CohortStore, viewer: Viewer, chosen: CohortFilter) -> pd.DataFrame:
    """Covariates of the chosen patients at their first visit: ``subject, arm, name, number, text, unit``."""
    sql = """
        WITH first AS (
            SELECT subject, arg_min(visit, visit_order) AS visit FROM visit GROUP BY subject)
        SELECT s.subject, s.arm, c.name, c.number, c.text, c.unit
        FROM covariate c JOIN subject s USING (subject) LEFT JOIN first f USING (subject)
        WHERE s.subject IN ({patients}) AND (c.visit IS NULL OR c.visit = f.visit)
        ORDER BY c.name, s.subject
    """
    return answer(store, viewer, sql, chosen=chosen)
