"""Agreement: pairs, sentences, the margin, who was left out."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core import scores
from core.agreement.estimate import estimate
from core.agreement.grades.kappa import kappas
from core.agreement.grades.many_raters import many_raters
from core.agreement.icc import icc
from core.agreement.proportion import wilson
from core.agreement.reader_model import false_change, leave_one_out
from core.agreement.sample_size import subjects_for_width
from core.domain import CohortFilter, Viewer
from core.figures.style import LIGHT
from core.progression.sdc import smallest_detectable_change
from core.reader_labels import display_name
from core.scores.display.layout import layout
from pages.common.agreement import question, statistics
from pages.common.agreement.disagreements import differing
from pages.common.agreement.grades import cases_of
from pages.common.agreement.model_as_reader import (
    as_in_the_figure_above,
    index_words,
    leave_one_out_rows,
    rate_words,
)
from pages.common.agreement.question import Question
from pages.common.agreement.sections import SECTIONS
from pages.common.agreement.site_statistics import _levels, site_statistics, squares, together
from pages.common.agreement.subgroup_statistics import subgroup_statistics
from pages.common.page import Page
from tests.helpers import other_systems, small_cohort

PAGE = "pages/3_Agreement.py"
MODEL = small_cohort.MODEL


def words(at, kind):
    return " ".join(element.value for element in getattr(at, kind))


def test_one_quantity_of_the_same_patients_has_one_interval():
    pairs = pd.DataFrame(
        {"panel": "change", "first": ["M", "R1"], "second": ["R2", "R2"], "statistic": question.ICC,
         "component": "total", "estimate": [0.7, 0.6], "low": [0.3, 0.2], "high": [0.9, 0.8], "n": 20}
    )  # fmt: skip
    rows = pd.DataFrame(
        {"panel": "change", "first": ["R2", "R1", "R1"], "second": ["M", "R2", "R2 + R3"],
         "estimate": [0.7, 0.6, 0.6], "low": 0.1, "high": 0.95, "n": [20, 19, 20]}
    )  # fmt: skip
    found = as_in_the_figure_above(rows, pairs)
    assert found["low"].tolist() == [0.3, 0.1, 0.1], "other patients or a mean of readers: another quantity"
    assert found["high"].tolist() == [0.9, 0.95, 0.95]


def section(at, name):
    """The page with this section open."""
    return at.button_group(key="agreement_section").set_value(name).run()


def graded(visit, site=None):
    """Grades at one visit by R1 and the model, a row per patient and site that both graded."""
    grades = small_cohort.site_grades()
    here = grades[(grades["visit"] == visit) & grades["reader"].isin(["R1", MODEL]) & grades["grade"].notna()]
    here = here if site is None else here[here["site"] == site]
    wide = here.astype({"grade": int}).pivot(index=["subject", "site"], columns="reader", values="grade")
    return wide.dropna().astype(int)


@pytest.fixture
def asked():
    return Question(CohortFilter(campaign="paired"), "BL", "W104")


@pytest.fixture
def page(cohort_file):
    return Page(
        str(cohort_file),
        {"version": 2, "blinded": False, "phantom": True, "last_writes": {}},
        Viewer(),
        LIGHT,
    )


def totals():
    grades = small_cohort.site_grades().astype({"grade": float})
    return grades[grades["reader"].isin(["R1", MODEL])].pivot_table(
        index="subject", columns=["reader", "visit"], values="grade", aggfunc="sum"
    )


def test_status_and_change_icc_equal_the_plain_statistics(page, asked):
    found = statistics.statistics(page, asked).set_index(
        ["panel", "component", "first", "second", "statistic"]
    )
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
    compared = question.comparison(page, asked)
    assert compared.pairs == [("R1", "R2"), (MODEL, "R1"), (MODEL, "R2")]
    with_truth = question.comparison(page, Question(asked.chosen, "BL", "W104", truth=True))
    assert with_truth.pairs[3:] == [("R1", "truth"), ("R2", "truth"), (MODEL, "truth")]


def test_change_is_last_minus_first_within_a_reader(page, asked):
    rows = question.comparison(page, asked).rows("change", MODEL, "R1").set_index("subject")
    table = totals()
    assert rows.loc["P4", "first"] == table.loc["P4", (MODEL, "W104")] - table.loc["P4", (MODEL, "BL")]


def test_refused_film_leaves_its_patient_out_with_the_reason(page, asked):
    gone = statistics.left_out(page, Question(asked.chosen, "W52", "W104"))
    row = gone[(gone["subject"] == "P6") & (gone["label"] == MODEL)].iloc[0]
    assert row["visit"] == "W52"
    assert row["reason"].startswith("lumbar")


def test_no_verdict_without_a_margin_and_one_with_it(open_app, tmp_path):
    cohort = small_cohort.build(tmp_path / "margin.duckdb", films=False).path
    at = section(open_app(PAGE, cohort=cohort), "Model as a reader")
    assert at.number_input(key="agreement_margin").value is None
    assert "No verdict: no margin was set." in words(at, "caption")
    at.number_input(key="agreement_margin").set_value(500.0)
    at.text_input(key="agreement_margin_reason").set_value("protocol 3.2")
    next(button for button in at.button if button.label.startswith("Set margin")).click().run()
    at.run()
    assert not at.exception
    assert "6 patients are too few (10 are needed) to say more. No verdict." in words(at, "caption")
    assert "is below the margin" not in words(at, "caption")
    assert "**after** a model had scored" in words(at, "markdown")
    assert "protocol 3.2" in words(at, "markdown")


def test_a_verdict_stands_on_patients_enough():
    found = {"index": estimate(-0.5, -1, 0.2), "margin": 2.0, "equivalent": True, "subjects": 24, "notes": {}}
    assert index_words(found)[1].endswith("The upper limit +0.20 is below the margin 2.")
    value, said = index_words(found | {"subjects": 9})
    assert value == "**−0.50** (−1.00 to +0.20)"
    assert said == "9 patients are too few (10 are needed) to say more. No verdict."


def test_an_index_without_interval_says_why_once():
    found = {
        "index": estimate(-0.93), "subjects": 20, "margin": None, "equivalent": None,
        "notes": {"index": "too few patients differ"},
    }  # fmt: skip
    for margin in (None, 2.0):
        value, said = index_words(found | {"margin": margin})
        assert value == "**−0.93** (no interval)"
        assert said == (
            "In these 20 patients the model is nearer to the readers than they are to each other. "
            "No verdict: there is no interval, since too few patients differ."
        )


def test_the_models_distance_from_the_readers_mean_stands_beside_the_index(open_app, page, asked):
    bias = statistics.bias_to_mean(page, asked, "change", MODEL)
    table = question.comparison(page, asked).table("change").dropna(subset=[MODEL, "R1", "R2"])
    assert bias["estimate"] == pytest.approx((table[MODEL] - table[["R1", "R2"]].mean(axis=1)).mean())
    assert "Model minus the readers' mean: " in words(open_app(PAGE), "markdown")


def test_every_one_of_several_models_is_named_with_its_own_bias(open_app, tmp_path):
    store = small_cohort.build(tmp_path / "two.duckdb")
    other, grades = "model:msasss-other", small_cohort.site_grades()
    second = grades[grades["reader"] == MODEL].assign(reader=other)
    with store.write("test", "reads") as tx:
        tx.insert("reader", pd.DataFrame([{"reader": other, "kind": "model", "weights_hash": "other"}]))
        tx.insert("site_score", second.assign(grade=(second["grade"] + 1).clip(upper=3)))
    at = open_app(PAGE, cohort=tmp_path / "two.duckdb")
    assert not at.exception
    said = [one.value for one in at.markdown]
    for model in (MODEL, other):
        name = display_name(model)
        assert sum(text.startswith(f"{name} minus the readers' mean: ") for text in said) == 2
        assert any(text.startswith(f"{name}: index of ") for text in said)
    biases = {text.partition(": ")[2] for text in said if " minus the readers' mean: " in text}
    assert len(biases) > 2, "not the first model's twice"


def test_counts_stand_with_their_interval():
    none = {"cases": 4, "false_change": estimate(0.0, *wilson(0, 4))}
    some = {"cases": 20, "false_change": estimate(0.15, 0.05, 0.31)}
    assert rate_words([none, some], "false_change") == "**0 of 4** (0 to 49%), **3 of 20** (5 to 31%)"
    assert rate_words([{"cases": 0, "false_change": estimate(None)}], "false_change") == "no case"


def test_margin_of_the_total_gives_no_verdict_on_a_part(page, asked):
    part = replace(asked, component="cervical")
    found = statistics.model_as_reader(page, part, MODEL, 500.0)["interchangeability"]["change"]
    assert found["margin"] is None and found["equivalent"] is None


def test_margin_after_scoring_needs_a_reason(open_app, tmp_path):
    cohort = small_cohort.build(tmp_path / "margin.duckdb", films=False).path
    at = section(open_app(PAGE, cohort=cohort), "Model as a reader")
    at.number_input(key="agreement_margin").set_value(4.0)
    next(button for button in at.button if button.label.startswith("Set margin")).click().run()
    assert "not set in advance" in at.error[0].value


@pytest.mark.parametrize("name", list(SECTIONS))
def test_every_section_opens_says_its_n_and_gives_its_data(open_app, name):
    at = section(open_app(PAGE), name)
    assert not at.exception and not at.error
    said = [caption.value for caption in at.main.caption] + [table.value.to_csv() for table in at.dataframe]
    assert any("n = " in text for text in said)
    assert any(button.proto.label == "CSV" for button in at.get("download_button"))
    assert not any("nan" in text.lower().split() for text in said if not text.startswith(","))


def test_overview_says_the_numbers_of_the_core(open_app):
    at = open_app(PAGE)
    table = totals()
    change = [table[(r, "W104")] - table[(r, "BL")] for r in (MODEL, "R1")]
    expected = icc(np.column_stack(change))["forms"]["ICC(A,1)"]["estimate"]
    assert f"{expected:.2f}" in words(at, "caption")
    rows = next(t.value for t in at.dataframe if "statistic" in t.value.columns)
    rows = rows[(rows["panel"] == "change") & (rows["component"] == "total") & (rows["span"] == "BL to W104")]
    rows = rows[
        (rows["first"] == display_name(MODEL)) & (rows["second"] == "R1") & (rows["statistic"] == "ICC(A,1)")
    ]
    assert rows["estimate"].item() == pytest.approx(expected, abs=1e-12)


def test_kappa_of_a_site_is_that_of_the_grades(page, asked):
    found = site_statistics(page, asked, "W104")
    row = found[(found["panel"] == "status") & (found["site"] == "C5I") & (found["first"] == MODEL)]
    row = row[(row["second"] == "R1") & (row["statistic"] == "kappa.quadratic")]
    wide = graded("W104", "C5I")
    expected = kappas(wide[MODEL].to_numpy(float), wide["R1"].to_numpy(float))["quadratic"]["estimate"]
    assert row["estimate"].item() == pytest.approx(expected, abs=1e-12)
    assert row["n"].item() == len(wide)


def test_squares_of_change_leave_out_no_grade_between(asked):
    both = pd.DataFrame({"first": [0.0, 3.0], "second": [-1.0, 0.0]})
    assert _levels(asked, "corner", "change", both) == [-1, 0, 1, 2, 3]
    halves = pd.DataFrame({"first": [0.5], "second": [1.0]})
    assert _levels(asked, "corner", "change", halves) is None


def test_squares_count_the_grades_and_know_their_cases(page, asked):
    found = squares(page, asked, "W104", "corner", "status", (MODEL, "R1"))
    wide = graded("W104")
    expected = pd.crosstab(wide[MODEL], wide["R1"]).reindex(index=range(4), columns=range(4), fill_value=0)
    assert np.array_equal(found.counts, expected.to_numpy())
    cases = cases_of(found, 3.0, 3.0)
    assert set(zip(cases["subject"], cases["site"], strict=True)) >= {("P4", "C5I"), ("P4", "L2S")}
    assert set(cases["visit"]) == {"W104"}
    assert found.values["kappa.quadratic"]["estimate"] == pytest.approx(
        kappas(wide[MODEL].to_numpy(float), wide["R1"].to_numpy(float))["quadratic"]["estimate"], abs=1e-12
    )


def test_subgroups_are_those_of_the_patients(page, asked):
    found = subgroup_statistics(page, asked)
    men = totals().loc[["P1", "P3", "P4"]]
    expected = icc(np.column_stack([men[(MODEL, "W104")], men[("R1", "W104")]]))["forms"]["ICC(A,1)"]
    row = found[(found["group"] == "sex") & (found["level"] == "M") & (found["panel"] == "status")]
    row = row[(row["first"] == MODEL) & (row["second"] == "R1") & (row["statistic"] == "ICC(A,1)")]
    assert row["estimate"].item() == pytest.approx(expected["estimate"], abs=1e-12)
    assert {"all patients", "arm", "HLA-B27", "interval"} <= set(found["group"])


def test_arm_is_no_subgroup_while_the_study_is_blinded(open_app, blinded_file):
    at = section(open_app(PAGE, cohort=blinded_file), "Subgroups")
    shown = " ".join(str(table.value.to_dict()) for table in at.dataframe) + words(at, "caption")
    assert "Arms stay hidden" in shown
    assert "Placebo" not in shown and "Active" not in shown
    assert "HLA-B27" in shown


def test_leave_one_out_rows_are_those_of_the_core(page, asked):
    found = statistics.model_as_reader(page, asked, MODEL, None)
    compared = question.comparison(page, asked)
    table = compared.table("change")
    expected = leave_one_out(table[["R1", "R2"]].to_numpy(), table[MODEL].to_numpy(), ["R1", "R2"])
    rows = leave_one_out_rows(found["leave_one_out"], MODEL)
    here = rows[(rows["panel"] == "change") & (rows["label"] == "without R1") & (rows["kind"] == "model")]
    assert here["estimate"].item() == expected["rows"][0]["model"]["ICC(A,1)"]["estimate"]
    assert here["second"].item() == "R2"


def test_false_change_table_has_the_readers_beside_the_model(open_app, page, asked):
    at = section(open_app(PAGE), "Model as a reader")
    shown = next(t.value for t in at.dataframe if "false improvement" in t.value.columns)
    assert shown["reader"].tolist() == [display_name(MODEL), "R1", "R2"]
    table = question.comparison(page, asked).table("change")
    expected = false_change(table[["R1", "R2"]], table[MODEL], ["R1", "R2"])
    assert shown["cases (n)"].tolist() == [
        expected["model"]["cases"], expected["readers"]["R1"]["cases"], expected["readers"]["R2"]["cases"]
    ]  # fmt: skip


def test_reading_error_is_that_of_the_readers(open_app, page, asked):
    at = section(open_app(PAGE), "Reading error")
    shown = next(t.value for t in at.dataframe if "SDC95, mean of 2" in t.value.columns)
    row = shown[(shown["part"] == "total") & (shown["interval"] == "BL to W104")].iloc[0]
    change = question.comparison(page, asked).table("change")[["R1", "R2"]]
    expected = smallest_detectable_change(change.to_numpy()).limit(2)
    assert row["SDC95, mean of 2"].startswith(f"{expected:.2f} (")
    assert shown.shape[1] <= 8, "it fits a narrow window"
    at = at.button_group(key="agreement_error_of").set_value("status").run()
    shown = next(t.value for t in at.dataframe if "MDC95, mean of 2" in t.value.columns)
    assert len(shown) and "bias of status" in shown


def test_read_modes_stand_beside_each_other_and_rereads_are_found(open_app, tmp_path):
    path = two_modes(tmp_path / "modes.duckdb").path
    at = section(open_app(PAGE, cohort=path), "Reading error")
    assert not at.exception
    modes = next(t.value for t in at.dataframe if "mode" in t.value.columns)
    assert set(modes["mode"]) == {"paired", "chronological"}
    again = next(t.value for t in at.dataframe if "repeat reading" in t.value.columns)
    assert set(again["repeat reading"]) == {"sorted (chronological)"}
    assert set(again["panel"]) == {"status", "change"}


def two_modes(path):
    """The small cohort with a second campaign, read in the films' order, one unit more at C2I."""
    store = small_cohort.build(path, films=False)
    with store.write("test", "read in order") as tx:
        campaign = {"campaign": "sorted", "system": "msasss", "read_mode": "chronological"}
        tx.insert("campaign", pd.DataFrame([campaign]))
        grades = small_cohort.site_grades()
        again = grades[grades["reader"].isin(["R1", "R2"])].assign(campaign="sorted")
        up = (again["site"] == "C2I") & (again["visit"] == "W104")
        again.loc[up, "grade"] = (again.loc[up, "grade"] + 1).clip(upper=3)
        tx.insert("site_score", again)
    return store


def test_planning_gives_the_number_of_the_core(open_app):
    at = section(open_app(PAGE), "Planning")
    at.number_input(key="agreement_plan_icc").set_value(0.8)
    at.number_input(key="agreement_plan_width").set_value(0.1).run()
    expected = subjects_for_width(0.8, 2, 0.1)
    assert f"**{expected:,} patients**" in words(at, "markdown")


def test_every_figure_says_its_n(open_app):
    captions = [caption.value for caption in open_app(PAGE).main.caption]
    assert sum(text.startswith("n = 6") or "n = 6 " in text for text in captions) >= 6


def test_pair_can_be_chosen_and_lasts_over_sections(open_app):
    at = open_app(PAGE)
    at.selectbox(key="agreement_pair").select("R1 – R2").run()
    assert "R1 scores" in words(at, "caption")
    section(at, "Grades")
    assert at.selectbox(key="agreement_pair").value == "R1 – R2"


def test_kappa_stands_beside_prevalence_and_bias_at_each_cut(open_app):
    at = section(open_app(PAGE), "Grades")
    tables = [t.value for t in at.dataframe if "prevalence index" in t.value.columns]
    assert len(tables) == 2
    assert tables[0]["cut"].tolist() == ["1 or more", "2 or more", "3 or more"]


def test_worst_disagreement_stands_first_to_one_decimal(open_app):
    at = section(open_app(PAGE), "Largest disagreements")
    tables = [t for t in at.dataframe if "difference" in t.value.columns]
    assert len(tables) == 2
    for table in tables:
        sizes = table.value["difference"].abs().tolist()
        assert sizes == sorted(sizes, reverse=True) and min(sizes) > 0
        assert "%+.1f" in table.proto.columns


def test_single_sites_are_listed_for_a_pair(open_app):
    at = section(open_app(PAGE), "Largest disagreements")
    at.selectbox(key="agreement_worst_pair").select(f"{MODEL} – R1").run()
    table = next(
        t.value for t in at.dataframe if "site" in t.value.columns and "difference" in t.value.columns
    )
    wide = graded("W104")
    assert len(table) == int((wide[MODEL] != wide["R1"]).sum())


def test_worst_in_pages_is_model_minus_mean_of_readers(page, asked):
    compared = question.comparison(page, asked)
    rows, n = differing(compared, "change", MODEL)
    table = compared.table("change")
    expected = table[MODEL] - table[["R1", "R2"]].mean(axis=1)
    assert n == 6
    for row in rows.itertuples():
        assert row.difference == pytest.approx(expected[row.subject])


def test_too_many_grades_are_told_and_not_loaded(open_app, monkeypatch):
    monkeypatch.setattr("pages.common.agreement.site_statistics.MAX_GRADES", 100)
    at = section(open_app(PAGE), "Site by site")
    assert "a page takes at most 100" in words(at, "info")
    assert "sharpline agreement --cluster subject" in words(at, "info").replace("`", "")


LACKS = {  # what sections say of a cohort that readers alone have read
    "With and without the model": ["There is one campaign of human readers"],
    "Device drift": ["No model has read these images"],
}


@pytest.mark.parametrize("system", ["mtss", "sparcc", "synovitis"])
def test_every_system_has_its_map_and_grades(open_app, tmp_path, system):
    path = other_systems.build(tmp_path / "other.duckdb", system).path
    at = open_app(PAGE, cohort=path, system=system)
    for name in SECTIONS:
        section(at, name)
        assert not at.exception and not at.error, name
        told = [element.value for element in at.info]
        assert [text.split(".")[0] for text in told] == LACKS.get(name, []), name
    asked = Question(CohortFilter(system=system, campaign="c"), "BL", "W52")
    looked_at = Page(
        str(path), {"version": 1, "blinded": False, "phantom": True, "last_writes": {}}, Viewer(), LIGHT
    )
    found = site_statistics(looked_at, asked, "")
    assert set(found["site"]) == {key for key in layout(scores.get(system)).places if not key.endswith(".CS")}


def shown_texts(at):
    texts = [element.value for kind in ("markdown", "caption", "info") for element in getattr(at, kind)]
    return texts + [str(cell) for table in at.dataframe for cell in words_of(table.value)]


def words_of(frame):
    return [cell for name in frame if not pd.api.types.is_numeric_dtype(frame[name]) for cell in frame[name]]


@pytest.mark.parametrize("what", ["no variance", "one patient", "one patient and one site"])
def test_thin_data_give_sentences_and_never_a_nan(open_app, tmp_path, what):
    store = small_cohort.build(tmp_path / "thin.duckdb", films=False, grades=thin(what))
    at = open_app(PAGE, cohort=store.path)
    for name in SECTIONS:
        section(at, name)
        assert not at.exception and not at.error, name
        assert not [
            text for text in shown_texts(at) if "nan" in text.lower().split() or "inf" in text.split()
        ], name


def thin(what):
    grades = small_cohort.site_grades()
    if what == "no variance":
        grades.loc[grades["grade"].notna(), "grade"] = 1
        return grades
    grades = grades[grades["subject"] == "P2"]
    return grades if what == "one patient" else grades[grades["site"] == "C5I"]


def test_a_single_visit_has_status_only(open_app, tmp_path):
    store = small_cohort.build(tmp_path / "one_visit.duckdb", films=False)
    with store.write("test", "drop") as tx:
        keys = tx.query("SELECT * FROM main.site_score WHERE visit <> 'BL' AND superseded_by IS NULL")
        tx.supersede("site_score", keys[["visit"]].drop_duplicates())
    at = open_app(PAGE, cohort=store.path)
    for name in SECTIONS:
        section(at, name)
        assert not at.exception and not at.error, name
    assert "change" not in words(at, "markdown").lower().replace("exchange", "")


def test_one_reader_alone_is_told_what_is_missing(open_app, tmp_path):
    store = small_cohort.build(tmp_path / "one.duckdb", films=False)
    with store.write("test", "drop") as tx:
        keys = tx.query("SELECT * FROM main.site_score WHERE reader <> 'R1' AND superseded_by IS NULL")
        tx.supersede("site_score", keys[["reader"]].drop_duplicates())
    at = open_app(PAGE, cohort=store.path)
    assert not at.exception
    assert "needs a second one" in words(at, "info")


def test_coefficients_of_all_readings_together(page, asked, open_app):
    found = together(page, asked, "W104", "", "status")
    assert len(found["raters"]) == 3
    assert found["levels"] == [0, 1, 2, 3]
    grades = small_cohort.site_grades()
    here = grades[(grades["visit"] == "W104") & grades["reader"].isin(["R1", "R2", MODEL])]
    table = here.astype({"grade": float}).pivot(index=["subject", "site"], columns="reader", values="grade")
    expected = many_raters(table.dropna(how="all").to_numpy(), range(4))
    for name in ("fleiss", "conger", "krippendorff", "gwet"):
        for key, value in expected[name].items():
            assert found[name][key]["estimate"] == pytest.approx(value["estimate"], abs=1e-12)
    at = section(open_app(PAGE), "Grades")
    assert "All readings together" in words(at, "markdown")
    shown = [frame.value for frame in at.dataframe if "coefficient" in frame.value]
    assert shown and shown[0]["coefficient"].tolist()[0] == "Fleiss' kappa"


@pytest.fixture(scope="module")
def aided_file(tmp_path_factory):
    """The small cohort with a second campaign, in which R1 and R2 grade as the truth, P6 not at all."""
    path = tmp_path_factory.mktemp("aided") / "aided.duckdb"
    store = small_cohort.build(path, films=False)
    grades = small_cohort.site_grades()
    true = grades[(grades["reader"] == "truth") & (grades["subject"] != "P6")]
    aided = pd.concat([true.assign(reader=name, campaign="aided") for name in ("R1", "R2")])
    with store.write("test", "aided") as tx:
        tx.insert(
            "campaign", pd.DataFrame({"campaign": ["aided"], "system": "msasss", "read_mode": "paired"})
        )
        tx.insert("site_score", aided)
    return path


def test_readers_of_two_campaigns_are_compared_against_the_consensus(open_app, aided_file):
    at = open_app(PAGE, cohort=aided_file)
    at.segmented_control(key="agreement_section").set_value("With and without the model").run()
    assert not at.exception
    shown = next(table.value for table in at.dataframe if "aided" in table.value)
    assert shown["reader"].tolist() == ["R1", "R2", "mean"]
    assert shown["aided"].tolist() == [0, 0, 0]
    assert (shown["paired"] > 0).any()
    said = " ".join(element.value for element in at.markdown)
    assert "patients are too few (10 are needed) to compare campaigns" in said


def test_one_campaign_says_what_is_needed(open_app):
    at = open_app(PAGE)
    at.segmented_control(key="agreement_section").set_value("With and without the model").run()
    assert not at.exception
    assert "one campaign of human readers" in at.info[0].value
