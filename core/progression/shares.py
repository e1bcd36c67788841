"""Shares compared: difference between two arms, net progression, and flags by arm.

Difference: Newcombe's hybrid score interval (Newcombe 1998, Stat Med 17:873, method 10), from Wilson limits.
Net progression: (worse - better) / n of one group, with Tango's score interval for paired shares (Tango 1998,
Stat Med 17:891), which needs only the two counts and n.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize

from core.agreement.estimate import Z95, Estimate, estimate
from core.agreement.proportion import proportion, wilson
from core.arms import arms_in_order, pairs_of_arms


def share_difference(count_a: int, n_a: int, count_b: int, n_b: int) -> Estimate:
    """count_a / n_a minus count_b / n_b with Newcombe's interval; None where a group is empty."""
    if not n_a or not n_b:
        return estimate(None)
    return hybrid(
        (count_a / n_a, *wilson(count_a, n_a)),
        (count_b / n_b, *wilson(count_b, n_b)),
    )


def hybrid(a: tuple[float, float, float], b: tuple[float, float, float]) -> Estimate:
    """a minus b of two independent (estimate, low, high): each side's limits add up as squares."""
    gap = a[0] - b[0]
    return estimate(
        gap,
        gap - sqrt((a[0] - a[1]) ** 2 + (b[2] - b[0]) ** 2),
        gap + sqrt((a[2] - a[0]) ** 2 + (b[0] - b[1]) ** 2),
    )


def net_share(worse: int, better: int, n: int) -> Estimate:
    """(worse - better) / n with Tango's score interval; None for n = 0."""
    if not n:
        return estimate(None)
    return estimate((worse - better) / n, *tango(worse, better, n))


def tango(worse: int, better: int, n: int) -> tuple[float, float]:
    """95% limits of (worse - better) / n: where the score statistic reaches the normal quantile."""
    middle = (worse - better) / n

    def score(delta: float) -> float:
        a = 2 * n
        b = -worse - better + (2 * n - worse + better) * delta
        c = -better * delta * (1 - delta)
        share = (sqrt(max(b * b - 4 * a * c, 0.0)) - b) / (2 * a)  # of "better" at this difference
        variance = n * (2 * share + delta * (1 - delta))
        gap = worse - better - n * delta
        return 0.0 if gap == 0 else gap / sqrt(variance) if variance > 0 else np.inf * np.sign(gap)

    def limit(end: float, target: float) -> float:
        if abs(middle - end) < 1e-12 or abs(score(end)) <= Z95:
            return end
        return float(optimize.brentq(lambda delta: np.clip(score(delta), -50, 50) - target, end, middle))

    return limit(-1.0, Z95), limit(1.0, -Z95)


def flag_shares(
    flags: pd.DataFrame, columns: Sequence[str], arm: str = "arm", reference: str | None = None
) -> pd.DataFrame:
    """Share of subjects with each flag, by arm and for all, and the differences between arms.

    flags: one row per subject; each of ``columns`` is above 0 where the flag holds, 0 where not, missing
    where it could not be judged (left out, counted); ``arm`` may be absent.
    Returns ``definition, group, kind`` (share or difference), ``count, n, left_out, estimate, low, high``; a
    difference has the group "B minus A" and no count. reference: arm that others are compared with.
    """
    arms = arms_in_order(flags[arm].dropna().unique(), reference) if arm in flags else []
    rows: list[dict[str, Any]] = []
    for name in columns:
        groups = {"all": flags[name], **{one: flags.loc[flags[arm] == one, name] for one in arms}}
        sizes = {key: (int((values > 0).sum()), int(values.notna().sum())) for key, values in groups.items()}
        for key, (count, n) in sizes.items():
            left_out = len(groups[key]) - n
            rows.append(_row(name, key, "share", proportion(count, n), count, n, left_out))
        for second, first in pairs_of_arms(arms):
            gap = share_difference(*sizes[second], *sizes[first])
            n = sizes[first][1] + sizes[second][1]
            left_out = len(groups[first]) + len(groups[second]) - n
            rows.append(_row(name, f"{second} minus {first}", "difference", gap, None, n, left_out))
    return pd.DataFrame(rows)


def _row(
    name: str, group: str, kind: str, value: Estimate, count: int | None, n: int, left_out: int
) -> dict[str, Any]:
    low, high = value["ci"]
    return {
        "definition": name, "group": group, "kind": kind, "count": count, "n": n, "left_out": left_out,
        "estimate": value["estimate"], "low": low, "high": high,
    }  # fmt: skip
