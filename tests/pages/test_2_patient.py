"""Patient: what changed, who saw it, whether it is more than error."""

import json
import shutil
from dataclasses import replace

import pandas as pd
import pytest

from core.domain import Viewer
from core.figures.style import LIGHT, grade_colour
from core.progression.sdc import says
from core.scores.engine.totals import compute
from data.queries import patient
from data.store.cohort import CohortStore
from pages.common.page import Page
from pages.common.viewer import _payload, stored_films
from tests.helpers import small_cohort

PAGE = "pages/2_Patient.py"


def shown(at, label):
    return next(metric for metric in at.metric if metric.label.startswith(label))


def words(at, kind):
    return " ".join(element.value for element in getattr(at, kind))


def test_headline_is_the_mean_change_of_the_readers(open_app):
    at = open_app(PAGE, patient="P4")
    grades = small_cohort.site_grades()
    rows = grades[(grades["subject"] == "P4") & grades["reader"].isin(["R1", "R2"])]
    totals = compute(rows, small_cohort.SYSTEM).totals.pivot(index="visit", columns="reader", values="total")
    mean = totals.mean(axis=1)
    metric = shown(at, "mSASSS, mean of R1, R2")
    assert metric.value == f"{mean['BL']:.1f} → {mean['W104']:.1f}"
    assert metric.delta == f"{mean['W104'] - mean['BL']:+.1f}"


def test_verdict_compares_with_the_sdc(open_app):
    at = open_app(PAGE, patient="P4")
    assert "**beyond reading error**" in words(at, "markdown")
    assert "SDC95 (mean of 2 readers)" in words(at, "markdown")
    assert "**within reading error**" in words(open_app(PAGE, patient="P1"), "markdown")


def test_sites_that_all_readers_see_come_first(open_app):
    table = open_app(PAGE, patient="P4").dataframe[0].value
    assert set(table["site"].iloc[:2]) == {"C5I", "L2S"}
    assert list(table["seen by"].iloc[:2]) == ["2 of 2", "2 of 2"]
    row = table.set_index("site").loc["C5I"]
    assert row[["R1", "R2", "M", "T"]].tolist() == ["0 → 3", "0 → 3", "0 → 3", "0 → 3"]


def test_chance_of_change_is_told_where_films_were_read_together(open_app, cohort_file, tmp_path):
    assert "chance of" not in words(open_app(PAGE, patient="P4", site="C5I"), "caption")
    store = CohortStore(shutil.copy(cohort_file, tmp_path / "together.duckdb"))
    shutil.copytree(CohortStore(cohort_file).folder, store.folder)
    films = patient.films(store, Viewer(), "P4").query("body_part == 'cervical'").set_index("visit")["image"]
    with store.write("test", "read together") as transaction:
        key = pd.DataFrame({"image": [films["W104"]], "site": ["C5I"]})
        row = transaction.current("finding", key).drop(columns=["event", "superseded_by"])
        transaction.supersede("finding", key)
        transaction.insert("finding", row.assign(compared=json.dumps({films["BL"]: 0.873})))
    caption = words(open_app(PAGE, cohort=store.path, patient="P4", site="C5I"), "caption")
    assert "87% chance of change at C5I" in caption


def test_visits_can_be_chosen(open_app):
    at = open_app(PAGE, patient="P4")
    at.selectbox(key="last_visit").select("W52").run()
    assert at.query_params["last"] in ("W52", ["W52"])
    sites = at.dataframe[0].value
    assert "C5I" not in set(sites[sites["seen by"] == "2 of 2"]["site"])


def test_choosing_another_patient_forgets_the_site(open_app):
    at = open_app(PAGE, patient="P4", site="L2S")
    at.selectbox(key="patient_choice").select("P2").run()
    assert at.title[0].value == "Patient P2"
    assert "site" not in at.query_params


def test_address_opens_patient_site_and_region(open_app):
    at = open_app(PAGE, patient="P4", site="L2S")
    assert at.title[0].value == "Patient P4"
    assert next(group for group in at.button_group if group.key == "patient_region").value == "lumbar"


def test_refused_film_is_listed_with_its_reason(open_app):
    at = open_app(PAGE, patient="P6")
    assert any("too few corners found" in str(table.value.to_dict()) for table in at.dataframe)


def test_patient_outside_the_filter_is_not_shown(open_app):
    at = open_app(PAGE, patient="P4", arm="Placebo")
    assert at.title[0].value == "Patient P1"


def test_filter_that_leaves_nobody_says_so(open_app):
    at = open_app(PAGE, arm="Placebo", sex="F", **{"with": "HLA-B27:negative"})
    assert "Clear it in the sidebar" in words(at, "info")


@pytest.fixture
def page(cohort_file):
    return Page(
        str(cohort_file),
        {"version": 2, "blinded": False, "phantom": True, "last_writes": {}},
        Viewer(),
        LIGHT,
    )


def test_boxes_carry_the_grades_of_every_reading(page):
    store = CohortStore(page.path)
    stored = patient.films(store, Viewer(), "P4")
    found = patient.findings(store, Viewer(), "P4", "msasss")
    film = stored_films.films_showing(stored, found, small_cohort.SYSTEM, "W104", "cervical").iloc[0]
    grades = pd.DataFrame({"site": ["C5I", "C5I"], "label": ["R1", "R2"], "grade": [3, None]})
    boxes = stored_films.boxes_of(
        film["image"], found, grades, {"R1": "human", "R2": "human"}, small_cohort.SYSTEM
    )
    assert [box.site for box in boxes] == list(small_cohort.SYSTEM.codes[:12])
    box = boxes[small_cohort.SYSTEM.codes.index("C5I")]
    assert box.cells == (("3", grade_colour(3)), ("–", ""))
    assert box.colour == grade_colour(3)
    assert (box.x0, box.y0) == (136, 180)


def test_viewed_film_has_pixels_scale_and_window(page):
    stored = patient.films(CohortStore(page.path), Viewer(), "P1")
    film = stored_films.viewed_film(page, stored.iloc[0], "BL", ())
    assert film.pixels.shape == small_cohort.SHAPE
    assert film.spacing_mm == (0.8, 0.8)
    assert film.limits[0] <= film.window[0] < film.window[1] <= film.limits[1]
    payload = _payload(film, "place")
    assert (payload["rows"], payload["columns"], payload["spacing"]) == (*small_cohort.SHAPE, [0.8, 0.8])


def test_lost_film_says_so_in_its_place(page):
    stored = patient.films(CohortStore(page.path), Viewer(), "P1").iloc[0].copy()
    stored["image"] = "00" * 12
    film = stored_films.viewed_film(page, stored, "BL", ())
    assert film.pixels is None
    assert "run 'sharpline ingest'" in film.message
    assert _payload(replace(film, title="x"), "place")["url"] == ""


def test_a_cohort_without_films_has_no_viewer(open_app, own):
    at = open_app(PAGE, cohort=own, patient="P4")
    assert not at.exception
    assert "P4 has no films in this cohort." in words(at, "caption")
    assert not [group for group in at.button_group if group.key == "patient_region"]


# -- what the change means -----------------------------------------------------------------------------------


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "own.duckdb"
    small_cohort.build(path, films=False)
    return path


def totals_of(patient_):
    grades = small_cohort.site_grades()
    rows = grades[(grades["subject"] == patient_) & grades["reader"].isin(["R1", "R2"])]
    return compute(rows, small_cohort.SYSTEM).totals.pivot(index="visit", columns="reader", values="total")


def mean_change(patient_, first="BL", last="W104"):
    totals = totals_of(patient_)
    return float((totals.loc[last] - totals.loc[first]).mean())


@pytest.mark.parametrize("subject", ["P1", "P4"])
def test_a_change_is_set_against_reading_error_without_a_probability(open_app, subject):
    at = open_app(PAGE, section="Course and sites", patient=subject)
    helps = [element.help or "" for element in at.markdown]
    everything = " ".join([words(at, "markdown"), words(at, "caption"), *helps])
    sdc = float(everything.split("SDC95 (mean of 2 readers) ")[1].split(",")[0])
    assert says(sdc) in words(at, "caption")
    assert says(sdc) in helps
    for claim in ("surely", "probably", "is real", "Φ"):
        assert claim not in everything


def test_patient_stands_among_the_others(open_app):
    others = [mean_change(one) for one in small_cohort.PATIENTS if one != "P4"]
    assert max(others) < mean_change("P4"), "P4 is made to change most"
    assert "**Rank of the change among 6 patients:** 1st" in words(open_app(PAGE, patient="P4"), "markdown")


def test_what_is_new_since_the_last_visit(open_app):
    text = words(open_app(PAGE, patient="P4"), "markdown")
    assert "**Since W52:**" in text
    assert "**C5I** (2 of 2: R1 0 → 3, R2 0 → 3)" in text


def test_expected_course_is_fitted_on_the_button(open_app, own):
    at = open_app(PAGE, section="Course and sites", cohort=own, patient="P4")
    assert "Expected:" not in words(at, "caption")
    next(button for button in at.button if button.label == "Expected course").click().run()
    assert not at.exception
    assert "mean slope" in words(at, "caption")
    again = at.run()
    assert "mean slope" in words(again, "caption"), "a fitted model stays"
    assert not [button for button in again.button if button.label == "Expected course"]


def test_expected_course_is_level_plus_slope():
    from core.patient.expected_course import patient_course, yearly_slope

    model = {
        "coefficients": [
            {"term": "Intercept", "estimate": 10.0, "ci": [8, 12]},
            {"term": "years", "estimate": 0.5, "ci": [0.2, 0.8]},
        ],
        "random_effects": {"P1": [2.0, 0.1]},
        "variances": {"intercept": 4.0, "slope": 0.25, "covariance": 0.0, "residual": 1.0},
    }
    course = patient_course(model, "P1", [0, 2])
    assert course["expected"].tolist() == [12, 13]
    assert course["high"].iloc[0] == pytest.approx(12 + 1.959964)
    assert course["high"].iloc[1] == pytest.approx(13 + 1.959964 * 2**0.5)
    assert patient_course(model, "P9", [0]).empty
    assert yearly_slope(model) == (0.5, 0.2, 0.8)


def test_one_visit_is_shown_as_one_visit(open_app, own):
    with CohortStore(own).write("test", "visits") as tx:
        rows = pd.DataFrame({"subject": ["P2", "P2"], "visit": ["W52", "W104"]})
        tx.supersede("site_score", rows)
        tx.supersede("visit", rows)
    at = open_app(PAGE, cohort=own, patient="P2")
    assert not at.exception
    assert shown(at, "mSASSS, mean of").value == "one visit"
    assert "One visit (BL, mSASSS" in words(at, "markdown")
    assert "Since" not in words(at, "markdown")


def test_a_negative_change_is_shown_as_one(open_app, own):
    grades = small_cohort.site_grades()
    mine = grades[(grades["subject"] == "P2") & grades["reader"].isin(["R1", "R2"])]
    mine = mine[(mine["visit"] == "BL") & mine["site"].isin(["C3I", "C4S", "L3I"])]
    with CohortStore(own).write("test", "reads", "correction") as tx:
        tx.supersede("site_score", mine[["subject", "visit", "reader", "site"]])
        tx.insert("site_score", mine.assign(grade=pd.array([3] * len(mine), dtype="Int32"), reason=None))
    at = open_app(PAGE, cohort=own, patient="P2")
    assert shown(at, "mSASSS, mean of").delta.startswith("−")
    change = shown(at, "mSASSS, mean of").delta
    assert f"A change of {change} is **beyond reading error**" in words(at, "markdown")


def test_a_screening_visit_is_no_baseline(open_app, own):
    with CohortStore(own).write("test", "visits") as tx:
        tx.insert("visit", pd.DataFrame([{"subject": "P2", "visit": "SCR", "visit_order": -1, "day": -25}]))
    at = open_app(PAGE, cohort=own, patient="P2")
    assert at.selectbox(key="first_visit").value == "BL"
    at.selectbox(key="first_visit").select("SCR").run()
    assert not at.exception


def test_two_films_and_two_visits_of_one_day(open_app, tmp_path):
    path = tmp_path / "films.duckdb"
    store = small_cohort.build(path)
    film = store.query(
        "SELECT * FROM main.image WHERE subject = 'P2' AND visit = 'BL' AND body_part = 'cervical'"
    )
    with store.write("test", "film") as tx:
        again = film.drop(columns=["event", "superseded_by"]).assign(image="aa" * 12, pixel_hash="x")
        tx.insert("image", again)
        tx.insert("visit", pd.DataFrame([{"subject": "P2", "visit": "BL2", "visit_order": 0, "day": 0}]))
    at = open_app(PAGE, cohort=path, patient="P2")
    assert not at.exception
    several = next(group for group in at.button_group if group.label == "BL has 2 such films")
    assert several.value == film["image"].iloc[0], "the one that the model graded, as the scores have it"
    assert len(several.options) == 2


def test_therapy_stands_under_the_course():
    from core.figures.patient.course import course_figure

    totals = pd.DataFrame({"visit": ["BL", "BL2", "W52"], "day": [0.0, 0.0, 364.0], "label": "R1",
                           "total": [3.0, 3.0, 4.0], "imputed_sites": 0})  # fmt: skip
    words_ = pd.DataFrame({"name": "therapy", "visit": ["BL", "W52"], "day": [0.0, 364.0], "number": None,
                           "text": ["NSAID", "TNFi"], "unit": None})  # fmt: skip
    figure = course_figure(totals, {"R1": "human"}, unit="mSASSS", covariates=words_)
    assert [note.text for note in figure.layout.annotations] == ["NSAID", "TNFi"]
    bars = [trace for trace in figure.data if trace.name == "therapy"]
    assert list(bars[0].x) == [0.0, 364.0]
    assert list(figure.layout.xaxis.ticktext) == ["BL, BL2", "W52"]


def test_the_next_patient_costs_one_opening_of_the_file_for_rows(open_app, monkeypatch):
    at = open_app(PAGE, patient="P1")
    at.button(key="patient_to_next").click().run()
    opened = []
    look = CohortStore.look
    monkeypatch.setattr(CohortStore, "look", lambda *a, **more: opened.append(a) or look(*a, **more))
    at.button(key="patient_to_next").click().run()
    assert not at.exception and at.title[0].value == "Patient P3"
    assert len(opened) == 1
