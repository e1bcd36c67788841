"""Site grades of human readers who read the same films more than once."""

from __future__ import annotations

import pandas as pd

from core import scores
from core.domain import CohortFilter, Viewer
from data.queries.answer import answer
from data.store.cohort import CohortStore


def repeated_grades(store: CohortStore, viewer: Viewer, chosen: CohortFilter) -> pd.DataFrame:
    """``subject, visit, site, reader, campaign, read, grade`` of readers with several reads or campaigns.

    Only sites that could be graded, and no findings beside the grades.
    """
    states = ", ".join(f"'{state.code}'" for state in scores.get(chosen.system).states)
    what = f"AND g.feature NOT IN ({states})" if states else ""
    sql = f"""
        SELECT g.subject, g.visit, g.site, g.reader, g.campaign, g.read, g.grade
        FROM site_score g JOIN reader r USING (reader)
        WHERE g.system = $system AND r.kind = 'human' AND g.visit IS NOT NULL AND g.grade IS NOT NULL {what}
            AND g.subject IN ({{patients}})
        QUALIFY count(DISTINCT g.campaign || '/' || g.read) OVER (PARTITION BY g.reader) > 1
        ORDER BY g.reader, g.campaign, g.read, g.subject, g.visit, g.site
    """
    return answer(store, viewer, sql, chosen=chosen, values={"system": chosen.system})
