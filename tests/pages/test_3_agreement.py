"""Agreement: pairs, sentences, the margin, who was left out."""

import numpy as np
import pytest
import small_cohort

from core.agreement.icc import icc
from core.domain import CohortFilter, Viewer
from core.figures.style import LIGHT
from pages.common import agreement_study as study
from pages.common.agreement_study import Question
from pages.common.opening import Page

PAGE = "pages/3_Agreement.py"
MODEL = small_cohort.MODEL


def words(at, kind):
    return " ".join(element.value for element in getattr(at, kind))


@pytest.fixture
def asked():
    return Question(CohortFilter(campaign="paired"), "BL", "W104")


@pytest.fixture
def page(cohort_file):
    return Page(str(cohort_file), {"version": 2, "blinded": False, "phantom": True}, Viewer(), LIGHT)


def totals():
    grades = small_cohort.site_grades().astype({"grade": float})
    return grades[grades["reader"].isin(["R1", MODEL])].pivot_table(
        index="subject", columns=["reader", "visit"], values="grade", aggfunc="sum"
    )


def test_status_and_change_icc_equal_the_plain_statistics(page, asked):
    found = study.statistics(page, asked).set_index(["panel", "component", "first", "second", "statistic"])
    table = totals()
    for panel, values in (
        ("status", [table[(MODEL, "W104")], table[("R1", "W104")]]),
        ("change", [table[(r, "W104")] - table[(r, "BL")] for r in (MODEL, "R1")]),
    ):
        expected = icc(np.column_stack(values))["forms"]["ICC(A,1)"]
        row = found.loc[(panel, "total", MODEL, "R1", "ICC(A,1)")]
        assert row["estimate"] == pytest.approx(expected["estimate"], abs=1e-12)
        assert row["low"] == pytest.approx(expected["ci"][0], abs=1e-9)
        assert row["n"] == 6


def test_people_come_before_the_model_and_truth_only_when_asked(page, asked):
    compared = study.comparison(page, asked)
    assert compared.pairs == [("R1", "R2"), (MODEL, "R1"), (MODEL, "R2")]
    with_truth = study.comparison(page, Question(asked.chosen, "BL", "W104", truth=True))
    assert with_truth.pairs[3:] == [("R1", "truth"), ("R2", "truth"), (MODEL, "truth")]


def test_change_is_last_minus_first_within_a_reader(page, asked):
    rows = study.comparison(page, asked).rows("change", MODEL, "R1").set_index("subject")
    table = totals()
    assert rows.loc["P4", "first"] == table.loc["P4", (MODEL, "W104")] - table.loc["P4", (MODEL, "BL")]


def test_refused_film_leaves_its_patient_out_with_the_reason(page, asked):
    gone = study.left_out(page, Question(asked.chosen, "W52", "W104"))
    row = gone[(gone["subject"] == "P6") & (gone["label"] == MODEL)].iloc[0]
    assert row["visit"] == "W52"
    assert row["reason"].startswith("lumbar")


def test_no_verdict_without_a_margin_and_one_with_it(open_app, tmp_path):
    cohort = small_cohort.build(tmp_path / "margin.duckdb", films=False).path
    at = open_app(PAGE, cohort=cohort)
    assert at.number_input(key="agreement_margin").value is None
    assert "No verdict: no margin was set." in words(at, "caption")
    at.number_input(key="agreement_margin").set_value(500.0)
    at.text_input(key="agreement_margin_reason").set_value("protocol 3.2")
    next(button for button in at.button if button.label.startswith("Set it")).click().run()
    at.run()
    assert not at.exception
    assert "is under the margin" in words(at, "caption")
    assert "**after** a model had scored" in words(at, "markdown")
    assert "protocol 3.2" in words(at, "markdown")


def test_margin_after_scoring_needs_a_reason(open_app, tmp_path):
    cohort = small_cohort.build(tmp_path / "margin.duckdb", films=False).path
    at = open_app(PAGE, cohort=cohort)
    at.number_input(key="agreement_margin").set_value(4.0)
    next(button for button in at.button if button.label.startswith("Set it")).click().run()
    assert "not set before looking" in at.error[0].value


def test_every_figure_says_its_n(open_app):
    captions = [caption.value for caption in open_app(PAGE).main.caption]
    assert sum(text.startswith("n = 6") or "n = 6 " in text for text in captions) >= 6


def test_pair_can_be_chosen(open_app):
    at = open_app(PAGE)
    at.selectbox(key="agreement_pair").select("R1 – R2").run()
    assert "R1 scores" in words(at, "caption")


def test_worst_disagreement_stands_first(open_app):
    table = next(t.value for t in open_app(PAGE).dataframe if "difference" in t.value.columns)
    sizes = table["difference"].abs().tolist()
    assert sizes == sorted(sizes, reverse=True)


def test_one_reader_alone_is_told_what_is_missing(open_app, tmp_path):
    store = small_cohort.build(tmp_path / "one.duckdb", films=False)
    with store.write("test", "drop") as tx:
        keys = tx.query("SELECT * FROM main.site_score WHERE reader <> 'R1' AND superseded_by IS NULL")
        tx.supersede("site_score", keys[["reader"]].drop_duplicates())
    at = open_app(PAGE, cohort=store.path)
    assert not at.exception
    assert "needs a second one" in words(at, "info")
