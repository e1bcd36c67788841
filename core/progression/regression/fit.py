"""One call for every model: readings and a name in, the same summary out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from core.progression.annualise import change_per_year
from core.progression.change import changes
from core.progression.courses import courses
from core.progression.pairing import WINDOW_DAYS, Interval, interval_of
from core.progression.progressors import Cutoff, cutoff, progressed
from core.progression.regression.compare import compare_arms
from core.progression.regression.counts import hurdle, negative_binomial, steps
from core.progression.regression.first_progression import first_progression
from core.progression.regression.gee import gee
from core.progression.regression.logistic import logistic
from core.progression.regression.mixed import random_slope
from core.progression.regression.npmle import DRAWS, SEED
from core.progression.regression.result import ModelResult, left_out
from core.progression.regression.rows import ModelRows, change_rows, status_rows
from core.progression.regression.time_to_first import time_to_first
from core.progression.sdc import Sdc, study_sdc
from core.progression.totals_table import Readings


@dataclass(frozen=True)
class ModelOptions:
    """Which visits and which definition.

    rule: progressor definition of ``logistic`` and ``time``, such as ">0", ">SDC", ">=5/y".
    reml: of ``mixed``. correlation: of ``gee``, exchangeable or ar1. per_reader: ``gee`` on every reader's
    rows with a term for the reader (exchangeable). draws, seed: of the bootstrap of ``time``.
    """

    from_days: float | None = None
    to_days: float | None = None
    window: float = WINDOW_DAYS
    rule: str = ">0"
    reml: bool = True
    correlation: str = "exchangeable"
    per_reader: bool = False
    draws: int = DRAWS
    seed: int = SEED


def fit_model(readings: Readings, name: str, options: ModelOptions | None = None) -> ModelResult:
    """The model of that name: one of ``MODELS``.

    ``compare`` change by arm: means, ANCOVA, ranks. ``mixed`` total ~ years * arm with a random intercept and
    slope per patient, all films from the first day on. ``gee`` the same mean. ``logistic`` progressed ~
    baseline + arm. ``negbin``, ``hurdle`` change in steps ~ baseline + arm. ``time`` years to the first film
    beyond the cut-off ~ baseline + arm. Without arms, or with one, the arm drops out.
    Raises InputError as ``interval_of`` does, KeyError for an unknown name.
    """
    options = options or ModelOptions()
    interval = interval_of(readings.rows, options.from_days, options.to_days, options.window)
    return MODELS[name](readings, interval, options)


def _compare(readings: Readings, interval: Interval, options: ModelOptions) -> ModelResult:
    rows = change_rows(readings, interval)
    return _add(compare_arms(rows.table), rows.left_out)


def _mixed(readings: Readings, interval: Interval, options: ModelOptions) -> ModelResult:
    rows = status_rows(readings, interval)
    formula = f"total ~ {_by_time(rows)}"
    found = random_slope(rows.table, formula, subject="subject", time="years", reml=options.reml)
    return _add(found, rows.left_out, "films")


def _gee(readings: Readings, interval: Interval, options: ModelOptions) -> ModelResult:
    is_long = options.per_reader and len(readings.readers) > 1
    rows = status_rows(readings, interval, per_reader=is_long)
    formula = f"total ~ {_by_time(rows)}" + (" + reader" if is_long else "")
    found = gee(rows.table, formula, subject="subject", time="years", correlation=options.correlation)
    return _add(found, rows.left_out, "films")


def _by_time(rows: ModelRows) -> str:
    return "years * arm" if rows.has_arm else "years"


def _terms(rows: ModelRows) -> str:
    """Baseline where it varies, arm where there are two."""
    varies = rows.table["baseline"].nunique() > 1
    parts = (["baseline"] if varies else []) + (["arm"] if rows.has_arm else [])
    return " + ".join(parts) or "1"


def _sdc(readings: Readings, interval: Interval) -> Sdc | None:
    return study_sdc(changes(readings, interval).per_reader)


def _logistic(readings: Readings, interval: Interval, options: ModelOptions) -> ModelResult:
    rows, rule = change_rows(readings, interval), cutoff(options.rule)
    table = rows.table
    per_year = change_per_year(table["change"], table["years"] * 365.25)
    sdc = _sdc(readings, interval)
    limit = sdc.limits_of(table["readers"].to_numpy()) if sdc else None
    judged = progressed(rule, table["change"].to_numpy(float), per_year, limit)
    if judged is None:
        return _no_sdc("logistic", rule, len(table))
    used = table[judged[1]].assign(progressed=judged[0][judged[1]].astype(int))
    gone = (*rows.left_out, ("no annualised change", int((~judged[1]).sum())))
    formula = f"progressed ~ {_terms(ModelRows(used, (), used['arm'].nunique() > 1))}"
    found = _add(logistic(used, formula), gone)
    return replace(found, extra=found.extra | {"rule": rule.name})


def _negbin(readings: Readings, interval: Interval, options: ModelOptions) -> ModelResult:
    rows = change_rows(readings, interval)
    counted = steps(rows.table["change"], len(readings.readers))
    return _add(negative_binomial(rows.table, _terms(rows), counted), rows.left_out)


def _hurdle(readings: Readings, interval: Interval, options: ModelOptions) -> ModelResult:
    rows = change_rows(readings, interval)
    counted = steps(rows.table["change"], len(readings.readers))
    return _add(hurdle(rows.table, _terms(rows), counted), rows.left_out)


def _time(readings: Readings, interval: Interval, options: ModelOptions) -> ModelResult:
    rule, course = cutoff(options.rule), courses(readings, interval)
    sdc = _sdc(readings, interval)
    if rule.value is None and sdc is None:
        return _no_sdc("time", rule, len(course.patients))
    times = first_progression(
        course, rule, sdc.limits_of(course.films["readers"].to_numpy()) if sdc else None
    )
    reference = course.arms[0] if course.arms else None
    found = time_to_first(times, rule.name, draws=options.draws, seed=options.seed, reference=reference)
    return _add(found, [(str(reason), 1) for reason in course.left_out["reason"]])


MODELS: dict[str, Callable[[Readings, Interval, ModelOptions], ModelResult]] = {
    "compare": _compare,
    "mixed": _mixed,
    "gee": _gee,
    "logistic": _logistic,
    "negbin": _negbin,
    "hurdle": _hurdle,
    "time": _time,
}


def _no_sdc(name: str, rule: Cutoff, n: int) -> ModelResult:
    why = {"model": f"{rule.name}: the study has no SDC; it needs two readers and two patients"}
    return ModelResult(name, "", "", "", (), n, n, None, (), "not fitted", notes=why)


def _add(found: ModelResult, counts: Any, unit: str = "subjects") -> ModelResult:
    """The result with further counts of who was left out, equal reasons together."""
    merged: dict[str, int] = {}
    for reason, n in [*counts, *((item["reason"], item["n"]) for item in found.left_out)]:
        merged[reason] = merged.get(reason, 0) + int(n)
    return replace(found, left_out=left_out(*merged.items()), left_out_unit=unit)
