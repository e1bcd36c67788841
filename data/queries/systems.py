"""What a cohort holds of each scoring system."""

from __future__ import annotations

import pandas as pd

from core import scores
from core.domain import CohortFilter, Viewer
from core.imaging.sequences import OEDEMA
from data.queries.answer import answer
from data.queries.series import A_SLICE, A_THING, THINGS
from data.store.cohort import CohortStore


def held(store: CohortStore, viewer: Viewer, chosen: CohortFilter) -> pd.DataFrame:
    """One row per system in which the chosen patients have a total or a model's finding, by name.

    ``system, patients`` (with a total), ``visits`` (of them), ``readers`` (people).
    """
    sql = """
        WITH scored AS (
            SELECT t.system, count(DISTINCT t.subject) AS patients,
                count(DISTINCT (t.subject, t.visit)) AS visits,
                count(DISTINCT t.reader) FILTER (r.kind = 'human') AS readers
            FROM total t JOIN reader r USING (reader)
            WHERE t.component = 'total' AND t.subject IN ({patients}) GROUP BY t.system),
        filmed AS (
            SELECT DISTINCT f.system
            FROM finding f JOIN image i USING (image)
            WHERE i.subject IS NULL OR i.subject IN ({patients}))
        SELECT system, coalesce(patients, 0) AS patients, coalesce(visits, 0) AS visits,
            coalesce(readers, 0) AS readers
        FROM scored FULL JOIN filmed USING (system) ORDER BY system
    """
    return answer(store, viewer, sql, chosen=chosen)


def film_states(store: CohortStore, viewer: Viewer, chosen: CohortFilter) -> pd.DataFrame:
    """``system, body_part, films, read, rejected``: of the chosen patients and of films without a patient.

    For every system in which a model has seen a film. A film that a model read and another one rejected is a
    read one, so that read, rejected and not yet read add up to the films. Of a system that is scored on
    stacks each series of slices counts as one, where its sequence may show what is scored or a model saw it;
    of the others slices are no films.
    """
    sql = f"""
        WITH thing AS (
            SELECT {A_THING} AS thing, {A_SLICE} AS is_slice, min(i.body_part) AS body_part,
                bool_or(i.sequence IS NULL OR list_contains($oedema, i.sequence)) AS may_be_read
            FROM image i WHERE i.subject IS NULL OR i.subject IN ({{patients}}) GROUP BY ALL),
        seen AS (
            SELECT f.system, {A_THING} AS thing, bool_or(f.abstained IS NULL) AS is_read
            FROM finding f JOIN image i USING (image) GROUP BY ALL)
        SELECT s.system, coalesce(nullif(t.body_part, ''), 'unknown') AS body_part, count(*) AS films,
            count(*) FILTER (f.is_read) AS read, count(*) FILTER (NOT f.is_read) AS rejected
        FROM thing t CROSS JOIN (SELECT DISTINCT system FROM finding) s
        LEFT JOIN seen f ON f.thing = t.thing AND f.system = s.system
        WHERE t.is_slice = list_contains($of_stacks, s.system)
            AND (NOT t.is_slice OR t.may_be_read OR f.thing IS NOT NULL)
        GROUP BY ALL ORDER BY s.system, body_part
    """
    values = {"of_stacks": scores.of_stacks(), "oedema": sorted(OEDEMA)}
    return answer(store, viewer, sql, chosen=chosen, values=values)


def films_of(store: CohortStore, viewer: Viewer, chosen: CohortFilter) -> pd.DataFrame:
    """``body_part, films`` of the chosen patients, by name; unknown where a film does not say.

    A series of slices counts as one film.
    """
    sql = f"""
        SELECT coalesce(nullif(i.body_part, ''), 'unknown') AS body_part, {THINGS} AS films
        FROM image i WHERE i.subject IN ({{patients}}) GROUP BY ALL ORDER BY body_part
    """
    return answer(store, viewer, sql, chosen=chosen)
