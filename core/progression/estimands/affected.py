"""Whom the event concerns: patients with it after the baseline film and before the film of the visit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from core.progression.courses import Courses
from core.progression.estimands.events import Events


@dataclass(frozen=True)
class Affected:
    """courses: without subjects whose event cannot be placed. day: (patients,) of the event, NaN where there
    is none that comes before the film of the visit (before the planned day without a film).
    excluded: ``subject, reason``. table: ``subject, arm, day, films_after`` of the patients affected."""

    courses: Courses
    day: np.ndarray
    excluded: list[dict[str, str]]
    table: pd.DataFrame

    @property
    def last_day(self) -> dict[str, float]:
        """Subject -> day of the event: films on that day still count as before it."""
        return dict(zip(self.table["subject"], self.table["day"], strict=True))

    def by_arm(self) -> list[dict[str, Any]]:
        """Patients of each arm, and those affected by name."""
        arms = self.courses.patients["arm"]
        return [
            {
                "arm": arm,
                "patients": int((arms == arm).sum() if self.courses.arms else len(arms)),
                "affected": len(rows),
                "subjects": rows[["subject", "day", "films_after"]].to_dict("records"),
            }
            for arm in (self.courses.arms or ["all"])
            for rows in [self.table[self.table["arm"] == arm] if self.courses.arms else self.table]
        ]


def affected(courses: Courses, events: Events | None) -> Affected:
    """Who is affected; nobody without events."""
    events = events or Events("", {})
    patients = courses.patients
    day = patients["subject"].map(dict(events.day)).astype(float)
    problems = dict(events.problems) | {
        str(row["subject"]): f"{events.column} is day {given:g}, before the baseline film "
        f"(day {row['from_day']:g}): not an event of the treatment"
        for row, given in zip(patients.to_dict("records"), day, strict=True)
        if given < row["from_day"]
    }
    is_in = ~patients["subject"].astype(str).isin(list(problems))
    kept = replace(
        courses,
        patients=patients[is_in].reset_index(drop=True),
        films=courses.films[~courses.films["subject"].astype(str).isin(list(problems))].reset_index(
            drop=True
        ),
    )
    day = day[is_in].reset_index(drop=True)
    end = kept.patients["target_day"].fillna(courses.interval.to_days)
    day = day.where(day < end)
    after = kept.films["day"] > kept.films["subject"].map(
        dict(zip(kept.patients["subject"], day, strict=True))
    ).astype(float)
    films_after = kept.films.loc[after, "subject"].value_counts()
    rows = kept.patients[["subject", "arm"]].assign(
        day=day, films_after=kept.patients["subject"].map(films_after).fillna(0).astype(int)
    )
    has_baseline = set(patients["subject"].astype(str))
    excluded = [{"subject": name, "reason": why} for name, why in problems.items() if name in has_baseline]
    return Affected(kept, day.to_numpy(float), excluded, rows[day.notna()].reset_index(drop=True))
