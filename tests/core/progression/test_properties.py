"""What must hold for any table: shifts, relabelled readers, the cumulative plot, films that are filled in."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.progression.analysis import progression
from core.progression.missing.extrapolation import carry_forward, extrapolate_linearly, interpolate
from core.progression.pairing import Interval, choose_films
from core.progression.summary import difference_of_means, summary
from core.progression.totals_table import collect


def random_table(seed, subjects=8, readers=2):
    rng = np.random.default_rng(seed)
    rows = [
        (f"P{s}", "AB"[s % 2], f"R{r}", day, float(rng.integers(0, 40)) / 2)
        for s in range(subjects)
        for r in range(readers)
        for day in (0, 365)
    ]
    return pd.DataFrame(rows, columns=["subject", "arm", "reader", "days", "total"])


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.integers(-5, 50))
def test_adding_a_constant_to_all_totals_changes_no_change(seed, shift):
    frame = random_table(seed)
    plain, shifted = (
        progression(collect(frame)),
        progression(collect(frame.assign(total=frame["total"] + shift))),
    )
    for key in ("summary", "sdc95", "progressors", "net_progression", "bias", "cumulative_probability"):
        assert plain[key] == shifted[key], key


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_turning_time_round_turns_the_sign(seed):
    frame = random_table(seed)
    plain, turned = progression(collect(frame)), progression(collect(frame.assign(days=365 - frame["days"])))
    assert turned["summary"]["all"]["mean"] == pytest.approx(-plain["summary"]["all"]["mean"])
    assert turned["net_progression"] == -plain["net_progression"]
    assert turned["sdc95"] == pytest.approx(plain["sdc95"])


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_swapping_the_readers_turns_the_bias_only(seed):
    frame = random_table(seed)
    swapped = frame.assign(reader=frame["reader"].map({"R0": "R1", "R1": "R0"})).sort_values(
        "reader", kind="stable"
    )
    one, two = progression(collect(frame)), progression(collect(swapped))
    assert two["sdc95"] == pytest.approx(one["sdc95"])
    assert two["bias"]["estimate"] == pytest.approx(-one["bias"]["estimate"])


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(-20, 20), min_size=1, max_size=30))
def test_summary_is_what_numpy_says(values):
    change = np.array(values)
    row = summary(change)
    assert row["median"] == pytest.approx(np.median(change))
    assert [row["q1"], row["q3"]] == pytest.approx(np.percentile(change, [25, 75]))
    assert row["sd"] == (None if len(change) == 1 else pytest.approx(np.std(change, ddof=1)))


def test_difference_of_means_is_welch():
    from scipy import stats

    rng = np.random.default_rng(1)
    a, b = rng.normal(1, 3, 12), rng.normal(0, 1, 30)
    found = difference_of_means(a, b)
    limits = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    assert [found["estimate"], *found["ci"]] == pytest.approx([a.mean() - b.mean(), limits.low, limits.high])


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_films_chosen_equal_a_plain_search(data):
    days = data.draw(st.lists(st.integers(-60, 160), min_size=1, max_size=6, unique=True))
    interval = Interval(0, data.draw(st.integers(10, 120)), data.draw(st.integers(5, 60)))
    rows = pd.DataFrame({"subject": pd.Categorical(["P1"] * len(days)), "days": days, "total": 1.0})
    found = choose_films(rows, interval).iloc[0]
    first = min((d for d in days if abs(d) <= interval.window), key=lambda d: (abs(d), d), default=None)
    second = min(
        (d for d in days if abs(d - interval.to_days) <= interval.window and (first is None or d > first)),
        key=lambda d: (abs(d - interval.to_days), d),
        default=None,
    )
    assert (None if np.isnan(found["from_day"]) else found["from_day"]) == first
    assert (None if np.isnan(found["to_day"]) else found["to_day"]) == second
    assert (found["reason"] is None) == (first is not None and second is not None)


def test_carry_forward_takes_the_last_value_and_leaves_leading_gaps():
    values = np.array([[1, np.nan, 3, np.nan], [np.nan, 2, np.nan, np.nan]])
    np.testing.assert_array_equal(carry_forward(values), [[1, 1, 3, 3], [np.nan, 2, 2, 2]])


def test_interpolation_needs_both_neighbours():
    values = np.array([[0, np.nan, np.nan, 6], [np.nan, 2, np.nan, np.nan]])
    days = np.array([[0, 10, 20, 60], [0, 10, 20, 60]])
    np.testing.assert_allclose(interpolate(values, days), [[0, 1, 2, 6], [np.nan, 2, np.nan, np.nan]])


def test_extrapolation_needs_a_film_on_treatment():
    assert np.isnan(extrapolate_linearly(1.0, 0, 52))
    np.testing.assert_allclose(extrapolate_linearly([1.0, 2.0], [26, 52], 52), [2, 2])
