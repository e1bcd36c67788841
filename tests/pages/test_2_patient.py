"""Patient: what changed, who saw it, whether it is more than error."""

from dataclasses import replace

import pandas as pd
import pytest
import small_cohort

from core.domain import Viewer
from core.figures.style import LIGHT, grade_colour
from core.scores.totals import compute
from data.queries import patient
from data.store import CohortStore
from pages.common import films
from pages.common.opening import Page
from pages.common.viewer import _payload

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
    assert "**more than reading error**" in words(at, "markdown")
    assert "SDC95 (mean of 2 readers)" in words(at, "markdown")
    assert "**within reading error**" in words(open_app(PAGE, patient="P1"), "markdown")


def test_sites_that_all_readers_see_come_first(open_app):
    table = open_app(PAGE, patient="P4").dataframe[0].value
    assert set(table["site"].iloc[:2]) == {"C5I", "L2S"}
    assert list(table["seen by"].iloc[:2]) == ["2 of 2", "2 of 2"]
    row = table.set_index("site").loc["C5I"]
    assert row[["R1", "R2", "M", "T"]].tolist() == ["0 → 3", "0 → 3", "0 → 3", "0 → 3"]


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
    assert next(group for group in at.button_group if group.key == "region").value == "lumbar"


def test_refused_film_is_listed_with_its_reason(open_app):
    at = open_app(PAGE, patient="P6")
    assert any("too few corners found" in str(table.value.to_dict()) for table in at.dataframe)


def test_patient_outside_the_filter_is_not_shown(open_app):
    at = open_app(PAGE, patient="P4", arm="Placebo")
    assert at.title[0].value == "Patient P1"


def test_filter_that_leaves_nobody_says_so(open_app):
    at = open_app(PAGE, arm="Placebo", sex="F", **{"with": "HLA-B27:negative"})
    assert "clear it in the sidebar" in words(at, "info")


@pytest.fixture
def page(cohort_file):
    return Page(str(cohort_file), {"version": 2, "blinded": False, "phantom": True}, Viewer(), LIGHT)


def test_boxes_carry_the_grades_of_every_reading(page):
    store = CohortStore(page.path)
    stored = patient.films(store, Viewer(), "P4")
    found = patient.findings(store, Viewer(), "P4", "msasss")
    film = films.of_region(stored, "W104", "cervical")
    grades = pd.DataFrame({"site": ["C5I", "C5I"], "label": ["R1", "R2"], "grade": [3, None]})
    boxes = films.boxes_of(film["image"], found, grades, {"R1": "human", "R2": "human"}, small_cohort.SYSTEM)
    assert [box.site for box in boxes] == list(small_cohort.SYSTEM.codes[:12])
    box = boxes[small_cohort.SYSTEM.codes.index("C5I")]
    assert box.cells == (("3", grade_colour(3)), ("–", ""))
    assert box.colour == grade_colour(3)
    assert (box.x0, box.y0) == (136, 180)


def test_viewed_film_has_pixels_scale_and_window(page):
    stored = patient.films(CohortStore(page.path), Viewer(), "P1")
    film = films.viewed_film(page, stored.iloc[0], "BL", ())
    assert film.pixels.shape == small_cohort.SHAPE
    assert film.spacing_mm == (0.8, 0.8)
    assert film.limits[0] <= film.window[0] < film.window[1] <= film.limits[1]
    payload = _payload(film, "place")
    assert (payload["rows"], payload["columns"], payload["spacing"]) == (*small_cohort.SHAPE, [0.8, 0.8])


def test_lost_film_says_so_in_its_place(page):
    stored = patient.films(CohortStore(page.path), Viewer(), "P1").iloc[0].copy()
    stored["image"] = "00" * 12
    film = films.viewed_film(page, stored, "BL", ())
    assert film.pixels is None
    assert "run 'sharpline ingest'" in film.message
    assert _payload(replace(film, title="x"), "place")["url"] == ""
