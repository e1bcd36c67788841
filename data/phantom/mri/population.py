"""Settings of the course of inflammation: how many patients have some, where it lies, how it answers."""

from __future__ import annotations

from dataclasses import dataclass, replace

from data.phantom.mri.anatomy import UNITS

# How often a unit is inflamed, relative: most in the lower thoracic spine (order of size; not verified here).
_WEIGHTS = (
    0.35, 0.4, 0.5, 0.7, 0.8, 0.6,
    0.5, 0.6, 0.8, 1.0, 1.2, 1.5, 1.6, 1.5, 1.5, 1.4, 1.3,
    1.3, 1.2, 1.0, 1.0, 1.2, 1.2,
)  # fmt: skip
UNIT_WEIGHT = dict(zip(UNITS, _WEIGHTS, strict=True))


@dataclass(frozen=True)
class Population:
    """inflamed: share of patients with any oedema at baseline. lesions, spread: mean number of patches of
    those beyond the first, and shape of its gamma (small: a few patients have most).
    posterior: share of patches in facets and spinous processes, which no unit counts. plates: share at end
    plates of those in bodies. kissing: chance that the facing corner or plate has one too.
    fall: logarithm of what is left of a patch's activity after 24 weeks, by arm (placebo, active); patient,
    patch: spread of it. half: weeks in which half of the fall has happened.
    fresh: new patches in 24 weeks, by arm.
    """

    name: str
    inflamed: float
    lesions: float
    spread: float
    posterior: float = 0.14
    plates: float = 0.24
    kissing: float = 0.22
    fall: tuple[float, float] = (-0.4, -1.25)
    patient: float = 0.45
    patch: float = 0.35
    half: float = 8.0
    fresh: tuple[float, float] = (0.4, 0.12)


# The cohort of 330 patients of whom 300 had inflammation; and its test set, half and half, 7.5% of slices.
CLINIC = Population("clinic", inflamed=300 / 330, lesions=2.4, spread=0.8)
MIXED = replace(CLINIC, name="mixed", inflamed=0.5)
TRIAL = replace(CLINIC, name="trial", inflamed=1.0, lesions=6.5, spread=2.0)
POPULATIONS = {one.name: one for one in (CLINIC, MIXED, TRIAL)}
