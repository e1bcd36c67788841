"""Series of the cohort: the images that were taken as one, such as the slices of an MRI sequence."""

from __future__ import annotations

import pandas as pd

from core.domain import CohortFilter, Image, Viewer
from core.errors import InputError
from core.imaging.stacks import SAME_DIRECTION
from data.dicom.frame_geometry import from_columns
from data.dicom.images import load_image, load_stack
from data.queries.answer import answer
from data.store.cohort import CohortStore

ANALYST = Viewer()
SERIES = "coalesce(i.series_uid, i.image)"
# a slice, or a stack in one file: part of a series, which is one thing wherever images are counted
A_SLICE = "coalesce(i.modality IN ('MR', 'CT') AND i.positions_mm IS NOT NULL, false)"
A_SCAN = "coalesce(i.modality = 'US', false)"  # an ultrasound picture or cine: read by models of scans alone
A_THING = f"CASE WHEN {A_SLICE} THEN {SERIES} ELSE i.image END"  # a film by its image, a stack by its series
THINGS = f"count(*) FILTER (NOT {A_SLICE}) + count(DISTINCT {SERIES}) FILTER ({A_SLICE})"
_PARALLEL = " AND ".join(
    f"max(i.orientation[{place}]) - min(i.orientation[{place}]) <= {SAME_DIRECTION}" for place in range(1, 7)
)
_PLACED = "bool_and(i.orientation IS NOT NULL AND len(i.positions_mm) = 3 * i.frame_count)"


def series(store: CohortStore, viewer: Viewer, chosen: CohortFilter) -> pd.DataFrame:
    """One row per series of the chosen patients, at visits; an image of unknown series is one of its own.

    ``series, subject, visit, visit_order, modality, body_part, view, images, frames, kind,
    slice_spacing_mm``.
    kind: ``film`` (one picture), ``stack`` (parallel slices, each at a place of its own), ``cine`` (frames
    with times), ``frames`` (one image of several, nothing known of where or when), ``images`` (several
    single images that cannot be said to be a stack). slice_spacing_mm: as the files state it, NA unless the
    same for all.
    """
    sql = f"""
        SELECT {SERIES} AS series, i.subject, i.visit, any_value(v.visit_order) AS visit_order,
            any_value(i.modality) AS modality, any_value(i.body_part) AS body_part, any_value(i.view) AS view,
            count(*) AS images, sum(i.frame_count)::BIGINT AS frames,
            CASE WHEN sum(i.frame_count) = 1 THEN 'film'
                WHEN {_PLACED} AND {_PARALLEL} AND count(DISTINCT i.positions_mm) = count(*)
                    AND count(DISTINCT (i.row_count, i.column_count)) = 1 THEN 'stack'
                WHEN count(*) > 1 THEN 'images'
                WHEN any_value(i.frame_times_ms) IS NOT NULL THEN 'cine' ELSE 'frames' END AS kind,
            CASE WHEN min(i.spacing_slice_mm) = max(i.spacing_slice_mm) THEN min(i.spacing_slice_mm) END
                AS slice_spacing_mm
        FROM image i LEFT JOIN visit v USING (subject, visit)
        WHERE i.subject IN ({{patients}}) AND i.visit IS NOT NULL
        GROUP BY {SERIES}, i.subject, i.visit
        ORDER BY i.subject, visit_order, i.visit, modality, body_part, series
    """
    return answer(store, viewer, sql, chosen=chosen)


def images_of_series(store: CohortStore, viewer: Viewer, series: str) -> pd.DataFrame:
    """The images of a series, by their number in it.

    ``image, instance_number, frame_count, spacing_slice_mm, orientation, positions_mm, frame_times_ms``.
    """
    sql = f"""
        SELECT i.image, i.instance_number, i.frame_count, i.spacing_slice_mm, i.orientation, i.positions_mm,
            i.frame_times_ms
        FROM image i WHERE {SERIES} = $series ORDER BY i.instance_number, i.image
    """
    return answer(store, viewer, sql, values={"series": series})


def load_series(store: CohortStore, series: str, viewer: Viewer = ANALYST) -> Image:
    """A series as one image: its only image with all its frames, or its slices as a stack.

    series: as in ``series``. Slices are sorted by their place along the slice normal. Raises InputError for
    an unknown series, and where several images are no stack (no positions, slices not parallel, two at one
    place): such a series can only be listed.
    """
    rows = images_of_series(store, viewer, series)
    if rows.empty:
        raise InputError(f"series {series[:24]}", "no image of it is in the cohort", "list the series first")
    if len(rows) == 1:
        return load_image(store, rows["image"].iloc[0])
    records = rows.astype(object).where(rows.notna(), None).to_dict("records")
    slices = [(str(row["image"]), from_columns(row)) for row in records]
    return load_stack(store, series, slices)
