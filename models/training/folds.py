"""Folds by patient: all films of a patient, every visit, lie on one side of each split."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.errors import InputError

FOLDS = 5


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
