"""Simulated readers and cohorts of phantom MRI beside published figures, as Markdown; nothing is rendered.

``python -m data.phantom.mri.validation [PATIENTS]`` prints what docs/phantom-mri.md shows.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from data.phantom.mri.anatomy import UNITS
from data.phantom.mri.patients import REGIONS, make_patient
from data.phantom.mri.population import CLINIC, MIXED, TRIAL, Population
from data.phantom.mri.readers import READERS, Seen, calls, read_visits, seen_at, slice_evidence
from data.phantom.mri.slices import oedema_of_slices
from data.phantom.mri.truth import three_slices
from data.phantom.seeds import StudyRole, StudySeed
from data.phantom.spine.course import arm_of
from data.phantom.spine.validation.estimates import bootstrap, icc_text, mean, share

STUDY = StudySeed(StudyRole.TEST, 2026)
WEEKS = (0, 12, 24)


@dataclass(frozen=True)
class UnitReads:
    """Points (0-18) of units. read: shape (patients, readers, visits, 23). true: (patients, visits, 23).
    active: of each patient's arm."""

    read: np.ndarray
    true: np.ndarray
    active: np.ndarray


def read_units(
    study: StudySeed, patients: int, population: Population = TRIAL, weeks: Sequence[int] = WEEKS
) -> UnitReads:
    """All readers' and the true points of the units of patients 1 to ``patients``."""
    read, true = [], []
    for number in range(1, patients + 1):
        patient = make_patient(study, number, population=population)
        seen = {week: seen_at(patient, week) for week in weeks}
        reads = [read_visits(patient, seen, reader) for reader in READERS]
        grades = [
            [visit["grade"].to_numpy(float).reshape(len(UNITS), 18) for visit in own.values()]
            for own in reads
        ]
        read.append(np.sum(grades, axis=-1))
        true.append([_true_units(visit) for visit in seen.values()])
    active = [arm_of(study, number) == 1 for number in range(1, patients + 1)]
    return UnitReads(np.array(read), np.array(true), np.array(active))


def _true_units(visit: Seen) -> list[float]:
    found = []
    for unit in UNITS:
        points = visit.oedema[unit].points()
        first = three_slices(points, visit.lateral[unit])
        found.append(np.nan if first is None else float(points[first : first + 3].sum()))
    return found


def six_worst(units: np.ndarray) -> np.ndarray:
    """Sum of the six units with the most points, last axis units."""
    return np.asarray(np.sort(units, axis=-1)[..., -6:].sum(axis=-1))


def unit_agreement(read: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Kappa and share of agreement on "any oedema in the unit", mean over pairs of readers.

    read: shape (..., patients, readers, visits, 23); leading axes (draws) are kept.
    """
    some = np.moveaxis(read > 0, -3, 0)
    pairs = [(i, j) for i in range(len(some)) for j in range(i)]
    kappas, shares = [], []
    for i, j in pairs:
        one, two = (some[k].reshape(*some.shape[1:-3], -1) for k in (i, j))
        same, first, second = (one == two).mean(-1), one.mean(-1), two.mean(-1)
        chance = first * second + (1 - first) * (1 - second)
        kappas.append((same - chance) / (1 - chance))
        shares.append(same)
    return np.mean(kappas, axis=0), np.mean(shares, axis=0)


def read_slices(study: StudySeed, patients: int, population: Population = MIXED) -> list[list[np.ndarray]]:
    """Of each patient one array a stack, shape (slices, 2): truth and the radiologist's call."""
    found = []
    for number in range(1, patients + 1):
        patient = make_patient(study, number, population=population)
        stacks = []
        for view in REGIONS:
            area, bright = oedema_of_slices(patient.plan(0, view), patient.lesions(0))
            signs = slice_evidence(area, bright, patient.scan(0, view))
            stacks.append(np.column_stack([area > 0, calls(patient, 0, view, signs)]))
        found.append(stacks)
    return found


def _ratio(
    patients: list[np.ndarray],
    hit: Callable[[np.ndarray], np.ndarray],
    of: Callable[[np.ndarray], np.ndarray],
) -> str:
    """A share over what patients hold, with patient bootstrap. Each array: rows of (truth, call)."""
    hits = np.array([hit(rows).sum() for rows in patients])
    all_ = np.array([of(rows).sum() for rows in patients])
    low, high = bootstrap(len(hits), lambda chosen: hits[chosen].sum(1) / np.maximum(all_[chosen].sum(1), 1))
    return _with_limits(hits.sum() / all_.sum(), (low, high), int(all_.sum()))


def _diagnostic(rows: list[np.ndarray]) -> tuple[str, str, str]:
    """Share of positives, sensitivity and specificity."""
    return (
        _ratio(rows, lambda r: r[:, 0], lambda r: np.ones(len(r))),
        _ratio(rows, lambda r: r[:, 0] & r[:, 1], lambda r: r[:, 0]),
        _ratio(rows, lambda r: ~r[:, 0] & ~r[:, 1], lambda r: ~r[:, 0]),
    )


def _drawn_agreement(read: np.ndarray, at: int, chosen: np.ndarray) -> np.ndarray:
    """Kappa (0) or share (1) of draws of patients, shape of ``chosen`` less its last axis."""
    return unit_agreement(read[chosen])[at]


def reader_table(reads: UnitReads) -> list[tuple[str, str, str]]:
    """Figure, phantom, published: agreement of the readers who score units."""
    read = reads.read[:, :, [0, -1]]
    kappa, agreement = (float(value) for value in unit_agreement(read))
    limits = [bootstrap(len(read), partial(_drawn_agreement, read, at)) for at in (0, 1)]
    six, every = six_worst(read), read.sum(axis=-1)
    true = six_worst(reads.true[:, [0, -1]])
    change = six[:, :, 1] - six[:, :, 0]
    return [
        (
            "per unit, any oedema: kappa, mean of pairs",
            _with_limits(kappa, limits[0], len(read)),
            "0.46-0.47",
        ),
        ("per unit, any oedema: agreement", _with_limits(agreement, limits[1], len(read)), "0.74-0.77"),
        ("six worst units, status: ICC(A,1)", icc_text(six[:, :, 0]), "about 0.8-0.95"),
        ("six worst units, change over 24 weeks: ICC(A,1)", icc_text(change), "about 0.7-0.85"),
        ("all 23 units, status: ICC(A,1)", icc_text(every[:, :, 0]), ""),
        ("six worst units at baseline, truth: mean", mean(true[:, 0]), ""),
        ("six worst units at baseline, readers: mean", mean(six[:, :, 0].mean(axis=1)), ""),
    ]


def _with_limits(value: float, limits: tuple[float, float], n: int, unit: str = "") -> str:
    return f"{value:.3f} ({limits[0]:.3f} to {limits[1]:.3f}), n {n:,}{unit}"


def course_table(reads: UnitReads) -> list[tuple[str, ...]]:
    """True six-unit score by arm and week."""
    true = six_worst(reads.true)
    return [
        (name, *(mean(true[reads.active == active][:, at]) for at in range(true.shape[1])))
        for name, active in (("placebo", False), ("active", True))
    ]


def slice_table(stacks: list[list[np.ndarray]]) -> list[tuple[str, str, str]]:
    """Figure, phantom, published: prevalence, and the radiologist of slices and stacks."""
    slices = [np.concatenate(own).astype(bool) for own in stacks]
    segments = [np.array([stack.sum(axis=0) >= 2 for stack in own]) for own in stacks]
    published = (("7.5%", "0.82", "0.87"), ("29% (53 of 180)", "0.87", "0.70"))
    rows = []
    for name, found, figures in zip(
        ("slice", "stack (2 slices or more)"), (slices, segments), published, strict=True
    ):
        for what, value, figure in zip(
            ("positive", "sensitivity", "specificity"), _diagnostic(found), figures, strict=True
        ):
            rows.append((f"{name}: {what}", value, figure))
    return rows


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def report(patients: int) -> str:
    """All tables, from ``patients`` patients of each population."""
    head = ("figure", "phantom", "published")
    reads = read_units(STUDY, patients)
    clinic = [make_patient(STUDY, number, population=CLINIC).lesions(0) for number in range(1, patients + 1)]
    some = np.array([any(not one.fatty for one in found) for found in clinic])
    mixed = [
        *slice_table(read_slices(STUDY, patients)),
        ("patients with oedema, population `clinic`", share(some), "300 of 330"),
    ]
    weeks = [f"week {week}" for week in WEEKS]
    parts = (
        ("Readers who score units", markdown(head, reader_table(reads))),
        ("Course under treatment", markdown(["arm", *weeks], course_table(reads))),
        ("Slices, population `mixed`", markdown(head, mixed)),
    )
    return "\n\n".join(f"### {title}\n\n{table}" for title, table in parts) + "\n"


if __name__ == "__main__":
    sys.stdout.write(report(int(sys.argv[1]) if len(sys.argv) > 1 else 200))
