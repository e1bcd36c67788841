"""Events, who is affected, and the four strategies on a table small enough to check by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from core.errors import InputError
from core.progression.courses import courses
from core.progression.estimands.affected import affected
from core.progression.estimands.analysis import EstimandOptions, estimands
from core.progression.estimands.composite import compare_ranks, worst_ranks
from core.progression.estimands.events import Events, events_in
from core.progression.estimands.panel import films_until, panel_of
from core.progression.estimands.strategies import STRATEGIES
from core.progression.pairing import Interval
from core.progression.totals_table import collect

DAYS = {"BL": 0, "W52": 364, "W104": 728}


def table(change, event=None):
    """Subject -> (arm, change at W52, change at W104), NaN for no film; one reader."""
    rows = [
        (name, arm, "R1", visit, DAYS[visit], 10.0 + value, (event or {}).get(name))
        for name, (arm, one, two) in change.items()
        for visit, value in (("BL", 0.0), ("W52", one), ("W104", two))
        if not np.isnan(value)
    ]
    return pd.DataFrame(rows, columns=["subject", "arm", "reader", "visit", "days", "total", "rescue"])


NONE = float("nan")
CHANGE = {
    **{f"P{n}": ("Placebo", 1.0 + n % 3, 2.0 + n % 4) for n in range(8)},
    **{f"A{n}": ("Active", 0.5 * (n % 3), 0.5 * (n % 4)) for n in range(8)},
    "P8": ("Placebo", 2.0, NONE),
    "A8": ("Active", 1.0, NONE),
}
EVENT = {"P0": 400, "P1": "W52", "A0": 100, "A8": 200, "A1": 728}


def found(strategies, change=CHANGE, event=EVENT, **options):
    rows = table(change, event)
    asked = EstimandOptions(strategies=strategies, **options)
    return estimands(collect(rows), events_in(rows, "rescue"), asked)


def by_strategy(result):
    return {row["strategy"]: row for row in result["results"]}


def test_who_is_affected_by_arm_and_name():
    rows = {row["arm"]: row for row in found(["treatment-policy"])["affected"]}
    assert (rows["Placebo"]["affected"], rows["Placebo"]["patients"]) == (2, 9)
    assert rows["Placebo"]["subjects"] == [
        {"subject": "P0", "day": 400.0, "films_after": 1},
        {"subject": "P1", "day": 364.0, "films_after": 1},
    ]
    # A1 has the event on the day of the film: the film comes first
    assert [one["subject"] for one in rows["Active"]["subjects"]] == ["A0", "A8"]


def test_treatment_policy_counts_all_films_and_hypothetical_sets_those_after_the_event_aside():
    rows = by_strategy(found(["treatment-policy", "hypothetical"]))
    assert rows["treatment-policy"]["films_set_aside"] == 0
    assert rows["treatment-policy"]["missing"] == {"Placebo": 1, "Active": 1}
    assert rows["hypothetical"]["films_set_aside"] == 5  # P0, P1: W104; A0: both; A8: W52
    assert rows["hypothetical"]["missing"] == {"Placebo": 3, "Active": 2}


def test_hypothetical_is_the_result_of_the_table_without_those_films():
    rows = table(CHANGE, EVENT)
    last = rows["subject"].map({"P0": 400, "P1": 364, "A0": 100, "A8": 200})
    cut = rows[~(rows["days"] > last)]
    one = by_strategy(found(["hypothetical"]))["hypothetical"]["assumptions"]
    other = estimands(collect(cut), None, EstimandOptions(to_days=728))["results"][0]["assumptions"]
    assert one == other


def test_composite_counts_the_event_as_progression():
    row = by_strategy(found(["composite"]))["composite"]
    arms = {one["arm"]: one for one in row["progressors"]}
    assert (arms["Placebo"]["count"], arms["Placebo"]["n"], arms["Placebo"]["events"]) == (8, 8, 2)
    # A0 and A8 by the event; A4 has no change; P8 has neither a change nor an event
    assert (arms["Active"]["count"], arms["Active"]["n"], arms["Active"]["events"]) == (8, 9, 2)
    assert row["without_change"] == ["P8"]


def test_while_on_treatment_takes_the_last_film_before_the_event():
    row = by_strategy(found(["while-on-treatment"]))["while-on-treatment"]
    assert sorted(row["without_change"]) == ["A0", "A8", "P8"]
    placebo = next(one for one in row["arms"] if one["arm"] == "Placebo")
    values = [1.0, 2.0, *[2.0 + n % 4 for n in range(2, 8)]]  # P0 and P1 at W52
    assert (placebo["n"], placebo["estimate"]) == (8, pytest.approx(np.mean(values)))
    assert placebo["days"] == pytest.approx((2 * 364 + 6 * 728) / 8)


def test_without_events_every_strategy_but_composite_ranks_is_treatment_policy():
    whole = {name: row for name, row in CHANGE.items() if not np.isnan(row[2])}
    rows = by_strategy(found([one.name for one in STRATEGIES], whole, {}))
    policy = rows["treatment-policy"]["assumptions"][0]["differences"][0]
    assert rows["hypothetical"]["assumptions"][0]["differences"][0] == policy
    gap = rows["while-on-treatment"]["differences"][0]["estimate"]
    assert gap == pytest.approx(np.mean([row[2] for name, row in whole.items() if name[0] == "A"]) - 3.5)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("yes", "the day or the visit of the event is needed"),
        ("W77", "neither a day nor a visit"),
        (-5, "before baseline"),
        ("surgery", "neither a day nor a visit"),
    ],
)
def test_an_event_that_cannot_be_placed_leaves_the_subject_out_by_name(value, reason):
    result = found(["hypothetical"], event={**EVENT, "P3": value})
    assert [row["subject"] for row in result["excluded"]] == ["P3"]
    assert reason in result["excluded"][0]["reason"]
    assert result["results"][0]["assumptions"][0]["arms"][0]["arm"] == "Placebo"
    assert {row["arm"]: row["patients"] for row in result["affected"]}["Placebo"] == 8


@pytest.mark.parametrize("value", ["", "no", "None", None, np.nan])
def test_what_says_no_event_is_none(value):
    rows = table(CHANGE, {"P0": value})
    assert events_in(rows, "rescue") == Events("rescue", {}, {})


def test_two_events_of_one_subject_are_named():
    rows = table(CHANGE, {"P0": 300})
    rows.loc[rows["subject"].eq("P0") & rows["visit"].eq("W104"), "rescue"] = 500
    assert events_in(rows, "rescue").problems == {
        "P0": "rescue is 300 and 500: one event per subject is needed"
    }


def test_a_visit_is_the_day_of_the_own_film_else_of_the_plan():
    rows = table(CHANGE, {"P0": "w52", "P8": "W104"})
    rows.loc[rows["subject"].eq("P0") & rows["visit"].eq("W52"), "days"] = 371
    assert dict(events_in(rows, "rescue").day) == {"P0": 371.0, "P8": 728.0}


def test_an_event_before_the_baseline_film_is_no_event_of_the_treatment():
    rows = table(CHANGE, {})
    rows.loc[rows["subject"].eq("P0") & rows["visit"].eq("BL"), "days"] = 20
    course = courses(collect(rows), Interval(0, 728))
    one = affected(course, Events("stop", {"P0": 10.0}))
    assert [row["subject"] for row in one.excluded] == ["P0"]
    assert "P0" not in set(one.courses.patients["subject"])


def test_a_strategy_without_its_column_is_refused():
    with pytest.raises(InputError, match="--event"):
        estimands(collect(table(CHANGE)), None, EstimandOptions(strategies=["composite"]))
    with pytest.raises(InputError, match="name one"):
        events_in(table(CHANGE), "stop")


def test_too_few_films_is_said_and_the_other_strategies_stay():
    event = {name: 10 for name in CHANGE if name[0] == "A" and name != "A1"}
    rows = by_strategy(found(["hypothetical", "composite"], event=event))
    assert "arm Active has 1 films" in rows["hypothetical"]["failed"]
    assert rows["composite"]["ranks"][0]["estimate"] is not None


@given(
    st.lists(st.floats(-5, 5).map(lambda value: round(value, 1)), min_size=2, max_size=20),
    st.lists(st.floats(-5, 5).map(lambda value: round(value, 1)), min_size=2, max_size=20),
)
def test_rank_comparison_is_the_rank_sum_test(first, second):
    wins = compare_ranks(np.array(first), np.array(second))
    expected = stats.mannwhitneyu(first, second, use_continuity=False, method="asymptotic")
    assert wins.probability["estimate"] == pytest.approx(expected.statistic / (len(first) * len(second)))
    if len({*first, *second}) > 1:
        assert wins.p == pytest.approx(expected.pvalue, abs=1e-12)


def test_worst_ranks_put_the_earlier_event_last():
    ranks = worst_ranks(np.array([3.0, np.nan, 9.0, 1.0, np.nan]), np.array([NONE, 100, NONE, NONE, 50]))
    assert ranks.tolist() == [2, 4, 3, 1, 5]


@given(st.dictionaries(st.sampled_from(sorted(CHANGE)), st.integers(0, 900), max_size=8))
def test_films_set_aside_are_those_after_the_event_and_no_others(days):
    course = courses(collect(table(CHANGE)), Interval(0, 728))
    kept = films_until(course, {name: float(day) for name, day in days.items()})
    expected = [
        (row.subject, row.day) for row in course.films.itertuples() if row.day <= days.get(row.subject, 9999)
    ]
    assert list(zip(kept.films["subject"], kept.films["day"], strict=True)) == expected


def test_panel_has_visits_in_order_of_time():
    one = panel_of(courses(collect(table(CHANGE)), Interval(0, 728)))
    assert one.days == [364.0, 728.0] and one.target == 1
    assert one.arms == ["Placebo", "Active"]
    assert one.y[one.subjects.index("P8")].tolist()[0] == 2.0
