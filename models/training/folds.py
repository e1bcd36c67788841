"""Splits by patient: all films of a patient, every visit, lie on one side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

import numpy as np

from core.errors import InputError

FOLDS = 5
TUNING_PROPORTION = 0.15  # of the patients of labelled films


class OfPatient(Protocol):
    """Anything of one patient, such as a labelled film."""

    @property
    def patient(self) -> str: ...


One = TypeVar("One", bound=OfPatient)


def folds(patients: Sequence[str], *, count: int = FOLDS, seed: int = 0) -> dict[str, int]:
    """Patient -> fold from 0. Sizes differ by one at most; the order of the films does not matter.

    Raises InputError below ``count`` patients.
    """
    names = np.array(sorted(set(patients)))
    if len(names) < count:
        raise InputError(
            f"{len(names)} patients",
            f"{count} folds need at least {count}",
            "give more patients or fewer folds",
        )
    order = np.random.default_rng([seed, count]).permutation(len(names))
    return {str(names[place]): rank % count for rank, place in enumerate(order)}


def split(
    patients: Sequence[str], fold: int, *, count: int = FOLDS, seed: int = 0
) -> tuple[list[int], list[int]]:
    """Indices of the films to train on and to test on. patients: the patient of each film."""
    of = folds(patients, count=count, seed=seed)
    train = [i for i, patient in enumerate(patients) if of[patient] != fold]
    return train, [i for i, patient in enumerate(patients) if of[patient] == fold]


def kept_patients(patients: Iterable[str], seed: int, proportion: float = TUNING_PROPORTION) -> set[str]:
    """The patients kept for tuning, at least one. Raises InputError below two patients."""
    names = sorted(set(patients))
    if len(names) < 2:
        raise InputError(
            f"{len(names)} patient",
            "films of at least two patients are needed",
            "name patients in the labels",
        )
    order = np.random.default_rng(seed).permutation(len(names))
    return {names[i] for i in order[: max(1, round(proportion * len(names)))]}


def split_patients(
    films: Sequence[One], seed: int, proportion: float = TUNING_PROPORTION
) -> tuple[list[One], list[One]]:
    """Films for training and for tuning. Raises InputError below two patients."""
    kept = kept_patients((film.patient for film in films), seed, proportion)
    return [film for film in films if film.patient not in kept], [
        film for film in films if film.patient in kept
    ]


def keep_apart(trained_on: Iterable[str], held_out: Iterable[str], use: str = "tuning") -> None:
    """Raises InputError where a patient is trained on and held out for tuning or test."""
    if both := sorted(set(trained_on) & set(held_out)):
        raise InputError(
            f"{len(both)} patients for training and for {use} ({both[0]} ...)",
            f"a patient may be on one side only, {use} patients must not be trained on",
            "split the films by patient",
        )
