"""What a list of patients to look at is sorted by, beside their totals."""

from __future__ import annotations

import pandas as pd

from core.domain import CohortFilter, Viewer
from data.queries.answer import answer
from data.store.cohort import CohortStore


def model_doubt(store: CohortStore, viewer: Viewer, chosen: CohortFilter, visit: str) -> pd.DataFrame:
    """``subject, doubt``: SD of the score that the model's grade probabilities leave open at a visit.

    In score units; sites are taken as independent, of several films of a site the mean counts, of several
    models the largest doubt. Patients without probabilities at that visit are left out.
    """
    sql = """
        WITH newest AS (
            SELECT i.subject, u.reader, f.site, f.feature, f.grade_probabilities AS chance
            FROM finding f JOIN image i USING (image) JOIN run u USING (run)
            WHERE f.system = $system AND i.visit = $visit AND i.subject IN ({patients})
            QUALIFY f.event = max(f.event) OVER (PARTITION BY f.image, u.reader)),
        spread AS (
            SELECT subject, reader, site, feature, avg(
                list_dot_product(chance, squares) - list_dot_product(chance, grades) ** 2) AS variance
            FROM (
                SELECT *, list_transform(range(len(chance)), lambda g: g::DOUBLE) AS grades,
                    list_transform(range(len(chance)), lambda g: (g * g)::DOUBLE) AS squares
                FROM newest WHERE site IS NOT NULL AND len(chance) > 0)
            GROUP BY ALL),
        by_model AS (
            SELECT subject, reader, sqrt(sum(greatest(variance, 0))) AS doubt FROM spread GROUP BY ALL)
        SELECT subject, max(doubt) AS doubt FROM by_model GROUP BY subject ORDER BY subject
    """
    return answer(store, viewer, sql, chosen=chosen, values={"system": chosen.system, "visit": visit})
