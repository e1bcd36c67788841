"""Filter and place in the address."""

import pandas as pd
import pytest

from core.domain import CohortFilter
from pages.common import url_state
from tests.helpers import small_cohort

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


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"patient": "NOPE"}, "Patient NOPE is not known here: P1 is shown."),
        ({"patient": "P4", "arm": "Placebo"}, "Patient P4 is not among the patients that the filter leaves"),
        ({"sex": "Z"}, "Not known here, so not filtered by: sex Z."),
        ({"with": "smoker:yes"}, "Not known here, so not filtered by: smoker yes."),
    ],
)
def test_a_link_that_cannot_be_followed_is_said(open_app, given, said):
    at = open_app("pages/2_Patient.py", **given)
    assert said in " ".join(element.value for element in at.warning)
    assert at.title[0].value == "Patient P1"


def test_a_link_that_can_be_followed_is_not_warned_about(open_app):
    at = open_app("pages/2_Patient.py", patient="P4", arm="Active")
    assert not [one for one in at.warning if "known here" in one.value or "is shown" in one.value]


def test_films_without_patients_are_said_under_a_title(open_app, tmp_path):
    store = small_cohort.build(tmp_path / "films.duckdb")
    with store.write("test", "none") as tx:
        for table in ("site_score", "covariate", "visit", "subject"):
            tx.supersede(table, pd.DataFrame({"subject": small_cohort.PATIENTS}))
    at = open_app("pages/2_Patient.py", cohort=store.path)
    assert at.title[0].value == "Patient"
    assert "film" in at.info[0].value and "for a patient" in at.info[0].value
    assert "filter" not in at.info[0].value
