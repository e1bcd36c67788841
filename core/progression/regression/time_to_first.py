"""Time to first progression: the curve without a shape, and ratios of times under a Weibull shape."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from core.agreement.estimate import number
from core.arms import arms_in_order
from core.progression.regression.npmle import DRAWS, SEED, npmle, progressed_interval
from core.progression.regression.result import ModelResult, left_out, wald_terms
from core.progression.regression.weibull import fit_weibull

TITLE = "Time to first progression, interval-censored"
METHOD = (
    "Weibull accelerated failure time by maximum likelihood (statsmodels), normal intervals; curves by "
    "nonparametric maximum likelihood (Turnbull), patient bootstrap"
)


def time_to_first(
    times: pd.DataFrame,
    rule: str,
    *,
    years: Any = None,
    draws: int = DRAWS,
    seed: int = SEED,
    reference: str | None = None,
) -> ModelResult:
    """Model and curves of ``first_progression``'s rows.

    Terms: log time ratios (above 0: later) of baseline damage and arm, and ``log sigma``.
    extra: ``curves``: for each arm (or all) ``{"arm", "n", "progressors", "converged", "points": [{"years",
    "progressed", "ci", "bounds"}]}``, years those given, else every half year up to the last film; bounds:
    the smallest and largest share that the data allow. ``rule``. reference: arm to compare with.
    """
    known = times[times["left"].notna()].reset_index(drop=True)
    has_arm = known["arm"].notna().any()
    without = known["arm"].isna() if has_arm else pd.Series(False, index=known.index)
    used = known[~without].reset_index(drop=True)
    gone = left_out(
        ("no film after baseline", int(times["left"].isna().sum())), ("no arm", int(without.sum()))
    )
    present = set(used["arm"].dropna())
    arms = arms_in_order(present, reference if reference in present else None)
    x, names = _design(used, arms)
    formula = f"time to {rule} ~ " + (" + ".join(names[1:]) or "1")
    progressors = int(np.isfinite(used["right"]).sum())
    extra: dict[str, Any] = {"rule": rule, "progressors": progressors, "curves": []}
    if not progressors:
        notes = {"model": f"no patient of {len(used)} progressed by {rule}"}
        return _result(formula, (), used, None, (), notes, gone, extra)
    extra["curves"] = _curves(used, arms, years, draws, seed)
    if np.linalg.matrix_rank(x) < x.shape[1] or len(used) <= x.shape[1] + 1:
        notes = {"model": f"{len(used)} patients do not determine {x.shape[1] + 1} parameters"}
        return _result(formula, (), used, None, (), notes, gone, extra)
    found = fit_weibull(used["left"], used["right"], x, names)
    if found.fit is None:
        notes = {"converged": "no optimum was reached: " + "; ".join(found.tried)}
        return _result(formula, (), used, False, found.tried, notes, gone, extra)
    terms = wald_terms([*names, "log sigma"], found.fit.params, found.fit.bse, len(used))
    extra["loglik"] = float(found.fit.llf)
    notes = {} if found.converged else {"converged": "no optimum was reached: " + "; ".join(found.tried)}
    return _result(formula, terms, used, found.converged, found.tried, notes, gone, extra)


def _design(used: pd.DataFrame, arms: list[str]) -> tuple[np.ndarray, list[str]]:
    """Intercept, baseline (where it varies) and a column for each further arm."""
    columns: list[np.ndarray] = [np.ones(len(used))]
    names = ["Intercept"]
    if used["baseline"].nunique() > 1:
        columns.append(used["baseline"].to_numpy(float))
        names.append("baseline")
    for arm in arms[1:]:
        columns.append((used["arm"].astype(str) == arm).to_numpy(float))
        names.append(f"arm[T.{arm}]")
    return np.column_stack(columns), names


def _curves(used: pd.DataFrame, arms: list[str], years: Any, draws: int, seed: int) -> list[dict[str, Any]]:
    ends = used["right"].where(np.isfinite(used["right"]), used["left"])
    grid = np.asarray(years, float) if years is not None else _half_years(float(ends.max()))
    groups = {arm: used[used["arm"].astype(str) == arm] for arm in arms} if arms else {"all": used}
    return [_curve(name, rows, grid, draws, seed) for name, rows in groups.items()]


def _half_years(last: float) -> np.ndarray:
    """0.5, 1.0 ... up to the last film, or that alone where it comes earlier."""
    return np.arange(0.5, last + 0.1, 0.5) if last >= 0.4 else np.array([last])


def _curve(name: str, rows: pd.DataFrame, grid: np.ndarray, draws: int, seed: int) -> dict[str, Any]:
    found = npmle(rows["left"], rows["right"])
    share, bounds = found.progressed(grid), found.bounds(grid)
    low = high = np.full(len(grid), np.nan)
    if len(rows) > 1:
        low, high = progressed_interval(rows["left"], rows["right"], grid, draws=draws, seed=seed)
    points = [
        {
            "years": float(at),
            "progressed": float(p),
            "ci": [number(a), number(b)],
            "bounds": [float(c), float(d)],
        }
        for at, p, a, b, c, d in zip(grid, share, low, high, *bounds, strict=True)
    ]
    return {
        "arm": name,
        "n": len(rows),
        "progressors": int(np.isfinite(rows["right"]).sum()),
        "converged": found.converged,
        "points": points,
    }


def _result(
    formula: str,
    terms: Any,
    used: pd.DataFrame,
    converged: bool | None,
    tried: tuple[str, ...],
    notes: dict[str, str],
    gone: Any,
    extra: dict[str, Any],
) -> ModelResult:
    return ModelResult(
        "time", TITLE, formula, "log of the ratio of times, above 0 is later", terms, len(used), len(used),
        converged, tried, METHOD if terms else "not fitted", ratio="time ratio", left_out=gone, notes=notes,
        extra=extra,
    )  # fmt: skip
