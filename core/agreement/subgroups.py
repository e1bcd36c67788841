"""Agreement within subgroups of patients: sex, arm, covariates, baseline damage.

An ICC falls where patients differ little, whatever the readers do: the SD of the differences beside it does
not, so that both are given.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from core.agreement.compare import Columns, compare

STATISTICS = ("ICC(A,1)", "bland_altman.bias", "bland_altman.sd")
MAX_LEVELS = 8
NAMES = {"sex": "sex", "arm": "arm", "centre": "centre"}
AGE, DAMAGE = "age", "baseline damage"
ALL = "all patients"


def levels(
    subjects: pd.DataFrame, covariates: pd.DataFrame | None = None, damage: pd.Series | None = None
) -> pd.DataFrame:
    """Which patient belongs where: ``subject, group, level``, groups in a fixed order, patients without a
    level left out of that group.

    subjects: ``subject`` and any of ``sex, arm, centre`` (missing values: not known, or hidden).
    covariates: ``subject, name, number, text``; text ones with two to eight levels, and ``age``, make groups.
    damage: baseline score by patient, split at its median. A group with a single level is left out.
    """
    parts = [
        _part(subjects["subject"], name, subjects[column])
        for column, name in NAMES.items()
        if column in subjects
    ]
    if covariates is not None and len(covariates):
        for name, rows in covariates[covariates["text"].notna()].groupby("name", sort=True):
            parts.append(_part(rows["subject"], str(name), rows["text"]))
        ages = covariates[(covariates["name"] == AGE) & covariates["number"].notna()]
        parts.append(_halves(ages.set_index("subject")["number"].astype(float), AGE))
    if damage is not None:
        parts.append(_halves(damage.dropna().astype(float), DAMAGE))
    found = (
        pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["subject", "group", "level"])
    )
    sizes = found.groupby("group")["level"].transform("nunique")
    return found[(sizes > 1) & (sizes <= MAX_LEVELS)].reset_index(drop=True)


def by_subgroup(
    ratings: pd.DataFrame,
    groups: pd.DataFrame,
    pairs: Sequence[tuple[str, str]],
    *,
    columns: Columns,
    statistics: Sequence[str] = STATISTICS,
) -> pd.DataFrame:
    """``compare`` in every level of every group, with columns ``group, level``; everybody first.

    ratings: one row per patient and rater. groups: of ``levels``. Intervals come from formulas: each patient
    stands once in each comparison.
    """
    everybody = compare(ratings, columns=columns, pairs=pairs, statistics=statistics)
    everybody = everybody.assign(group=ALL, level="")
    joined = groups.rename(columns={"subject": columns.subject}).merge(ratings, on=columns.subject)
    if joined.empty:
        return everybody
    found = compare(joined, by=["group", "level"], columns=columns, pairs=pairs, statistics=statistics)
    order = {key: place for place, key in enumerate(zip(groups["group"], groups["level"], strict=True))}
    place = [order[key] for key in zip(found["group"], found["level"], strict=True)]
    found = found.assign(place=place).sort_values("place", kind="stable").drop(columns="place")
    return pd.concat([everybody, found], ignore_index=True)


def without_level(subjects: Sequence[str], groups: pd.DataFrame) -> dict[str, int]:
    """Group -> how many of these patients have no level in it."""
    wanted = set(subjects)
    return {
        str(group): len(wanted - set(rows["subject"])) for group, rows in groups.groupby("group", sort=False)
    }


def _part(subject: pd.Series, group: str, level: pd.Series) -> pd.DataFrame:
    frame = pd.DataFrame({"subject": subject.to_numpy(), "level": level.to_numpy()})
    frame = frame[frame["level"].notna()].drop_duplicates("subject")
    frame = frame.astype({"level": str}).sort_values(["level", "subject"], kind="stable")
    return frame.assign(group=group)[["subject", "group", "level"]]


def _halves(values: pd.Series, group: str) -> pd.DataFrame:
    """At most the median, and above it; the median stands in the names."""
    values = values[~values.index.duplicated()]
    if values.nunique() < 2:
        return pd.DataFrame(columns=["subject", "group", "level"])
    middle = float(values.median())
    low, high = f"{middle:g} or less", f"above {middle:g}"
    if not (values > middle).any():
        low, high = f"below {middle:g}", f"{middle:g} or more"
        upper = values >= middle
    else:
        upper = values > middle
    frame = pd.DataFrame({"subject": values.index, "level": upper.map({False: low, True: high}).to_numpy()})
    frame = frame.assign(upper=upper.to_numpy()).sort_values(["upper", "subject"], kind="stable")
    return frame.assign(group=group)[["subject", "group", "level"]]
