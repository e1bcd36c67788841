"""Phantom spine films for the check of unknown images (:mod:`models.ood.fit`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.domain import Abstained
from core.errors import InputError
from data.phantom.schedule import POOR
from data.phantom.seeds import StudyRole
from models.msasss import phantom
from models.msasss.explain_cases import test_patients
from models.msasss.phantom import Patients, patient_films
from models.msasss.scorer import build
from models.ood.fit import CheckedImage
from models.ood.real_images import Group

TEST_SEED = 31  # the patients of ``sharpline evaluate``


class Source:
    """Films of the spine as the model's finder sees them."""

    def __init__(self, size: str, folders: Sequence[Path] = ()) -> None:
        """Raises InputError with folders: these films are always rendered."""
        if folders:
            raise InputError("--films", "spine films are always rendered", "leave it out")
        self.scorer = build(size=size, threads=1)
        self.scorer.check = None  # what it would score without the check

    def patient(self, role: str, number: int, domain: str) -> list[CheckedImage]:
        """Both films of one patient; good and poor ones, none that must be refused anyway."""
        return [
            CheckedImage(
                labelled.patient,
                labelled.region,
                not isinstance(self.scorer.score_one(labelled.as_film()), Abstained),
                self.scorer.ood_features(labelled.as_film()),
            )
            for labelled, _ in patient_films(patients(role, number, domain), number)
        ]


def patients(role: str, number: int, domain: str) -> Patients:
    """One patient of a role: those of training as the networks had them, the others as they come."""
    if role == StudyRole.TRAIN:
        return Patients(StudyRole.TRAIN, number, 1, wrong=0.0)
    seed = phantom.SEED if role == StudyRole.TUNE else TEST_SEED
    who = StudyRole(role)
    return Patients(who, number, 1, seed, phantom.PLAIN, wrong=0.0, poor=POOR, domain=domain)


def control(patients: int) -> Group:
    """Films to be scored: spines of test patients."""
    who = test_patients(patients)
    films = [labelled.as_film() for number in who.numbers for labelled, _ in patient_films(who, number)]
    return Group("control: phantom spine films, to be scored", tuple(films))


def wrong(patients: int) -> list[Group]:
    """None: the evaluation in the model's card counts films to be refused."""
    return []
