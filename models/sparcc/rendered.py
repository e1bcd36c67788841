"""Phantom stacks to train and tune on, rendered once and kept in a folder; for the role ``test`` as well."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from core.domain import Image, Point
from core.imaging.sequences import REGIONS, STIR, T1, T2_FS, T2_WATER
from data.phantom.mri.conditions import SPACING_MM, VIEWS
from data.phantom.mri.patients import Patient, make_patient
from data.phantom.mri.population import CLINIC, MIXED, TRIAL, Population
from data.phantom.mri.render import RenderedStack
from data.phantom.seeds import StudyRole, StudySeed

REGION_OF = dict(zip(VIEWS, REGIONS, strict=True))
KIND = {"STIR": STIR, "SPAIR": T2_FS, "DIXON": T2_WATER}
TO_TRAIN_ON = (MIXED, CLINIC, TRIAL)  # populations of training patients, in turn
TO_TUNE_ON = (MIXED,)  # half of the patients free of oedema, as where the operating point is taken from


@dataclass(frozen=True)
class Patients:
    """Which patients are rendered: ``count`` from number ``first`` of a role's study, their populations in
    turn. whole: every how many patients there is a stack of the whole spine too, 0 for none.
    """

    count: int
    first: int = 1
    role: StudyRole = StudyRole.TRAIN
    seed: int = 0
    domain: str = "first"
    populations: tuple[Population, ...] = TO_TRAIN_ON
    whole: int = 3
    week: int = 0

    def people(self) -> Iterator[Patient]:
        """The patients."""
        study = StudySeed(self.role, self.seed)
        for number in range(self.first, self.first + self.count):
            population = self.populations[number % len(self.populations)]
            yield make_patient(study, number, domain=self.domain, population=population)

    def views(self, number: int) -> tuple[str, ...]:
        """Stacks of patient ``number``."""
        return VIEWS if self.whole and number % self.whole == 0 else VIEWS[:3]


@dataclass(frozen=True)
class Stack:
    """One rendered stack, frames (slices, rows, columns) in the order of their place, at its own pixel size.

    stir, t1: uint16. oedema (0, 1) and structures (``anatomy.BODY_LABEL``, ``DISC_LABEL``): uint8.
    """

    patient: str
    view: str
    domain: str
    kind: str
    transitional: str
    stir: np.ndarray
    t1: np.ndarray
    oedema: np.ndarray
    structures: np.ndarray
    spacing_mm: tuple[float, float]
    orientation: tuple[Point, Point]
    positions_mm: tuple[Point, ...]

    @property
    def name(self) -> str:
        """Patient and view."""
        return f"{self.patient}_{self.view}"

    def image(self, sequence: str = "STIR") -> Image:
        """The stack as the image that a scorer gets, of ``STIR`` or ``T1``."""
        return Image(
            self.name,
            self.t1 if sequence == "T1" else self.stir,
            self.spacing_mm,
            "MR",
            body_part="spine" if self.view == "whole" else f"{self.view} spine",
            slice_spacing_mm=SPACING_MM,
            orientation=self.orientation,
            positions_mm=self.positions_mm,
            sequence=T1 if sequence == "T1" else KIND[self.kind],
            region=REGION_OF[self.view],
        )


def rendered(who: Patients, folder: Path) -> Iterator[Stack]:
    """The stacks of the patients; those that lie in ``folder`` are not rendered again."""
    for patient in who.people():
        for view in who.views(patient.number):
            path = folder / f"{patient.subject}_{view}_{who.domain}_{who.week}.npz"
            yield _kept(path) or _render(patient, view, who.week, path)


def read(folder: Path) -> list[Stack]:
    """All stacks that lie in a folder, by name."""
    found = (_kept(path) for path in sorted(folder.glob("*.npz")))
    return [stack for stack in found if stack is not None]


def visits(stacks: Sequence[Stack]) -> list[list[Stack]]:
    """The stacks of each patient."""
    by: dict[str, list[Stack]] = {}
    for stack in stacks:
        by.setdefault(stack.patient, []).append(stack)
    return list(by.values())


def _render(patient: Patient, view: str, week: int, path: Path) -> Stack:
    stack = _stack(patient, view, patient.stack(week, view))
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        np.savez(file, **vars(stack))
    os.replace(partial, path)
    return stack


def _stack(patient: Patient, view: str, drawn: RenderedStack) -> Stack:
    return Stack(
        patient.subject,
        view,
        patient.domain,
        drawn.scan.protocol.kind,
        patient.body.transitional,
        drawn.stir,
        drawn.t1,
        drawn.oedema,
        drawn.structures,
        drawn.spacing_mm,
        drawn.plan.orientation,
        drawn.plan.positions_mm,
    )


def _kept(path: Path) -> Stack | None:
    """The stack in a file; None where there is none, or a damaged one."""
    try:
        with np.load(path, allow_pickle=False) as file:
            kept = {name: file[name] for name in file.files}
    except (OSError, ValueError, BadZipFile):
        return None
    texts = {name: str(kept.pop(name)) for name in ("patient", "view", "domain", "kind", "transitional")}
    down, across = (float(value) for value in kept.pop("spacing_mm"))
    row, column = (_point(one) for one in kept.pop("orientation"))
    places = tuple(_point(one) for one in kept.pop("positions_mm"))
    fields: dict[str, Any] = {**texts, **kept}
    return Stack(**fields, spacing_mm=(down, across), orientation=(row, column), positions_mm=places)


def _point(values: np.ndarray) -> Point:
    return float(values[0]), float(values[1]), float(values[2])
