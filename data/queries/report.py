"""What only the report asks: every patient at every visit, and the end of the audit trail."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from core.domain import CohortFilter, Viewer
from data.queries.answer import answer
from data.queries.series import A_SCAN, A_SLICE
from data.scoring.filing import FILMS, STACKS
from data.store.cohort import CohortStore


@dataclass(frozen=True)
class OwnImages:
    """Which images a score is read from. reads: ``FILMS``, ``STACKS`` or ``SCANS``. foreign: body parts of
    films that other scores are read from.
    """

    reads: str
    foreign: tuple[str, ...] = ()

    @property
    def sql(self) -> str:
        """The condition on an image ``i``."""
        if self.reads != FILMS:
            return A_SLICE if self.reads == STACKS else A_SCAN
        own_part = "NOT list_contains($foreign::TEXT[], coalesce(i.body_part, ''))"
        return f"NOT {A_SLICE} AND NOT {A_SCAN} AND {own_part}"


def visits(
    store: CohortStore, viewer: Viewer, chosen: CohortFilter, own: OwnImages | None = None
) -> pd.DataFrame:
    """Every chosen patient with every visit of the study.

    ``subject, visit, visit_order, planned_day, day, films``; films counts images of the score, a stack as its
    slices, and is NA where the patient has no such visit. own: images that count; all of them if None.
    """
    values = {"foreign": list(own.foreign)} if own is not None and own.reads == FILMS else {}
    sql = f"""
        WITH planned AS (SELECT visit, min(visit_order) AS visit_order FROM visit GROUP BY visit),
        filmed AS (
            SELECT i.subject, i.visit, count(*) AS films FROM image i
            WHERE i.subject IS NOT NULL AND i.visit IS NOT NULL AND {own.sql if own else True}
            GROUP BY i.subject, i.visit)
        SELECT s.subject, p.visit, p.visit_order, v.planned_day, v.day,
            CASE WHEN v.visit IS NOT NULL THEN coalesce(f.films, 0) END AS films
        FROM subject s CROSS JOIN planned p
        LEFT JOIN visit v ON v.subject = s.subject AND v.visit = p.visit
        LEFT JOIN filmed f ON f.subject = s.subject AND f.visit = p.visit
        WHERE s.subject IN ({{patients}}) ORDER BY s.subject, p.visit_order, p.visit
    """
    return answer(store, viewer, sql, chosen=chosen, values=values)


def last_event(store: CohortStore, viewer: Viewer) -> pd.DataFrame:
    """The end of the audit trail, one row: ``event, happened_at, hash``."""
    sql = "SELECT event, happened_at, hash FROM event ORDER BY event DESC LIMIT 1"
    return answer(store, viewer, sql)
