"""Saved views on the pages: saved from the sidebar, opened from Home, none for a blinded reader."""

import pytest

from core.domain import Viewer
from data.store.cohort import CohortStore
from data.study.saved_views import save_view, saved_views
from tests.helpers import small_cohort

PAGE = "pages/4_Progression.py"


@pytest.fixture
def cohort(tmp_path):
    return small_cohort.build(tmp_path / "views.duckdb", films=False).path


def button(at, label):
    return next(one for one in at.button if one.label == label)


def links(at):
    return {one.proto.label: one.proto.query_string for one in at.get("page_link")}


def test_what_the_page_shows_is_saved_with_its_defaults_renamed_and_deleted(open_app, cohort):
    at = open_app(PAGE, cohort=cohort, sex="F")
    at.selectbox(key="progression_to").select("W52").run()
    at.text_input(key="view_name").set_value("Week 52")
    at = button(at, "Save this view").click().run()
    assert "Saved: Week 52." in [one.value for one in at.success]
    (view,) = saved_views(CohortStore(cohort), Viewer())
    asked = {
        "sex": ["F"],
        "to": ["W52"],
        "from": ["BL"],
        "campaign": ["paired"],
        "section": ["Patient by patient"],
    }
    assert view.page == PAGE and asked.items() <= view.parameters.items()
    home = open_app(cohort=cohort)
    assert "to=W52" in links(home)["Week 52"] and "sex=F" in links(home)["Week 52"]
    assert any("saved by" in one.value for one in home.caption)
    at.text_input(key="view_new_name").set_value("One year")
    at = button(at, "Rename").click().run()
    assert "One year" in links(at) and "Week 52" not in links(at)
    at = button(at, "Delete").click().run()
    assert "One year" not in links(at)


def test_a_name_that_is_taken_is_said(open_app, cohort):
    at = open_app(PAGE, cohort=cohort)
    for _ in range(2):
        at.text_input(key="view_name").set_value("a")
        at = button(at, "Save this view").click().run()
    assert "another saved view has it" in at.error[0].value
    assert len(saved_views(CohortStore(cohort), Viewer())) == 1


def test_a_blinded_reader_is_offered_none(open_app, cohort):
    asked = {"arm": ["Active"]}
    save_view(CohortStore(cohort), "Active only", actor="a", viewer=Viewer(), page=PAGE, parameters=asked)
    for page in ("app.py", "pages/1_Cohort.py", "pages/2_Patient.py"):
        at = open_app(page, cohort=cohort, viewer="reader:R1")
        assert "Active only" not in links(at)
        assert not [one for one in at.button if one.label == "Save this view"]
    assert "Active only" in links(open_app(cohort=cohort))
