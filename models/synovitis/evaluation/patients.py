"""Test patients of the phantom study: scans that are drawn when they are read, truth and three readers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import pandas as pd

from core.domain import Image
from data.phantom.seeds import StudyRole, StudySeed
from data.phantom.spine.course import visit_codes
from data.phantom.ultrasound.cases import WEEKS_BETWEEN_VISITS, ScanCase, scan_case
from data.phantom.ultrasound.patients import Patient, make_patient
from data.phantom.ultrasound.readers import Reader, read_visits, true_grades
from data.phantom.ultrasound.scans import MODES, Body, body_of
from models.evaluation.run import Tell
from models.evaluation.test_set import TestImage, TestSet

SEED, VISITS = 31, 2
FEATURE = {"B": "GS", "PD": "PD"}
COLUMNS = ["subject", "visit", "site", "grade"]


@dataclass(frozen=True)
class Scan:
    """One scan of a test patient, drawn when it is asked for."""

    domain: str
    number: int
    side: str
    joint: str
    order: int
    mode: str

    @property
    def patient(self) -> Patient:
        return patient_of(self.domain, self.number)

    @property
    def disease(self) -> str:
        return self.patient.disease

    @property
    def device(self) -> str:
        """Maker and model of the machine."""
        return self.patient.machine.device

    @property
    def case(self) -> ScanCase:
        """The scan with its truth and tissues."""
        return scan_case(self.patient, self.side, self.joint, self.order, self.mode)

    @property
    def site(self) -> str:
        """What is graded on it, such as ``R.MCP2.GS``."""
        return f"{self.side}.{self.joint}.{FEATURE[self.mode]}"

    def as_film(self) -> Image:
        """The image, as a file of it becomes."""
        return self.case.image


@lru_cache(maxsize=512)
def patient_of(domain: str, number: int) -> Patient:
    """Test patient ``number`` (from 1) of a domain."""
    return make_patient(StudySeed(StudyRole.TEST, SEED), number, domain=domain)


def scans(domain: str, patients: int, visits: int = VISITS) -> list[TestImage]:
    """All scans of test patients."""
    return [
        TestImage(scan, f"{patient.subject}_{visit}_{scan.site}", patient.subject, visit)
        for number in range(1, patients + 1)
        for patient in (patient_of(domain, number),)
        for order, visit in enumerate(visit_codes(visits))
        for side, joint in patient.joints
        for mode in MODES
        for scan in (Scan(domain, number, side, joint, order, mode),)
    ]


def bodies(patient: Patient, visits: int = VISITS) -> dict[float, dict[tuple[str, str], Body]]:
    """Week -> joint -> what is scanned there."""
    weeks = [float(order * WEEKS_BETWEEN_VISITS) for order in range(visits)]
    return {week: {one: body_of(patient, *one, week) for one in patient.joints} for week in weeks}


def read(
    domain: str, patients: int, readers: Sequence[Reader], visits: int = VISITS
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """True grades (``COLUMNS``) and those of readers (``reader`` besides) of all joints of test patients."""
    codes = {float(order * WEEKS_BETWEEN_VISITS): code for order, code in enumerate(visit_codes(visits))}
    truth, reads = [], []
    for number in range(1, patients + 1):
        patient = patient_of(domain, number)
        joints = bodies(patient, visits)
        for week, found in joints.items():
            truth.append(true_grades(found.items()).assign(subject=patient.subject, visit=codes[week]))
        for reader in readers:
            own = read_visits(patient, joints, reader)
            named = own["week"].astype(float).map(codes)
            reads.append(own.assign(subject=patient.subject, visit=named, reader=reader.name))
    given = pd.concat(reads, ignore_index=True) if reads else pd.DataFrame(columns=[*COLUMNS, "reader"])
    return pd.concat(truth, ignore_index=True)[COLUMNS], given[[*COLUMNS, "reader"]]


def test_patients(domain: str, patients: int, readers: Sequence[Reader], tell: Tell) -> TestSet:
    """Scans of test patients at two visits, with the truth and readers."""
    tell(f"{domain} domain: grades of {patients} patients")
    truth, reads = read(domain, patients, readers)
    return TestSet(f"{domain} domain", scans(domain, patients), truth, reads, domain, real=False)


test_patients.__test__ = False  # type: ignore[attr-defined]
