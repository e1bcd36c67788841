"""Agreement about single sites, and the cases behind each number; every interval resamples patients."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from core.agreement.compare import Columns, change_between, compare
from core.ties import in_order

STATISTICS = ("kappa.quadratic", "ICC(A,1)", "exact_agreement", "within_one")
GRADES = Columns("rated", "label", "grade")
JOIN = "\x1f"
KEYS = ("subject", "site", "label")


def status_grades(grades: pd.DataFrame, visit: str = "") -> pd.DataFrame:
    """Grades at one visit, or at all of them: ``subject, visit, site, label, grade, rated``.

    grades: ``subject, visit, site, label, grade``; a site that was not graded has no row in the result.
    """
    known = grades[grades["grade"].notna()]
    known = known[known["visit"] == visit] if visit else known
    return known.assign(rated=known["subject"] + JOIN + known["visit"])


def change_grades(grades: pd.DataFrame, first: str, last: str, *, more: Sequence[str] = ()) -> pd.DataFrame:
    """Change of every site's grade within a reading: ``subject, site, label, grade, rated``."""
    known = grades[grades["grade"].notna()]
    keys = (*KEYS, *more)
    change = change_between(known, first, last, keys=keys, rating="grade")
    return change.assign(rated=change["subject"])


def by_site(
    rated: pd.DataFrame, pairs: Sequence[tuple[str, str]], statistics: Sequence[str] = STATISTICS
) -> pd.DataFrame:
    """Rows of ``compare`` with ``site``; rated: of ``status_grades`` or ``change_grades``."""
    return compare(rated, by=["site"], columns=GRADES, pairs=pairs, cluster="subject", statistics=statistics)


def all_sites(
    rated: pd.DataFrame,
    pairs: Sequence[tuple[str, str]],
    statistics: Sequence[str] = STATISTICS,
    *,
    more: Sequence[str] = (),
) -> pd.DataFrame:
    """Rows of ``compare`` over all sites together. more: columns that tell two grades of one site apart."""
    name = rated["rated"] + JOIN + rated["site"]
    for column in more:
        name = name + JOIN + rated[column]
    return compare(
        rated.assign(rated=name), columns=GRADES, pairs=pairs, cluster="subject", statistics=statistics
    )


def graded_by_both(rated: pd.DataFrame, first: str, second: str) -> pd.DataFrame:
    """What two readings gave the same case: ``subject, visit`` (where there is one), ``site, first, second,
    difference``; largest difference first, then by patient, visit and site as in the frame."""
    keys = [name for name in ("subject", "visit", "site") if name in rated]
    one, other = (
        rated.loc[rated["label"] == label, [*keys, "grade"]].rename(columns={"grade": name})
        for label, name in ((first, "first"), (second, "second"))
    )
    both = one.merge(other, on=keys).astype({"first": float, "second": float})
    both["difference"] = both["first"] - both["second"]
    order = in_order(both["difference"].abs(), largest_first=True)
    return both.iloc[order].reset_index(drop=True)
