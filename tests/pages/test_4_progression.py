"""Progression: which arm, by how much, against the SDC, with and without imputed sites."""

import json

import pandas as pd
import pytest
import small_cohort
from click.testing import CliRunner

from core.cli import cli
from core.domain import CohortFilter, Viewer
from core.figures.style import LIGHT
from pages.common import progression_study as study
from pages.common.opening import Page
from pages.common.progression_study import COMPLETE, IMPUTED, READERS, Ask

PAGE = "pages/4_Progression.py"
ASKED = Ask(CohortFilter(campaign="paired"), "BL", "W104", (0.0, 730.0))


def words(at, kind):
    return " ".join(element.value for element in getattr(at, kind))


@pytest.fixture
def page(cohort_file):
    return Page(str(cohort_file), {"version": 2, "blinded": False, "phantom": True}, Viewer(), LIGHT)


def change_of(reader, arm):
    grades = small_cohort.site_grades().astype({"grade": float})
    rows = grades[(grades["reader"] == reader) & grades["visit"].isin(["BL", "W104"])]
    sums = rows.pivot_table(index="subject", columns="visit", values="grade", aggfunc="sum")
    ids = [p for place, p in enumerate(small_cohort.PATIENTS) if ("Placebo", "Active")[place % 2] == arm]
    return (sums["W104"] - sums["BL"])[ids].mean()


def test_truth_changes_as_it_was_made(page):
    asked = Ask(ASKED.chosen, "BL", "W104", ASKED.days, scorer="truth")
    summary = study.results(page, asked)[IMPUTED]["summary"]
    assert summary["Active"]["mean"] == pytest.approx(change_of("truth", "Active"))
    assert summary["Placebo"]["mean"] == 0


def test_without_imputed_sites_only_complete_readings_count(page):
    found = study.results(page, ASKED)
    assert found[IMPUTED]["summary"]["Active"]["mean"] != found[COMPLETE]["summary"]["Active"]["mean"]
    assert found[COMPLETE]["summary"]["Active"]["mean"] == pytest.approx(change_of("R1", "Active"))


def test_page_answers_in_words(open_app):
    text = words(open_app(PAGE), "markdown")
    assert "**With imputed sites.** From BL to W104 **Active** by" in text
    assert "Beyond the SDC95 (mean of 2 readers)" in text
    assert "**Without imputed sites.**" in text


def test_blinded_study_gives_no_arm(open_app, blinded_file):
    at = open_app(PAGE, cohort=blinded_file)
    assert not at.exception
    everything = words(at, "markdown") + words(at, "caption") + str([t.value.to_dict() for t in at.dataframe])
    assert "Active" not in everything
    assert "Placebo" not in everything


def test_commands_on_the_page_give_the_same_numbers(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = study.results(page, ASKED)
    lines = study.commands(page, ASKED, ["R1", "R2"]).splitlines()
    answers = []
    for line in lines:
        words_ = line.split()[1:]
        result = CliRunner().invoke(cli, ["--cohort", page.path, *words_, "--json"], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        answers.append(json.loads(result.stdout))
    for way, answer in ((IMPUTED, answers[1]), (COMPLETE, answers[3])):
        shown = found[way]
        assert answer["summary"]["Active"]["mean"] == pytest.approx(
            shown["summary"]["Active"]["mean"], abs=1e-12
        )
        assert answer["sdc95"] == pytest.approx(shown["sdc95"]) if shown["sdc95"] else answer["sdc95"] is None
        assert answer["progressors"] == {**answer["progressors"], **shown["progressors"]}


def test_net_progression_is_a_share(page):
    table = study.summary_table(study.results(page, ASKED), (">0",))
    assert set(table["sites"]) == {IMPUTED, COMPLETE}
    assert table["net"].between(-1, 1).all()


def test_scorers_are_people_first(page):
    from pages.common.study import chosen_totals

    assert study.scorers(chosen_totals(page, ASKED.chosen)) == [READERS, small_cohort.MODEL, "truth"]


def test_visits_without_a_day_cannot_be_compared():
    frame = pd.DataFrame({"subject": ["a", "a"], "visit": ["BL", "X"], "day": [0.0, None]})
    assert study.visit_days(frame) == {"BL": 0.0}
