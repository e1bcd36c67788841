"""Phantom spine films on which abstention is counted (:mod:`models.ood.abstention`)."""

from __future__ import annotations

from models.msasss.explain_cases import test_patients
from models.msasss.phantom import patient_films
from models.ood.real_images import Group


def control(patients: int) -> Group:
    """Films to be scored: spines of test patients."""
    who = test_patients(patients)
    films = [labelled.as_film() for number in who.numbers for labelled, _ in patient_films(who, number)]
    return Group("control: phantom spine films, to be scored", tuple(films))


def wrong(patients: int) -> list[Group]:
    """None: the evaluation in the model's card counts films to be refused."""
    return []
