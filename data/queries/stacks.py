"""The stacks of the cohort: what each shows, what is wrong with it, and whether a scorer may read it.

One answer for everybody who lists, shows or scores a series of slices. A stack is found by where its slices
lie (``core.imaging.series``); its name is that of its series, with a number behind it where a series holds
several.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from core.domain import CohortFilter, Image, Viewer
from core.errors import InputError
from core.imaging.sequences import Needs, Shown, why_not
from core.imaging.series import DOUBLE, MISSING, NO_POSITION, Slice, Stack, stacks_of
from data.dicom.frame_geometry import FrameGeometry, from_columns
from data.dicom.images import load_stack
from data.queries.answer import answer
from data.queries.series import load_series
from data.queries.series import series as all_series
from data.store.access import HELD_FILMS
from data.store.cohort import CohortStore

ANALYST = Viewer()
PART = "/"  # between the name of a series and the number of a stack in it
_OF_SLICES = "(i.modality IN ('MR', 'CT') OR i.orientation IS NOT NULL)"
_COLUMNS = """i.image, coalesce(i.series_uid, i.image) AS series, i.subject, i.visit, v.visit_order,
i.modality,
            i.body_part, i.row_count, i.column_count, i.frame_count, i.spacing_row_mm, i.spacing_column_mm,
            i.spacing_slice_mm, i.orientation, i.positions_mm, i.frame_times_ms, i.sequence, i.region,
            i.slice_thickness_mm, i.acquisition, i.classification"""


@dataclass(frozen=True)
class Found:
    """A value (``""`` where not known), how it was found (from tags, as stated), how sure it is, 0 to 1."""

    value: str = ""
    how: str = ""
    confidence: float | None = None


@dataclass(frozen=True)
class CohortStack:
    """A stack of the cohort. name: by which ``load`` finds it. subject, visit: None where not known yet."""

    name: str
    subject: str | None
    visit: str | None
    visit_order: int | None
    modality: str
    part: str
    sequence: Found
    region: Found
    stack: Stack

    @property
    def shown(self) -> Shown:
        """What the scorer is asked about."""
        return Shown(self.modality, self.sequence.value, self.region.value, self.part)

    def why_not(self, needs: Needs | None = None) -> tuple[str, ...]:
        """What stands against reading it, in plain words; nothing where a scorer may read it."""
        return why_not(self.stack, self.shown, needs)

    @property
    def problems(self) -> tuple[str, ...]:
        """What was found, said by name, also what stands against nothing."""
        return tuple(problem.words for problem in self.stack.problems)

    @property
    def can_be_opened(self) -> bool:
        """Whether its slices can be put in order: places are known, and no two are one."""
        kinds = {problem.kind for problem in self.stack.problems}
        return self.stack.slices[0].position is not None and not kinds & {DOUBLE, NO_POSITION}

    def row(self) -> dict[str, Any]:
        """As a row of the table, and as JSON."""
        thickness = self.stack.slices[0].thickness_mm
        reasons = self.why_not()
        return {
            "stack": self.name,
            "subject": self.subject,
            "visit": self.visit,
            "modality": self.modality or None,
            "body_part": self.part or None,
            "region": self.region.value or None,
            "region_from": self.region.how or None,
            "region_confidence": self.region.confidence,
            "sequence": self.sequence.value or None,
            "sequence_from": self.sequence.how or None,
            "sequence_confidence": self.sequence.confidence,
            "plane": self.stack.plane or None,
            "slices": len(self.stack.slices),
            "spacing_mm": self.stack.spacing_mm,
            "thickness_mm": thickness,
            "gap_mm": self.stack.gap_mm,
            "problems": list(self.problems),
            "readable": not reasons,
            "why_not": list(reasons),
        }


COLUMNS = tuple(CohortStack("", None, None, None, "", "", Found(), Found(), Stack((Slice(""),))).row())


def stacks(store: CohortStore, viewer: Viewer, chosen: CohortFilter) -> list[CohortStack]:
    """The stacks of the chosen patients at visits, in the order of subjects and visits."""
    where = "i.subject IN ({patients}) AND i.visit IS NOT NULL"
    return _found(store, viewer, where, chosen=chosen)


def all_stacks(store: CohortStore, viewer: Viewer) -> list[CohortStack]:
    """Every stack of the cohort, also those without subject or visit."""
    return _found(store, viewer, "true")


def stacks_of_visit(store: CohortStore, viewer: Viewer, subject: str, visit: str) -> list[CohortStack]:
    """The stacks of one visit of one patient."""
    return _found(
        store, viewer, "i.subject = $subject AND i.visit = $visit", {"subject": subject, "visit": visit}
    )


def stacks_with(store: CohortStore, viewer: Viewer, images: Sequence[str]) -> list[CohortStack]:
    """The stacks of the series that these images are of, with all their slices."""
    where = """coalesce(i.series_uid, i.image) IN (
            SELECT coalesce(series_uid, image) FROM image WHERE list_contains($images, image))"""
    return _found(store, viewer, where, {"images": list(images)})


def stack_named(store: CohortStore, name: str, viewer: Viewer = ANALYST) -> CohortStack:
    """The stack of that name. Raises InputError where there is none, or where a series holds several."""
    series, _, number = name.partition(PART)
    found = _found(store, viewer, "coalesce(i.series_uid, i.image) = $series", {"series": series})
    named = [one for one in found if one.name == name]
    if len(named) == 1:
        return named[0]
    if found and not number:
        names = ", ".join(one.name for one in found[:4])
        raise InputError(f"series {name[:24]}", f"it holds {len(found)} stacks", f"name one: {names}")
    raise InputError(f"series {name[:24]}", "no image of it is in the cohort", "list the series first")


def load(store: CohortStore, found: CohortStack) -> Image:
    """The slices of a stack as one image, by their places. Raises InputError where that is not known."""
    if not found.stack.plane or found.stack.slices[0].position is None:
        raise InputError(
            f"series {found.name[:24]} is no stack", "; ".join(found.problems), "list its images instead"
        )
    frames: dict[str, list[Slice]] = {}
    for one in found.stack.slices:
        frames.setdefault(one.image, []).append(one)
    slices = [(image, _geometry(own)) for image, own in frames.items()]
    numbers = {image: [one.frame for one in own] for image, own in frames.items()}
    whole = load_stack(store, found.name, slices, numbers)
    return replace(
        whole,
        sequence=found.sequence.value,
        region=found.region.value,
        slice_thickness_mm=found.stack.slices[0].thickness_mm,
    )


def _geometry(slices: Sequence[Slice]) -> FrameGeometry:
    positions = tuple(one.position for one in slices if one.position is not None)
    return FrameGeometry(None, slices[0].orientation, positions, None)


def table(found: Iterable[CohortStack]) -> pd.DataFrame:
    """One row a stack, with the columns of ``CohortStack.row``; lists as sentences."""
    rows = [one.row() for one in found]
    for row in rows:
        row["problems"], row["why_not"] = "; ".join(row["problems"]), "; ".join(row["why_not"])
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)


SLICES = ("stack", "subject", "visit", "visit_order", "region", "part", "sequence", "plane", "spacing_mm",
          "image", "frame", "is_open", "why_not", "problems")  # fmt: skip


def slices(store: CohortStore, viewer: Viewer, subject: str) -> pd.DataFrame:
    """One row a slice of every stack of a patient, by visit, stack and place along the slice normal.

    ``stack`` (its name), ``subject, visit, visit_order, region, part, sequence`` ("" where not known),
    ``plane, spacing_mm, image`` and ``frame`` within it, ``is_open`` (whether ``load`` can put it in order),
    ``why_not`` (what stands against reading it for marrow oedema, "" for nothing), ``problems``.
    """
    chosen = CohortFilter(subjects=(subject,))
    rows = [
        (one.name, one.subject, one.visit, one.visit_order, one.region.value, one.part, one.sequence.value,
         one.stack.plane, one.stack.spacing_mm, part.image, part.frame, one.can_be_opened,
         "; ".join(one.why_not()), "; ".join(one.problems))
        for one in stacks(store, viewer, chosen)
        for part in one.stack.slices
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(SLICES))


def series_list(store: CohortStore, viewer: Viewer, chosen: CohortFilter) -> pd.DataFrame:
    """One row a series beyond single films, a row each stack where it holds several, in the order of visits.

    The columns of ``data.queries.series.series`` (``series`` is the name by which ``open_series`` finds it,
    ``slice_spacing_mm`` is that of the places), and ``region, sequence, sure`` (confidence of the sequence),
    ``plane, gap_mm, problems``.
    """
    rows = all_series(store, viewer, chosen)
    rows = rows[rows["kind"] != "film"].reset_index(drop=True)
    stacks_by_series: dict[tuple[Any, ...], list[CohortStack]] = {}
    for one in stacks(store, viewer, chosen) if len(rows) else []:
        key = (one.name.partition(PART)[0], one.subject, one.visit)
        stacks_by_series.setdefault(key, []).append(one)
    lines: list[dict[str, Any]] = []
    for record in rows.astype(object).where(rows.notna(), None).to_dict("records"):
        key = (record["series"], record["subject"], record["visit"])
        of_series = stacks_by_series.get(key, []) if record["kind"] != "cine" else []
        lines += [_line(record, one) for one in of_series] or [{str(k): v for k, v in record.items()}]
    found = pd.DataFrame(lines, columns=[*rows.columns, *_OF_STACKS], dtype=object)
    for name in ("visit_order", "images", "frames", "slice_spacing_mm", "sure", "gap_mm"):
        found[name] = pd.to_numeric(found[name])
    found.attrs = rows.attrs
    return found


_OF_STACKS = ("region", "sequence", "sure", "plane", "gap_mm", "problems")


def _line(series: Mapping[Any, Any], one: CohortStack) -> dict[str, Any]:
    row = one.row()
    return {str(name): value for name, value in series.items()} | {
        "series": one.name,
        "images": len({part.image for part in one.stack.slices}),
        "frames": row["slices"],
        "kind": "stack" if one.can_be_opened else series["kind"],
        "slice_spacing_mm": row["spacing_mm"],
        "region": row["region"],
        "sequence": row["sequence"],
        "sure": row["sequence_confidence"],
        "plane": row["plane"],
        "gap_mm": row["gap_mm"],
        "problems": "; ".join(one.problems) or None,
    }


def open_series(store: CohortStore, name: str, viewer: Viewer = ANALYST) -> Image:
    """A row of ``series_list`` as one image. Raises InputError for one that can only be listed."""
    series = name.partition(PART)[0]
    found = _found(store, viewer, "coalesce(i.series_uid, i.image) = $series", {"series": series})
    named = [one for one in found if one.name == name]
    return load(store, named[0]) if named and named[0].can_be_opened else load_series(store, series, viewer)


def _found(
    store: CohortStore,
    viewer: Viewer,
    where: str,
    values: Mapping[str, Any] | None = None,
    *,
    chosen: CohortFilter | None = None,
) -> list[CohortStack]:
    sql = f"""
        SELECT {_COLUMNS}
        FROM image i LEFT JOIN visit v USING (subject, visit)
        WHERE {where} AND {_OF_SLICES}
        ORDER BY i.subject, v.visit_order, i.visit, i.modality, i.body_part, series, i.image
    """
    rows = answer(store, viewer, sql, chosen=chosen, values=values)
    records = rows.astype(object).where(rows.notna(), None).to_dict("records")
    series: dict[tuple[Any, ...], list[dict[Any, Any]]] = {}
    for record in records:
        key = (record["series"], record["subject"], record["visit"])
        series.setdefault(key, []).append(record)
    found = [stack for images in series.values() for stack in _of_series(images)]
    if not any(_lacks_a_slice(one) for one in found):
        return found
    held = _held(store, viewer)
    return [_with_held(one, held) if _lacks_a_slice(one) else one for one in found]


def _lacks_a_slice(one: CohortStack) -> bool:
    return any(problem.kind == MISSING for problem in one.stack.problems)


def _held(store: CohortStore, viewer: Viewer) -> dict[str, int]:
    """Series -> how many of its slices are held back, as far as this viewer decides on them."""
    sql = f"""
        SELECT coalesce(i.series_uid, i.image) AS series, count(*) AS slices FROM {HELD_FILMS} i
        WHERE i.modality IN ('MR', 'CT') GROUP BY ALL ORDER BY series
    """
    rows = answer(store, viewer, sql)
    return dict(zip(rows["series"], rows["slices"].astype(int), strict=True))


def _with_held(one: CohortStack, held: Mapping[str, int]) -> CohortStack:
    """The same, where slices are missing because they are held back."""
    count = held.get(one.name.partition(PART)[0], 0)
    if not count:
        return one
    many = f"{count} slice of its series is" if count == 1 else f"{count} slices of its series are"
    words = f" ({many} held back for text in the pixels; see: sharpline release)"
    problems = tuple(
        replace(problem, words=problem.words + words) if problem.kind == MISSING else problem
        for problem in one.stack.problems
    )
    return replace(one, stack=replace(one.stack, problems=problems))


def _of_series(images: list[dict[Any, Any]]) -> list[CohortStack]:
    by_image = {str(image["image"]): image for image in images}
    stacks = stacks_of(one for image in images for one in _slices(image))
    several = len(stacks) > 1
    return [
        _cohort_stack(
            f"{images[0]['series']}{PART}{number}" if several else str(images[0]["series"]),
            stack,
            [by_image[name] for name in dict.fromkeys(one.image for one in stack.slices)],
        )
        for number, stack in enumerate(stacks, start=1)
    ]


def _cohort_stack(name: str, stack: Stack, images: list[dict[Any, Any]]) -> CohortStack:
    first = images[0]
    order = first["visit_order"]
    return CohortStack(
        name,
        first["subject"],
        first["visit"],
        None if order is None else int(order),
        str(first["modality"] or ""),
        str(first["body_part"] or ""),
        _agreed(images, "sequence"),
        _agreed(images, "region"),
        stack,
    )


def _agreed(images: list[dict[Any, Any]], name: str) -> Found:
    """What all images of a stack say; nothing where one says otherwise."""
    values = {image[name] for image in images}
    if len(values) != 1 or None in values:
        return Found()
    record = json.loads(images[0]["classification"] or "{}").get(name, {})
    confidence = record.get("confidence")
    return Found(
        str(values.pop()), str(record.get("how", "")), None if confidence is None else float(confidence)
    )


def _slices(image: dict[Any, Any]) -> list[Slice]:
    """One slice a frame."""
    geometry = from_columns(image)
    sorting = json.loads(image["acquisition"] or "{}")
    spacing = (image["spacing_row_mm"], image["spacing_column_mm"])
    frames = int(image["frame_count"] or 1)
    contrasts, directions = sorting.get("contrasts"), sorting.get("directions")
    contrast = f"{image['sequence'] or ''} {sorting.get('echo', '')}"
    return [
        Slice(
            str(image["image"]),
            frame,
            geometry.positions_mm[frame] if geometry.positions_mm else None,
            _directions(directions[frame]) if directions else geometry.orientation,
            (int(image["row_count"] or 0), int(image["column_count"] or 0)),
            None if None in spacing else (float(spacing[0]), float(spacing[1])),
            image["slice_thickness_mm"],
            f"{contrast} {contrasts[frame]}" if contrasts else contrast,
            f"{sorting.get('run', '')} {sorting.get('time', '')}",
            bool(sorting.get("localiser")),
            bool(sorting.get("volume")),
        )
        for frame in range(frames)
    ]


def _directions(values: Sequence[float]) -> Any:
    x, y, z, a, b, c = (float(value) for value in values)
    return (x, y, z), (a, b, c)
