"""Totals and site grades of the whole cohort in the narrow form that grids are made of.

They know no filter of patients: a page asks once a version and masks.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from core import scores
from core.domain import Viewer
from core.scores.system import ScoreSystem
from core.visit_order import order_of_study
from data.queries.answer import answer
from data.store.cohort import CohortStore

TOTALS = """
    SELECT t.subject, s.arm, t.visit, coalesce(v.day, v.planned_day) AS day, t.reader, r.kind, t.campaign,
        t.total, t.imputed_sites, t.rule
    FROM total t JOIN reader r USING (reader) LEFT JOIN subject s USING (subject)
    LEFT JOIN visit v USING (subject, visit)
    WHERE t.system = $system AND t.component = $component AND t.read = 1
"""


def total_cells(store: CohortStore, viewer: Viewer, system: str, component: str = "total") -> pd.DataFrame:
    """First reads under the default rule, unordered: one row per subject, visit, reader and campaign.

    ``subject, arm, visit, day, reader, kind, campaign, total, imputed_sites, rule``.
    """
    return answer(store, viewer, TOTALS, values={"system": system, "component": component})


def total_cells_under(
    store: CohortStore, viewer: Viewer, system: str, rule: str, component: str = "total"
) -> pd.DataFrame:
    """The same under another rule of the system, computed anew: seconds for large cohorts."""
    item = scores.get(system)
    chosen = next(one for one in item.rules if one.name == rule)
    with store.look(viewer) as look:
        frame = look.totals_under(item, chosen)
        frame = frame[(frame["component"] == component) & (frame["read"] == 1)]
        look.keep("totals_of_rule", frame.reset_index(drop=True))
        sql = TOTALS.replace("FROM total t", "FROM totals_of_rule t")
        found = look.query(sql, {"system": system, "component": component})
    found.attrs["sql"] = f"-- totals under {rule}, from site scores\n{sql}"
    return found


def visit_names(store: CohortStore, viewer: Viewer) -> pd.DataFrame:
    """``visit`` of all visits, in the order of the study; also of those that only reads name."""
    sql = """
        SELECT visit, min(visit_order) AS visit_order, min(day) AS day FROM (
            SELECT visit, visit_order, coalesce(day, planned_day) AS day FROM visit
            UNION ALL SELECT DISTINCT visit, NULL, NULL FROM site_score WHERE visit IS NOT NULL)
        GROUP BY visit ORDER BY visit
    """
    plan = answer(store, viewer, sql)
    place = {visit: number for number, visit in enumerate(order_of_study(plan).names)}
    ordered = plan[["visit"]].sort_values("visit", key=lambda names: names.map(place), ignore_index=True)
    ordered.attrs = plan.attrs
    return ordered


def grade_subjects(store: CohortStore, viewer: Viewer, system: str) -> pd.DataFrame:
    """``subject, arm, place``: who has site grades, by name, with the place that ``grade_cells`` uses."""
    sql = """
        SELECT g.subject, any_value(s.arm) AS arm, row_number() OVER (ORDER BY g.subject) - 1 AS place
        FROM site_score g LEFT JOIN subject s USING (subject)
        WHERE g.system = $system AND g.read = 1 AND g.visit IS NOT NULL AND g.subject IS NOT NULL
        GROUP BY g.subject ORDER BY g.subject
    """
    return answer(store, viewer, sql, values={"system": system})


def grade_readers(store: CohortStore, viewer: Viewer, system: str) -> pd.DataFrame:
    """``reader, kind, campaign, place``: who graded in which campaign."""
    sql = """
        SELECT g.reader, any_value(r.kind) AS kind, g.campaign,
            row_number() OVER (ORDER BY g.reader, g.campaign) - 1 AS place
        FROM site_score g JOIN reader r USING (reader)
        WHERE g.system = $system AND g.read = 1 AND g.visit IS NOT NULL
        GROUP BY g.reader, g.campaign ORDER BY g.reader, g.campaign
    """
    return answer(store, viewer, sql, values={"system": system})


def grade_cells(store: CohortStore, viewer: Viewer, system: str) -> pd.DataFrame:
    """First reads of sites as numbers: ``subject, visit, reader, site`` are places in the lists above.

    ``site`` is the place among the system's sites; only graded cells. Millions of rows in narrow columns.
    """
    item = scores.get(system)
    sql = f"""
        WITH place_of_site (site, feature, place) AS (VALUES {_sites(item)}),
        place_of_visit AS (SELECT unnest($visits) AS visit, unnest(range(len($visits))) AS place),
        place_of_subject AS (
            SELECT subject, row_number() OVER (ORDER BY subject) - 1 AS place FROM (
                SELECT DISTINCT subject FROM site_score
                WHERE system = $system AND read = 1 AND visit IS NOT NULL AND subject IS NOT NULL)),
        place_of_reader AS (
            SELECT reader, campaign, row_number() OVER (ORDER BY reader, campaign) - 1 AS place FROM (
                SELECT DISTINCT g.reader, g.campaign FROM site_score g JOIN reader r USING (reader)
                WHERE g.system = $system AND g.read = 1 AND g.visit IS NOT NULL))
        SELECT s.place::INTEGER AS subject, v.place::SMALLINT AS visit, r.place::SMALLINT AS reader,
            k.place::SMALLINT AS site, g.grade::TINYINT AS grade
        FROM site_score g JOIN place_of_subject s USING (subject) JOIN place_of_visit v USING (visit)
        JOIN place_of_reader r ON r.reader = g.reader AND r.campaign = g.campaign
        JOIN place_of_site k ON k.site = g.site AND k.feature = g.feature
        WHERE g.system = $system AND g.read = 1 AND g.grade IS NOT NULL
    """
    visits = visit_names(store, viewer)["visit"].tolist()
    return answer(store, viewer, sql, values={"system": system, "visits": visits})


def _sites(system: ScoreSystem) -> str:
    rows: list[Any] = [
        f"('{site.code}', '{site.feature}', {place})" for place, site in enumerate(system.sites)
    ]
    return ", ".join(rows)


def properties(store: CohortStore, viewer: Viewer) -> pd.DataFrame:
    """What subgroups are made of: ``subject, name, text, number``, sex and properties of the patient."""
    sql = """
        SELECT subject, 'sex' AS name, sex AS text, NULL::DOUBLE AS number FROM subject WHERE sex IS NOT NULL
        UNION ALL SELECT subject, 'centre', centre, NULL FROM subject WHERE centre IS NOT NULL
        UNION ALL SELECT subject, name, text, number FROM covariate WHERE visit IS NULL
        ORDER BY name, subject
    """
    return answer(store, viewer, sql)
