"""Filter and place in the address."""

import pytest

from core.domain import CohortFilter
from pages.common import url_state

FULL = CohortFilter(
    campaign="paired",
    arms=("Placebo", "Active: 150 mg"),
    sexes=("F",),
    visits=("BL", "W104"),
    subjects=("P 1", "P&2"),
    covariates=(("HLA-B27", "positive"), ("smoker", "never: yes")),
)


def test_filter_survives_the_address():
    assert url_state.read_filter(url_state.write_filter(FULL)) == FULL


def test_default_values_stay_out_of_the_address():
    assert url_state.write_filter(CohortFilter()) == {}
    assert url_state.write_place(url_state.Place()) == {}


def test_place_survives_the_address():
    place = url_state.Place("P4", "C5I", "BL", "W104")
    assert url_state.read_place(url_state.write_place(place)) == place


@pytest.mark.parametrize(
    "strange", [{"arm": []}, {"with": ["no colon"]}, {"unknown": ["x"]}, {"patient": []}]
)
def test_strange_address_gives_defaults(strange):
    assert url_state.read_filter(strange) == CohortFilter()
    assert url_state.read_place(strange) == url_state.Place()
