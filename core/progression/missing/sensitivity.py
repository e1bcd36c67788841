"""How much does the result move? The same result under every missing-site rule and missing-film method."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.agreement.estimate import Estimate, estimate
from core.arms import pairs_of_arms
from core.errors import InputError
from core.progression.change import changes
from core.progression.courses import Courses, courses
from core.progression.missing.extrapolation import MIN_INTERVAL
from core.progression.missing.methods import METHODS, FilledChange, Method, fill_change
from core.progression.missing.multiple_imputation import IMPUTATIONS, SEED, fill_multiply, pooled_share, rubin
from core.progression.pairing import WINDOW_DAYS, interval_of
from core.progression.progressors import Cutoff, beyond, cutoff
from core.progression.sdc import Sdc, study_sdc
from core.progression.shares import hybrid, share_difference
from core.progression.summary import difference_of_means, summary
from core.progression.totals_table import collect

MEAN = "mean change"
SHOWN = 10  # patients named in a note
PANEL_CUTOFFS = tuple(cutoff(name) for name in (">0", ">=2", ">SDC"))
COLUMNS = (
    "rule", "method", "group", "kind", "measure", "estimate", "low", "high", "n",
    "imputed_films", "imputed_sites", "without_change", "estimand", "note",
)  # fmt: skip


@dataclass(frozen=True)
class SensitivityOptions:
    """Which visits, readers, methods and definitions; days None as in ``interval_of``.

    visit_days: planned days of visits for multiple imputation, guessed from the films without them.
    reference: arm that others are compared with. min_interval: of linear extrapolation, in days. sdc: of the
    reading campaign that these subjects are a selection of; estimated from them if None.
    """

    from_days: float | None = None
    to_days: float | None = None
    window: float = WINDOW_DAYS
    readers: Sequence[str] | None = None
    methods: Sequence[Method] = METHODS
    cutoffs: Sequence[Cutoff] = PANEL_CUTOFFS
    visit_days: Sequence[float] | None = None
    reference: str | None = None
    min_interval: float = MIN_INTERVAL
    imputations: int = IMPUTATIONS
    seed: int = SEED
    sdc: Sdc | None = None


def sensitivity(
    tables: Mapping[str, pd.DataFrame], options: SensitivityOptions | None = None
) -> pd.DataFrame:
    """One tidy table: mean change and progressors by arm, and their differences, rule by rule and method by
    method.

    tables: missing-site rule -> long totals ``subject, reader, days, total``, perhaps ``arm`` and
    ``imputed_sites`` (per reader and film); one entry where the rule is not in question.
    Returns one row per ``rule, method, group, measure``: ``group`` is "all", an arm, or "B minus A"
    (``kind`` arm or difference), ``measure`` "mean change" or a cut-off such as ">SDC" (a share). ``estimate,
    low, high``; ``n`` patients in it, ``imputed_films`` of them with a value put in for the second film,
    ``without_change`` patients of the group whom the method leaves out, ``imputed_sites`` on the films used
    (missing without that column), ``estimand`` in words, ``note`` what was not possible. The SDC is that of
    the observed films under the rule. Days are the same for all rules: those of the first one's films.
    Raises InputError where no table has a total.
    """
    options = options or SensitivityOptions()
    if not tables:
        raise InputError("no table", "totals under at least one rule are needed", "name a rule")
    interval = None
    rows: list[dict[str, Any]] = []
    for rule, frame in tables.items():
        readings = collect(frame, readers=options.readers, reference=options.reference)
        if interval is None:
            interval = interval_of(readings.rows, options.from_days, options.to_days, options.window)
        sdc = options.sdc or study_sdc(changes(readings, interval).per_reader)
        course = courses(readings, interval)
        everyone = list(readings.subjects)
        for method in options.methods:
            filled = _fill(course, method, options)
            sites = _imputed_sites(frame, filled.films_used, readings.readers)
            early = too_early(filled, options.min_interval)
            limit = sdc.limits_of(filled.readers) if sdc else None
            for row in _rows(course, filled, limit, options.cutoffs, everyone):
                if early and (row["group"], row["measure"]) == ("all", MEAN):
                    row["note"] = "; ".join(text for text in (row["note"], early) if text)
                rows.append({"rule": rule, "method": method.name, **row} | _explanation(row, sites, method))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def too_early(filled: FilledChange, min_interval: float) -> str:
    """Who has no extrapolated change because the last film comes too soon, in words; "" where nobody has."""
    names = [f"{subject} (day {since:g} after baseline)" for subject, since in filled.too_early[:SHOWN]]
    if not names:
        return ""
    more = f" and {len(filled.too_early) - SHOWN} more" if len(filled.too_early) > SHOWN else ""
    return f"left out, last film under {min_interval:g} days after baseline: {', '.join(names)}{more}"


def _explanation(row: dict[str, Any], sites: dict[str, int] | None, method: Method) -> dict[str, Any]:
    names = row["group_subjects"]
    count = sum(sites.get(name, 0) for name in names) if sites is not None else None
    return {"imputed_sites": count, "estimand": method.estimand}


def _fill(course: Courses, method: Method, options: SensitivityOptions) -> FilledChange:
    if not method.is_multiple:
        return fill_change(course, method.name, min_interval=options.min_interval)
    days = list(options.visit_days) if options.visit_days else None
    return fill_multiply(course, days, imputations=options.imputations, seed=options.seed)


def _imputed_sites(frame: pd.DataFrame, used: pd.DataFrame, readers: Sequence[str]) -> dict[str, int] | None:
    """Subject -> sites that the rule put in on the films used; None where the table does not count them."""
    if "imputed_sites" not in frame.columns:
        return None
    rows = frame[frame["reader"].astype(str).isin(readers)].assign(subject=frame["subject"].astype(str))
    rows["day"] = pd.to_numeric(rows["days"], errors="coerce")
    merged = used.drop_duplicates().merge(rows, on=["subject", "day"])
    counts = pd.to_numeric(merged["imputed_sites"], errors="coerce").groupby(merged["subject"]).sum()
    return {str(name): int(value) for name, value in counts.items()}


@dataclass(frozen=True)
class _Group:
    """One arm, or all: values of shape (imputations, n), and how many of them were put in.

    limit: the SDC of each patient, (n,), None where the study has none.
    """

    name: str
    subjects: list[str]
    values: np.ndarray
    limit: np.ndarray | None
    imputed: int
    without: int


def _groups(
    course: Courses, filled: FilledChange, everyone: int, limit: np.ndarray | float | None
) -> list[_Group]:
    arm = course.patients["arm"].to_numpy()
    each = None if limit is None else np.full(len(arm), limit, float)
    masks = {"all": np.ones(len(arm), bool)}
    masks |= {name: arm == name for name in course.arms}
    known = filled.is_known
    names = course.patients["subject"].to_numpy()
    return [
        _Group(
            name,
            list(names[mask & known]),
            filled.change[:, mask & known],
            None if each is None else each[mask & known],
            int((filled.is_imputed & mask & known).sum()),
            (everyone if name == "all" else int(mask.sum())) - int((mask & known).sum()),
        )
        for name, mask in masks.items()
    ]


def _rows(
    course: Courses,
    filled: FilledChange,
    limit: np.ndarray | float | None,
    cutoffs: Sequence[Cutoff],
    everyone: list[str],
) -> Iterator[dict[str, Any]]:
    groups = _groups(course, filled, len(everyone), limit)
    for group in groups:
        shown = (group,)
        yield _row(group.name, "arm", MEAN, _mean(group.values), shown)
        for rule in cutoffs:
            value, note = _share(group, rule)
            yield _row(group.name, "arm", rule.name, value, shown, note)
    for second, first in pairs_of_arms(groups[1:]):
        name, shown2 = f"{second.name} minus {first.name}", (first, second)
        yield _row(name, "difference", MEAN, _mean_gap(second.values, first.values), shown2)
        for rule in cutoffs:
            gap, note = _share_gap(second, first, rule)
            yield _row(name, "difference", rule.name, gap, shown2, note)


def _row(
    name: str, kind: str, measure: str, value: Estimate, groups: tuple[_Group, ...], note: str = ""
) -> dict[str, Any]:
    low, high = value["ci"]
    if value["estimate"] is None and not note:
        note = "no patient has a change"
    elif low is None and not note:
        note = "too few patients for an interval"
    return {
        "group": name,
        "kind": kind,
        "measure": measure,
        "estimate": value["estimate"],
        "low": low,
        "high": high,
        "n": sum(group.values.shape[1] for group in groups),
        "imputed_films": sum(group.imputed for group in groups),
        "without_change": sum(group.without for group in groups),
        "group_subjects": [name for group in groups for name in group.subjects],
        "note": note,
    }


def _mean(values: np.ndarray) -> Estimate:
    n = values.shape[1]
    if len(values) == 1:
        row = summary(values[0])
        return {"estimate": row["mean"], "ci": row["ci"]}
    if n < 2:
        return estimate(values.mean() if n else None)
    found = rubin(values.mean(axis=1), values.var(axis=1, ddof=1) / n, n - 1)
    return estimate(found.estimate, found.low, found.high)


def _mean_gap(a: np.ndarray, b: np.ndarray) -> Estimate:
    if len(a) == 1:
        return difference_of_means(a[0], b[0])
    sizes = a.shape[1], b.shape[1]
    if min(sizes) < 2:
        return estimate(a.mean() - b.mean() if min(sizes) else None)
    variance = a.var(axis=1, ddof=1) / sizes[0] + b.var(axis=1, ddof=1) / sizes[1]
    found = rubin(a.mean(axis=1) - b.mean(axis=1), variance, sum(sizes) - 2)
    return estimate(found.estimate, found.low, found.high)


NO_SDC = "no SDC: it needs two readers and two patients with both films"


def _flags(group: _Group, rule: Cutoff) -> np.ndarray | None:
    """Who lies beyond the cut-off, (imputations, n); None where it is the SDC and there is none."""
    cut = rule.limit(group.limit)
    return None if cut is None else beyond(group.values, rule.sign, cut)


def _share(group: _Group, rule: Cutoff) -> tuple[Estimate, str]:
    flags = _flags(group, rule)
    if flags is None:
        return estimate(None), NO_SDC
    if not flags.shape[1]:
        return estimate(None), ""
    return estimate(*pooled_share(flags.sum(axis=1), flags.shape[1])), ""


def _share_gap(a: _Group, b: _Group, rule: Cutoff) -> tuple[Estimate, str]:
    one, two = _flags(a, rule), _flags(b, rule)
    if one is None or two is None:
        return estimate(None), NO_SDC
    if not one.shape[1] or not two.shape[1]:
        return estimate(None), ""
    if len(one) == 1:
        return share_difference(int(one.sum()), one.shape[1], int(two.sum()), two.shape[1]), ""
    shares = (pooled_share(flags.sum(axis=1), flags.shape[1]) for flags in (one, two))
    return hybrid(*shares), ""
