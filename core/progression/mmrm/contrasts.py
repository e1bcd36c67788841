"""Differences between arms at each visit, from model means."""

from __future__ import annotations

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


def contrasts(design: Design, visit: str, arm: str, reference: str | None = None) -> list[Contrast]:
    """Each level of the arm minus the reference at each visit, in order of visits.

    reference: a level, the first without it.

    Other numbers are at their mean over the rows used, other factors weighted equally.
    """
    column = design.frame[arm]
    is_number = pd.api.types.is_numeric_dtype(column)
    levels = sorted(column.unique()) if is_number else list(column.cat.categories)
    base = levels.index(reference) if reference in levels else 0
    means = _means(design, visit, arm, levels)
    return [
        Contrast(at, _label(level), _label(levels[base]), means[place, number] - means[place, base])
        for place, at in enumerate(design.visit_levels)
        for number, level in enumerate(levels)
        if number != base
    ]


def _means(design: Design, visit: str, arm: str, levels: list[object]) -> np.ndarray:
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
    rows = list(product(visits, levels, *others.values()))
    grid = pd.DataFrame(rows, columns=[visit, arm, *others] if visit != arm else None)
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
