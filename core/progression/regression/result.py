"""One shape for every fitted model: what a page, a table or a file needs to show it honestly."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from math import exp
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from core.agreement.estimate import Z95, number


@dataclass(frozen=True)
class Term:
    """One number of the model. n: subjects that it rests on. What cannot be computed is None."""

    term: str
    estimate: float | None
    se: float | None
    low: float | None
    high: float | None
    p: float | None
    n: int


@dataclass(frozen=True)
class ModelResult:
    """A fitted model, or why there is none (``terms`` empty, ``notes`` says why).

    name: as in options; title: for people; formula: outcome ~ terms; scale: what an estimate is, in words.
    ratio: what exp(estimate) is called (odds ratio ...), empty where estimates are differences.
    terms: coefficients, treatment coding against the first level in natural order.
    n_subjects, n_rows: used. left_out: ``{"reason", "n"}``, n counting ``left_out_unit`` (subjects or films).
    converged: None where nothing was fitted. tried: every attempt and how it ended. method: estimation and
    intervals in one sentence. notes: topic -> sentence. extra: what only this model has (documented there).
    """

    name: str
    title: str
    formula: str
    scale: str
    terms: tuple[Term, ...]
    n_subjects: int
    n_rows: int
    converged: bool | None
    tried: tuple[str, ...]
    method: str
    ratio: str = ""
    left_out: tuple[dict[str, Any], ...] = ()
    left_out_unit: str = "subjects"
    notes: dict[str, str] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)

    def table(self) -> pd.DataFrame:
        """Columns ``term, estimate, se, low, high, p, n``, and ``ratio, ratio_low, ratio_high`` if any."""
        rows = [vars(term) for term in self.terms]
        frame = pd.DataFrame(rows, columns=["term", "estimate", "se", "low", "high", "p", "n"])
        if self.ratio:
            for new, old in (("ratio", "estimate"), ("ratio_low", "low"), ("ratio_high", "high")):
                frame[new] = np.exp(frame[old].astype(float).clip(-700, 700))
        return frame

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON: ``coefficients`` as in ``mmrm``, and everything else by its name."""
        rows = [
            {
                "term": term.term,
                "estimate": term.estimate,
                "se": term.se,
                "ci": [term.low, term.high],
                "p": term.p,
                "n": term.n,
            }
            | ({self.ratio.replace(" ", "_"): _exp(term.estimate)} if self.ratio else {})
            for term in self.terms
        ]
        names = ("name", "title", "formula", "scale", "n_subjects", "n_rows", "converged", "method", "notes")
        return {name: getattr(self, name) for name in names} | {
            "coefficients": rows,
            "tried": list(self.tried),
            "left_out": list(self.left_out),
            "left_out_unit": self.left_out_unit,
            **self.extra,
        }


def _exp(value: float | None) -> float | None:
    return None if value is None or abs(value) > 700 else exp(value)


def wald_terms(
    names: Sequence[str], estimates: Any, errors: Any, n: int, df: float | None = None
) -> tuple[Term, ...]:
    """Terms with Wald intervals: normal, or t where ``df`` is given."""
    return tuple(
        wald(name, float(value), float(se), n, df)
        for name, value, se in zip(names, np.asarray(estimates), np.asarray(errors), strict=True)
    )


def wald(name: str, value: float, se: float, n: int, df: float | None = None) -> Term:
    if not (np.isfinite(se) and se > 0):
        return Term(name, number(value), None, None, None, None, n)
    quantile = Z95 if df is None else float(special.stdtrit(df, 0.975))
    z = -abs(value) / se
    p = 2 * float(special.ndtr(z) if df is None else special.stdtr(df, z))
    return Term(name, number(value), se, value - quantile * se, value + quantile * se, p, n)


@dataclass(frozen=True)
class Attempts:
    """The first attempt that converged, else the last one that gave anything; and the story."""

    fit: Any
    converged: bool
    tried: tuple[str, ...]


def attempt(tries: Iterable[tuple[str, Callable[[], tuple[Any, bool]]]]) -> Attempts:
    """Run attempts until one converges. Each gives (fit, converged) or raises; warnings are kept out."""
    import statsmodels.tools.sm_exceptions  # noqa: F401 - sets warning filters when first imported

    steps: list[str] = []
    kept: Any = None
    for name, run in tries:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with np.errstate(all="ignore"):
                    fit, converged = run()
        except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
            steps.append(f"{name}: failed ({_first_line(error)})")
            continue
        kept = fit if fit is not None else kept
        steps.append(f"{name}: {'converged' if converged else 'did not converge'}")
        if converged:
            return Attempts(fit, True, tuple(steps))
    return Attempts(kept, False, tuple(steps))


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def left_out(*counts: tuple[str, int]) -> tuple[dict[str, Any], ...]:
    """``{"reason", "n"}`` of those above 0."""
    return tuple({"reason": reason, "n": int(n)} for reason, n in counts if n)


def no_variance(values: Any) -> bool:
    """Whether all values are equal (or there is none)."""
    values = np.asarray(values, float)
    return bool(len(values) == 0 or np.ptp(values) < 1e-12)
