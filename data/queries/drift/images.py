"""Images that a model read: agreement with readers, output, device, and what tells their date."""

from __future__ import annotations

import pandas as pd

from core import scores
from core.domain import CohortFilter, Viewer
from data.queries.answer import answer
from data.store.cohort import CohortStore


def models(store: CohortStore, viewer: Viewer, system: str) -> pd.DataFrame:
    """Models by campaign: ``reader, campaign, read_mode, images``, the one that read most first, of these the
    one that read each image alone.
    """
    sql = """
        SELECT u.reader, u.campaign, any_value(c.read_mode) AS read_mode, count(DISTINCT f.image) AS images
        FROM finding f JOIN run u USING (run)
        LEFT JOIN campaign c ON c.campaign = u.campaign AND c.system = u.system
        WHERE f.system = $system GROUP BY u.reader, u.campaign
        ORDER BY images DESC, coalesce(any_value(c.read_mode), '') <> 'single', u.reader, u.campaign
    """
    return answer(store, viewer, sql, values={"system": system})


def model_images(
    store: CohortStore, viewer: Viewer, chosen: CohortFilter, reader: str, campaign: str, people: str
) -> pd.DataFrame:
    """Images of the chosen patients that a model read in a campaign, its newest run.

    ``image, subject, visit, kind`` (body part, view, region, sequence, kind of joint and mode), ``device``
    (maker and model, as stored), ``spacing_mm, difference, error`` (against the mean of the human readers of
    campaign ``people``, first reads, mean over sites), ``grade, confidence, certainty, abstained,
    unscorable``, and what tells when it was taken and imported: ``film_date`` (shifted), ``dates_of,
    trial_subject, map_subject, imported``.
    """
    states = ", ".join(f"'{state.code}'" for state in scores.get(chosen.system).states)
    graded = f"n.feature NOT IN ({states})" if states else "true"
    sql = f"""
        WITH newest AS (
            SELECT f.image, f.site, f.feature, f.grade, f.confidence, f.abstained, f.run,
                list_max(f.grade_probabilities) AS certainty
            FROM finding f JOIN run u USING (run)
            WHERE f.system = $system AND u.reader = $reader AND u.campaign = $campaign
            QUALIFY f.event = max(f.event) OVER (PARTITION BY f.image)),
        people AS (
            SELECT g.subject, g.visit, g.site, g.feature, avg(g.grade) AS grade
            FROM site_score g JOIN reader r USING (reader)
            WHERE g.system = $system AND r.kind = 'human' AND g.campaign = $people AND g.read = 1
                AND g.grade IS NOT NULL
            GROUP BY ALL),
        open AS (SELECT run, image, count(*) AS sites FROM unscorable GROUP BY ALL),
        arrived AS (
            SELECT d.image, min(e.happened_at) AS imported, any_value(d.dates_of) AS dates_of,
                any_value(d.trial_subject) AS trial_subject, any_value(d.map_subject) AS map_subject
            FROM delivery d LEFT JOIN event e USING (event) GROUP BY d.image)
        SELECT i.image, i.subject, i.visit, i.film_date, a.dates_of, a.trial_subject, a.map_subject,
            a.imported, concat_ws(', ', i.body_part, i.view, i.region, i.sequence,
                regexp_replace(i.joint, '[0-9]+$', ''), i.mode) AS kind,
            trim(concat_ws(' ', i.manufacturer, i.device)) AS device, i.spacing_row_mm AS spacing_mm,
            avg(n.grade - p.grade) AS difference, avg(abs(n.grade - p.grade)) AS error,
            avg(n.grade) AS grade, avg(n.confidence) FILTER (n.grade IS NOT NULL) AS confidence,
            avg(n.certainty) FILTER (n.grade IS NOT NULL) AS certainty,
            CAST(bool_or(n.abstained IS NOT NULL) AS INTEGER) AS abstained,
            CASE WHEN bool_or(n.abstained IS NOT NULL) THEN NULL
                ELSE coalesce(any_value(o.sites), 0) / (coalesce(any_value(o.sites), 0) + count(n.grade))
            END AS unscorable
        FROM newest n JOIN image i USING (image)
        LEFT JOIN people p ON p.subject = i.subject AND p.visit = i.visit AND p.site = n.site
            AND p.feature = n.feature
        LEFT JOIN open o ON o.run = n.run AND o.image = n.image
        LEFT JOIN arrived a ON a.image = n.image
        WHERE i.subject IN ({{patients}}) AND i.visit IS NOT NULL AND (n.grade IS NULL OR {graded})
        GROUP BY i.image, i.subject, i.visit, i.film_date, a.dates_of, a.trial_subject, a.map_subject,
            a.imported, i.body_part, i.view, i.region, i.sequence, i.joint, i.mode, i.manufacturer, i.device,
            i.spacing_row_mm
        ORDER BY i.subject, i.visit, i.image
    """
    values = {"system": chosen.system, "reader": reader, "campaign": campaign, "people": people}
    return answer(store, viewer, sql, chosen=chosen, values=values, own_events=True)
