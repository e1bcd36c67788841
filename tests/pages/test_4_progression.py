"""Progression: which arm, by how much, against the SDC, with and without imputed sites."""

import json
from dataclasses import replace

import pandas as pd
import pytest
from click.testing import CliRunner

from core.cli import cli
from core.domain import CohortFilter, Viewer
from core.figures.style import LIGHT
from core.report import formatting
from data.store.cohort import CohortStore
from data.study.frozen_analyses import freeze
from data.study.unblinded_looks import looks
from data.verify import verify
from pages.common.page import Page
from pages.common.progression import by_site, question, results
from pages.common.progression.commands import commands
from pages.common.progression.definitions import definitions
from pages.common.progression.fitting import fits
from pages.common.progression.frozen_results import frozen_results
from pages.common.progression.missing_data import panel_of_rule
from pages.common.progression.question import COMPLETE, IMPUTED, READERS, Question
from tests.helpers import small_cohort

PAGE = "pages/4_Progression.py"
ASKED = Question(CohortFilter(campaign="paired"), "BL", "W104", (0.0, 730.0))


def words(at, kind):
    return " ".join(element.value for element in getattr(at, kind))


@pytest.fixture
def page(cohort_file):
    return Page(
        str(cohort_file),
        {"version": 2, "blinded": False, "phantom": True, "last_writes": {}},
        Viewer(),
        LIGHT,
    )


def change_of(reader, arm):
    grades = small_cohort.site_grades().astype({"grade": float})
    rows = grades[(grades["reader"] == reader) & grades["visit"].isin(["BL", "W104"])]
    sums = rows.pivot_table(index="subject", columns="visit", values="grade", aggfunc="sum")
    ids = [p for place, p in enumerate(small_cohort.PATIENTS) if ("Placebo", "Active")[place % 2] == arm]
    return (sums["W104"] - sums["BL"])[ids].mean()


def test_truth_changes_as_it_was_made(page):
    asked = Question(ASKED.chosen, "BL", "W104", ASKED.days, scorer="truth")
    summary = results.results(page, asked)[IMPUTED]["summary"]
    assert summary["Active"]["mean"] == pytest.approx(change_of("truth", "Active"))
    assert summary["Placebo"]["mean"] == 0


def test_without_imputed_sites_only_complete_readings_count(page):
    found = results.results(page, ASKED)
    assert found[IMPUTED]["summary"]["Active"]["mean"] != found[COMPLETE]["summary"]["Active"]["mean"]
    assert found[COMPLETE]["summary"]["Active"]["mean"] == pytest.approx(change_of("R1", "Active"))


def test_page_answers_in_words(open_app):
    text = words(open_app(PAGE), "markdown")
    assert "**With imputed sites.** BL to W104, mSASSS (mean, 95% CI): **Active** progressed by" in text
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
    found = results.results(page, ASKED)
    lines = commands(page, ASKED, ["R1", "R2"]).splitlines()
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


def test_net_progression_is_a_share_with_an_interval(page):
    rows = definitions(page, ASKED, IMPUTED)
    net = rows[(rows["definition"] == "net progression") & (rows["kind"] == "share")]
    assert net["estimate"].between(-1, 1).all()
    assert (net["low"] <= net["estimate"]).all() and (net["estimate"] <= net["high"]).all()


def test_scorers_are_people_first():
    kinds = {"R1": "human", "R2": "human", small_cohort.MODEL: "model", "truth": "consensus"}
    assert question.scorers(kinds) == [READERS, small_cohort.MODEL, "truth"]
    assert question.scorers({"truth": "consensus"}) == ["truth"]


def test_baseline_is_the_visit_nearest_day_0():
    assert question.baseline_visit({"SCR": -28.0, "BL": 0.0, "W12": 84.0}) == "BL"


# -- sections ------------------------------------------------------------------------------------------------


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "own.duckdb"
    small_cohort.build(path, films=False)
    return path


def section(at, name):
    at.session_state["progression_section"] = name
    return at.run()


def tables(at):
    return [table.value for table in at.dataframe]


def test_definitions_are_those_of_core(page):
    rows = definitions(page, ASKED, IMPUTED).set_index(["definition", "group"])
    one = results.results(page, ASKED)[IMPUTED]
    for name, arms in one["progressor_shares"].items():
        for arm, value in arms.items():
            assert rows.loc[(name, arm), "count"] == value["count"]
            assert [rows.loc[(name, arm), "low"], rows.loc[(name, arm), "high"]] == value["share"]["ci"]
    fresh = rows.loc[("new syndesmophyte, by all readers", "Active")]
    assert (fresh["count"], fresh["n"]) == (1, 3), "P4 alone, at C5I and L2S"


def test_new_lesions_are_of_the_patients_with_a_change_and_no_mean_is_among_them(page):
    for way in (IMPUTED, COMPLETE):
        rows = definitions(page, ASKED, way)
        assert not rows["definition"].str.contains("mean").any()
        shares = rows[rows["kind"] == "share"]
        everyone = shares[shares["definition"] == ">0"].set_index("group")["n"]
        for name in ("new syndesmophyte, by all readers", "new syndesmophyte, by any reader"):
            own = shares[shares["definition"] == name].set_index("group")["n"]
            assert own.to_dict() == everyone.to_dict(), (way, name)


def test_every_section_opens_without_an_error(open_app, own):
    at = open_app(PAGE, cohort=own)
    for name in (
        "Over time",
        "Where",
        "Subgroups",
        "Models and tests",
        "Strata and covariates",
        "Missing data",
    ):
        assert not section(at, name).exception, name


def test_where_counts_the_patients_who_changed(page):
    from pages.common.progression.grids import chosen_sites

    grid = chosen_sites(page, ASKED.chosen).only(readers=["R1", "R2"])
    cells, groups = by_site._cells(grid, ASKED, "arm")
    assert groups == ["Active", "Placebo", "all"]
    cell = cells.set_index(["group", "site"]).loc[("Active", "C5I")]
    assert cell["worse"] >= 1
    assert cell["n"] == 3


def test_models_are_fitted_on_the_button_and_equal_core(open_app, own):
    from core.progression.regression.fit import ModelOptions, fit_model

    at = section(open_app(PAGE, cohort=own), "Models and tests")
    assert "Nothing is fitted" in words(at, "caption")
    at.multiselect(key="progression_models").set_value(["compare", "mmrm"])
    next(button for button in at.button if button.label == "Fit").click().run()
    assert not at.exception
    shown = next(table for table in tables(at) if "term" in table and "n" in table)
    viewed = Page(
        str(own), {"version": 2, "blinded": False, "phantom": True, "last_writes": {}}, Viewer(), LIGHT
    )
    expected = fit_model(results.all_readings(viewed, ASKED), "compare", ModelOptions(*ASKED.days)).table()
    assert shown["estimate"].tolist() == pytest.approx(expected["estimate"].tolist(), nan_ok=True)
    assert shown["p"].tolist() == pytest.approx(expected["p"].tolist(), nan_ok=True)
    means = next(table for table in tables(at) if "LS mean (SE)" in table)
    assert means["arm"].tolist() == ["Placebo", "Active"] * 3
    assert not means.isin([None, "None", "nan"]).any(axis=None)
    fitted = fits.outcome(viewed, ASKED, "mmrm", "")
    last = next(row for row in fitted["contrasts"] if row["visit"] == "W104")
    cell = means.loc[(means["visit"] == "W104") & (means["arm"] == "Active"), "minus Placebo (95% interval)"]
    assert cell.item() == formatting.estimated(last, signed=True)
    terms = next(table for table in tables(at) if "F" in table)
    assert terms["term"].tolist() == [
        "baseline (per point)",
        "visit",
        "arm",
        "baseline × visit",
        "arm × visit",
    ]


def test_arms_are_compared_by_strata_as_core_does(open_app, own):
    from core.progression.arms.adjusted import AdjustedOptions
    from core.progression.arms.adjusted_readings import adjusted_readings
    from core.progression.arms.mantel_haenszel import common_risk_difference
    from core.progression.arms.mantel_haenszel import tables as counted
    from pages.common.progression.fitting.adjusted import patient_properties

    at = section(open_app(PAGE, cohort=own), "Strata and covariates")
    assert at.multiselect(key="progression_strata").options == ["centre", "HLA-B27", "sex"]
    at.multiselect(key="progression_strata").set_value(["sex"]).run()
    assert not at.exception
    viewed = Page(
        str(own), {"version": 2, "blinded": False, "phantom": True, "last_writes": {}}, Viewer(), LIGHT
    )
    properties = patient_properties(viewed)
    options = AdjustedOptions(("sex",))
    readings = results.all_readings(viewed, ASKED)
    expected = adjusted_readings(readings, properties, options, ASKED.days)["comparisons"][0]
    change = next(table for table in tables(at) if "method" in table).set_index("method")
    assert change.loc["ANCOVA", "difference (95% interval)"] == formatting.estimated(
        expected["ancova"], signed=True
    )
    assert change.loc["van Elteren", "p"] == formatting.p_value(expected["van_elteren"]["p"])
    shares = next(table for table in tables(at) if "Mantel-Haenszel" in table)
    assert not shares.isin([None, "None", "nan"]).any(axis=None)
    rows = pd.DataFrame(results.results(viewed, ASKED)[IMPUTED]["change"])
    sex = properties["sex"].reindex(rows["subject"]).to_numpy()
    common = common_risk_difference(counted(rows["mean_change"] > 0, rows["arm"] == "Active", sex))
    first = shares.loc[shares["definition"] == ">0", "Mantel-Haenszel"].item()
    assert first.startswith(f"{formatting.number(100 * common['estimate'], 0, signed=True)}%")
    assert "within strata of sex" in words(at, "caption")


def test_several_arms_have_adjusted_p_values_by_choice(open_app, tmp_path, monkeypatch):
    path = tmp_path / "three.duckdb"
    subjects = small_cohort._subjects()
    subjects["arm"] = ["Low", "Placebo", "Active"] * 2
    monkeypatch.setattr(small_cohort, "_subjects", lambda: subjects)
    small_cohort.build(path, films=False)
    at = section(open_app(PAGE, cohort=path), "Strata and covariates")
    assert not any("p, adjusted" in table for table in tables(at))
    at.selectbox(key="progression_several_adjusted").set_value("holm").run()
    assert not at.exception
    assert sum("p, adjusted" in table for table in tables(at)) == 2
    assert "P adjusted by Holm" in words(at, "caption")
    at = section(at, "Models and tests")
    at.multiselect(key="progression_models").set_value(["mmrm"])
    at.selectbox(key="progression_several").set_value("dunnett")
    next(button for button in at.button if button.label == "Fit").click().run()
    assert not at.exception
    means = next(table for table in tables(at) if "LS mean (SE)" in table)
    assert len(set(means["arm"])) == 3 and "p, adjusted" in means
    assert "P adjusted by Dunnett" in words(at, "caption")


def test_chosen_strata_stand_in_the_command_of_the_page(open_app):
    at = section(open_app(PAGE), "Strata and covariates")
    at.multiselect(key="progression_strata").set_value(["sex"]).run()
    lines = next(one.value for one in at.code if "sharpline progression" in one.value).splitlines()
    assert "--property sex --out" in lines[0] and lines[1].endswith("--strata sex")
    assert at.query_params["strata"] in ("sex", ["sex"]), "a link gives the same strata"


def test_p_values_are_off_for_a_subset(open_app, own):
    at = section(open_app(PAGE, cohort=own, sex="M"), "Models and tests")
    at.multiselect(key="progression_models").set_value(["compare", "mmrm"])
    next(button for button in at.button if button.label == "Fit").click().run()
    assert not at.exception
    assert "P-values are off" in words(at, "info")
    shown = next(table for table in tables(at) if "term" in table)
    assert "p" not in shown
    assert shown["estimate"].notna().any()
    assert not any("p" in table or "F" in table for table in tables(at))
    at = section(at, "Strata and covariates")
    assert not at.exception and any("Mantel-Haenszel" in table for table in tables(at))
    assert not any({"p", "CMH p"} & set(table) for table in tables(at))


def test_panel_is_that_of_core(page):
    from core.progression.missing.sensitivity import SensitivityOptions, sensitivity

    rule = "msasss.complete_only"
    found = panel_of_rule(page, ASKED, rule)
    grid = results.asked_grid(page, Question(ASKED.chosen, "BL", "W104", ASKED.days, rule=rule))
    expected = sensitivity({rule: grid.frame()}, SensitivityOptions(*ASKED.days))
    pd.testing.assert_frame_equal(
        found[found["method"] == "locf"].reset_index(drop=True),
        expected[expected["method"] == "locf"].reset_index(drop=True),
    )


def test_films_put_in_are_counted_and_named(open_app, own):
    with CohortStore(own).write("test", "lost") as tx:
        keys = small_cohort.site_grades()
        keys = keys[(keys["subject"] == "P2") & (keys["visit"] == "W104")]
        tx.supersede("site_score", keys[["subject", "visit"]].drop_duplicates())
    at = open_app(PAGE, cohort=own)
    assert "Missing films: none imputed" in words(at, "caption")
    box = next(box for box in at.selectbox if box.label == "Missing films")
    box.set_value("locf").run()
    assert not at.exception
    assert "Films imputed in 1 of 6 patients" in words(at, "markdown")
    assert "nothing happened after a patient's last film" in words(at, "caption")
    assert "1 with an imputed film" in words(at, "caption")


# -- guards --------------------------------------------------------------------------------------------------


def test_one_look_a_session_and_question(open_app, own):
    at = open_app(PAGE, cohort=own)
    at.run().run()
    assert len(looks(CohortStore(own))) == 1
    box = next(box for box in at.selectbox if box.label == "To")
    box.set_value("W52").run()
    kept = looks(CohortStore(own))
    assert len(kept) == 2
    assert kept["session"].nunique() == 1
    open_app(PAGE, cohort=own)
    assert looks(CohortStore(own))["session"].nunique() == 2
    assert verify(CohortStore(own)).broken == []


def test_a_blinded_study_is_unblinded_by_an_act_with_a_reason(open_app, own):
    store = CohortStore(own)
    store.set_blinded(True, actor="test", reason="again")
    at = open_app(PAGE, cohort=own)
    assert len(looks(store)) == 0
    button = next(button for button in at.button if button.label == "Show the arms")
    assert button.disabled
    next(field for field in at.text_input if field.label.startswith("Why the arms")).set_value("lock")
    next(box for box in at.checkbox if box.label.startswith("I may show")).check().run()
    next(button for button in at.button if button.label == "Show the arms").click().run()
    assert not store.is_blinded
    assert "Active" in words(at.run(), "markdown")
    assert store.query("SELECT reason FROM main.event WHERE action = 'settings'")["reason"].tolist() == [
        "lock"
    ]


def test_a_set_is_frozen_and_opens_to_the_same_digits(open_app, own):
    at = section(open_app(PAGE, cohort=own), "Access log and frozen analyses")
    assert "Unblinded looks at results by arm: 1, in 1 session" in words(at, "markdown")
    next(field for field in at.text_input if field.label == "Name of the analysis").set_value("primary")
    next(field for field in at.text_input if field.label == "Why it is frozen").set_value("plan 2.1")
    next(button for button in at.button if button.label.startswith("Freeze")).click().run()
    assert not at.exception
    at.selectbox(key="frozen_opened").set_value("primary").run()
    assert "the same digits" in words(at, "success")
    assert "have not changed since" in words(at, "markdown")
    grades = small_cohort.site_grades()
    row = grades[(grades["subject"] == "P1") & (grades["visit"] == "W104") & (grades["reader"] == "R1")].iloc[
        :3
    ]
    with CohortStore(own).write("test", "reads", "correction") as tx:
        tx.supersede("site_score", row[["subject", "visit", "reader", "site"]])
        tx.insert("site_score", row.assign(grade=pd.array([3, 3, 3], dtype="Int32")))
    at.run()
    assert not at.exception
    assert "the same digits" in words(at, "success"), "the version of then is still there"
    assert "The cohort has changed: 1 write" in words(at, "warning")
    assert len(looks(CohortStore(own))) == 1, "the frozen question is the one that was looked at"
    assert verify(CohortStore(own)).broken == []


def test_a_set_frozen_blinded_keeps_the_arms_hidden(open_app, own):
    store = CohortStore(own)
    store.set_blinded(True, actor="test", reason="again")
    viewed = Page(
        str(own),
        {"version": store.version(), "blinded": True, "phantom": True, "last_writes": {}},
        Viewer(),
        LIGHT,
    )
    results = frozen_results(viewed, ASKED)
    assert set(results[IMPUTED]["summary"]) == {"all"}
    freeze(store, "blind", actor="a", reason="r", system="msasss", version=store.version(),
           settings=ASKED.as_settings(), results=results)  # fmt: skip
    store.set_blinded(False, actor="test", reason="lock")
    at = section(open_app(PAGE, cohort=own), "Access log and frozen analyses")
    at.selectbox(key="frozen_opened").set_value("blind").run()
    assert not at.exception
    assert "the same digits" in words(at, "success")


def test_settings_lead_back_to_the_question():
    chosen = CohortFilter(campaign="paired", sexes=("M",), covariates=(("HLA-B27", "positive"),))
    asked = Question(chosen, "BL", "W52", (0.0, 366.0), "truth", "lumbar", "msasss.complete_only", "locf")
    assert question.question_from(json.loads(json.dumps(asked.as_settings()))) == asked
    assert not asked.is_full_set
    assert ASKED.is_full_set


@pytest.mark.parametrize("chosen", [{"sexes": ("M",)}, {"arms": ("Active",)}, {"subjects": ("P4",)}])
@pytest.mark.parametrize("way", [IMPUTED, COMPLETE])
def test_a_filter_leaves_the_sdc_of_the_campaign(page, chosen, way):
    few = replace(ASKED, chosen=replace(ASKED.chosen, **chosen))
    everyone, found = results.result(page, ASKED, way), results.result(page, few, way)
    for name in ("sdc95", "sdc95_ci", "sdc80", "sdc_subjects", "sdc_readers"):
        assert found[name] == everyone[name], name
    limit = everyone["sdc95"]["mean_of_readers"] if everyone["sdc95"] else None
    beyond = [row for row in found["change"] if limit is not None and row["mean_change"] > limit]
    assert found["progressors"][">SDC"] == (None if limit is None else len(beyond))


def test_a_filter_that_leaves_no_change_says_so_and_draws_nothing(open_app, own):
    with CohortStore(own).write("test", "reads") as tx:
        lost = {"P2": ("W52", "W104"), "P5": ("BL", "W52"), "P6": ("BL", "W52")}
        gone = pd.DataFrame(
            [(one, visit) for one in lost for visit in lost[one]], columns=["subject", "visit"]
        )
        tx.supersede("site_score", gone)
    at = open_app(PAGE, cohort=own, sex="F")
    assert not at.exception
    assert not at.dataframe and not at.get("plotly_chart")
    assert "None of the patients that the filter leaves has a total at both BL and W104." in words(at, "info")


def test_the_sentence_says_whose_sdc_it_is(open_app):
    assert "from all 6 patients of the campaign" in words(open_app(PAGE, sex="M"), "markdown")
    assert "patients of the campaign" not in words(open_app(PAGE), "markdown")


def test_an_analysis_frozen_with_the_sdc_of_its_patients_keeps_it(page):
    few = replace(ASKED, chosen=replace(ASKED.chosen, sexes=("M",)))
    older = {name: value for name, value in few.as_settings().items() if name != "sdc_of"}
    asked = question.question_from(older)
    assert asked.sdc_of == question.SELECTION
    own = results.result(page, asked, IMPUTED)
    assert own["sdc_subjects"] == own["subjects"] == 3
    assert own["sdc95"] != results.result(page, ASKED, IMPUTED)["sdc95"]


# -- edges ---------------------------------------------------------------------------------------------------


def test_an_arm_with_one_patient_has_no_interval(open_app, own):
    with CohortStore(own).write("test", "subjects") as tx:
        tx.supersede("subject", pd.DataFrame({"subject": ["P3", "P5"]}))
        tx.insert("subject", pd.DataFrame({"subject": ["P3", "P5"], "arm": "Active", "sex": ["M", "F"]}))
    at = open_app(PAGE, cohort=own)
    assert not at.exception
    assert "one patient: no interval" in words(at, "markdown")
    for name in ("Over time", "Where", "Subgroups", "Models and tests"):
        assert not section(at, name).exception, name


def test_a_visit_before_baseline_is_no_baseline(open_app, own):
    with CohortStore(own).write("test", "visits") as tx:
        tx.insert("visit", pd.DataFrame({"subject": small_cohort.PATIENTS, "visit": "SCR", "visit_order": -1,
                                         "day": -25, "planned_day": -28}))  # fmt: skip
        extra = small_cohort.site_grades()
        tx.insert("site_score", extra[extra["visit"] == "BL"].assign(visit="SCR"))
    at = open_app(PAGE, cohort=own)
    assert next(box for box in at.selectbox if box.label == "From").value == "BL"
    assert not section(at, "Over time").exception


def test_two_visits_of_one_day_are_not_compared(open_app, own):
    with CohortStore(own).write("test", "visits") as tx:
        tx.insert("visit", pd.DataFrame({"subject": small_cohort.PATIENTS, "visit": "BL2", "visit_order": 0,
                                         "day": 0, "planned_day": 0}))  # fmt: skip
        extra = small_cohort.site_grades()
        tx.insert("site_score", extra[extra["visit"] == "BL"].assign(visit="BL2"))
    at = open_app(PAGE, cohort=own)
    assert not at.exception
    to = next(box for box in at.selectbox if box.label == "To")
    assert set(to.options) == {"W52", "W104"}


def test_a_patient_whom_nobody_read_is_left_out_with_the_reason(open_app, own):
    with CohortStore(own).write("test", "subjects") as tx:
        tx.insert("subject", pd.DataFrame({"subject": ["P9"], "arm": ["Active"]}))
    gone = next(table for table in tables(open_app(PAGE, cohort=own)) if "reason" in table)
    assert set(gone.loc[gone["subject"] == "P9", "reason"]) == {"no total at any visit"}


def test_a_trial_is_planned_with_the_numbers_of_the_study(open_app, blinded_file):
    at = open_app(PAGE)
    at.segmented_control(key="progression_section").set_value("Plan a trial").run()
    assert not at.exception
    assert "patients to enrol" in words(at, "markdown")
    named = {box.label: box for box in at.number_input}
    before = next(table.value for table in at.dataframe if "to enrol" in table.value)
    named["SD of change"].set_value(named["SD of change"].value * 2).run()
    after = next(table.value for table in at.dataframe if "to enrol" in table.value)
    assert after["to enrol"].iloc[0] > 3 * before["to enrol"].iloc[0]
    hidden = open_app(PAGE, cohort=blinded_file)
    hidden.segmented_control(key="progression_section").set_value("Plan a trial").run()
    assert not hidden.exception
    said = words(hidden, "markdown") + words(hidden, "caption")
    assert "all patients, arms together" in said
    assert "Placebo" not in said


def test_responsiveness_compares_scorers_and_parts(open_app):
    at = open_app(PAGE)
    at.segmented_control(key="progression_section").set_value("Responsiveness").run()
    assert not at.exception
    scorers = next(table.value for table in at.dataframe if "SRM" in table.value)
    assert {"Readers (mean)", "R1", "R2"} <= set(scorers["of"])
    at.segmented_control(key="progression_srm_by").set_value("Parts of the score").run()
    parts = next(table.value for table in at.dataframe if "SRM" in table.value)
    assert len(parts) == 3
    at.segmented_control(key="progression_band").set_value("simultaneous").run()
    assert not at.exception
    assert "Band, simultaneous: the whole curve" in words(at, "caption")
