"""MRI of the spine in a phantom study: stacks of some of its patients, scored by three simulated readers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.scores.sparcc import REGIONS as UNITS_OF
from data.phantom.generators import Generator
from data.phantom.mri.files import slice_calls, visit_truth
from data.phantom.mri.patients import REGIONS, Patient, make_patient
from data.phantom.mri.population import TRIAL
from data.phantom.mri.readers import READERS, Seen, read_visits, seen_at
from data.phantom.mri.render import RenderedStack, render_stack
from data.phantom.mri.series_out import write_series
from data.phantom.mri.wrong import KINDS, made_wrong
from data.phantom.schedule import MISSES_FILM, Patients, PlannedFilm
from data.phantom.seeds import StudySeed, derived_seed

EVERY = 6  # patients 1, 7, 13 ... have MRI at every visit that they come to
MISSES_STACK, WRONG_EXTRA = MISSES_FILM, 0.2
LAST = 1060.0  # weeks: after the last visit of the longest study
VIEW = "mri_"  # before the region in the name of a view: films of the spine have the same regions
HIDDEN = "the unit is not on three slices"
SLICE_COLUMNS = ("slice", "oedema_pixels", "radiologist")


@dataclass(frozen=True)
class MriPart:
    """The MRI of a study; see ``generators.Part``."""

    patients: Patients

    @cached_property
    def people(self) -> dict[int, Patient]:
        """Those who have MRI, by their place in the course."""
        return {
            place: _person(self.patients.study, place, self.patients.domain)
            for place in range(0, len(self.patients.subjects), EVERY)
        }

    def weeks(self, place: int) -> dict[int, str]:
        """Weeks after baseline of the visits that a patient came to, and their codes."""
        return {
            _week(day): visit
            for day, visit in zip(self.patients.conduct.days[place], self.patients.visits, strict=True)
            if np.isfinite(day)
        }

    @cached_property
    def films(self) -> list[PlannedFilm]:
        return [film for place, person in self.people.items() for film in self._of(place, person)]

    def _of(self, place: int, person: Patient) -> list[PlannedFilm]:
        """The stacks of one patient: a few are not taken, now and then one is sent by mistake as well."""
        rng = self.patients.study.rng(person.number, "mri:conduct")
        days = self.patients.conduct.days[place]
        start, planned = self.patients.conduct.start[place], []
        for order, (day, visit) in enumerate(zip(days, self.patients.visits, strict=True)):
            wrong, not_taken = rng.random(), rng.random(len(REGIONS)) < MISSES_STACK
            wrong_region, wrong_kind = rng.integers(len(REGIONS)), rng.integers(len(KINDS))
            if not np.isfinite(day):
                continue
            date = (start + dt.timedelta(days=int(day))).strftime("%Y%m%d")
            kinds: list[tuple[str, str | None]] = [
                (region, None) for region, gone in zip(REGIONS, not_taken, strict=True) if not gone
            ]
            if wrong < WRONG_EXTRA:
                kinds.append((REGIONS[wrong_region], KINDS[wrong_kind]))
            planned += [
                PlannedFilm(person.subject, visit, f"{VIEW}{region}", place, order, date, kind)
                for region, kind in kinds
            ]
        return planned

    def states(self, film: PlannedFilm) -> dict[str, int]:
        """The week of the visit, from which the oedema follows."""
        return {"week": _week(self.patients.conduct.days[film.number, film.order])}

    @cached_property
    def seen(self) -> dict[int, dict[int, Seen]]:
        """What can be seen at each visit of each patient (place, week)."""
        return {
            place: {week: seen_at(person, week) for week in self.weeks(place)}
            for place, person in self.people.items()
        }

    def reads(self, reader: str, read: int) -> pd.DataFrame:
        who = next(one for one in READERS if one.name == reader)
        taken = {(film.subject, film.visit, film.view) for film in self.films if film.kind is None}
        found = []
        for place, person in self.people.items():
            visits = self.weeks(place)
            for week, items in read_visits(person, self.seen[place], who, read=read).items():
                known = {"subject": person.subject, "visit": visits[week]}
                on = [(*known.values(), f"{VIEW}{REGION_OF[unit]}") in taken for unit in items["unit"]]
                found.append(items[on].assign(**known))
        frame = pd.concat(found, ignore_index=True)
        frame["reason"] = [HIDDEN if is_hidden else None for is_hidden in frame["grade"].isna()]
        return frame[["subject", "visit", "site", "grade", "reason"]]

    def truth(self) -> pd.DataFrame:
        found = [
            visit_truth(person, week).assign(subject=person.subject, visit=visit)
            for place, person in self.people.items()
            for week, visit in self.weeks(place).items()
        ]
        return pd.concat(found, ignore_index=True)[["subject", "visit", "site", "grade"]]


REGION_OF = {unit: region for region, units in UNITS_OF.items() for unit in units}


def _person(study: StudySeed, place: int, domain: str) -> Patient:
    return make_patient(study, place + 1, domain=domain, population=TRIAL, last=LAST)


def _week(day: float) -> int:
    return round(float(day) / 7)


def _render(
    study: StudySeed, domain: str, film: PlannedFilm, states: Mapping[str, Any]
) -> tuple[RenderedStack, list[dict[str, Any]]]:
    person, week, region = _person(study, film.number, domain), states["week"], film.view.removeprefix(VIEW)
    if film.kind is not None:
        seed = derived_seed(study.film_seed(), film.subject, film.seed_visit, film.view)
        scan = replace(person.scan(week, region), draw=seed)  # taken anew: other noise
        taken = render_stack(person.body, scan, person.marrow, person.lesions(week))
        return made_wrong(taken, film.kind, seed), []
    stack = person.stack(week, region)
    called = slice_calls(person, week, region)
    rows = [
        {"slice": number, "oedema_pixels": int(mask.sum()), "radiologist": int(call)}
        for number, (mask, call) in enumerate(zip(stack.oedema, called, strict=True))
    ]
    return stack, rows


def _write(
    rendered: RenderedStack,
    folder: Path,
    *,
    subject: str,
    visit: str,
    study_date: str,
    uid_seed: int,
    protocol: str,
) -> dict[str, dict[str, Any]]:
    uids = write_series(
        rendered, folder, subject=subject, visit=visit, study_date=study_date,
        uid_seed=uid_seed, protocol=protocol,
    )  # fmt: skip
    return {
        f"{rendered.scan.view}_{sequence}": {
            "series_uid": uid,
            "sequence": sequence,
            "slices": len(rendered.stir),
        }
        for sequence, uid in uids.items()
    }


GENERATOR = Generator(
    system="sparcc",
    shows="spine MRI",
    views=tuple(f"{VIEW}{region}" for region in REGIONS),
    wrong_kinds=KINDS,
    readers=tuple(reader.name for reader in READERS),
    tag="_sparcc",
    labels="slices",
    label_columns=SLICE_COLUMNS,
    part=MriPart,
    render=_render,
    write_stacks=_write,
    rereads=(EVERY, 1),
)
