"""Sums over the joints of a visit with how many joints they are of, combined grades, and published cuts.

For scores that combine two grades of a joint by a table (``ScoreSystem.combination``). A joint of which one
of the two lacks has no combined grade; one for which the table asks a question has none either: it is told.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.scores.engine.combine import combined, combined_units
from core.scores.system import Remission, ScoreSystem

QUERY = "query"
KEYS = ["subject", "visit", "label"]


@dataclass(frozen=True)
class Cut:
    """A published cut at one visit by one reading. joints: that it was judged on, 0 where it cannot be.

    is_met: None where no joint was graded.
    """

    name: str
    is_met: bool | None
    joints: int


def combined_grades(grades: pd.DataFrame, system: ScoreSystem) -> pd.DataFrame:
    """Rows of the combined feature: ``site, visit, label, feature, grade, reason`` (and ``subject``, where
    given), one for each joint with a grade of either part; the table's answer, never a given one.

    reason: why it has no grade: ``QUERY: ...`` where the table asks a question, else which part lacks.
    """
    combination = system.combination
    if combination is None or grades.empty:
        return grades.iloc[:0]
    keys = [name for name in KEYS if name in grades]
    parts = grades[grades["feature"].isin([combination.rows, combination.columns])]
    wide = parts.pivot_table(index=keys, columns="site", values="grade", aggfunc="first", dropna=False)
    given = wide.reindex(columns=list(system.codes)).to_numpy(float)
    found, asks = combined(system, combination, given)
    rows = []
    index = {code: place for place, code in enumerate(system.codes)}
    for column, unit in enumerate(combined_units(system, combination)):
        site, first, second = _sites(system, unit)
        own, row, other = found[:, index[site]], given[:, index[first]], given[:, index[second]]
        for place in np.flatnonzero(~(np.isnan(row) & np.isnan(other))).tolist():
            reason = _reason(system, bool(asks[place, column]), row[place], other[place])
            key = wide.index[place] if isinstance(wide.index[place], tuple) else (wide.index[place],)
            rows.append((*key, site, combination.feature, own[place], reason))
    frame = pd.DataFrame(rows, columns=[*keys, "site", "feature", "grade", "reason"])
    return frame.astype({"grade": "float64"})


def _sites(system: ScoreSystem, unit: str) -> tuple[str, str, str]:
    """Codes of the combined site of a joint and of its two parts."""
    combination = system.combination
    assert combination is not None
    of = {site.feature: site.code for site in system.sites if site.unit == unit}
    return of[combination.feature], of[combination.rows], of[combination.columns]


def _reason(system: ScoreSystem, asks: bool, row: float, column: float) -> str:
    combination = system.combination
    assert combination is not None
    rows, columns = (system.by_feature[name].name for name in (combination.rows, combination.columns))
    if asks:
        return f"{QUERY}: {columns} {column:.0f} with {rows} {row:.0f}"
    if np.isnan(row) or np.isnan(column):
        return f"no {rows if np.isnan(row) else columns}"
    return ""


def sums(grades: pd.DataFrame, system: ScoreSystem) -> pd.DataFrame:
    """``visit, label`` (and ``subject``), then of each component ``NAME`` (the sum) and ``NAME_joints`` (how
    many joints it is of), and ``queries``; the highest grade of a component is ``NAME_highest``.

    grades: of the parts, ``site, visit, label, feature, grade``. A sum over no joint is NaN.
    """
    keys = [name for name in KEYS if name in grades]
    both = combined_grades(grades, system)
    rows = grades[grades["feature"] != (system.combination.feature if system.combination else "")]
    every = pd.concat([rows[[*keys, "site", "feature", "grade"]], both[[*keys, "site", "feature", "grade"]]])
    found = every.drop_duplicates(keys)[keys].reset_index(drop=True)
    for component in system.components:
        own = every[every["feature"].isin(_features(system, component.name)) & every["grade"].notna()]
        summed = own.groupby(keys)["grade"].agg(["sum", "size", "max"]).reset_index()
        summed.columns = [*keys, component.name, f"{component.name}_joints", f"{component.name}_highest"]
        found = found.merge(summed, on=keys, how="left")
        found[f"{component.name}_joints"] = found[f"{component.name}_joints"].fillna(0).astype(int)
    asked = both[both["reason"].str.startswith(QUERY)].groupby(keys).size().rename("queries").reset_index()
    found = found.merge(asked, on=keys, how="left")
    return found.assign(queries=found["queries"].fillna(0).astype(int))


def _features(system: ScoreSystem, component: str) -> set[str]:
    blocks = next(one.blocks for one in system.components if one.name == component)
    return {site.feature for site in system.sites if site.block in blocks}


def cuts(row: pd.Series, system: ScoreSystem) -> list[Cut]:
    """The published cuts of a row of ``sums``."""
    return [_cut(one, row) for one in system.remission]


def _cut(one: Remission, row: pd.Series) -> Cut:
    joints = int(row[f"{one.component}_joints"])
    if not joints:
        return Cut(one.name, None, 0)
    if one.at_most is not None:
        return Cut(one.name, bool(row[one.component] <= one.at_most), joints)
    return Cut(one.name, bool(row[f"{one.component}_highest"] >= (one.joint_at_least or 0)), joints)
