"""Totals and site grades of readers and models, and who gave them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from core import scores
from core.domain import CohortFilter, Viewer
from data.queries.answer import Together, answer
from data.queries.visit_rows import by_visit
from data.store.cohort import CohortStore


def readers(store: CohortStore, viewer: Viewer, system: str) -> pd.DataFrame:
    """Who scored in which campaign: ``reader, kind, campaign, read_mode, read, patients, weights_hash``."""
    sql = """
        SELECT t.reader, r.kind, t.campaign, c.read_mode, t.read, count(DISTINCT t.subject) AS patients,
            r.weights_hash
        FROM total t JOIN reader r USING (reader)
        LEFT JOIN campaign c ON c.campaign = t.campaign AND c.system = t.system
        WHERE t.system = $system AND t.component = 'total'
        GROUP BY ALL ORDER BY r.kind, t.reader, t.campaign, t.read
    """
    return answer(store, viewer, sql, values={"system": system})


def systems(store: CohortStore, viewer: Viewer) -> pd.DataFrame:
    """The scoring systems in which anybody has scored: ``system, patients``, by name."""
    sql = """
        SELECT system, count(DISTINCT subject) AS patients FROM total WHERE component = 'total'
        GROUP BY system ORDER BY system
    """
    return answer(store, viewer, sql)


def totals(
    store: CohortStore, viewer: Viewer, chosen: CohortFilter, *, subject: str | None = None
) -> pd.DataFrame:
    """Totals and components of the chosen patients (or of one), every reader, campaign and read.

    ``subject, arm, visit, visit_order, day`` (of the visit, the planned one where unknown), ``component,
    reader, kind, campaign, read, total, scored_sites, imputed_sites, missing_reason, rule``.
    """
    values = {"system": chosen.system, "subject": subject}
    sql = _totals_sql(subject)
    return by_visit(answer(store, viewer, sql, chosen=None if subject else chosen, values=values))


def totals_under(store: CohortStore, viewer: Viewer, chosen: CohortFilter, rule: str) -> pd.DataFrame:
    """``totals`` of the chosen patients under another rule of the system, computed anew from site grades.

    Raises InputError for a rule that the system has not, NotAllowed for a blinded reader.
    """
    item = scores.get(chosen.system)
    with store.look(viewer) as look:
        look.keep("totals_of_rule", look.totals_under(item, item.rule(rule)))
        opened: Any = Together(look, viewer)
        sql, values = _totals_sql(None, "totals_of_rule"), {"system": chosen.system}
        found = answer(opened, viewer, sql, chosen=chosen, values=values)
    found.attrs["sql"] = f"-- totals under {rule}, from site scores\n{found.attrs['sql']}"
    return by_visit(found)


def _totals_sql(subject: str | None, table: str = "total") -> str:
    """The statement of ``totals``, of one patient or of those of a filter. table: that holds them."""
    only = "t.subject = $subject" if subject else "t.subject IN ({patients})"
    return f"""
        SELECT t.subject, s.arm, t.visit, v.visit_order, coalesce(v.day, v.planned_day) AS day, t.component,
            t.reader, r.kind, t.campaign, t.read, t.total, t.scored_sites, t.imputed_sites, t.missing_reason,
            t.rule
        FROM {table} t JOIN reader r USING (reader) LEFT JOIN subject s USING (subject)
        LEFT JOIN visit v USING (subject, visit)
        WHERE t.system = $system AND {only}
        ORDER BY t.subject, v.visit_order, t.visit, r.kind, t.reader, t.read, t.component
    """


def site_grades(
    store: CohortStore, viewer: Viewer, chosen: CohortFilter, *, subject: str | None = None
) -> pd.DataFrame:
    """Site grades of the chosen patients (or of one), first reads; one row a site, visit and reading.

    ``subject, visit, visit_order, site, feature, reader, kind, campaign, grade, reason``; grade is NA with
    the reason where the site could not be graded. What stands beside a grade is in ``special_findings``.
    """
    return _given_at_sites(store, viewer, chosen, subject, special=False)


def special_findings(
    store: CohortStore, viewer: Viewer, chosen: CohortFilter, *, subject: str | None = None
) -> pd.DataFrame:
    """Findings beside the grades, such as an ankylosis, of the chosen patients (or of one), first reads.

    Columns as in ``site_grades``; ``site`` is any site of the joint, ``feature`` the code of a state of the
    system, ``grade`` 1 where it was seen and 0 where it was looked for. Empty in a system without states.
    """
    return _given_at_sites(store, viewer, chosen, subject, special=True)


def _given_at_sites(
    store: CohortStore, viewer: Viewer, chosen: CohortFilter, subject: str | None, *, special: bool
) -> pd.DataFrame:
    states = ", ".join(f"'{state.code}'" for state in scores.get(chosen.system).states)
    only = "g.subject = $subject" if subject else "g.subject IN ({patients})"
    what = f"g.feature {'' if special else 'NOT '}IN ({states})" if states else str(not special)
    sql = f"""
        SELECT g.subject, g.visit, v.visit_order, g.site, g.feature, g.reader, r.kind, g.campaign, g.grade,
            g.reason
        FROM site_score g JOIN reader r USING (reader) LEFT JOIN visit v USING (subject, visit)
        WHERE g.system = $system AND g.read = 1 AND g.visit IS NOT NULL AND {what} AND {only}
        ORDER BY g.subject, v.visit_order, g.visit, g.reader, g.site
    """
    values = {"system": chosen.system, "subject": subject}
    return by_visit(answer(store, viewer, sql, chosen=None if subject else chosen, values=values))


def abstentions(store: CohortStore, viewer: Viewer, chosen: CohortFilter) -> pd.DataFrame:
    """Films that a model would not score, with ``subject, visit, body_part, view, image, reader, reason,
    instead``.

    One row a film, model and reason, in however many campaigns it read. instead: films of the same body part
    and visit that the same model graded, so that the region has its grades all the same.
    """
    sql = """
        WITH graded AS (
            SELECT DISTINCT f.image, u.reader, i.subject, i.visit, i.body_part
            FROM finding f JOIN image i USING (image) LEFT JOIN run u USING (run)
            WHERE f.grade IS NOT NULL AND f.system = $system AND i.subject IN ({patients}))
        SELECT i.subject, i.visit, i.body_part, i.view, i.image, u.reader, f.abstained AS reason,
            (SELECT count(*) FROM graded g WHERE g.subject = i.subject AND g.visit = i.visit
                AND g.body_part = i.body_part AND g.reader IS NOT DISTINCT FROM u.reader) AS instead
        FROM finding f JOIN image i USING (image) LEFT JOIN run u USING (run)
        LEFT JOIN visit v ON v.subject = i.subject AND v.visit = i.visit
        WHERE f.abstained IS NOT NULL AND f.system = $system
            AND (i.subject IS NULL OR i.subject IN ({patients}))
        QUALIFY row_number() OVER (PARTITION BY i.image, u.reader, f.abstained ORDER BY f.event) = 1
        ORDER BY i.subject, v.visit_order, i.image
    """
    return answer(store, viewer, sql, chosen=chosen, values={"system": chosen.system})


def runs(store: CohortStore, viewer: Viewer, system: str) -> pd.DataFrame:
    """Runs, newest first: ``run, reader, campaign, weights_hash, software, settings, happened_at``."""
    sql = """
        SELECT u.run, u.reader, u.campaign, u.weights_hash, u.software, u.settings, e.happened_at
        FROM run u LEFT JOIN event e USING (event) WHERE u.system = $system ORDER BY u.event DESC
    """
    return answer(store, viewer, sql, values={"system": system}, own_events=True)
