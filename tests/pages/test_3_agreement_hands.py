"""Agreement about hands and feet: by part of the score, site by site, with the model as a reader."""

import pytest

from core.agreement.icc import icc
from core.scores.engine.totals import compute
from tests.helpers import hands_cohort

PAGE = "pages/3_Agreement.py"
SPINE = ("corner", "syndesmophyte", "vertebra", "mSASSS", "spine")


def words(at, kind):
    return " ".join(element.value for element in getattr(at, kind))


def expected_icc(component):
    """ICC(A,1) of R1 and R2 about status at W52, from the cohort's grades alone."""
    rows = hands_cohort.rows()
    rows = rows[rows["reader"].isin(["R1", "R2"]) & (rows["visit"] == "W52")]
    totals = compute(rows, hands_cohort.SYSTEM).totals
    table = totals.pivot(index="subject", columns="reader", values=component)
    return icc(table.to_numpy(float))["forms"]["ICC(A,1)"]["estimate"]


@pytest.fixture
def hands(open_app, hands_file):
    return open_app(PAGE, cohort=hands_file, system="mtss")


def test_the_part_that_is_chosen_is_compared_everywhere(hands):
    assert f"Reader – reader: **{expected_icc('total'):.2f}**" in words(hands, "markdown")
    at = hands.selectbox(key="component").select("jsn").run()
    assert f"Reader – reader: **{expected_icc('jsn'):.2f}**" in words(at, "markdown")
    at = at.button_group(key="agreement_section").set_value("Grades").run()
    assert at.selectbox(key="agreement_feature").options == ["joint space narrowing"]
    at = at.button_group(key="agreement_section").set_value("Site by site").run()
    assert not at.exception
    sites = set(at.dataframe[1].value["site"])
    assert len(sites) == 42 and all(".J." in site for site in sites)
    assert not [word for word in SPINE if word in words(at, "markdown") + words(at, "caption")]
    at = at.switch_page("pages/4_Progression.py").run()
    assert at.selectbox(key="component").value == "jsn", "chosen once for all pages"


def test_the_model_is_compared_as_a_reader(hands):
    text = words(hands.button_group(key="agreement_section").set_value("Model as a reader").run(), "markdown")
    assert "**False change**" in text
    assert not hands.exception
