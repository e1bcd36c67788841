"""Where every number of a patient comes from: reads with run, campaign and event, findings with theirs."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from core.domain import Viewer
from data.queries.answer import answer
from data.queries.patient import with_geometry
from data.store.cohort import CohortStore


def reads(store: CohortStore, viewer: Viewer, subject: str, system: str) -> pd.DataFrame:
    """Every first read of one patient's sites, findings at joints among them, with what stands behind it.

    ``subject, visit, visit_order, site, feature, grade, reason, reader, kind, campaign, read_mode, image,
    run, weights_hash, software, event, happened_at, actor, action``. A person's read has no run; a viewer who
    may not see the trail gets neither run nor event.
    """
    sql = """
        SELECT g.subject, g.visit, v.visit_order, g.site, g.feature, g.grade, g.reason, g.reader, r.kind,
            g.campaign, c.read_mode, g.image, g.run, coalesce(u.weights_hash, r.weights_hash) AS weights_hash,
            u.software, e.event, e.happened_at, e.actor, e.action
        FROM site_score g JOIN reader r USING (reader) LEFT JOIN visit v USING (subject, visit)
        LEFT JOIN campaign c ON c.campaign = g.campaign AND c.system = g.system
        LEFT JOIN run u ON u.run = g.run LEFT JOIN event e ON e.event = g.event
        WHERE g.subject = $subject AND g.system = $system AND g.read = 1 AND g.visit IS NOT NULL
        ORDER BY v.visit_order, g.visit, r.kind, g.reader, g.campaign, g.site, g.feature
    """
    return answer(store, viewer, sql, values={"subject": subject, "system": system}, own_events=True)


def findings(store: CohortStore, viewer: Viewer, subject: str, system: str) -> pd.DataFrame:
    """What every model saw on one patient's films, its newest run in each campaign.

    ``image, visit, site, feature, grade, grade_probabilities, confidence``, those of
    ``data.queries.patient.with_geometry``, ``compared`` (other film -> chance that the grade differs there),
    ``abstained, reader, campaign, read_mode, run, weights_hash, software, event, happened_at``; an
    abstention is a row without a site.
    """
    sql = """
        SELECT f.image, i.visit, f.site, f.feature, f.grade, f.grade_probabilities, f.confidence, f.geometry,
            f.compared, f.abstained, u.reader, u.campaign, c.read_mode, u.run, u.weights_hash, u.software,
            f.event, e.happened_at
        FROM finding f JOIN image i USING (image) JOIN run u USING (run)
        LEFT JOIN campaign c ON c.campaign = u.campaign AND c.system = f.system
        LEFT JOIN event e ON e.event = f.event
        WHERE i.subject = $subject AND f.system = $system
        QUALIFY f.event = max(f.event) OVER (PARTITION BY f.image, u.reader, u.campaign)
        ORDER BY i.visit, f.image, u.reader, u.campaign, f.site, f.feature
    """
    frame = answer(store, viewer, sql, values={"subject": subject, "system": system}, own_events=True)
    compared = frame.pop("compared").map(_compared)
    return with_geometry(frame).assign(compared=compared.astype(object))


def _compared(text: Any) -> dict[str, float]:
    return json.loads(text) if isinstance(text, str) else {}
