"""The patients whom a report shows with their films, since the readings differ most about them."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from core.domain import CohortFilter, Viewer
from core.errors import CohortError
from core.report.blocks import FilmPicture
from core.report.disagreements import disputed_site, judged, shown_region, worst_patients
from core.report.films import close_up, film_picture
from core.report.inputs import Case, ReportInputs
from data.dicom.images import load_image
from data.queries import patient
from data.store.cohort import CohortStore


@dataclass(frozen=True)
class _Patient:
    """One patient's rows: films and findings of the named queries, grades with a label a reading.

    site: where the readings differ most.
    """

    films: pd.DataFrame
    findings: pd.DataFrame
    grades: pd.DataFrame
    site: str


def cases_of(store: CohortStore, inputs: ReportInputs, chosen: CohortFilter, count: int) -> tuple[Case, ...]:
    """At most ``count`` patients, worst first; the statements asked are added to the report's queries."""
    return tuple(_case(store, inputs, chosen, subject) for subject in worst_patients(inputs, count))


def _case(store: CohortStore, inputs: ReportInputs, chosen: CohortFilter, subject: str) -> Case:
    """The films of the region in which readings differ most, at the first and the last visit."""
    main = inputs.readings.main
    visits = [visit for visit in (main.first, main.last) if visit]
    films = patient.films(store, Viewer(), subject)
    findings = patient.findings(store, Viewer(), subject, chosen.system)
    inputs.origin.queries["data.queries.patient.films"] = str(films.attrs.get("sql", ""))
    inputs.origin.queries["data.queries.patient.findings"] = str(findings.attrs.get("sql", ""))
    grades = inputs.grades[inputs.grades["subject"] == subject]
    model = judged(inputs.readings.models)
    region = shown_region(grades, inputs.system, model, visits)
    site = disputed_site(grades, inputs.system, model, visits, region)
    rows = _Patient(films, findings, grades, site)
    shown = [_film(store, inputs, rows, visit, region) for visit in visits]
    close = tuple(picture for _, picture in shown if picture is not None)
    return Case(subject, grades, region, tuple(picture for picture, _ in shown), site, close)


def _film(
    store: CohortStore, inputs: ReportInputs, rows: _Patient, visit: str, region: str
) -> tuple[FilmPicture, FilmPicture | None]:
    """The film of a visit, and its disputed site where a model found it."""
    films = rows.films
    here = films[(films["visit"] == visit) & films["body_part"].fillna("").str.startswith(region)]
    if here.empty:
        return FilmPicture(visit, message=f"No {region} film at this visit."), None
    image = str(here["image"].iloc[-1])
    seen = rows.findings[rows.findings["image"] == image]
    refused = seen["abstained"].dropna()
    title = visit if refused.empty else f"{visit}: the model abstained ({refused.iloc[0]})"
    try:
        film = load_image(store, image)
    except CohortError as error:
        return FilmPicture(title, message=f"{error.given}: {error.needed}."), None
    found = seen[seen["site"].notna()]
    grades = rows.grades[rows.grades["visit"] == visit]
    about = (found, grades, inputs.readings.kinds, inputs.system)
    near = close_up(film, f"{rows.site}, {visit}", *about, rows.site) if rows.site else None
    return film_picture(film, title, *about), near
