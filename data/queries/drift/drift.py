"""Drift of a model in a cohort: by device and over calendar time, with limits that raise a flag."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from core.agreement.drift.charts import MIN_PATIENTS, Pictures, by_device, over_time
from core.agreement.drift.measures import MEASURES
from core.domain import CohortFilter, Viewer
from core.errors import InputError
from core.reader_labels import people_campaigns
from core.scores import get
from data.queries import scores
from data.queries.drift.calendar import FILM, IMPORT, months
from data.queries.drift.images import model_images, models
from data.queries.drift.pixels import FEATURES, pixel_features, sample
from data.store.cohort import CohortStore

UNIT = ["subject", "visit", "kind", "device", "month"]  # pictures of one kind, taken together
KNOWN_DATES = 0.5  # share of images whose month must be known to go by it


@dataclass(frozen=True)
class Asked:
    """What is asked. model, campaign: of its reads, "" for the one that read most. people: the readers'
    campaign, "" for that with most patients. by: ``film`` or ``import``, whose months time is. reference: its
    last month (YYYY-MM), "" for none. images: whose pixels are looked at, at most.
    """

    chosen: CohortFilter
    model: str = ""
    campaign: str = ""
    people: str = ""
    by: str = FILM
    reference: str = ""
    images: int = 400


def drift(store: CohortStore, viewer: Viewer, asked: Asked) -> dict[str, Any]:
    """Charts by device and over time. Raises InputError where no model has read the chosen patients."""
    system = asked.chosen.system
    picked = pick(asked, models(store, viewer, system), scores.readers(store, viewer, system))
    rows = model_images(store, viewer, picked.chosen, picked.model, picked.campaign, picked.people)
    return charts(store, rows, picked)


def pick(asked: Asked, known: pd.DataFrame, readers: pd.DataFrame) -> Asked:
    """The question with its model, its campaign and the readers' campaign named.

    known: of ``data.queries.drift.images.models``. Raises InputError where there is no such model.
    """
    title = get(asked.chosen.system).title
    if known.empty:
        raise InputError(f"{title}", "no model has scored this cohort", "run: sharpline score")
    found = known
    for column, value in (("reader", asked.model), ("campaign", asked.campaign)):
        found = found[found[column] == value] if value else found
    if found.empty:
        able = "; ".join(f"{row.reader} in {row.campaign}" for row in known.itertuples())
        raise InputError(
            f"model {asked.model or 'any'}, campaign {asked.campaign or 'any'}", f"{title} has {able}",
            "name one of these",
        )  # fmt: skip
    campaigns = people_campaigns(readers) if len(readers) else []
    if asked.people and asked.people not in campaigns:
        raise InputError(
            f"readers' campaign {asked.people}", f"people read in {', '.join(campaigns) or 'none'}",
            "name one of these",
        )  # fmt: skip
    people = asked.people or next(iter(campaigns), "")
    first = found.iloc[0]
    return Asked(
        asked.chosen, str(first["reader"]), str(first["campaign"]), people, asked.by, asked.reference,
        asked.images,
    )  # fmt: skip


def charts(store: CohortStore, rows: pd.DataFrame, asked: Asked) -> dict[str, Any]:
    """Both charts of images that a model read. rows: of ``data.queries.drift.images.model_images``."""
    if rows.empty:
        raise InputError(
            f"model {asked.model}", "it has read no image of the chosen patients", "choose more of them"
        )
    by, month = _months(store, rows, asked.by)
    looked = sample(rows["image"], asked.images)
    seen = rows.assign(month=month).merge(pixel_features(store, looked), on="image", how="left")
    pictures = together(seen)
    measures = [one.name for one in MEASURES if pictures[one.name].notna().any()]
    given = Pictures(pictures, measures)
    reference = _month(asked.reference)
    devices = by_device(given)
    time = over_time(given, reference=reference)
    flags = [
        {"by": axis, "level": point["level"], "measure": name, "difference": point["difference"],
         "p": point["p"]}
        for axis, chart in (("device", devices), ("time", time))
        for name, points in chart["measures"].items()
        for point in points
        if point["flag"]
    ]  # fmt: skip
    return {
        "system": asked.chosen.system,
        "model": asked.model,
        "campaign": asked.campaign,
        "readers_campaign": asked.people or None,
        "images": len(rows),
        "pictures": len(pictures),
        "patients": int(rows["subject"].nunique()),
        "images_looked_at": len(looked),
        "compared_within": list(given.strata),
        "min_patients": MIN_PATIENTS,
        "measures": {
            one.name: {"title": one.title, "group": one.group, "unit": one.unit}
            for one in MEASURES
            if one.name in measures
        },
        "device": devices,
        "time": time | {"by": by, "reference": asked.reference or None},
        "flags": flags,
        "notes": _notes(asked, by, devices, time),
    }


def together(rows: pd.DataFrame) -> pd.DataFrame:
    """Pictures: the images of one patient, visit, kind, device and month as one row, each measure a mean.

    Slices of a stack and films of both sides then count once.
    """
    names = [one.name for one in MEASURES if one.name not in FEATURES]
    numbers = [*names, *FEATURES]
    values = rows[numbers].apply(pd.to_numeric, errors="coerce").astype(float)
    frame = pd.concat([rows[UNIT], values], axis=1)
    return frame.groupby(UNIT, dropna=False, sort=False)[numbers].mean().reset_index()


def _months(store: CohortStore, rows: pd.DataFrame, by: str) -> tuple[str, pd.Series]:
    """The months asked for; those of import where most dates of the images cannot be known."""
    found = months(store, rows, by)
    if by == FILM and found.notna().mean() < KNOWN_DATES:
        return IMPORT, months(store, rows, IMPORT)
    return by, found


def _month(text: str) -> pd.Period | None:
    if not text:
        return None
    try:
        return pd.Period(pd.Timestamp(f"{text}-01" if len(text) == 7 else text), "M")
    except ValueError:
        raise InputError(f"--reference {text}", "a month is needed", "write for example 2024-06") from None


def _notes(asked: Asked, by: str, devices: dict[str, Any], time: dict[str, Any]) -> list[str]:
    found = []
    if asked.by == FILM and by == IMPORT:
        found.append(
            "when images were taken is not known here (the cohort's key is not beside it): time is the month "
            "of import"
        )
    if not asked.people:
        found.append("nobody has read these images: no agreement")
    if len(devices["levels"]) < 2:
        found.append(f"fewer than two devices with {MIN_PATIENTS} patients: devices are not compared")
    if len(time["periods"]) < 2:
        found.append(f"fewer than two periods with {MIN_PATIENTS} patients: nothing to follow over time")
    if asked.reference and not any(one["is_reference"] for one in time["periods"]):
        found.append(f"no period of {MIN_PATIENTS} patients lies before the end of {asked.reference}")
    lost = sum(
        point["difference"] is None and point["n"] > 0 and not _within_reference(time, point["level"])
        for chart in (devices, time)
        for points in chart["measures"].values()
        for point in points
    )
    if lost:
        found.append(
            f"{lost} comparisons cannot be made within the same kind of image and visit: there, device or "
            "time cannot be told from these"
        )
    return found


def _within_reference(time: dict[str, Any], level: str) -> bool:
    return any(one["level"] == level and one["is_reference"] for one in time["periods"])
