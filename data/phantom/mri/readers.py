"""Simulated readers of phantom MRI: three who score SPARCC, and a radiologist who looks at single slices.

A reader sees the evidence of each quadrant, the logarithm of its oedematous area times its contrast to marrow
against what is just visible in that scan, and adds errors: a habit (b), of a patient (s), of a unit
that stay over visits, of a unit at a visit, and of a quadrant. Where it passes a threshold the quadrant is
scored. Modic 1 change is evidence too, and in many units something small (a vessel, a worn plate, noise) is
taken for oedema by some readers and not by others. So people err where a lesion is faint or small, and see
some where there is none; nothing is rendered for it. In paired reading what stays over visits cancels in the
change, but for what it moves across the threshold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr

from core.imaging.spine import LEVELS
from core.scores.sparcc import REGIONS as UNITS_OF
from data.phantom.mri.anatomy import UNITS
from data.phantom.mri.conditions import Scan
from data.phantom.mri.patients import Patient
from data.phantom.mri.render import Plan
from data.phantom.mri.truth import (
    AS_BRIGHT,
    DEEP,
    Evidence,
    item_frame,
    item_rows,
    three_slices,
    unit_evidence,
)

MARROW = 0.30  # signal of marrow relative to CSF, from which a lesion stands out
NOTHING = -3.0  # evidence of a quadrant without any oedema, in the units of the errors
JUST_SEEN = 7.0  # mm2 of oedema of twice the brightness of marrow that is as likely seen as not
SHARED = 0.46  # share of the variance of doubt about a unit that all readers have in common
ALIKE = 0.45  # share of evidence that is left of what is bright and no inflammation


@dataclass(frozen=True)
class Reader:
    """How one person reads, in units of evidence (one is twice the area or contrast).

    bias: b. patient: spread of s. unit: of the error that stays with a unit. visit: of a unit at a visit.
    quadrant: of one quadrant in one slice. bright, deep: errors of intensity (share of CSF) and depth (mm).
    alarm: share of units in which something small is taken for oedema, of those without any. keeps: share of
    the variance of that which stays over visits.
    """

    name: str
    bias: float = 0.0
    patient: float = 0.25
    unit: float = 0.75
    visit: float = 0.65
    quadrant: float = 0.5
    bright: float = 0.10
    deep: float = 1.5
    alarm: float = 0.23
    keeps: float = 0.7


READERS = (Reader("R1"), Reader("R2", bias=-0.15), Reader("R3", bias=0.15))


@dataclass(frozen=True)
class Seen:
    """What can be seen of one visit, whoever reads. evidence: by unit; clear: of each unit's scan, 1 where
    noise hides nothing; lateral: mm of the slices from the unit's midline."""

    oedema: dict[str, Evidence]
    alike: dict[str, Evidence]
    clear: dict[str, float]
    lateral: dict[str, np.ndarray]


def clearness(scan: Scan) -> float:
    """How little noise, ghosts and thick slices hide, 1 at best."""
    return float(1 / (1 + (scan.noise / 0.06) ** 2 + (scan.ghost / 0.08) ** 2))


def seen_at(patient: Patient, week: int) -> Seen:
    """What the stacks of one visit show of every unit. Nothing is rendered."""
    oedema, alike, clear, lateral = {}, {}, {}, {}
    for region, units in UNITS_OF.items():
        scan, plan = patient.scan(week, region), patient.plan(week, region)
        for unit in units:
            oedema[unit] = unit_evidence(plan, unit, patient.lesions(week))
            alike[unit] = unit_evidence(plan, unit, patient.marrow.bland)
            clear[unit] = clearness(scan)
            lateral[unit] = _lateral(plan, unit)
    return Seen(oedema, alike, clear, lateral)


def _lateral(plan: Plan, unit: str) -> np.ndarray:
    return plan.grid.z - plan.spine.placed[LEVELS[UNITS.index(unit)]].centre[2]


def evidence(one: Evidence, clear: float) -> np.ndarray:
    """Evidence of every quadrant, shape (slices, 4): 0 is as likely seen as not."""
    contrast = np.maximum(one.brightness / MARROW - 1, 0)[:, None]
    visible = one.area * contrast * clear / JUST_SEEN
    return np.maximum(1.0 * np.log2(np.maximum(visible, 1e-6)), NOTHING)


def read_visits(
    patient: Patient, seen: dict[int, Seen], reader: Reader, *, read: int = 1
) -> dict[int, pd.DataFrame]:
    """Items of each visit (week -> unit, site, grade, slice), read as one set.

    read: 2 for a second session, to which a reader brings what stays of the errors and makes the rest anew.
    """
    number = patient.number
    rng = patient.study.rng(number, f"mri:{reader.name}")
    whole = reader.bias + reader.patient * rng.normal()
    stays = reader.unit * rng.normal(size=len(UNITS))
    found = {}
    common = patient.study.rng(number, "mri:doubt").normal(size=len(UNITS))
    mine = rng.normal(size=len(UNITS))
    if read > 1:
        rng = patient.study.rng(number, f"mri:{reader.name} read {read}")
    for week, visit in sorted(seen.items()):
        own = np.random.default_rng([int(rng.integers(2**31)), week])
        rows = []
        anew = np.sqrt(reader.keeps) * mine + np.sqrt(1 - reader.keeps) * own.normal(size=len(UNITS))
        doubt = np.sqrt(SHARED) * common + np.sqrt(1 - SHARED) * anew
        alarmed = dict(zip(UNITS, ndtr(doubt) > 1 - reader.alarm, strict=True))
        for unit, error in zip(UNITS, stays, strict=True):
            points = _read_unit(visit, unit, reader, whole + error + reader.visit * own.normal(), own)
            if alarmed[unit] and not np.nansum(points):
                _small_finding(points, visit.lateral[unit], patient.body.seed, UNITS.index(unit))
            first = three_slices(points, visit.lateral[unit])
            rows += item_rows(unit, points, first)
        found[week] = item_frame(rows)
    return found


def _read_unit(visit: Seen, unit: str, reader: Reader, error: float, rng) -> np.ndarray:
    one, other = visit.oedema[unit], visit.alike[unit]
    signs = np.maximum(evidence(one, visit.clear[unit]), evidence(other, ALIKE * visit.clear[unit]))
    slices = len(signs)
    noise = reader.quadrant * rng.normal(size=(slices, 4))
    quadrants = signs + error + noise > 0
    some = quadrants.any(axis=1)
    brightness = np.maximum(one.brightness, other.brightness) + reader.bright * rng.normal()
    deep = np.maximum(one.deep, other.deep) + reader.deep * rng.normal()
    points = np.column_stack([quadrants, some & (brightness > AS_BRIGHT + 0.05), some & (deep >= DEEP)])
    points = points.astype(float)
    points[~one.cut] = np.nan
    return points


def _small_finding(points: np.ndarray, lateral: np.ndarray, seed: int, unit: int) -> None:
    """One quadrant in one slice or two next to each other, for every reader the same one."""
    rng = np.random.default_rng([seed, 109, unit])
    at = int(np.argmin(np.abs(lateral - rng.uniform(-7, 7))))
    points[at : at + int(rng.integers(1, 3)), rng.integers(0, 4)] += 1.0


# -- the radiologist of single slices ----------------------------------------------------------------------


@dataclass(frozen=True)
class Radiologist:
    """Says of a slice whether it shows oedema. threshold: evidence needed. slice: spread of the error of a
    slice, patient: of one that all slices of a patient share. alarm: share of stacks in which something else
    is taken for oedema. run: mean number of slices that show it, next to each other."""

    name: str = "radiologist"
    threshold: float = 0.1
    slice: float = 1.0
    patient: float = 0.4
    alarm: float = 0.30
    run: float = 9.5


RADIOLOGIST = Radiologist()


def slice_evidence(pixels: np.ndarray, brightest: np.ndarray, scan: Scan) -> np.ndarray:
    """Evidence of slices from their area of oedema (mm2) and its brightness, shape of both."""
    visible = pixels * np.maximum(brightest / MARROW - 1, 0) * clearness(scan) / JUST_SEEN
    return np.maximum(np.log2(np.maximum(visible, 1e-6)), NOTHING - 2)


def calls(
    patient: Patient, week: int, view: str, signs: np.ndarray, reader: Radiologist = RADIOLOGIST
) -> np.ndarray:
    """Whether the radiologist calls each slice of a stack positive, given its evidence."""
    rng = patient.study.rng(patient.number, f"mri:{reader.name} {week} {view}")
    error = reader.patient * patient.study.rng(patient.number, f"mri:{reader.name}").normal()
    sees = signs + error + reader.slice * rng.normal(size=len(signs)) > reader.threshold
    if rng.random() < reader.alarm:
        first = int(rng.integers(-2, len(signs) - 1))
        sees[max(first, 0) : first + 2 + int(rng.poisson(reader.run - 2))] = True
    return np.asarray(sees)
