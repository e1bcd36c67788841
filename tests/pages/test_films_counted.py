"""Read, rejected and not yet read are counted apart, with the same words and numbers on every page."""

import shutil

import pandas as pd
import pytest

from core.agreement.comparison import CHANGE, STATUS
from core.domain import CohortFilter, Viewer
from core.figures.style import LIGHT
from data.queries import scores as score_queries
from data.queries import systems as queries
from data.store.cohort import CohortStore
from pages.common.agreement.model_as_reader import _lacks
from pages.common.agreement.question import Question, comparison
from pages.common.page import Page
from pages.common.progression.figures import left_out_words
from pages.common.readings import rejected_films
from pages.common.systems import ByModel, by_model, of_films
from tests.helpers import small_cohort

SYSTEM = small_cohort.SYSTEM


def captions(at):
    return " ".join(one.value for one in at.caption)


def labels(at):
    return [one.label for one in at.expander]


@pytest.fixture(scope="module")
def second_film(tmp_path_factory, cohort_file):
    """The rejected lumbar film of P6 at W52 has a second one beside it, which the model graded."""
    path = tmp_path_factory.mktemp("second") / "own.duckdb"
    store = CohortStore(shutil.copy(cohort_file, path))
    image = {"image": "ee" + "0" * 22, "subject": "P6", "visit": "W52", "body_part": "lumbar"}
    sites = [site.code for site in SYSTEM.sites if site.region == "lumbar"]
    rows = [
        {"finding": f"g{place}", "image": image["image"], "site": site, "grade": 1, "run": "run1",
         "system": "msasss", "feature": "corner"}
        for place, site in enumerate(sites)
    ]  # fmt: skip
    with store.write("test", "second film") as tx:
        tx.insert("image", pd.DataFrame([image]))
        tx.insert("finding", pd.DataFrame(rows))
    return path


def test_home_and_cohort_say_the_same_and_it_adds_up(open_app):
    home, cohort = open_app(), open_app("pages/1_Cohort.py")
    shown = {one.label: one.value for one in home.metric}
    assert (shown["Films"], shown["Films read by the model"]) == ("36", "34")
    assert "1 rejected, 1 not yet read" in captions(home)
    assert "for mSASSS; 34 read, 1 not yet read" in captions(cohort)
    assert next(one.value for one in cohort.metric if one.label == "Rejected by the model") == "1"


def test_one_patient_counts_as_the_cohort_does(open_app):
    at = open_app("pages/2_Patient.py", patient="P6")
    assert "Films of this patient, by the model: 5 read, 1 rejected, 0 not yet read" in " ".join(labels(at))


def test_a_film_that_another_model_read_is_a_read_one(cohort_file):
    states = queries.film_states(CohortStore(str(cohort_file)), Viewer(), CohortFilter())
    assert by_model(SYSTEM, states) == ByModel(34, 1, 1)
    films = pd.DataFrame(
        {"image": ["a", "b", "c", "d"], "body_part": ["lumbar", "lumbar", "cervical", "hand"]}
    )
    found = pd.DataFrame({"image": ["a", "a", "b"], "abstained": [None, "dark", "dark"]})
    assert of_films(SYSTEM, films, found) == ByModel(1, 1, 1)
    assert ByModel(1200, 0, 3).words == "1,200 read, 0 rejected, 3 not yet read"


def test_slices_of_a_series_are_no_films_that_wait_to_be_read(open_app, tmp_path, cohort_file):
    store = CohortStore(shutil.copy(cohort_file, tmp_path / "slices.duckdb"))
    slices = [
        {"image": f"{place:02}" + "f" * 22, "subject": "P6", "visit": "W52", "body_part": "lumbar spine",
         "modality": "MR", "series_uid": "1.2.3", "positions_mm": [0.0, 0.0, 4.0 * place]}
        for place in range(5)
    ]  # fmt: skip
    before = queries.films_of(store, Viewer(), CohortFilter())["films"].sum()
    with store.write("test", "slices") as tx:
        tx.insert("image", pd.DataFrame(slices))
    assert by_model(SYSTEM, queries.film_states(store, Viewer(), CohortFilter())) == ByModel(34, 1, 1)
    assert queries.films_of(store, Viewer(), CohortFilter())["films"].sum() == before + 1
    at = open_app("pages/2_Patient.py", cohort=store.path, patient="P6")
    assert "Films of this patient, by the model: 5 read, 1 rejected, 0 not yet read" in " ".join(labels(at))


def test_a_region_graded_from_its_other_film_is_not_called_without_grades(second_film, cohort_file):
    chosen = CohortFilter()
    (alone,) = rejected_films(
        score_queries.abstentions(CohortStore(str(cohort_file)), Viewer(), chosen)
    ).to_dict("records")
    (beside,) = rejected_films(
        score_queries.abstentions(CohortStore(str(second_film)), Viewer(), chosen)
    ).to_dict("records")
    assert (alone["subject"], alone["grades of the region"]) == ("P6", "none")
    assert (beside["image"], beside["grades of the region"]) == (alone["image"], "from another film")


@pytest.mark.parametrize("page", ["pages/1_Cohort.py", "pages/2_Patient.py", "pages/3_Agreement.py"])
def test_every_list_of_rejected_films_says_what_became_of_the_region(open_app, second_film, page):
    at = open_app(page, cohort=second_film, patient="P6")
    said = [one.value for one in at.dataframe if "grades of the region" in one.value]
    assert said and said[0]["grades of the region"].tolist() == ["from another film"]


def test_who_is_left_out_is_said_with_the_reason(open_app):
    reasons = [{"subject": name, "reason": why} for name, why in zip("abcdef", "xxyzvw", strict=True)]
    text = left_out_words({"left_out": reasons})
    assert text.startswith("left out 6 (2: x; 1: y; 1: z; 2: see")
    assert left_out_words({"left_out": []}) == "none left out"


def test_a_panel_says_what_those_left_out_lack(cohort_file):
    page = Page(str(cohort_file), {"version": 2, "blinded": False, "last_writes": {}}, Viewer(), LIGHT)
    compared = comparison(page, Question(CohortFilter(campaign="paired"), "BL", "W104"))
    assert _lacks(compared, CHANGE) == "a reader or the model has no total at BL or W104"
    assert _lacks(compared, STATUS) == "a reader or the model has no total at W104"
