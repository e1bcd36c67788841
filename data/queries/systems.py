"""What a cohort holds of each scoring system."""

from __future__ import annotations

import pandas as pd

from core.domain import CohortFilter, Viewer
from data.queries.answer import answer
from data.store.cohort import CohortStore


def held(store: CohortStore, viewer: Viewer, chosen: CohortFilter) -> pd.DataFrame:
    """One row per system in which the chosen patients have a total or a model's finding, by name.

    ``system, patients`` (with a total), ``visits`` (of them), ``readers`` (people), ``seen, refused`` (films
    that a model scored, and refused).
    """
    sql = """
        WITH scored AS (
            SELECT t.system, count(DISTINCT t.subject) AS patients,
                count(DISTINCT (t.subject, t.visit)) AS visits,
                count(DISTINCT t.reader) FILTER (r.kind = 'human') AS readers
            FROM total t JOIN reader r USING (reader)
            WHERE t.component = 'total' AND t.subject IN ({patients}) GROUP BY t.system),
        filmed AS (
            SELECT f.system, count(DISTINCT f.image) AS seen,
                count(DISTINCT f.image) FILTER (f.abstained IS NOT NULL) AS refused
            FROM finding f JOIN image i USING (image) WHERE i.subject IN ({patients}) GROUP BY f.system)
        SELECT system, coalesce(patients, 0) AS patients, coalesce(visits, 0) AS visits,
            coalesce(readers, 0) AS readers, coalesce(seen, 0) AS seen, coalesce(refused, 0) AS refused
        FROM scored FULL JOIN filmed USING (system) ORDER BY system
    """
    return answer(store, viewer, sql, chosen=chosen)


def films_of(store: CohortStore, viewer: Viewer, chosen: CohortFilter) -> pd.DataFrame:
    """``body_part, films`` of the chosen patients, by name; unknown where a film does not say."""
    sql = """
        SELECT coalesce(nullif(i.body_part, ''), 'unknown') AS body_part, count(*) AS films
        FROM image i WHERE i.subject IN ({patients}) GROUP BY ALL ORDER BY body_part
    """
    return answer(store, viewer, sql, chosen=chosen)
