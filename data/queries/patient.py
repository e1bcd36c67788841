"""One patient over time: visits, films, findings on them, covariates."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from core.domain import Box, Viewer
from core.imaging.sequences import OEDEMA
from data.queries.answer import answer
from data.queries.series import A_SLICE, A_THING
from data.queries.visit_rows import by_visit
from data.store.cohort import CohortStore

MEASURED = ("rule", "value", "limit", "unit", "compared")


def visits(store: CohortStore, viewer: Viewer, subject: str) -> pd.DataFrame:
    """``visit, visit_order, day`` (the planned one where the real one is unknown), in their order.

    Also visits that no table of visits lists, but an image or a read names.
    """
    sql = """
        SELECT visit, min(visit_order) AS visit_order, min(day) AS day FROM (
            SELECT subject, visit, visit_order, coalesce(day, planned_day) AS day FROM visit
            UNION ALL SELECT DISTINCT subject, visit, NULL, NULL FROM image
            UNION ALL SELECT DISTINCT subject, visit, NULL, NULL FROM site_score)
        WHERE subject = $subject AND visit IS NOT NULL
        GROUP BY visit ORDER BY visit_order, visit
    """
    return by_visit(answer(store, viewer, sql, values={"subject": subject}), ())


def films(store: CohortStore, viewer: Viewer, subject: str) -> pd.DataFrame:
    """``image, visit, body_part, laterality, view, modality, spacing_row_mm, spacing_column_mm, film_date,
    warnings, spacing_source`` (the words of the header that give millimetres, NA in older cohorts), ``joint``
    and ``mode`` (of ultrasound), ``frame_count``,
    ``is_slice`` (part of a series of slices, which no model of films reads), ``thing`` (the film, or the
    stack that a slice is of), ``may_be_read`` (whether a sequence, where one is known, shows marrow oedema).
    """
    sql = f"""
        SELECT i.image, i.visit, v.visit_order, i.body_part, i.laterality, i.view, i.modality,
            i.spacing_row_mm, i.spacing_column_mm, i.film_date, i.warnings,
            CASE WHEN json_valid(i.classification) THEN i.classification ->> '$.spacing.source' END
                AS spacing_source, i.joint, i.mode, i.frame_count, {A_SLICE} AS is_slice, {A_THING} AS thing,
            i.sequence IS NULL OR list_contains($oedema, i.sequence) AS may_be_read
        FROM image i LEFT JOIN visit v USING (subject, visit)
        WHERE i.subject = $subject ORDER BY v.visit_order, i.visit, i.body_part, i.image
    """
    return answer(store, viewer, sql, values={"subject": subject, "oedema": sorted(OEDEMA)})


def findings(store: CohortStore, viewer: Viewer, subject: str, system: str) -> pd.DataFrame:
    """What the newest run of each model saw on this patient's films; an abstention is a row without a site.

    ``image, site, feature, grade, grade_probabilities, confidence``, those of ``with_geometry``, ``abstained,
    reader, compared`` (where films were read together: other film -> probability that the grade
    differs there; else an empty dictionary).
    """
    sql = """
        SELECT f.image, f.site, f.feature, f.grade, f.grade_probabilities, f.confidence, f.geometry,
            f.abstained, u.reader, f.compared
        FROM finding f JOIN image i USING (image) LEFT JOIN run u USING (run)
        WHERE i.subject = $subject AND f.system = $system
        QUALIFY f.event = max(f.event) OVER (PARTITION BY f.image, u.reader)
        ORDER BY f.image, f.site
    """
    frame = answer(store, viewer, sql, values={"subject": subject, "system": system})
    compared = frame.pop("compared").map(_compared)
    return with_geometry(frame).assign(compared=compared.astype(object))


def _compared(text: Any) -> dict[str, float]:
    return json.loads(text) if isinstance(text, str) else {}


def with_geometry(rows: pd.DataFrame) -> pd.DataFrame:
    """Findings with their column ``geometry`` (JSON text) taken apart.

    ``box`` (core.domain.Box or None), ``frame`` (within the image, 0 unless stated), ``polygon`` (list of
    [x, y] or None) and ``measured`` (of a finding by a rule: ``rule, value, limit, unit, compared``; else
    empty).
    """
    texts = rows["geometry"].tolist()
    shapes = [json.loads(text) if isinstance(text, str) and text else {} for text in texts]
    return rows.drop(columns="geometry").assign(
        box=pd.Series([box_of(text) for text in texts], rows.index, dtype=object),
        frame=pd.Series([int(shape.get("frame") or 0) for shape in shapes], rows.index, dtype=int),
        polygon=pd.Series([shape.get("polygon") for shape in shapes], rows.index, dtype=object),
        measured=pd.Series(
            [{name: shape[name] for name in MEASURED if name in shape} for shape in shapes], rows.index,
            dtype=object,
        ),
    )  # fmt: skip


def covariates(store: CohortStore, viewer: Viewer, subject: str) -> pd.DataFrame:
    """``name, visit, visit_order, day, number, text, unit``; visit is NA for what belongs to the patient."""
    sql = """
        SELECT c.name, c.visit, v.visit_order, coalesce(v.day, v.planned_day) AS day, c.number, c.text, c.unit
        FROM covariate c LEFT JOIN visit v USING (subject, visit)
        WHERE c.subject = $subject ORDER BY c.name, v.visit_order
    """
    return answer(store, viewer, sql, values={"subject": subject})


def box_of(geometry: Any) -> Box | None:
    """The box of a finding's geometry text, the frame around a polygon, None where there is neither."""
    if not isinstance(geometry, str) or not geometry:
        return None
    shape = json.loads(geometry)
    if "box" in shape:
        return Box(*(float(edge) for edge in shape["box"]))
    if "polygon" in shape:
        xs, ys = zip(*shape["polygon"], strict=True)
        return Box(min(xs), min(ys), max(xs), max(ys))
    return None
