"""Obuchowski and Rockette's analysis of readers' figures of merit, with Hillis' degrees of freedom.

Obuchowski and Rockette 1995 (Commun Stat Simul 24:285), Hillis 2007 (Stat Med 26:596). The figures of merit
of modality i and reader j follow a two-way analysis of variance whose errors are correlated over the shared
cases: Cov1 same reader, Cov2 same modality, Cov3 neither. Compared with the published analysis of Van Dyke's
study (OR-DBM MRMC 2.51, MRMCaov).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from scipy import stats

from core.agreement.estimate import Z95, number

BOTH, READERS_FIXED, CASES_FIXED = "random", "fixed readers", "fixed cases"
SAYS = {
    BOTH: "readers and cases are samples: holds for readers and cases like these",
    READERS_FIXED: "these readers, any cases like these",
    CASES_FIXED: "these cases, any readers like these",
}


@dataclass(frozen=True)
class Components:
    """Mean squares, and the error variance and covariances, averaged over cells."""

    ms_t: float
    ms_r: float
    ms_tr: float
    var: float
    cov1: float
    cov2: float
    cov3: float


def components(theta: np.ndarray, covariance: np.ndarray) -> Components:
    """theta: shape (modalities, readers). covariance: of theta.ravel(); one reader has no MS(R), MS(TR)."""
    t, r = theta.shape
    grand, by_t, by_r = theta.mean(), theta.mean(axis=1), theta.mean(axis=0)
    left = theta - by_t[:, None] - by_r[None, :] + grand
    modality, reader = np.repeat(np.arange(t), r), np.tile(np.arange(r), t)
    same_t, same_r = modality[:, None] == modality, reader[:, None] == reader

    def mean(mask: np.ndarray) -> float:
        return float(covariance[mask].mean()) if mask.any() else 0.0

    return Components(
        ms_t=float(r * ((by_t - grand) ** 2).sum() / (t - 1)),
        ms_r=float(t * ((by_r - grand) ** 2).sum() / (r - 1)) if r > 1 else float("nan"),
        ms_tr=float((left**2).sum() / ((t - 1) * (r - 1))) if r > 1 else float("nan"),
        var=mean(same_t & same_r),
        cov1=mean(~same_t & same_r),
        cov2=mean(same_t & ~same_r),
        cov3=mean(~same_t & ~same_r),
    )


def analyses(theta: np.ndarray, covariance: np.ndarray, names: list[str]) -> list[dict[str, Any]]:
    """One entry an analysis: ``analysis, says, test, differences``; one reader has that of fixed readers.

    A difference is a later modality minus an earlier one.
    """
    t, r = theta.shape
    part = components(theta, covariance)
    shared = max(part.cov2 - part.cov3, 0.0)
    fixed = part.var - part.cov1 + (r - 1) * shared
    found = [(READERS_FIXED, fixed, np.inf)]
    if r > 1:
        both = part.ms_tr + r * shared
        df = (t - 1) * (r - 1)
        ratio = both / part.ms_tr if part.ms_tr > 0 else np.inf
        found = [(BOTH, both, df * ratio**2), *found, (CASES_FIXED, part.ms_tr, float(df))]
    return [
        {
            "analysis": name,
            "says": SAYS[name],
            "test": _test(part.ms_t, error, t - 1, df),
            "differences": _differences(theta, error, df, names),
        }
        for name, error, df in found
    ]


def _test(ms_t: float, error: float, df1: int, df2: float) -> dict[str, Any]:
    """Are all modalities alike? F, or chi-square where cases alone are drawn."""
    statistic = ms_t / error if error > 0 else float("nan")
    if np.isinf(df2):
        chi = df1 * statistic
        p = number(stats.chi2.sf(chi, df1))
        return {"statistic": "chi2", "value": number(chi), "df1": df1, "df2": None, "p": p}
    p = number(stats.f.sf(statistic, df1, df2))
    return {"statistic": "F", "value": number(statistic), "df1": df1, "df2": number(df2), "p": p}


def _differences(theta: np.ndarray, error: float, df: float, names: list[str]) -> list[dict[str, Any]]:
    se = float(np.sqrt(2 * error / theta.shape[1])) if error > 0 else float("nan")
    means = theta.mean(axis=1)
    return [
        {"a": names[b], "b": names[a]} | interval(float(means[b] - means[a]), se, df)
        for a, b in combinations(range(len(names)), 2)
    ]


def interval(value: float, se: float, df: float) -> dict[str, Any]:
    """``estimate, se, df, ci, p`` by t, or by the normal distribution for infinite df (given as None).

    Without any spread there is no interval: an AUC of 1 by all readers is no certainty.
    """
    se = se if se > 1e-12 else float("nan")
    is_normal = np.isinf(df)
    reach = Z95 if is_normal else float(stats.t.ppf(0.975, df))
    t = abs(value) / se if se > 0 else float("nan")
    p = 2 * (stats.norm.sf(t) if is_normal else stats.t.sf(t, df))
    limits = [number(value - reach * se), number(value + reach * se)]
    return {"estimate": number(value), "se": number(se), "df": number(df), "ci": limits, "p": number(p)}


def modality_means(theta: np.ndarray, covariance: np.ndarray, names: list[str]) -> list[dict[str, Any]]:
    """Mean over readers of each modality, from that modality alone; readers and cases random.

    With one reader: of this reader, cases random.
    """
    r = theta.shape[1]
    rows = []
    for place, name in enumerate(names):
        own = covariance[place * r : (place + 1) * r, place * r : (place + 1) * r]
        mean = float(theta[place].mean())
        if r == 1:
            found = interval(mean, float(np.sqrt(max(own[0, 0], 0.0))), np.inf)
        else:
            ms_r = float(theta[place].var(ddof=1))
            shared = max(float(own[~np.eye(r, dtype=bool)].mean()), 0.0)
            df = (r - 1) * ((ms_r + r * shared) / ms_r) ** 2 if ms_r > 0 else np.inf
            found = interval(mean, float(np.sqrt(ms_r / r + shared)), df)
        found.pop("p")
        rows.append({"modality": name} | found)
    return rows


def by_reader(
    theta: np.ndarray, covariance: np.ndarray, names: list[str], readers: list[str]
) -> list[dict[str, Any]]:
    """Difference between two modalities of each reader, cases random, from this reader's own covariances."""
    t, r = theta.shape
    rows = []
    for place, reader in enumerate(readers):
        for a, b in combinations(range(t), 2):
            one, other = a * r + place, b * r + place
            variance = covariance[one, one] + covariance[other, other] - 2 * covariance[one, other]
            se = float(np.sqrt(variance)) if variance > 0 else float("nan")
            found = interval(float(theta[b, place] - theta[a, place]), se, np.inf)
            rows.append({"reader": reader, "a": names[b], "b": names[a]} | found)
    return rows
