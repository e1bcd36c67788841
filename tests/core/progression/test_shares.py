"""Shares compared: Newcombe's difference, Tango's net progression, flags by arm."""

from math import sqrt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from core.agreement.estimate import Z95
from core.agreement.proportion import wilson
from core.progression.analysis import progression
from core.progression.shares import flag_shares, net_share, share_difference, tango
from core.progression.totals_table import collect


def test_newcombe_1998_example():
    """56/70 against 48/80: 0.2000, 0.0524 to 0.3339 (Newcombe 1998, table II, method 10); R 4.2:

    a <- prop.test(56, 70, correct = FALSE)$conf.int; b <- prop.test(48, 80, correct = FALSE)$conf.int
    c(.2 - sqrt((56/70 - a[1])^2 + (b[2] - 48/80)^2), .2 + sqrt((a[2] - 56/70)^2 + (48/80 - b[1])^2))
    """
    found = share_difference(56, 70, 48, 80)
    assert [found["estimate"], *found["ci"]] == pytest.approx([0.2, 0.0524315, 0.3338727], abs=1e-7)


@pytest.mark.parametrize("table", [(9, 10, 3, 10), (10, 10, 0, 10), (0, 7, 0, 12), (5, 56, 0, 29)])
def test_newcombe_equals_statsmodels(table):
    from statsmodels.stats.proportion import confint_proportions_2indep

    assert share_difference(*table)["ci"] == pytest.approx(
        confint_proportions_2indep(*table, method="newcomb"), abs=1e-12
    )


def test_an_empty_arm_has_no_difference():
    assert share_difference(1, 4, 0, 0) == {"estimate": None, "ci": [None, None]}
    assert net_share(0, 0, 0) == {"estimate": None, "ci": [None, None]}


def slow_score(worse, better, n, delta):
    """Tango's statistic with the restricted share found by maximising the multinomial likelihood."""

    def loss(share):
        up, same = share + delta, 1 - 2 * share - delta
        terms = ((worse, up), (better, share), (n - worse - better, same))
        return -sum(count * np.log(max(value, 1e-300)) for count, value in terms if count)

    low, high = max(0.0, -delta), (1 - delta) / 2
    share = optimize.minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-12}).x
    return (worse - better - n * delta) / sqrt(n * (2 * share + delta * (1 - delta)))


@pytest.mark.parametrize(("worse", "better", "n"), [(12, 2, 50), (3, 9, 20), (7, 1, 10), (1, 1, 30)])
def test_tango_limits_are_where_the_score_statistic_reaches_the_quantile(worse, better, n):
    low, high = tango(worse, better, n)
    assert slow_score(worse, better, n, low) == pytest.approx(Z95, abs=1e-4)
    assert slow_score(worse, better, n, high) == pytest.approx(-Z95, abs=1e-4)


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_net_progression_turns_with_the_sign(worse, better, same):
    n = worse + better + same
    if not n:
        return
    low, high = tango(worse, better, n)
    assert -1 <= low <= (worse - better) / n <= high <= 1
    assert tango(better, worse, n) == pytest.approx((-high, -low), abs=1e-9)


def test_net_progression_that_nobody_has():
    """Nobody changed: the limits are Wilson's for none of ten, to both sides."""
    assert tango(0, 0, 10) == pytest.approx((-wilson(0, 10)[1], wilson(0, 10)[1]), abs=1e-9)
    assert tango(10, 0, 10)[1] == 1.0


def test_tango_covers():
    """95% of intervals hold the truth: exact over all tables of n = 40, shares 0.3 and 0.1."""
    from scipy.stats import multinomial

    covered = sum(
        multinomial.pmf([w, b, 40 - w - b], 40, [0.3, 0.1, 0.6])
        for w in range(41)
        for b in range(41 - w)
        if tango(w, b, 40)[0] <= 0.2 <= tango(w, b, 40)[1]
    )
    assert 0.94 < covered < 0.96


def test_flags_by_arm():
    flags = pd.DataFrame(
        {
            "subject": list("abcdef"),
            "arm": ["A", "A", "A", "B", "B", None],
            "by_mean": [0, 2, np.nan, 1, 1, 0],
        }
    )
    rows = flag_shares(flags, ["by_mean"]).set_index("group")
    assert rows.loc["all", ["count", "n", "left_out"]].tolist() == [3, 5, 1]
    assert rows.loc["A", ["count", "n", "left_out"]].tolist() == [1, 2, 1]
    assert rows.loc["B minus A", "estimate"] == pytest.approx(0.5)
    expected = share_difference(2, 2, 1, 2)["ci"]
    assert rows.loc["B minus A", ["low", "high"]].tolist() == pytest.approx(expected)


def test_flags_without_arms():
    rows = flag_shares(pd.DataFrame({"subject": ["a"], "by_mean": [0.0]}), ["by_mean"])
    assert rows["group"].tolist() == ["all"]


def result(changes):
    rows = [
        (f"{arm}{number}", arm, "R1", day, 10 + day / 700 * value)
        for arm, values in changes.items()
        for number, value in enumerate(values)
        for day in (0, 700)
    ]
    return progression(collect(pd.DataFrame(rows, columns=["subject", "arm", "reader", "days", "total"])))


def test_progression_compares_shares_between_arms():
    found = result({"A": [0, 0, 1, -1, 3], "B": [2, 2, 0, 4]})
    (gap,) = found["progressor_differences"][">0"]
    assert (gap["a"], gap["b"]) == ("B", "A")
    assert gap["estimate"] == pytest.approx(3 / 4 - 2 / 5)
    assert gap["ci"] == share_difference(3, 4, 2, 5)["ci"]
    assert found["net_progression_interval"]["A"] == net_share(2, 1, 5)
    assert found["net_progression_differences"][0]["estimate"] == pytest.approx(3 / 4 - 1 / 5)


def test_an_arm_with_one_patient_is_shown_as_such():
    found = result({"A": [0, 1, 2], "B": [5]})
    (gap,) = found["progressor_differences"][">0"]
    assert gap["estimate"] == pytest.approx(1 / 3)
    assert -1 <= gap["ci"][0] < gap["ci"][1] <= 1
    assert found["arm_differences"][0] == {"a": "B", "b": "A", "estimate": 4.0, "ci": [None, None]}


def test_status_stands_beside_change():
    found = result({"A": [0, 1, 2], "B": [5, 6]})["status_summary"]
    assert found["from"]["all"]["mean"] == 10
    assert found["to"]["B"]["mean"] == 15.5
