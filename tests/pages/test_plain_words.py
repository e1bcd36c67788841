"""What fresh users stumbled over on the pages: looks without notice, intervals without width, short names."""

import pandas as pd
import pytest

from core.agreement.intervals.measured import SPREAD, coverage
from core.domain import CohortFilter, Viewer
from core.figures.style import LIGHT
from core.table_one import table_one
from pages.common.agreement.question import Question, comparison
from pages.common.agreement.widgets import with_limits
from pages.common.page import Page
from pages.common.patient.site_card import _provenance
from pages.common.progression.components import _mean
from pages.common.progression.headline import _progress, _ways, of_sdc
from pages.common.progression.question import IMPUTED
from pages.common.progression.question import Question as ChangeQuestion
from pages.common.progression.unblinding import LOOK_IS_RECORDED
from tests.helpers import small_cohort

PAGE = "pages/4_Progression.py"


def words(at, kind):
    return " ".join(element.value for element in getattr(at, kind))


def page_of(path):
    return Page(
        str(path), {"version": 2, "blinded": False, "phantom": True, "last_writes": {}}, Viewer(), LIGHT
    )


def test_a_look_by_arm_is_said_before_the_results(open_app, blinded_file):
    at = open_app(PAGE)
    order = [one.value for one in at.main if one.type in ("caption", "markdown")]
    said = next(place for place, text in enumerate(order) if text == LOOK_IS_RECORDED)
    assert said < next(place for place, text in enumerate(order) if "**Active** progressed by" in text)
    assert LOOK_IS_RECORDED not in words(open_app(PAGE, cohort=blinded_file), "caption")


def test_one_paragraph_where_nothing_was_imputed(open_app, cohort_file, tmp_path):
    text = words(open_app(PAGE), "markdown")
    assert "**With imputed sites.**" in text and "**Without imputed sites.**" in text
    grades = small_cohort.site_grades()
    whole = grades.assign(grade=grades["grade"].fillna(0), reason=None)
    small_cohort.build(tmp_path / "whole.duckdb", films=False, grades=whole)
    text = words(open_app(PAGE, cohort=tmp_path / "whole.duckdb"), "markdown")
    assert text.count("**Active** progressed by") == 1
    assert "**With or without imputed sites: none was imputed.**" in text


def test_results_that_differ_keep_their_two_paragraphs(cohort_file):
    asked = ChangeQuestion(CohortFilter(campaign="paired"), "BL", "W104", (0.0, 730.0))
    assert list(_ways(page_of(cohort_file), asked, {IMPUTED: {}}).values()) == ["imputed", "complete only"]


@pytest.mark.parametrize(("low", "high", "said"), [(0.0, 0.0, "no interval"), (-1.0, 1.0, "(−1.00 to 1.00)")])
def test_an_interval_without_width_is_no_certainty(low, high, said):
    assert said in _progress("Active", {"mean": 0.0, "ci": [low, high], "n": 4})
    assert ("all alike" in _mean({"mean": 0.0, "ci": [low, high]})) is (low == high)
    assert ("no interval" in with_limits(1.0, low, high)) is (low == high)


@pytest.mark.parametrize("patients", [5, 12])
def test_the_interval_that_may_not_hold_is_named(patients):
    text = of_sdc(coverage(SPREAD, patients).note)
    assert "such" not in text.lower()
    assert "of the SDC made in this way" in text and text[0].isupper() | text[0].isdigit()


def test_age_and_year_of_birth_do_not_stand_side_by_side():
    subjects = pd.DataFrame({"subject": ["a", "b"], "arm": None, "sex": "F", "birth_year": [1970, 1980]})
    age = pd.DataFrame(
        {"subject": ["a", "b"], "name": "Age", "number": [50.0, 40.0], "text": None, "unit": None}
    )
    score = pd.Series(dtype=float)
    with_age, without = (
        table_one(subjects, covariates, score, unit="mSASSS", by_arm=False)[""].tolist()
        for covariates in (age, age.head(0))
    )
    assert "Age" in with_age and "Year of birth" not in with_age
    assert "Year of birth" in without


def test_parts_of_the_score_are_named_in_words(hands_file):
    asked = Question(CohortFilter(system="mtss", campaign="paired"), "BL", "W52", "jsn")
    assert comparison(page_of(hands_file), asked).part == "joint space narrowing"


def test_the_card_of_a_site_names_its_film():
    read = pd.Series(
        {"read_mode": None, "event": None, "reader": "R1", "kind": "human", "campaign": "paired", "run": None,
         "weights_hash": None, "software": None}
    )  # fmt: skip
    assert "<code" in _provenance(read, "ab" * 32)["Film"]
    assert _provenance(read, "")["Film"] == ""


def test_a_plan_begins_with_progressors_beyond_reading_error(open_app):
    at = open_app(PAGE)
    at.session_state["progression_section"] = "Plan a trial"
    at.run()
    cutoff = at.number_input(key="progression_plan_cutoff").value
    sdc, readers = (at.number_input(key=f"progression_plan_{name}").value for name in ("sdc", "readers"))
    assert cutoff == pytest.approx(sdc / readers**0.5, abs=0.01) and cutoff > 0
