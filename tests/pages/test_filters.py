"""The filter in the sidebar: centre, ranges, counts that follow the rest, and the filter inside every CSV."""

import csv
import io

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as hs

from core.domain import CohortFilter
from pages.common import filters, provenance, url_state

COHORT, PROGRESSION = "pages/1_Cohort.py", "pages/4_Progression.py"


def follow(at, **asked):
    for name, value in asked.items():
        at.query_params[name] = value
    return at.run()


def options(at, label):
    return next(box.options for box in at.multiselect if box.label == label)


def test_counts_follow_the_rest_of_the_filter(open_app):
    at = open_app(COHORT)
    assert options(at, "Sex") == ["F (3)", "M (3)"]
    at.multiselect(key="filter_arms").set_value(["Placebo"]).run()
    assert options(at, "Sex") == ["F (1 of 3)", "M (2 of 3)"]
    assert options(at, "Treatment arm") == ["Active (3)", "Placebo (3)"]
    assert options(at, "Covariate") == ["HLA-B27: negative (1 of 2)", "HLA-B27: positive (2 of 4)"]
    at.multiselect(key="filter_centres").set_value(["01"]).run()
    assert "**1** of 6 patients; 5 left out by the filter" in [one.value for one in at.caption]
    assert any("1 of 6 patients: arm Placebo; centre 01" in one.value for one in at.markdown)


def test_a_range_filters_and_its_end_leaves_it_open(open_app):
    at = open_app(COHORT)
    at.multiselect(key="filter_ranges").set_value(["CRP"]).run()
    slider = at.slider(key="filter_ranges_CRP")
    assert slider.value == (12.0, 17.0)
    at = slider.set_value((12.0, 14.0)).run()
    assert at.session_state["filter"].ranges == (("CRP", None, 14.0),)
    assert any("3 of 6 patients: CRP at most 14" in one.value for one in at.markdown)
    assert at.query_params["range"] in (["CRP:..14"], "CRP:..14")
    at = at.multiselect(key="filter_ranges").set_value([]).run()
    assert at.session_state["filter"] == CohortFilter(campaign="")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"range": "CRP:9..2"}, "range CRP:9..2 is none"),
        ({"range": "dose:1..2"}, "Not known here, so not filtered by: dose 1 to 2."),
        ({"centre": "99"}, "Not known here, so not filtered by: centre 99."),
        ({"campaign": "none"}, "Reading campaign: none is not known here."),
        ({"system": "synovitis"}, "nobody has scored synovitis here, mSASSS is shown."),
    ],
)
def test_a_filter_that_cannot_be_is_said(open_app, asked, said):
    at = follow(open_app(COHORT), **asked)
    assert said in " ".join(one.value for one in at.warning)
    assert "**6** of 6 patients" in [one.value for one in at.caption]


def test_a_range_in_a_link_reaches_the_numbers(open_app):
    at = follow(open_app(PROGRESSION), range="birth_year:1976..", centre="02")
    assert any("2 of 6 patients: centre 02; born at least 1976" in one.value for one in at.markdown)


@given(
    hs.lists(
        hs.tuples(
            hs.text(min_size=1), hs.floats(allow_nan=False, allow_infinity=False), hs.none() | hs.just(1e9)
        ),
        max_size=3,
    )
)
def test_every_range_survives_the_address(ranges):
    kept = tuple((name, low, high) for name, low, high in ranges if high is None or low <= high)
    chosen = CohortFilter(ranges=kept, centres=("a:b", "c"))
    assert url_state.read_filter(url_state.write_filter(chosen)) == chosen


@given(low=hs.floats(-1e6, 1e6), width=hs.floats(1e-6, 1e6))
def test_a_slider_holds_both_limits_in_round_steps(low, width):
    high = low + width
    if high <= low:
        return
    least, largest, step = filters._steps(low, high)
    assert least <= low + 1e-9 * abs(low) and largest >= high - 1e-9 * abs(high)
    assert (largest - least) / step <= 520


def test_nothing_is_offered_to_a_blinded_reader(open_app):
    at = open_app(COHORT, viewer="reader:R1")
    assert not list(at.multiselect) and not list(at.slider)


def test_every_csv_has_the_filter_in_its_last_column():
    table = pd.DataFrame({"subject": ["P1", 'P"2\n'], "value": [0.1, None]})
    words = "2 of 6 patients: sex F; therapy a, b"
    rows = list(
        csv.DictReader(io.StringIO(provenance.selected(provenance.as_csv(table), words).decode(), newline=""))
    )
    assert [row["selection"] for row in rows] == [words, words]
    assert [row["subject"] for row in rows] == table["subject"].tolist()
    assert provenance.selected(b"a,b\n1,2\n", "") == b"a,b\n1,2\n"
