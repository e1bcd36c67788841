"""Least-squares means of arms at each visit, and their differences from the reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from core.errors import InputError
from core.progression.mmrm.design import Design
from core.progression.mmrm.levels import ordered_levels

LARGEST_GRID = 200_000


@dataclass(frozen=True)
class Contrast:
    """One arm minus the reference at one visit, as a combination of all columns of the design."""

    visit: str
    a: str
    b: str
    combination: np.ndarray


def arm_of(design: Design, visit: str, arm: str | None) -> str | None:
    """The factor that is compared: the one given, else the first that interacts with visit, else None."""
    if arm is not None:
        if arm not in design.variables:
            raise InputError(
                f"--arm {arm}", f"the formula has {', '.join(design.variables)}", "name one of these"
            )
        if arm == visit:
            raise InputError(f"--arm {arm}", "that is the visit", "name the factor that is compared")
        return arm
    for variables in design.pairs:
        others = [name for name in design.variables if name in variables and name != visit]
        if (
            visit in variables
            and len(others) == 1
            and not pd.api.types.is_numeric_dtype(design.frame[others[0]])
        ):
            return others[0]
    return None


@dataclass(frozen=True)
class Means:
    """Least-squares means as combinations of all columns of the design, ``rows``: (visits, levels, columns).

    levels: of the arm, one None without an arm. base: place of the reference. n: rows used, (visits, levels).
    Other numbers are at their mean over the rows used, other factors weighted equally.
    """

    visits: list[str]
    levels: list[str | None]
    base: int
    rows: np.ndarray
    n: np.ndarray

    @property
    def compared(self) -> list[str]:
        """The levels other than the reference."""
        return [str(level) for place, level in enumerate(self.levels) if place != self.base]


def arm_means(design: Design, visit: str, arm: str | None, reference: str | None = None) -> Means:
    """The mean of every level of the arm at every visit; ``reference``: a level, the first without it."""
    if arm is None:
        rows = _means(design, visit, None, [None])
        n = np.array([[(design.visit == place).sum()] for place in range(len(design.visit_levels))])
        return Means(design.visit_levels, [None], 0, rows, n)
    column = design.frame[arm]
    is_number = pd.api.types.is_numeric_dtype(column)
    levels = sorted(column.unique()) if is_number else list(column.cat.categories)
    base = levels.index(reference) if reference in levels else 0
    at_level = np.array([(column == level).to_numpy() for level in levels])
    at_visit = np.array([design.visit == place for place in range(len(design.visit_levels))])
    counts = at_visit.astype(int) @ at_level.T.astype(int)
    rows = _means(design, visit, arm, levels)
    return Means(design.visit_levels, [_label(level) for level in levels], base, rows, counts)


def average(means: Means, visits: Sequence[str]) -> Means:
    """The same over several visits, each with equal weight, as one; without n, which differs by visit.

    Raises InputError for a visit without rows.
    """
    unknown = [name for name in visits if name not in means.visits]
    if unknown or not visits:
        raise InputError(
            f"--average {','.join(visits)}", f"the visits are {', '.join(means.visits)}", "name these"
        )
    places = [means.visits.index(name) for name in dict.fromkeys(visits)]
    rows = means.rows[places].mean(axis=0)[None]
    return Means([", ".join(dict.fromkeys(visits))], means.levels, means.base, rows, means.n[:0])


def contrasts(means: Means) -> list[Contrast]:
    """Each level of the arm minus the reference at each visit, in order of visits."""
    base = str(means.levels[means.base])
    return [
        Contrast(at, str(level), base, means.rows[place, number] - means.rows[place, means.base])
        for place, at in enumerate(means.visits)
        for number, level in enumerate(means.levels)
        if number != means.base
    ]


def _means(design: Design, visit: str, arm: str | None, levels: list[object]) -> np.ndarray:
    """Rows of the design for each visit and level, averaged over other factors: (visits, levels, columns)."""
    frame = design.frame
    others = {
        name: [frame[name].mean()]
        if pd.api.types.is_numeric_dtype(frame[name])
        else list(frame[name].cat.categories)
        for name in design.variables
        if name not in (visit, arm)
    }
    visits = _visit_values(design, visit)
    size = len(visits) * len(levels) * int(np.prod([len(values) for values in others.values()]))
    if size > LARGEST_GRID:
        raise InputError(
            f"{size} combinations of factors", "fewer are needed for contrasts", "use a smaller model"
        )
    grid = pd.DataFrame(list(product(visits, levels, *others.values())), columns=[visit, arm or "", *others])
    for name in grid.columns:
        if name in frame and not pd.api.types.is_numeric_dtype(frame[name]):
            grid[name] = pd.Categorical(grid[name], categories=frame[name].cat.categories)
    matrix = design.spec.get_model_matrix(grid).to_numpy(float)
    return matrix.reshape(len(visits), len(levels), -1, matrix.shape[1]).mean(axis=2)


def _visit_values(design: Design, visit: str) -> list[object]:
    """The visits as the formula sees them."""
    column = design.frame[visit]
    if pd.api.types.is_numeric_dtype(column):
        return [float(level) for level in design.visit_levels]
    return list(ordered_levels(column.astype("str"), design.visit_levels))


def _label(level: object) -> str:
    return f"{level:g}" if isinstance(level, float) else str(level)


def estimable(design: Design, combination: np.ndarray) -> bool:
    """Whether the rows determine the combination: it then follows from the kept columns alone."""
    if design.kept.all():
        return True
    kept, lost = design.x[:, design.kept], design.x[:, ~design.kept]
    follows = np.linalg.lstsq(kept, lost, rcond=None)[0]
    return bool(np.allclose(combination[~design.kept], combination[design.kept] @ follows, atol=1e-8))
