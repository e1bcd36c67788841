"""Home and Cohort: what this is, who is in, the empty and the blinded cohort."""

import shutil

import pandas as pd
import pytest

from core import scores
from data.store.cohort import CohortStore
from tests.helpers import small_cohort

PAGES = (
    "app.py",
    "pages/1_Cohort.py",
    "pages/2_Patient.py",
    "pages/3_Agreement.py",
    "pages/4_Progression.py",
    "pages/5_Import.py",
)


def texts(at, *kinds):
    return " ".join(element.value for kind in kinds for element in getattr(at, kind))


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_on_a_full_cohort(open_app, page):
    at = open_app(page)
    assert not at.exception
    assert at.title


@pytest.mark.parametrize("page", PAGES)
def test_every_page_says_research_only_and_phantom(open_app, page):
    at = open_app(page)
    assert "Not a medical device" in texts(at, "caption")
    assert "Phantom data" in texts(at.sidebar, "markdown")


@pytest.mark.parametrize("page", PAGES[:5])
def test_empty_cohort_is_a_normal_state_with_a_way_on(open_app, page, tmp_path):
    at = open_app(page, cohort=tmp_path / "new.duckdb")
    assert not at.exception
    assert "No patients yet" in texts(at, "info")
    assert any("Import images" in link.proto.label for link in at.main.get("page_link"))


def test_what_this_is_not_stands_before_any_number(open_app):
    at = open_app()
    assert "no number says anything about real patients" in at.warning[0].value
    order = [element.type for element in at.main]
    assert order.index("warning") < order.index("metric")


def test_home_counts_what_the_cohort_holds(open_app):
    shown = {metric.label: metric.value for metric in open_app().metric}
    assert shown == {
        "Patients": "6", "Visits": "3", "Films": "36", "Films read by the model": "34", "Readers": "2",
    }  # fmt: skip


def test_cohort_counts_patients_films_and_gaps(open_app):
    shown = {metric.label: metric.value for metric in open_app("pages/1_Cohort.py").metric}
    assert shown == {
        "Patients": "6", "Films": "35", "Rejected by the model": "1", "Visits without a film": "1",
        "Unassigned images": "1",
    }  # fmt: skip


def test_filter_narrows_cohort_and_says_so(open_app):
    at = open_app("pages/1_Cohort.py")
    at.multiselect(key="filter_arms").select("Placebo").run()
    shown = {metric.label: metric.value for metric in at.metric}
    assert shown["Patients"] == "3"
    assert "**3** of 6 patients; 3 left out by the filter" in texts(at.sidebar, "caption")


def test_filter_survives_page_change_and_sits_in_the_address(open_app):
    at = open_app("pages/1_Cohort.py")
    at.multiselect(key="filter_sexes").select("F").run()
    at.switch_page("app.py").run()
    at.switch_page("pages/1_Cohort.py").run()
    assert at.multiselect(key="filter_sexes").value == ["F"]
    assert at.query_params["sex"] in ("F", ["F"])


def test_address_sets_the_filter(open_app):
    at = open_app("pages/1_Cohort.py", arm="Active")
    assert at.multiselect(key="filter_arms").value == ["Active"]


def test_level_that_the_cohort_lacks_is_dropped(open_app):
    at = open_app("pages/1_Cohort.py", arm="Nobody", sex="F")
    assert at.multiselect(key="filter_arms").value == []
    assert at.multiselect(key="filter_sexes").value == ["F"]


@pytest.fixture
def two_systems(cohort_file, tmp_path):
    """The small cohort with synovitis grades of two patients beside mSASSS."""
    store = CohortStore(shutil.copy(cohort_file, tmp_path / "two.duckdb"))
    rows = [
        (patient, visit, f"R.MCP{place}.{feature.upper()}", feature, reader, grade)
        for patient in ("P1", "P2")
        for visit in ("BL", "W104")
        for place in (2, 3)
        for feature in ("gs", "pd")
        for reader, grade in (("R1", 1), ("R2", 2))
    ]
    columns = ["subject", "visit", "site", "feature", "reader", "grade"]
    grades = pd.DataFrame(rows, columns=columns).assign(system="synovitis", campaign="joints", read=1)
    with store.write("test", "reads") as transaction:
        transaction.insert("site_score", grades)
    return store.path


def test_system_is_chosen_where_several_are_scored(open_app, two_systems):
    at = open_app("pages/3_Agreement.py", cohort=two_systems, site="C5I")
    box = next(box for box in at.selectbox if box.label == "Scoring system")
    assert box.options == ["mSASSS", scores.get("synovitis").title] and box.value == "msasss"
    box.select("synovitis").run()
    assert not at.exception
    assert "synovitis" in at.query_params["system"] and "site" not in at.query_params
    at.switch_page("pages/4_Progression.py").run()
    assert next(box for box in at.selectbox if box.label == "Scoring system").value == "synovitis"


def test_system_without_scores_gives_way_to_one_with(open_app, two_systems):
    at = open_app("pages/4_Progression.py", cohort=two_systems, system="sparcc")
    assert next(box for box in at.selectbox if box.label == "Scoring system").value == "msasss"


def test_one_system_needs_no_choice(open_app):
    assert "Scoring system" not in [box.label for box in open_app("pages/1_Cohort.py").selectbox]


def test_blinded_cohort_shows_no_arm(open_app, blinded_file):
    at = open_app("pages/1_Cohort.py", cohort=blinded_file, arm="Active")
    assert not at.exception
    everything = texts(at, "markdown", "caption") + " ".join(
        str(table.value.to_dict()) for table in at.dataframe
    )
    assert "Active" not in everything
    assert "Placebo" not in everything
    assert all(box.key != "filter_arms" for box in at.multiselect)


def test_blinded_reader_sees_own_scores_only(open_app):
    at = open_app("pages/2_Patient.py", viewer="reader:R1")
    assert not at.exception
    everything = texts(at, "markdown", "caption") + " ".join(
        str(table.value.to_dict()) for table in at.dataframe
    )
    assert "R2" not in everything
    assert "truth" not in everything
    assert "W104" not in everything


@pytest.mark.parametrize("page", ["pages/3_Agreement.py", "pages/4_Progression.py", "pages/5_Import.py"])
def test_blinded_reader_is_told_that_a_page_is_not_for_readers(open_app, page):
    at = open_app(page, viewer="reader:R1")
    assert "not shown to a blinded reader" in texts(at, "info")
    assert not at.dataframe


def test_table_one_counts_by_arm(open_app):
    at = open_app("pages/1_Cohort.py")
    table = next(t.value for t in at.dataframe if "Placebo" in t.value.columns)
    rows = table.set_index("")
    assert rows.loc["Patients, n"].to_dict() == {"Active": "3", "Placebo": "3", "All": "6"}
    assert rows.loc["Sex: F", "All"] == "3 (50%)"


def test_damaged_cohort_is_told_in_a_sentence(open_app, tmp_path):
    path = tmp_path / "bad.duckdb"
    path.write_bytes(b"this is no database" * 100)
    at = open_app("pages/1_Cohort.py", cohort=path)
    assert not at.exception
    assert "What to do" in at.error[0].value


def test_page_says_how_it_was_made(open_app):
    at = open_app("pages/1_Cohort.py", sex="F")
    shown = " ".join(block.value for block in at.code)
    assert "- **Sex**: F" in texts(at, "markdown")
    assert "FROM subject s" in shown
    assert "abc123def456" in texts(at, "markdown"), "the weights of the model"


@pytest.mark.parametrize(("viewer", "said"), [("analyst", True), ("reader:R1", False)])
def test_a_model_on_real_films_is_outside_its_training_domain(open_app, tmp_path, viewer, said):
    store = small_cohort.build(tmp_path / "real.duckdb", films=True)
    with store.write("test", "real films") as tx:
        tx.set_meta("phantom", "false")
    at = open_app("pages/2_Patient.py", cohort=store.path, viewer=viewer)
    assert ("outside its training domain" in texts(at.sidebar, "markdown")) == said
    assert "Phantom data" not in texts(at.sidebar, "markdown")
