"""Change of every patient at every visit as one matrix: what the models of missing films are fitted to."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from core.errors import InputError
from core.progression.courses import Courses
from core.progression.missing.methods import observed_change
from core.progression.missing.multiple_imputation import visit_grid

SPARE = 3  # films at a visit beyond what its mean and its covariances take


@dataclass(frozen=True)
class Panel:
    """Patients with a baseline film, and an arm where the study has arms.

    subjects: names. arm: (n,) number of the arm, 0 the reference. y: (n, T) change from baseline, visits in
    order of time, NaN without a film. x: (n, q): 1, a 0/1 column per further arm, baseline minus its mean.
    target: column of the visit asked about. days: (T,) planned. left_out: visits with too few films to help.
    """

    subjects: list[str]
    arms: list[str]
    arm: np.ndarray
    y: np.ndarray
    x: np.ndarray
    target: int
    days: list[float]
    left_out: list[float]

    @property
    def is_missing(self) -> np.ndarray:
        """Who has no film at the visit asked about."""
        return np.asarray(np.isnan(self.y[:, self.target]))

    @property
    def x_reference(self) -> np.ndarray:
        """``x`` had every patient been in the reference arm."""
        found = self.x.copy()
        found[:, 1 : len(self.arms)] = 0.0
        return found

    @property
    def at_arms(self) -> np.ndarray:
        """Rows of a design at mean baseline, one per arm, shape (arms, q)."""
        rows = np.zeros((len(self.arms), self.x.shape[1]))
        rows[:, 0] = 1.0
        rows[np.arange(1, len(self.arms)), np.arange(1, len(self.arms))] = 1.0
        return rows


def films_until(courses: Courses, last_day: dict[str, float]) -> Courses:
    """The courses without films after each subject's last day; subjects without one keep all films."""
    end = courses.films["subject"].map(last_day).astype(float)
    films = courses.films[~(courses.films["day"] > end)].reset_index(drop=True)
    patients = courses.patients.copy()
    target_end = patients["subject"].map(last_day).astype(float)
    patients["target_day"] = patients["target_day"].mask(patients["target_day"] > target_end)
    return replace(courses, films=films, patients=patients)


def panel_of(courses: Courses, visit_days: list[float] | None = None) -> Panel:
    """The matrix of the courses.

    visit_days: planned days of visits; guessed from the films without them. Raises InputError where an arm
    has fewer than 2 films at the visit asked about, or all have too few for the model.
    """
    patients = courses.patients
    has_arm = patients["arm"].notna().to_numpy() if courses.arms else np.ones(len(patients), bool)
    arms = list(courses.arms) or ["all"]
    code = (
        pd.Index(arms).get_indexer(pd.Index(patients["arm"]))
        if courses.arms
        else np.zeros(len(patients), int)
    )
    target = observed_change(courses)
    days, columns = _visits(courses, visit_days)
    baseline = patients["from_mean"].to_numpy(float)[has_arm]
    x = [np.ones(len(baseline)), *[(code[has_arm] == n).astype(float) for n in range(1, len(arms))]]
    if len(baseline) and np.ptp(baseline) > 0:
        x.append(baseline - baseline.mean())
    design = np.column_stack(x)
    _check(target[has_arm], code[has_arm], arms, design, courses.interval.to_days)
    needed = design.shape[1] + SPARE
    all_days = [*days, courses.interval.to_days]
    order = np.argsort(all_days, kind="stable")
    wide = np.column_stack([*columns, target])[has_arm]
    seen = (~np.isnan(wide)).sum(axis=0)
    spread = [np.nanstd(column) > 0 if not np.isnan(column).all() else False for column in wide.T]
    keep = [place for place in order if place == len(days) or (seen[place] >= needed + 1 and spread[place])]
    return Panel(
        subjects=list(patients["subject"][has_arm].astype(str)),
        arms=arms,
        arm=code[has_arm],
        y=wide[:, keep],
        x=design,
        target=keep.index(len(days)),
        days=[float(all_days[place]) for place in keep],
        left_out=[float(all_days[place]) for place in order if place not in keep],
    )


def _check(target: np.ndarray, code: np.ndarray, arms: list[str], x: np.ndarray, day: float) -> None:
    seen = ~np.isnan(target)
    for number, arm in enumerate(arms):
        count = int((seen & (code == number)).sum())
        if count < 2:
            raise InputError(
                f"arm {arm} has {count} films at day {day:g} that count",
                "a model of missing films needs 2 or more in every arm",
                "choose an earlier visit or another estimand",
            )
    if seen.sum() <= x.shape[1] + SPARE:
        raise InputError(
            f"{int(seen.sum())} films at day {day:g} that count",
            f"a model of missing films needs more than {x.shape[1] + SPARE}",
            "choose an earlier visit or another estimand",
        )


def _visits(courses: Courses, visit_days: list[float] | None) -> tuple[list[float], list[np.ndarray]]:
    """Planned days of the other visits, and the change at the film nearest to each."""
    films, interval = courses.films, courses.interval
    grid = sorted(visit_days or visit_grid(films["day"].to_numpy(float), interval.window))
    others = [
        day for day in grid if abs(day - interval.to_days) > interval.window and day > interval.from_days
    ]
    used = set(zip(courses.patients["subject"], courses.patients["target_day"], strict=True))
    is_target = [pair in used for pair in zip(films["subject"], films["day"], strict=True)]
    free = films[~np.array(is_target, bool)] if len(films) else films
    columns = []
    for planned in others:
        reach = min(abs(planned - other) / 2 for other in [*others, interval.to_days] if other != planned)
        near = free.assign(distance=(free["day"] - planned).abs())
        near = near[near["distance"] <= reach].sort_values("distance", kind="stable")
        value = near.drop_duplicates("subject").set_index("subject")["change"]
        columns.append(value.reindex(courses.patients["subject"]).to_numpy(float))
    return others, columns
