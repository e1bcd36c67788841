"""What the report's sections on arms, estimands, planning and two campaigns are made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from core.agreement.comparison import TOTAL, Readings
from core.agreement.mrmc.study import collect
from core.domain import Viewer
from core.errors import InputError
from core.natural import natural_key
from core.progression.estimands.events import Events, events_in
from core.progression.grid import TotalGrid, total_grid
from core.reader_labels import people, people_campaigns, shown_readings
from core.report.trial.inputs import Asked, Trial
from core.scores.system import ScoreSystem
from data.queries import grids
from data.queries.readings import readings
from data.store.cohort import CohortStore


def patient_properties(table: pd.DataFrame) -> pd.DataFrame:
    """Properties of all patients, one column each: numbers, or text; subjects are the index.

    table: of ``grids.properties``.
    """
    columns = {}
    for name in sorted(table["name"].unique(), key=natural_key):
        rows = table[table["name"] == name].drop_duplicates("subject").set_index("subject")
        columns[str(name)] = rows["text"] if rows["text"].notna().any() else rows["number"]
    return pd.DataFrame(columns)


def patient_events(table: pd.DataFrame, name: str, grid: TotalGrid) -> Events:
    """The events that a property of the patients holds. table: of ``grids.properties``."""
    rows = table[table["name"] == name].drop_duplicates("subject").set_index("subject")
    value = rows["number"].astype(object).where(rows["number"].notna(), rows["text"])
    frame = grid.frame()
    frame = pd.DataFrame(
        {
            "subject": frame["subject"].astype(object),
            "visit": frame["visit"].astype(object),
            "days": frame["days"],
            name: frame["subject"].astype(object).map(value.to_dict()),
        }
    ).drop_duplicates(["subject", "visit"])
    return events_in(frame, name, grid.visit_days())


def trial_of(
    store: CohortStore, viewer: Viewer, system: ScoreSystem, compared: Readings, campaign: str,
    asked: Asked, reference: str | None,
) -> tuple[Trial, dict[str, pd.DataFrame]]:  # fmt: skip
    """The trial, and the frames it comes from by the name of their query.

    Raises InputError for a property that the patients do not have.
    """
    cells, table = grids.total_cells(store, viewer, system.name), grids.properties(store, viewer)
    frames = {"data.queries.grids.total_cells": cells, "data.queries.grids.properties": table}
    properties = patient_properties(table)
    _need([*asked.strata, *asked.covariates, *([asked.event] if asked.event else [])], properties)
    shown = shown_readings(cells, campaign)
    shown = shown[shown["label"].isin(compared.people)]
    visits = grids.visit_names(store, viewer)["visit"].tolist()
    grid = replace(total_grid(shown, visits), reference=reference)
    days = grid.visit_days()
    main = compared.main
    if shown.empty or main.first not in days or main.last not in days:
        return Trial(properties=properties), frames
    events = patient_events(table, asked.event, grid) if asked.event else None
    return Trial(
        readings=grid.readings(),
        days=(days[main.first], days[main.last]),
        visit_days=tuple(days.values()),
        properties=properties,
        events=events,
    ), frames


def campaigns_of(
    totals: pd.DataFrame, readers: pd.DataFrame, system: ScoreSystem, compared: Readings, campaign: str
) -> Any:
    """The chosen campaign and the next one of the same readers as two modalities; None without both.

    totals: of ``data.queries.scores.totals``. Change where there is one, against the first consensus.
    """
    others = [name for name in people_campaigns(readers) if name != campaign]
    if not others or not compared.truths:
        return None
    panel, truth = compared.panels[-1], compared.truths[0]
    tables = {campaign: compared.table(panel, component=TOTAL)}
    for name in others:
        other = readings(totals, readers, system, name)
        if set(other.people) & set(compared.people) and other.main == compared.main:
            tables[name] = other.table(panel, component=TOTAL)
            break
    if len(tables) < 2:
        return None
    common = [label for label in people(compared.kinds) if all(label in one for one in tables.values())]
    truths = compared.table(panel, component=TOTAL)[truth].dropna()
    parts = []
    for name, wide in tables.items():
        long = wide[common].reset_index(names="subject")
        parts.append(
            long.melt(id_vars="subject", var_name="reader", value_name="rating")
            .dropna()
            .assign(modality=name)
        )
    rows = pd.concat(parts, ignore_index=True)
    in_all = set.intersection(*(set(part["subject"]) for part in parts)) & set(truths.index)
    rows = rows[rows["subject"].isin(in_all)].reset_index(drop=True)
    if rows.empty:
        return None
    try:
        return collect(rows.assign(truth=rows["subject"].map(truths).astype(float)), reference=campaign)
    except InputError:
        return None


def _need(names: Sequence[str], properties: pd.DataFrame) -> None:
    absent = [name for name in dict.fromkeys(names) if name not in properties]
    if absent:
        there = ", ".join(map(str, properties)) or "none"
        raise InputError(
            f"no property {', '.join(absent)}", f"the patients have {there}", "name one of these"
        )
