"""Table 1: who is in the study, by arm."""

from __future__ import annotations

import pandas as pd

ALL = "All"
OTHER = "No arm"
AGE = ("age", "age (years)", "age_years")


def table_one(
    subjects: pd.DataFrame, covariates: pd.DataFrame, baseline: pd.Series, *, unit: str, by_arm: bool
) -> pd.DataFrame:
    """One row per characteristic, one column per arm and one for all, as text.

    subjects: ``subject, arm, sex, birth_year``. covariates, at baseline: ``subject, name, number, text,
    unit``.
    baseline: score at baseline by subject (mean of the readers), NaN where not read. unit: of that score.
    The year of birth stands there where no covariate gives the age.
    Numbers: median (quartiles); levels: n (%), of those known; [k] says how many are missing.
    """
    groups = _groups(subjects, by_arm)
    rows = [{"": "Patients, n", **{arm: str(len(ids)) for arm, ids in groups.items()}}]
    who = subjects.set_index("subject")
    rows += _levels("Sex", who["sex"], groups)
    if not covariates["name"].str.casefold().isin(AGE).any():
        rows.append(_number("Year of birth", who["birth_year"], groups, digits=0))
    for name, values in covariates.groupby("name", sort=True):
        one = values.drop_duplicates("subject").set_index("subject")
        if one["number"].notna().any():
            label = f"{name} ({one['unit'].dropna().iloc[0]})" if one["unit"].notna().any() else str(name)
            rows.append(_number(label, one["number"], groups))
        else:
            rows += _levels(str(name), one["text"], groups)
    rows.append(_number(f"{unit} at baseline", baseline, groups))
    return pd.DataFrame(rows).fillna("")


def _groups(subjects: pd.DataFrame, by_arm: bool) -> dict[str, list[str]]:
    groups = {}
    if by_arm:
        arms = subjects["arm"].fillna(OTHER)
        groups = {str(arm): subjects.loc[arms == arm, "subject"].tolist() for arm in sorted(arms.unique())}
    return groups | {ALL: subjects["subject"].tolist()}


def _number(
    label: str, values: pd.Series, groups: dict[str, list[str]], *, digits: int = 1
) -> dict[str, str]:
    return {"": label, **{arm: _quartiles(values.reindex(ids), digits) for arm, ids in groups.items()}}


def _quartiles(values: pd.Series, digits: int) -> str:
    known = pd.to_numeric(values, errors="coerce").dropna().astype(float)
    if known.empty:
        return f"not known [{len(values)}]"
    low, middle, high = known.quantile([0.25, 0.5, 0.75])
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f}){_missing(len(values) - len(known))}"


def _levels(label: str, values: pd.Series, groups: dict[str, list[str]]) -> list[dict[str, str]]:
    levels = sorted(values.dropna().astype(str).unique())
    return [
        {"": f"{label}: {level}", **{arm: _share(values.reindex(ids), level) for arm, ids in groups.items()}}
        for level in levels
    ]


def _share(values: pd.Series, level: str) -> str:
    known = values.dropna().astype(str)
    if known.empty:
        return f"not known [{len(values)}]"
    count = int((known == level).sum())
    return f"{count} ({100 * count / len(known):.0f}%){_missing(len(values) - len(known))}"


def _missing(count: int) -> str:
    return f" [{count}]" if count else ""
