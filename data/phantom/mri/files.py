"""A folder of phantom MRI: DICOM series, masks, tables of the truth. The same settings, the same bytes."""

from __future__ import annotations

import datetime as dt
import json
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.scores.sparcc import REGIONS as UNITS_OF
from data.phantom.mri.anatomy import BODY_LABEL, DISC_LABEL
from data.phantom.mri.course import visit_name
from data.phantom.mri.patients import REGIONS, WEEKS, Patient, make_patient
from data.phantom.mri.population import POPULATIONS
from data.phantom.mri.readers import READERS, calls, read_visits, seen_at, slice_evidence
from data.phantom.mri.render import RenderedStack
from data.phantom.mri.series_out import write_series
from data.phantom.mri.slices import oedema_of_slices
from data.phantom.mri.truth import sparcc_items
from data.phantom.seeds import StudyRole, StudySeed
from data.phantom.spine.course import ARMS, arm_of

PHANTOM = "phantom data: simulated patients, drawn MRI; for research only"
PROTOCOL = "SL-MRI"
FIRST_DAY = dt.date(2021, 3, 1)
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # time of members of archives, so that bytes do not depend on the clock


@dataclass(frozen=True)
class MriPlan:
    """Which folder: everything else follows from it. views: of each visit."""

    patients: int
    seed: int
    role: StudyRole = StudyRole.DEMO
    domain: str = "first"
    population: str = "clinic"
    weeks: tuple[int, ...] = WEEKS
    views: tuple[str, ...] = REGIONS
    first: int = 1

    def people(self) -> list[Patient]:
        """The patients, none rendered yet."""
        study, kind = StudySeed(self.role, self.seed), POPULATIONS[self.population]
        numbers = range(self.first, self.first + self.patients)
        return [make_patient(study, number, domain=self.domain, population=kind) for number in numbers]


def write_mri(plan: MriPlan, folder: Path) -> None:
    """Write series, masks and tables of a plan.

    Under the folder: ``mri/SUBJECT/VISIT/VIEW_STIR/*.dcm`` and ``VIEW_T1``, ``masks/SUBJECT/VISIT_VIEW.npz``
    (``oedema`` and ``structures``, uint8, frames x rows x columns, frames along the slice normal),
    ``levels.csv`` (number of each body and disc), ``subjects.csv``, ``series.csv``, ``slices.csv``,
    ``lesions.csv``, ``truth_sparcc.csv``, ``study.json``, and where all three regions are there the readers'
    ``reads_R1.csv`` to ``reads_R3.csv``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tables: dict[str, list[pd.DataFrame]] = {
        name: [] for name in ("series", "slices", "lesions", "truth_sparcc")
    }
    people = plan.people()
    _csv(subject_table(people), folder / "subjects.csv")
    if set(REGIONS) <= set(plan.views):
        for name, frame in reader_tables(people, plan.weeks).items():
            _csv(frame, folder / f"reads_{name}.csv")
    for patient in people:
        for week in plan.weeks:
            for name, frame in write_visit(plan, patient, week, folder).items():
                tables[name].append(frame)
    for name, frames in tables.items():
        _csv(pd.concat(frames, ignore_index=True), folder / f"{name}.csv")
    _csv(level_table(), folder / "levels.csv")
    about: dict[str, Any] = {"what": PHANTOM, "patients": plan.patients, "seed": plan.seed, "role": plan.role}
    about |= {"domain": plan.domain, "population": plan.population, "weeks": plan.weeks, "views": plan.views}
    (folder / "study.json").write_text(json.dumps(about, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def write_visit(plan: MriPlan, patient: Patient, week: int, folder: Path) -> dict[str, pd.DataFrame]:
    """Write the stacks of one visit. Returns its rows of each table."""
    subject, visit = patient.subject, visit_name(week)
    date = (FIRST_DAY + dt.timedelta(days=7 * week + 3 * patient.number)).strftime("%Y%m%d")
    series: list[dict[str, Any]] = []
    slices: list[dict[str, Any]] = []
    for view in plan.views:
        stack = patient.stack(week, view)
        uids = write_series(
            stack, folder / "mri" / subject / visit, subject=subject, visit=visit, study_date=date,
            uid_seed=patient.study.film_seed(), protocol=PROTOCOL,
        )  # fmt: skip
        path = folder / "masks" / subject / f"{visit}_{view}.npz"
        write_masks(stack, path)
        about = {"subject": subject, "visit": visit, "view": view}
        for sequence, uid in uids.items():
            series.append(
                about
                | {"sequence": sequence, "series_uid": uid, "masks": path.relative_to(folder).as_posix()}
            )
        called = slice_calls(patient, week, view)
        slices += [
            about | {"slice": number, "oedema_pixels": int(mask.sum()), "radiologist": int(call)}
            for number, (mask, call) in enumerate(zip(stack.oedema, called, strict=True))
        ]
    known = {"subject": subject, "visit": visit}
    lesions = pd.DataFrame([known | vars(one) for one in patient.lesions(week)], columns=[*known, *_LESION])
    truth = visit_truth(patient, week, plan.views).assign(**known)
    return {
        "series": pd.DataFrame(series),
        "slices": pd.DataFrame(slices),
        "lesions": lesions.round(3),
        "truth_sparcc": truth[[*known, "site", "grade", "view", "slice"]],
    }


_LESION = ("level", "kind", "plate", "place", "lateral", "along", "deep", "wide", "brightness", "fatty")


def visit_truth(patient: Patient, week: int, views: tuple[str, ...] = REGIONS) -> pd.DataFrame:
    """SPARCC items of one visit: site, grade, view, slice (index into the frames of the view's stack).

    Each unit is scored in the stack of its region, or in the one of the whole spine where there is one.
    """
    lesions, frames = patient.lesions(week), []
    for region, units in UNITS_OF.items():
        view = "whole" if "whole" in views else region
        if view in views:
            frames.append(sparcc_items(patient.plan(week, view), units, lesions).assign(view=view))
    return pd.concat(frames, ignore_index=True)


def subject_table(people: list[Patient]) -> pd.DataFrame:
    """Who they are: arm, domain, a transitional vertebra (``lumbarised``: S1, ``sacralised``: L5)."""
    rows = [
        {
            "subject": one.subject,
            "arm": ARMS[arm_of(one.study, one.number)],
            "domain": one.domain,
            "transitional": one.body.transitional,
        }
        for one in people
    ]
    return pd.DataFrame(rows)


def reader_tables(people: list[Patient], weeks: tuple[int, ...]) -> dict[str, pd.DataFrame]:
    """Items of every visit as each reader scored them, by reader: subject, visit, site, grade."""
    found: dict[str, list[pd.DataFrame]] = {reader.name: [] for reader in READERS}
    for patient in people:
        seen = {week: seen_at(patient, week) for week in weeks}
        for reader in READERS:
            for week, items in read_visits(patient, seen, reader).items():
                known = {"subject": patient.subject, "visit": visit_name(week)}
                found[reader.name].append(items.assign(**known)[[*known, "site", "grade"]])
    return {name: pd.concat(frames, ignore_index=True) for name, frames in found.items()}


def slice_calls(patient: Patient, week: int, view: str) -> np.ndarray:
    """Which slices of a stack the radiologist calls inflamed."""
    area, bright = oedema_of_slices(patient.plan(week, view), patient.lesions(week))
    return calls(patient, week, view, slice_evidence(area, bright, patient.scan(week, view)))


def level_table() -> pd.DataFrame:
    """Number of every body and disc in the masks of structures."""
    rows = [("body", name, number) for name, number in BODY_LABEL.items()]
    rows += [("disc", name, number) for name, number in DISC_LABEL.items()]
    return pd.DataFrame(rows, columns=["structure", "name", "label"])


def write_masks(stack: RenderedStack, path: Path) -> None:
    """Masks as compressed npz whose bytes depend on nothing else."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("oedema", "structures"):
            content = BytesIO()
            np.save(content, getattr(stack, name), allow_pickle=False)
            member = zipfile.ZipInfo(f"{name}.npy", date_time=LONG_AGO)
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, content.getvalue())


def _csv(table: pd.DataFrame, path: Path) -> None:
    table.to_csv(path, index=False, lineterminator="\n", encoding="utf-8")
