"""One patient's patches of oedema over visits: where they are, how far they reach, how bright they are.

A patch has an activity, 1 at baseline. Under treatment its logarithm falls along a saturating curve, most of
it within 12 to 24 weeks; size and brightness follow activity, and a patch of little activity is gone. New
patches appear at a rate of the arm. After a patch some fat may stay.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from core.imaging.spine import LEVELS
from data.phantom.mri.anatomy import UNITS, whole_spine
from data.phantom.mri.lesions import CORNER, FACET, PLATE, SPINOUS, Lesion
from data.phantom.mri.population import UNIT_WEIGHT, Population
from data.phantom.seeds import StudySeed
from data.phantom.spine.body import Body, Vertebra
from data.phantom.spine.course import MEDIAN_CRP, arm_of, draw_patient
from data.phantom.spine.population import OASIS

GONE = 0.22  # activity below which a patch is not there
DIMMEST = 0.34  # of the brightness of CSF: fainter than this a patch is marrow like any other
HORIZON = 24.0  # weeks for which falls and new patches are given


@dataclass(frozen=True)
class Patch:
    """A lesion with its course. born: week of its beginning. slope: fall of the logarithm of activity in
    ``HORIZON`` weeks. after: fat stays where it was."""

    lesion: Lesion
    born: float
    slope: float
    after: bool


def visit_name(week: int) -> str:
    """BL, W12 ..."""
    return "BL" if week == 0 else f"W{week}"


def patches(
    study: StudySeed, number: int, body: Body, population: Population, last: float = 104.0
) -> list[Patch]:
    """All patches of patient ``number`` up to week ``last``; the first do not depend on it."""
    rng = study.rng(number, "mri:oedema")
    arm = arm_of(study, number)
    draws = draw_patient(study, number, 1, OASIS)
    burden = float(np.exp(0.25 * (draws["log_crp"] - np.log(MEDIAN_CRP))))
    vertebrae, _ = whole_spine(body)
    answer = population.fall[arm] + population.patient * rng.normal()
    count = 0
    if rng.random() < population.inflamed:
        count = 1 + int(
            rng.poisson(population.lesions * burden * rng.gamma(population.spread) / population.spread)
        )
    found = [p for _ in range(count) for p in _draw(rng, vertebrae, population, 0.0, answer)]
    time = np.random.default_rng([body.seed, 103])
    week = 0.0
    rate = population.fresh[arm] * (1.0 if count else 0.15)
    while rate > 0:
        week += float(time.exponential(HORIZON / rate))
        if week > last:
            break
        found += _draw(time, vertebrae, population, week, answer)
    return found


def lesions_at(found: list[Patch], week: float, population: Population) -> tuple[Lesion, ...]:
    """The lesions of one visit; fat that stays after a patch comes with them, marked ``fatty``."""
    there: list[Lesion] = []
    for patch in found:
        if week < patch.born:
            continue
        rise = 1.0 if patch.born == 0 else min(1.0, 0.4 + (week - patch.born) / 12)
        share = (1 - 0.5 ** ((week - patch.born) / population.half)) / (
            1 - 0.5 ** (HORIZON / population.half)
        )
        activity = rise * float(np.exp(patch.slope * share))
        lesion, grown = patch.lesion, activity**0.4
        bright = lesion.brightness * activity**0.45
        if activity >= GONE and bright >= DIMMEST:
            sizes = {name: getattr(lesion, name) * grown for name in ("along", "deep", "wide")}
            there.append(replace(lesion, brightness=bright, **sizes))
        elif patch.after:
            there.append(replace(lesion, fatty=True, along=lesion.along * 0.8, deep=lesion.deep * 0.8))
    return tuple(there)


def _draw(
    rng, vertebrae: dict[str, Vertebra], population: Population, born: float, answer: float
) -> list[Patch]:
    """One patch, or two that face each other."""
    weights = np.array([UNIT_WEIGHT[unit] for unit in UNITS])
    index = int(rng.choice(len(UNITS), p=weights / weights.sum()))
    upper_one = bool(rng.random() < 0.5)
    level = LEVELS[index] if upper_one else LEVELS[index + 1]
    plate = "lower" if upper_one else "upper"
    slope = answer + population.patch * rng.normal()
    after = bool(rng.random() < 0.4)
    if rng.random() < population.posterior:
        return [Patch(_posterior(rng, level, plate, vertebrae[level]), born, slope, False)]
    kind = PLATE if rng.random() < population.plates else CORNER
    place = float(rng.uniform(-0.6, 0.6)) if kind == PLATE else (-1.0 if rng.random() < 0.62 else 1.0)
    lesion = _in_body(rng, kind, level, plate, place, vertebrae[level])
    found = [Patch(lesion, born, slope, after)]
    if rng.random() < population.kissing:
        other = LEVELS[index + 1] if upper_one else LEVELS[index]
        facing = _in_body(rng, kind, other, "upper" if upper_one else "lower", place, vertebrae[other])
        facing = replace(
            facing, lateral=lesion.lateral + float(rng.normal(0, 2)), brightness=lesion.brightness
        )
        found.append(Patch(facing, born, slope, after))
    return found


def _in_body(rng, kind: str, level: str, plate: str, place: float, v: Vertebra) -> Lesion:
    size = v.depth / 17.0
    reach = np.exp(rng.normal(0, 0.38, 3))
    height = 0.5 * (v.anterior + v.posterior)
    along = 8.0 * size * reach[0] if kind == CORNER else 9.0 * size * reach[0]
    deep = min((7.0 if kind == CORNER else 5.2) * size * reach[1] ** 1.4, 0.92 * height)
    return Lesion(
        level=level,
        kind=kind,
        plate=plate,
        place=place,
        lateral=float(np.clip(rng.normal(0, 0.42), -0.8, 0.8) * v.width),
        along=float(np.clip(along, 2.5, 1.5 * v.depth)),
        deep=float(max(deep, 2.2)),
        wide=float(np.clip(6.2 * size * reach[2], 2.5, v.width)),
        brightness=float(np.clip(np.exp(rng.normal(np.log(0.66), 0.28)), 0.4, 1.25)),
    )


def _posterior(rng, level: str, plate: str, v: Vertebra) -> Lesion:
    spinous = bool(rng.random() < 0.3) or level == "S1"
    side = 0.0 if spinous else float(rng.choice([-1.0, 1.0]))
    deep = float(np.exp(rng.normal(np.log(7.0), 0.3)) * v.anterior / 26)
    bright = float(np.clip(np.exp(rng.normal(np.log(0.62), 0.25)), 0.4, 1.2))
    kind = SPINOUS if spinous else FACET
    return Lesion(level, kind, plate, 1.0, side * v.width * 0.6, deep, deep, deep, bright)
