"""Slices to train and test on: which are drawn how often, and which may be on which side of a fold.

One slice in thirteen shows oedema. The paper trained without patients free of it and dealt out folds by
image, so that slices of one patient were on both sides; both are settings here, to measure what they do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from core.errors import InputError
from models.training import folds


class FoldBy(StrEnum):
    """What is dealt out to folds."""

    PATIENT = "patient"
    IMAGE = "image"  # as the paper did: leaks, for comparison only


@dataclass(frozen=True)
class Slice:
    """One slice of a stack. positive: whether its reference mask has a pixel."""

    patient: str
    stack: str
    frame: int
    positive: bool


def to_train_on(slices: Sequence[Slice], *, negative_patients: bool = True) -> list[Slice]:
    """The slices that a network is trained on; without patients who have no positive slice, where so set."""
    if negative_patients:
        return list(slices)
    inflamed = {one.patient for one in slices if one.positive}
    return [one for one in slices if one.patient in inflamed]


def drawn(
    slices: Sequence[Slice], count: int, rng: np.random.Generator, *, positive: float = 0.5
) -> list[Slice]:
    """``count`` slices with replacement, of which each is a positive one with chance ``positive``.

    Where there are only positive or only negative ones, all are of that kind. Raises InputError without any.
    """
    kinds = [[one for one in slices if one.positive], [one for one in slices if not one.positive]]
    if not any(kinds):
        raise InputError("no slices", "at least one is needed to train on", "give more stacks")
    wanted = rng.random(count) >= positive
    chosen = [kinds[int(negative)] or kinds[1 - int(negative)] for negative in wanted]
    return [kind[int(rng.integers(len(kind)))] for kind in chosen]


def fold_of(
    slices: Sequence[Slice], *, by: FoldBy = FoldBy.PATIENT, count: int = 10, seed: int = 0
) -> np.ndarray:
    """(n,) fold of each slice from 0, by patient or by image. Raises InputError where there are too few."""
    if by is FoldBy.PATIENT:
        of = folds.folds([one.patient for one in slices], count=count, seed=seed)
        return np.array([of[one.patient] for one in slices], dtype=int)
    if len(slices) < count:
        raise InputError(f"{len(slices)} slices", f"{count} folds need at least {count}", "give fewer folds")
    names = sorted(range(len(slices)), key=lambda at: (slices[at].stack, slices[at].frame))
    order = np.random.default_rng([seed, count]).permutation(len(slices))
    found = np.empty(len(slices), dtype=int)
    found[np.array(names)[order]] = np.arange(len(slices)) % count
    return found


def on_both_sides(slices: Sequence[Slice], fold: np.ndarray) -> list[str]:
    """Patients of whom some slices are in one fold and some in another, sorted: who leaks."""
    places: dict[str, set[int]] = {}
    for one, number in zip(slices, fold.tolist(), strict=True):
        places.setdefault(one.patient, set()).add(number)
    return sorted(patient for patient, numbers in places.items() if len(numbers) > 1)
