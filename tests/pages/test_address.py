"""Filter and place in the address."""

import pytest

from core.domain import CohortFilter
from pages.common import address

FULL = CohortFilter(
    campaign="paired",
    arms=("Placebo", "Active: 150 mg"),
    sexes=("F",),
    visits=("BL", "W104"),
    subjects=("P 1", "P&2"),
    covariates=(("HLA-B27", "positive"), ("smoker", "never: yes")),
)


def test_filter_survives_the_address():
    assert address.read_filter(address.write_filter(FULL)) == FULL


def test_default_values_stay_out_of_the_address():
    assert address.write_filter(CohortFilter()) == {}
    assert address.write_place(address.Place()) == {}


def test_place_survives_the_address():
    place = address.Place("P4", "C5I", "BL", "W104")
    assert address.read_place(address.write_place(place)) == place


@pytest.mark.parametrize(
    "strange", [{"arm": []}, {"with": ["no colon"]}, {"unknown": ["x"]}, {"patient": []}]
)
def test_strange_address_gives_defaults(strange):
    assert address.read_filter(strange) == CohortFilter()
    assert address.read_place(strange) == address.Place()
