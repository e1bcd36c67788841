"""The section Estimands of the Progression page."""

import pandas as pd
import pytest

from core.domain import CohortFilter, Viewer
from core.figures.progression.tipping import tipping_line, tipping_map
from core.figures.style import LIGHT
from core.progression.estimands.analysis import EstimandOptions, estimands
from core.progression.estimands.events import Events
from pages.common.page import Page
from pages.common.progression import results
from pages.common.progression.estimands.compute import estimands_of, event_columns
from pages.common.progression.estimands.section import change_rows, sentence
from pages.common.progression.question import Question
from tests.helpers import small_cohort

PAGE = "pages/4_Progression.py"
ASKED = Question(CohortFilter(campaign="paired"), "BL", "W104", (0.0, 730.0))
RESCUE = {"P1": 200.0, "Q4": 400.0}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """The small cohort four times, a day of rescue for two patients, two without a film at week 104."""
    path = tmp_path_factory.mktemp("estimands") / "own.duckdb"
    store = small_cohort.build(path, films=False)
    grades = small_cohort.site_grades()
    with store.write("test", "more patients") as tx:
        for letter in "QRS":
            names = [name.replace("P", letter) for name in small_cohort.PATIENTS]
            arm = [("Placebo", "Active")[place % 2] for place in range(len(names))]
            tx.insert("subject", pd.DataFrame({"subject": names, "arm": arm, "sex": "F"}))
            visits = [
                (name, visit, order, day, day)
                for name in names
                for order, (visit, day) in enumerate(small_cohort.VISITS.items())
            ]
            columns = ["subject", "visit", "visit_order", "day", "planned_day"]
            tx.insert("visit", pd.DataFrame(visits, columns=columns))
            more = grades.assign(subject=grades["subject"].str.replace("P", letter))
            gone = more["subject"].isin(["Q1", "R2"]) & (more["visit"] == "W104")
            tx.insert("site_score", more[~gone])
        rows = [(name, None, "rescue day", day, None, None) for name, day in RESCUE.items()]
        rows += [(name, None, "age", 50.0, None, "years") for name in small_cohort.PATIENTS]
        tx.insert(
            "covariate", pd.DataFrame(rows, columns=["subject", "visit", "name", "number", "text", "unit"])
        )
    return path


@pytest.fixture
def page(cohort):
    state = {"version": 3, "blinded": False, "phantom": True, "last_writes": {}}
    return Page(str(cohort), state, Viewer(), LIGHT)


def test_what_sounds_like_an_event_is_offered_first(page):
    assert event_columns(page, ASKED)[0] == "rescue day"
    assert "HLA-B27" not in event_columns(page, ASKED)


def test_page_gives_the_numbers_of_core(page):
    found = estimands_of(page, ASKED, "rescue day", "hypothetical", ("j2r",), ">0")
    readings = results.all_readings(page, ASKED)
    asked = EstimandOptions(
        0.0, 730.0, strategies=("hypothetical",), assumptions=("j2r",), has_tipping=True,
        visit_days=tuple(small_cohort.VISITS.values()),
    )  # fmt: skip
    assert found == estimands(readings, Events("rescue day", RESCUE), asked)
    by_arm = {row["arm"]: [one["subject"] for one in row["subjects"]] for row in found["affected"]}
    assert by_arm == {"Placebo": ["P1"], "Active": ["Q4"]}
    rows = change_rows(found["results"][0])
    assert list(rows["of"].unique()) == ["Placebo", "Active", "Active minus Placebo"]


def test_figures_show_the_tipping_point_and_both_arms(page):
    row = estimands_of(page, ASKED, "", "treatment-policy", (), ">0")["results"][0]["tipping"][0]
    line, grid = tipping_line(row, unit="mSASSS"), tipping_map(row, unit="mSASSS")
    assert "1 missing change of Active" in line.layout.xaxis.title.text
    assert grid.data[0].z[6][6] == pytest.approx(row["grid"]["estimate"][6][6])
    assert ("turns when" in sentence(row)) == (row["delta"] is not None)


def test_every_strategy_opens_and_says_who_is_affected(open_app, cohort):
    at = open_app(PAGE, cohort=cohort)
    at.session_state["progression_section"] = "Estimands"
    at.run()
    assert not at.exception
    assert "Tipping point" in [one.value for one in at.subheader]
    box = {one.label: one for one in at.selectbox}
    box["Intercurrent event"].set_value("rescue day").run()
    for strategy in ("hypothetical", "composite", "while-on-treatment"):
        next(one for one in at.selectbox if one.label == "Estimand").set_value(strategy).run()
        assert not at.exception, strategy
        said = " ".join(one.value for one in at.caption)
        assert "rescue day before the film of the visit: Placebo 1 of 12; Active 1 of 12" in said


def test_too_few_films_is_said(cohort_file):
    state = {"version": 2, "blinded": False, "phantom": True, "last_writes": {}}
    small = Page(str(cohort_file), state, Viewer(), LIGHT)
    row = estimands_of(small, ASKED, "", "treatment-policy", (), ">0")["results"][0]
    assert "a model of missing films needs more than" in row["failed"]
