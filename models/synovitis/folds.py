"""Folds by patient, alike in device and disease: all pictures of a patient lie in one fold.

S003 divides so too. Own dealing rather than scikit-learn's StratifiedGroupKFold, which balances pictures and
only nearly: patients of one device and disease are dealt out in turn, so that each fold gets as many of them
as any other, or one fewer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from core.errors import InputError

FOLDS = 5


@dataclass(frozen=True)
class Person:
    """What decides on a patient's fold. devices: all that scanned the patient."""

    patient: str
    disease: str
    devices: frozenset[str]

    @property
    def stratum(self) -> tuple[str, str]:
        """Devices, then disease."""
        return "+".join(sorted(self.devices)), self.disease


def people(rows: Iterable[tuple[str, str, str]]) -> list[Person]:
    """The patients of pictures (patient, disease, device), by name.

    Raises InputError where a patient has two diseases.
    """
    disease_of: dict[str, str] = {}
    devices: dict[str, set[str]] = {}
    for patient, disease, device in rows:
        if disease_of.setdefault(patient, disease) != disease:
            raise InputError(
                f"patient {patient} with {disease_of[patient]} and {disease}",
                "a patient has one disease",
                "mend the table of pictures",
            )
        devices.setdefault(patient, set()).add(device)
    return [Person(name, disease_of[name], frozenset(devices[name])) for name in sorted(disease_of)]


def folds(patients: Iterable[Person], *, count: int = FOLDS, seed: int = 0) -> dict[str, int]:
    """Patient -> fold from 0.

    Patients of one stratum are dealt out in a random order, stratum after stratum without a break: folds
    differ by one patient at most, in all, of each stratum and of each device. Raises InputError below
    ``count`` patients.
    """
    strata: dict[tuple[str, str], list[str]] = {}
    for person in sorted(patients, key=lambda one: one.patient):
        strata.setdefault(person.stratum, []).append(person.patient)
    total = sum(map(len, strata.values()))
    if total < count:
        raise InputError(
            f"{total} patients", f"{count} folds need at least {count}", "give more patients or fewer folds"
        )
    rng = np.random.default_rng([seed, count])
    dealt = [strata[key][place] for key in sorted(strata) for place in rng.permutation(len(strata[key]))]
    return {patient: place % count for place, patient in enumerate(dealt)}


def without_device(patients: Iterable[Person], device: str) -> frozenset[str]:
    """Patients that this device never scanned, to train on where it is left out."""
    return frozenset(person.patient for person in patients if device not in person.devices)


def counts(patients: Iterable[Person], fold_of: Mapping[str, int]) -> dict[tuple[int, str, str], int]:
    """(fold, devices, disease) -> number of patients."""
    found: dict[tuple[int, str, str], int] = {}
    for person in patients:
        key = (fold_of[person.patient], *person.stratum)
        found[key] = found.get(key, 0) + 1
    return found
