"""One order of visits: given, planned, by a column, by name; never the order of rows."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError
from core.progression.mmrm.model import Options, mmrm
from core.scores import get
from core.scores.engine.companions import companions
from core.scores.engine.totals import compute
from core.visit_order import (
    order_by_name,
    order_of_study,
    order_of_table,
    parse_names,
    uneven_steps,
    visit_order,
)


@pytest.mark.parametrize(
    "names",
    [
        ["BL", "W52", "W104"],
        ["Screening", "Baseline", "Week 2", "Week 12", "Week 104"],
        ["Week -4", "Baseline", "Week 4"],
        ["SCR", "Day -1", "BL", "Day 15", "EOS"],
        ["V1", "V2", "V10"],
        ["Screening", "V2", "V10", "Early termination"],
        ["1", "2", "10"],
        ["-7", "0", "182"],
        ["baseline", "6 months", "12 months", "24 months"],
        ["BL", "Month 6", "Year 1", "Year 2"],
        ["W16", "M12", "Y2"],
        ["BL", "FU1", "FU2"],
        ["pre", "post"],
        ["Baseline", "Week-4", "Week-12"],
        ["Week-4", "Baseline", "Week 12"],
        ["0m", "12m"],
        ["W1.5", "W2"],
        ["2019", "2021"],
        ["2013-06-01", "2014-06-01", "2015-01-31"],
        ["Baseline (Day 1)", "Month 6 (Week 26)", "Month 12 (Week 52)"],
        ["BL", "Week 24", "Unscheduled 9.2 (day 202)", "W52 (day 360)", "Week 104"],
    ],
)
def test_names_that_say_their_time_stand_in_its_order(names):
    found = order_by_name(sorted(names, key=lambda name: name[::-1]))
    assert found.names == names
    assert not found.undecided


@pytest.mark.parametrize(
    "names",
    [
        ["W52", "M12"],
        ["W24", "M6"],
        ["Y1", "M12"],
        ["Week 52", "W52"],
        ["BL", "W0"],
        ["Visit 1", "Week 2"],
        ["A1", "B1"],
        ["alpha", "beta"],
        ["Week 24", "Unscheduled 9.2"],
    ],
)
def test_what_names_do_not_say_is_undecided_and_refused_where_it_matters(names):
    found = order_by_name(names)
    assert found.undecided
    assert any("--visit-order" in text for text in found.said)
    with pytest.raises(InputError, match="--visit-order"):
        found.certain("rule carry")
    assert visit_order(names, given=names).certain("rule carry") == names


def test_mixed_units_are_said():
    assert "weeks and in months" in order_by_name(["W16", "M12"]).notes[0]
    assert "days and in weeks" in order_by_name(["D1", "W4"]).notes[0]
    assert order_by_name(["W4", "W16"]).said == []


def test_the_order_given_names_every_visit_and_may_name_more():
    assert visit_order(["w104", "BL"], given=["BL", "W52", "W104"]).names == ["BL", "W52", "w104"]
    with pytest.raises(InputError, match="W12 is in the table too"):
        visit_order(["BL", "W12"], given=["BL"])
    with pytest.raises(InputError, match="twice"):
        parse_names("BL,W52,BL")


def test_a_column_of_days_or_numbers_orders_names_that_say_nothing():
    frame = pd.DataFrame({"visit": ["late", "first", "late"], "days": [360, -3, 371]})
    assert order_of_table(frame, "visit").names == ["first", "late"]
    assert order_of_table(frame.assign(days=[360, None, 371]), "visit").undecided
    both = frame.assign(visitnum=[1, 2, 1])
    assert order_of_table(both, "visit").names == ["late", "first"]


def test_a_column_that_contradicts_the_names_is_said():
    frame = pd.DataFrame({"visit": ["W52", "W104"], "days": [728, 364]})
    found = order_of_table(frame, "visit")
    assert found.names == ["W104", "W52"]
    assert "not as their names say" in found.notes[0]


def test_the_plan_of_a_study_comes_before_names():
    plan = pd.DataFrame({"visit": ["W52", "BL", "Extra", "W104"], "visit_order": [3, 1, None, 2]})
    found = order_of_study(plan)
    assert found.names == ["BL", "W104", "W52", "Extra"]
    assert "Extra" in found.notes[0]
    days = pd.DataFrame({"visit": ["b", "a"], "visit_order": [None, None], "day": [0, 364]})
    assert order_of_study(days).names == ["b", "a"]


LABELS = st.lists(
    st.one_of(
        st.builds("W{}".format, st.integers(1, 300)),
        st.builds("Month {}".format, st.integers(1, 60)),
        st.builds("V{}".format, st.integers(1, 60)),
        st.builds("Day {}".format, st.integers(-30, 900)),
        st.sampled_from(["Screening", "BL", "EOS", "Baseline", "alpha", "FU", "Year 1", "Unscheduled 3.1"]),
    ),
    min_size=1, max_size=8, unique=True,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(LABELS, st.randoms())
def test_the_order_of_names_does_not_see_their_rows(names, random):
    shuffled = random.sample(names, len(names))
    assert order_by_name(names) == order_by_name(shuffled)
    assert sorted(order_by_name(names).names) == sorted(names)


VISITS = ["Screening", "BL", "W16", "W52", "W104"]
RULES = [
    (system, rule.name)
    for system in ("msasss", "mtss", "sparcc", "synovitis")
    for rule in get(system).rules
]  # fmt: skip


def reads(system, seed):
    """Grades of three subjects by two readers at five visits, many missing."""
    rng = np.random.default_rng(seed)
    rows = [
        (
            subject,
            visit,
            reader,
            site.code,
            None if rng.random() < 1 / 6 else int(rng.integers(0, site.maximum + 1)),
        )
        for subject in ("P1", "P2", "P10")
        for visit in VISITS
        for reader in ("R1", "R2")
        for site in system.sites
    ]
    return pd.DataFrame(rows, columns=["subject", "visit", "reader", "site", "grade"])


def in_rows(frame):
    return frame.sort_values(["subject", "visit", "reader"]).reset_index(drop=True)


@pytest.mark.parametrize(("name", "rule"), RULES)
def test_shuffled_rows_give_the_same_totals_under_every_rule(name, rule):
    system = get(name)
    frame = reads(system, 7)
    shuffled = frame.sample(frac=1, random_state=3)
    totals = (in_rows(compute(one, system, rule).totals) for one in (frame, shuffled))
    pd.testing.assert_frame_equal(*totals)
    counts = (in_rows(companions(one, system)) for one in (frame, shuffled))
    pd.testing.assert_frame_equal(*counts)


def repeated(seed):
    rng = np.random.default_rng(seed)
    rows = [
        (f"P{s:02}", "AB"[s % 2], visit, float(place + rng.normal() + s % 5))
        for s in range(30)
        for place, visit in enumerate(["Week 16", "Month 12", "Year 2"])
        if rng.random() < 0.9
    ]
    return pd.DataFrame(rows, columns=["subject", "arm", "visit", "change"])


def test_shuffled_rows_give_the_same_mixed_model():
    table = repeated(3)
    one, other = (
        mmrm(rows, "change ~ arm * visit", "subject", "visit", Options("ar1"))
        for rows in (table, table.sample(frac=1, random_state=1).reset_index(drop=True))
    )
    assert [row["visit"] for row in one["contrasts"]] == ["Week 16", "Month 12", "Year 2"]
    assert one["reml_loglik"] == pytest.approx(other["reml_loglik"], abs=1e-9)
    assert "weeks and in months" in one["notes"]["visit_order"]


def test_lags_need_an_order_that_names_decide():
    table = repeated(3).replace({"visit": {"Week 16": "W52", "Month 12": "M12"}})
    with pytest.raises(InputError, match="--visit-order"):
        mmrm(table, "change ~ arm * visit", "subject", "visit", Options("ar1"))
    assert mmrm(table, "change ~ arm * visit", "subject", "visit", Options("us"))["notes"]["visit_order"]
    order = {"visit": ["W52", "M12", "Year 2"]}
    given = mmrm(table, "change ~ arm * visit", "subject", "visit", Options("ar1", levels=order))
    assert given["visit_order"]["source"] == "given"


def test_steps_that_differ_are_told():
    assert uneven_steps(["BL", "W12", "W52"]) == "BL to W12 84 days, W12 to W52 280 days"
    assert uneven_steps(["BL", "W52", "W104"]) == ""
    assert uneven_steps(["V1", "V2", "V4"]) == "V1 to V2 1, V2 to V4 2"
    assert uneven_steps(["alpha", "beta", "gamma"]) == ""
