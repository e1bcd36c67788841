"""F tests of several combinations at once, with Satterthwaite's or Kenward and Roger's denominator df.

Satterthwaite in several dimensions as Fai and Cornelius 1996 (the mean of the squared t of orthogonal
combinations; lmerTest does the same). Kenward and Roger 1997 (doi:10.2307/2533558): F scaled so that its
first two moments fit; without second derivatives, as the standard errors here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from core.progression.mmrm.inference import Inference, satterthwaite_df

SMALLEST = 1e-10  # share of the largest eigenvalue under which a combination follows from the others


@dataclass(frozen=True)
class FTest:
    """num_df: rank of the combinations; f and p are NaN where the fit has no degrees of freedom."""

    num_df: int
    den_df: float
    f: float
    p: float


def f_test(pieces: Inference, combinations: np.ndarray, method: str) -> FTest:
    """The test that all combinations, shape (rows, p), are 0; ``method`` one of ``METHODS``."""
    rows = _independent(combinations)
    if pieces.theta_cov is None:
        return FTest(len(rows), np.nan, np.nan, np.nan)
    found = _kenward_roger if method == "kenward-roger" else _satterthwaite
    f, den_df = found(pieces, rows)
    return FTest(len(rows), den_df, f, float(special.fdtrc(len(rows), den_df, f)))


def _independent(combinations: np.ndarray) -> np.ndarray:
    """Orthonormal rows that span the same hypothesis."""
    _, sizes, rows = np.linalg.svd(combinations, full_matrices=False)
    return np.asarray(rows[sizes > SMALLEST * sizes[0]])


def _satterthwaite(pieces: Inference, rows: np.ndarray) -> tuple[float, float]:
    variances, directions = np.linalg.eigh(rows @ pieces.beta_cov @ rows.T)
    orthogonal = directions.T @ rows
    f = float(np.mean((orthogonal @ pieces.beta) ** 2 / variances))
    df = np.array([satterthwaite_df(pieces, row) for row in orthogonal])
    if np.ptp(df) < 1e-8 * df.mean():
        return f, float(df.mean())
    if (df <= 2).any():
        return f, 2.0
    expected = float(np.sum(df / (df - 2)))
    return f, 2 * expected / (expected - len(df))


def _kenward_roger(pieces: Inference, rows: np.ndarray) -> tuple[float, float]:
    """Scaled F and its df; for one combination those of Satterthwaite with the adjusted standard error.

    NaN where the moments belong to no F distribution (hardly any subjects).
    """
    size, w = len(rows), pieces.theta_cov
    assert w is not None
    theta = rows.T @ np.linalg.solve(rows @ pieces.model_cov @ rows.T, rows)
    products = theta @ pieces.model_slopes  # one a covariance parameter, (q, p, p)
    traces = np.trace(products, axis1=1, axis2=2)
    a1 = float(traces @ w @ traces)
    a2 = float(np.einsum("ab,aij,bji->", w, products, products, optimize=True))
    effects = rows @ pieces.beta
    f = float(effects @ np.linalg.solve(rows @ pieces.beta_cov @ rows.T, effects)) / size
    if size == 1 or a2 <= 0:
        return f, satterthwaite_df(pieces, rows[0]) if size == 1 else np.inf
    scale, df = _moments(size, a1, a2)
    return (scale * f, df) if df > 2 and scale > 0 else (np.nan, np.nan)


def _moments(size: int, a1: float, a2: float) -> tuple[float, float]:
    """(scale, denominator df) of the F whose mean and variance are those of the Wald statistic."""
    g = ((size + 1) * a1 - (size + 4) * a2) / ((size + 2) * a2)
    below = 3 * size + 2 * (1 - g)
    c1, c2, c3 = g / below, (size - g) / below, (size + 2 - g) / below
    b = (a1 + 6 * a2) / (2 * size)
    mean = 1 / (1 - a2 / size)
    variance = 2 / size * (1 + c1 * b) / ((1 - c2 * b) ** 2 * (1 - c3 * b))
    ratio = variance / (2 * mean**2)
    df = 4 + (size + 2) / (size * ratio - 1)
    return df / (mean * (df - 2)), df
