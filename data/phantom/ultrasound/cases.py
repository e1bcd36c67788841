"""Scans of phantom patients as images with their truth, for whoever trains or measures a network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.domain import Box, Image, ScanArea
from data.phantom.seeds import StudySeed
from data.phantom.spine.course import visit_codes
from data.phantom.ultrasound.body import TISSUES
from data.phantom.ultrasound.patients import JOINTS, Patient, make_patient
from data.phantom.ultrasound.scans import MODES, DrawnScan, draw_scan

__all__ = ["JOINTS", "TISSUES", "ScanCase", "cases_of_patient"]

WEEKS_BETWEEN_VISITS = 52


@dataclass(frozen=True)
class ScanCase:
    """One scan of one joint in one mode, and what is true of it.

    gs, pd: OMERACT-EULAR grades of the joint as drawn. tissue: uint8, shape (rows, columns), numbers of
    ``TISSUES``. device: maker and model.
    """

    image: Image
    subject: str
    visit: str
    gs: int
    pd: int
    disease: str
    device: str
    tissue: np.ndarray

    @property
    def grade(self) -> int:
        """The grade that a picture of this mode is read for."""
        return self.pd if self.image.mode == "PD" else self.gs


def cases_of_patient(study: StudySeed, domain: str, number: int, visits: int = 1) -> list[ScanCase]:
    """All scans of patient ``number`` (from 1): grey scale and power Doppler of 2 to 6 joints a visit.

    domain: ``first`` (two machines) or ``second`` (another one). The same patient whoever else is drawn.
    """
    patient = make_patient(study, number, domain=domain)
    return [
        scan_case(patient, side, joint, order, mode)
        for order in range(visits)
        for side, joint in patient.joints
        for mode in MODES
    ]


def scan_case(patient: Patient, side: str, joint: str, order: int, mode: str) -> ScanCase:
    """One scan of a patient. order: of the visit, from 0."""
    visit = visit_codes(order + 1)[-1]
    drawn = draw_scan(patient, side, joint, order * WEEKS_BETWEEN_VISITS, mode)
    name = f"{patient.subject} {visit} {side}.{joint} {mode}"
    return ScanCase(
        as_image(drawn, name, side, joint), patient.subject, visit, drawn.body.gs, drawn.body.pd,
        patient.disease, patient.machine.device, drawn.screen.tissue,
    )  # fmt: skip


def as_image(drawn: DrawnScan, name: str, side: str, joint: str) -> Image:
    """A drawn scan as the image that a file of it becomes."""
    screen = drawn.screen
    grey = screen.colour.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    areas: tuple[ScanArea, ...] = (ScanArea(Box(*screen.box), screen.mm),)
    if screen.colour_box is not None:
        areas += (ScanArea(Box(*screen.colour_box), screen.mm, "doppler"),)
    return Image(
        name,
        np.rint(grey).astype(np.uint16),
        spacing_mm=screen.mm,
        modality="US",
        body_part="HAND",
        laterality=side,
        colour=screen.colour,
        joint=joint,
        mode=drawn.mode,
        device=drawn.machine.device,
        areas=areas,
    )
