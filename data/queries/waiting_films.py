"""Films that wait for a patient or visit, and the names that they can get."""

from __future__ import annotations

import pandas as pd

from core.domain import Viewer
from core.natural import natural_key
from core.visit_order import order_of_study
from data.queries.answer import answer
from data.store.cohort import CohortStore


def waiting_films(store: CohortStore, viewer: Viewer) -> pd.DataFrame:
    """One row a film without subject or visit, people together, each in the order of the dates.

    ``image, person`` (keyed hash of the patient number), ``subject, visit`` (where one of them is known),
    ``modality, body_part, view, laterality, film_date`` (moved), ``day`` (days after the first film of this
    person that is in the cohort).
    """
    sql = """
        WITH dated AS (
            SELECT i.image, d.patient AS person, i.subject, i.visit, i.modality, i.body_part, i.view,
                i.laterality, i.film_date,
                i.film_date - min(i.film_date) OVER (PARTITION BY d.dates_of) AS day
            FROM image i LEFT JOIN delivery d USING (image))
        SELECT image, person, subject, visit, modality, body_part, view, laterality, film_date, day
        FROM dated WHERE subject IS NULL OR visit IS NULL
        ORDER BY person NULLS LAST, film_date NULLS LAST, body_part, view, image
    """
    return answer(store, viewer, sql)


def study_names(store: CohortStore, viewer: Viewer) -> pd.DataFrame:
    """``kind`` (subject, visit) and ``name`` of all that tables or films name, in natural order, visits in
    that of the study."""
    sql = """
        SELECT 'subject' AS kind, subject AS name, NULL::INTEGER AS place FROM subject
        UNION SELECT 'subject', subject, NULL FROM image WHERE subject IS NOT NULL
        UNION SELECT 'visit', visit, min(visit_order) FROM visit GROUP BY visit
        UNION SELECT 'visit', visit, NULL FROM image WHERE visit IS NOT NULL
    """
    rows = answer(store, viewer, sql)
    subjects = sorted(set(rows.loc[rows["kind"] == "subject", "name"]), key=natural_key)
    visits = rows[rows["kind"] == "visit"].rename(columns={"name": "visit", "place": "visit_order"})
    named = order_of_study(visits).names if len(visits) else []
    names = [("subject", name) for name in subjects] + [("visit", name) for name in named]
    found = pd.DataFrame(names, columns=["kind", "name"])
    found.attrs = rows.attrs
    return found
