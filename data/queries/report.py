"""What only the report asks: every patient at every visit, and the end of the audit trail."""

from __future__ import annotations

import pandas as pd

from core.domain import CohortFilter, Viewer
from data.queries.answer import answer
from data.store.cohort import CohortStore


def visits(store: CohortStore, viewer: Viewer, chosen: CohortFilter) -> pd.DataFrame:
    """Every chosen patient with every visit of the study.

    ``subject, visit, visit_order, planned_day, day, films``; films is NA where the patient has no such visit.
    """
    sql = """
        WITH planned AS (SELECT visit, min(visit_order) AS visit_order FROM visit GROUP BY visit),
        filmed AS (
            SELECT subject, visit, count(*) AS films FROM image
            WHERE subject IS NOT NULL AND visit IS NOT NULL GROUP BY subject, visit)
        SELECT s.subject, p.visit, p.visit_order, v.planned_day, v.day,
            CASE WHEN v.visit IS NOT NULL THEN coalesce(f.films, 0) END AS films
        FROM subject s CROSS JOIN planned p
        LEFT JOIN visit v ON v.subject = s.subject AND v.visit = p.visit
        LEFT JOIN filmed f ON f.subject = s.subject AND f.visit = p.visit
        WHERE s.subject IN ({patients}) ORDER BY s.subject, p.visit_order, p.visit
    """
    return answer(store, viewer, sql, chosen=chosen)


def last_event(store: CohortStore, viewer: Viewer) -> pd.DataFrame:
    """The end of the audit trail, one row: ``event, happened_at, hash``."""
    sql = "SELECT event, happened_at, hash FROM event ORDER BY event DESC LIMIT 1"
    return answer(store, viewer, sql)
