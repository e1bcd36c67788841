"""Each patient's course: change from the baseline film at every later film, mean of readers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.progression.pairing import Interval, choose_films
from core.progression.totals_table import Readings


@dataclass(frozen=True)
class Courses:
    """Films after baseline of every patient who has a baseline film.

    patients: one row per patient in file order: ``subject, arm, from_day, from_mean, target_day``; the film
    that stands for the second visit is on ``target_day``, NaN where there is none.
    films: ``subject, day, since, change, total, readers``, sorted by patient and day: ``since`` days after
    the baseline film, ``change`` within readers who have both films, then their mean (``readers`` of them).
    left_out: ``subject, reason``: no baseline film. arms: of these patients, the reference first.
    """

    interval: Interval
    readers: list[str]
    patients: pd.DataFrame
    films: pd.DataFrame
    left_out: pd.DataFrame
    arms: list[str]


def courses(readings: Readings, interval: Interval) -> Courses:
    """Courses from the first day of the interval; films before the baseline film are not in them."""
    rows = readings.rows[readings.rows["total"].notna()]
    films = choose_films(readings.rows, interval)
    has_base = films["from_day"].notna()
    rows = rows.assign(subject=rows["subject"].astype(str), reader=rows["reader"].astype(str))
    rows["from_day"] = rows["subject"].map(films["from_day"])
    base = rows[rows["days"] == rows["from_day"]].set_index(["subject", "reader"])["total"]
    keys = pd.MultiIndex.from_frame(rows[["subject", "reader"]])
    rows["change"] = rows["total"].to_numpy() - base.reindex(keys).to_numpy(float)
    later = rows[(rows["days"] > rows["from_day"]) & rows["change"].notna()]
    grouped = later.groupby(["subject", "days"], sort=False)
    course = grouped.agg(change=("change", "mean"), total=("total", "mean"), readers=("change", "size"))
    course = course.reset_index().rename(columns={"days": "day"})
    course.insert(2, "since", course["day"] - course["subject"].map(films["from_day"]).astype(float))
    order = pd.Index(films.index).get_indexer(course["subject"])
    course = course.iloc[np.lexsort((course["day"].to_numpy(), order))].reset_index(drop=True)
    patients = _patients(readings, films, base, has_base)
    seen = set(zip(course["subject"], course["day"], strict=True))
    found = [pair in seen for pair in zip(patients["subject"], patients["target_day"], strict=True)]
    patients["target_day"] = patients["target_day"].where(np.array(found, bool))
    left_out = pd.DataFrame(
        {"subject": films.index[~has_base], "reason": films.loc[~has_base, "reason"].to_numpy()}
    )
    present = set(patients["arm"].dropna())
    arms = [name for name in readings.arms if name in present]
    return Courses(interval, readings.readers, patients, course, left_out, arms)


def _patients(readings: Readings, films: pd.DataFrame, base: pd.Series, has_base: pd.Series) -> pd.DataFrame:
    arm = readings.rows.drop_duplicates("subject").set_index("subject")["arm"].astype(object)
    arm = arm.reindex(films.index)
    table = pd.DataFrame(
        {
            "subject": films.index,
            "arm": arm.where(arm.notna(), None).to_numpy(),
            "from_day": films["from_day"].to_numpy(),
            "from_mean": base.groupby("subject").mean().reindex(films.index).to_numpy(),
            "target_day": films["to_day"].to_numpy(),
        }
    )
    return table[has_base.to_numpy()].reset_index(drop=True)
