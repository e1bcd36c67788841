"""The question that is kept: choices over page changes, in addresses, and wrong values in a link."""

import pytest
import streamlit as st
from hypothesis import given, settings
from hypothesis import strategies as hs

from pages.common import clickable_table, url_state
from pages.common import session_keys as keys
from pages.common.views import choices, rows
from tests.helpers import small_cohort
from tests.helpers.paths import ROOT

PATIENT, AGREEMENT, PROGRESSION = "pages/2_Patient.py", "pages/3_Agreement.py", "pages/4_Progression.py"


@pytest.fixture
def state(monkeypatch):
    held = {keys.HERE: "progression"}
    monkeypatch.setattr(st, "session_state", held)
    return held


@settings(max_examples=30, deadline=None)
@given(
    kept=hs.dictionaries(
        hs.from_regex(r"[a-z]\w{0,20}", fullmatch=True),
        hs.lists(hs.text(max_size=200), min_size=1, max_size=5),
    )
)
def test_every_choice_survives_the_address(kept):
    reserved = (*url_state.OF_FILTER, *url_state.OF_PLACE)
    kept = {name: values for name, values in kept.items() if name not in reserved}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(st, "session_state", {})
        choices.read("progression", kept, reserved)
        assert choices.written("progression") == kept
        assert choices.written("agreement") == {name: kept[name] for name in kept if name in choices.SHARED}


def test_what_is_possible_again_comes_back(state):
    choices.keep("progression_to", "W104")
    assert choices.settle("progression_to", ["BL", "W52"], "W52") == ("W52", "")
    assert choices.written("progression") == {}, "a link must not ask for what is not shown"
    assert choices.settle("progression_to", ["BL", "W52", "W104"], "W52") == ("W104", "")
    assert choices.written("progression") == {"to": ["W104"]}


def test_the_default_stays_out_and_a_saved_question_names_it(state):
    choices.keep("progression_to", "W104")
    choices.settle("progression_to", ["W52", "W104"], "W104")
    assert choices.written("progression") == {}
    assert choices.written("progression", whole=True) == {"to": ["W104"]}


def test_none_of_several_is_not_the_default(state):
    assert choices.settle_many("progression_models", ["a", "b"], ["a"]) == (("a",), ())
    choices.keep("progression_models")
    assert choices.settle_many("progression_models", ["a", "b"], ["a"]) == ((), ())
    assert choices.written("progression") == {"models": ["-"]}


POWER, LIMITS = "progression_plan_power", choices.Between(50, 99)


@pytest.mark.parametrize(("text", "shown", "said"), [
    ("80", 80.0, ""), ("80.0", 80.0, ""), ("90", 90.0, ""), ("7", 90.0, "7"), ("nan", 90.0, "nan"),
    ("inf", 90.0, "inf"), ("", 90.0, ""), ("many", 90.0, "many"), ("100", 90.0, "100"),
])  # fmt: skip
def test_a_number_of_a_link_is_taken_within_its_limits(state, text, shown, said):
    choices.read("progression", {"plan_power": [text]})
    assert choices.settle_number(POWER, LIMITS, 90) == (shown, said)
    assert choices.written("progression") == ({} if shown == 90 else {"plan_power": ["80"]})


def test_a_number_follows_its_default_until_it_is_typed(state):
    assert choices.settle_number(POWER, LIMITS, 90) == (90, "")
    assert choices.settle_number(POWER, LIMITS, 70, now="90") == (70, ""), "nobody typed it"
    assert choices.settle_number(POWER, LIMITS, 70, now="60") == (60, "")
    assert choices.settle_number(POWER, LIMITS, 55, now="60") == (60, "")
    assert choices.written("progression") == {"plan_power": ["60"]}


def test_a_number_that_may_be_missing_is_cleared_again(state):
    margin = choices.OptionalBetween(0, 1)
    assert choices.settle_number("agreement_margin_of_icc", margin, None) == (None, "")
    assert choices.settle_number("agreement_margin_of_icc", margin, None, now="0.2") == (0.2, "")
    assert choices.written("agreement") == {"margin_of_icc": ["0.2"]}
    assert choices.settle_number("agreement_margin_of_icc", margin, None, now="") == (None, "")
    assert choices.written("agreement") == {}


def test_choices_about_something_else_are_forgotten_but_not_those_of_a_link(state):
    mark, region = "region_for", keys.REGION
    choices.anew(mark, "P1", region)
    choices.keep(region, "lumbar")
    choices.anew(mark, "P1", region)
    assert choices.settle(region, ["cervical", "lumbar"]) == ("lumbar", "")
    choices.anew(mark, "P2", region)
    assert choices.settle(region, ["cervical", "lumbar"]) == ("cervical", "")
    choices.read("patient", {"region": ["lumbar"]})
    choices.anew(mark, "P3", region)
    assert choices.settle(region, ["cervical", "lumbar"]) == ("lumbar", "")


def test_an_address_names_a_page_and_leaves_the_others_alone(state):
    choices.keep("progression_to", "W52")
    choices.keep("agreement_section", "Grades")
    choices.read("agreement", {"pair": ["R1 – R2"]})
    assert choices.written("progression") == {"to": ["W52"]}
    assert choices.written("agreement") == {"pair": ["R1 – R2"]}


def test_a_strange_address_is_no_choice(state):
    choices.read("progression", {"": ["x"], "A B": ["x"], "_x": ["y"], "to": [], "p" * 40: ["x"]})
    assert choices.written("progression") == {}
    choices.read("progression", {"to": ["x" * 9000] * 900})
    assert sum(map(len, choices.written("progression")["to"])) <= choices.MAX_VALUES * choices.LONGEST


def follow(at, **asked):
    """The page as somebody sees it who follows a link to it."""
    for name, value in asked.items():
        at.query_params[name] = value
    return at.run()


def address(at):
    """Parameter -> value, those with several values as a list."""
    found = {name: at.query_params[name] for name in at.query_params}
    return {
        name: value[0] if list(value) == value and len(value) == 1 else value for name, value in found.items()
    }


ASKED = {
    AGREEMENT: {"score": "cervical", "from": "W52", "section": "Largest disagreements", "truth": "yes"},
    PROGRESSION: {"scorer": small_cohort.MODEL, "to": "W52", "films": "locf", "section": "Subgroups"},
}


@pytest.mark.parametrize("page", ASKED)
def test_a_link_asks_the_question_and_another_page_does_not_forget_it(open_app, page):
    at = follow(open_app(page), **ASKED[page])
    assert address(at) == ASKED[page]
    shown = {box.label: box.value for box in at.selectbox}
    assert shown["Change from" if page == AGREEMENT else "To"] == "W52"
    at = at.switch_page("pages/1_Cohort.py").run()
    assert set(at.query_params) <= {"score"}
    at.query_params.clear()
    at = at.switch_page(page).run()
    assert address(at) == ASKED[page]
    assert not at.warning or "not known" not in " ".join(one.value for one in at.warning)


PLANS = (
    (PROGRESSION, "Plan a trial", {"plan_power": "80", "plan_effect": "shift"}),
    (PROGRESSION, "Responsiveness", {"srm_by": "Parts of the score"}),
    (PROGRESSION, "Estimands", {"estimand_strategy": "composite"}),
    (AGREEMENT, "Planning", {"plan_form": "ICC(C,1)", "plan_width": "0.3"}),
    (AGREEMENT, "Verdicts", {"margin_of_bias": "3"}),
)


@pytest.mark.parametrize(("page", "section", "chosen"), PLANS)
def test_what_is_planned_is_in_the_link(open_app, page, section, chosen):
    at = follow(open_app(page), section=section, **chosen)
    assert not at.exception and address(at) == {"section": section} | chosen
    slug = choices.slug_of(page)
    held = {name: at.session_state[f"{slug}_{name}"] for name in chosen}
    shown = {name: one if isinstance(one, str) else choices.number_text(one) for name, one in held.items()}
    assert shown == chosen
    if "plan_width" in chosen:
        at.number_input(key="agreement_plan_width").set_value(0.2).run()
        assert address(at) == {"section": section, "plan_form": "ICC(C,1)"}, "the default stays out"


def test_the_part_of_the_body_is_in_the_link(open_app):
    at = follow(open_app(PATIENT), patient="P4", site="C5I", region="lumbar")
    assert at.segmented_control(key=keys.REGION).value == "lumbar"
    assert address(at)["region"] == "lumbar"
    at.segmented_control(key=keys.REGION).set_value("cervical").run()
    assert "region" not in address(at), "that of the site"
    at.segmented_control(key=keys.REGION).set_value("lumbar").run()
    assert address(at)["region"] == "lumbar"
    at = follow(at, site="L2S")
    assert "region" not in address(at)


@pytest.mark.parametrize(
    ("page", "wrong", "said"),
    [
        (AGREEMENT, {"pair": "R1 – R9"}, "Pair: R1 – R9 is not known here, model msasss-demo – R1 is shown."),
        (AGREEMENT, {"to": "W99"}, "W99 is not known here, W104 is shown."),
        (PROGRESSION, {"scorer": "*R9*"}, r"Scored by: \*R9\* is not known here, Readers (mean) is shown."),
        (PROGRESSION, {"section": "Nowhere"}, "Nowhere is not known here, Patient by patient is shown."),
    ],
)
def test_a_wrong_value_in_a_link_is_said_once(open_app, page, wrong, said):
    at = follow(open_app(page), **wrong)
    text = " ".join(one.value for one in at.warning)
    assert said in text, text
    assert not address(at)
    assert said not in " ".join(one.value for one in at.run().warning)


def test_the_row_that_was_opened_is_said_over_its_table(state, monkeypatch):
    said = []
    monkeypatch.setattr(rows.st, "caption", said.append)
    table = small_cohort.site_grades()[["subject", "visit", "site"]].drop_duplicates().head(60)
    rows.opened("worst_sites", table.iloc[30])
    name = " ".join(table.iloc[30])
    assert choices.written("progression") == {"row": [f"worst_sites:{name}"]}
    rows.opened_last("worst_sites", table)
    rows.opened_last("others", table)
    rows.opened_last("worst_sites", table.head(3))
    assert said == [f"Opened last: **{name}**, row 31 of 60."]
    assert clickable_table.opened is rows.opened


def test_widgets_show_what_was_set_before_they_are_drawn(open_app):
    at = open_app(PROGRESSION)
    at.session_state["progression_section"] = "Missing data"
    assert address(at.run()) == {"section": "Missing data"}


def test_no_choice_takes_the_name_of_a_filter_or_a_place():
    reserved = (*url_state.OF_FILTER, *url_state.OF_PLACE, "row", *choices.SHARED)
    pages = ("home", "cohort", "patient", "agreement", "progression", "import")
    taken = {f'"{page}_{name}"' for page in pages for name in reserved}
    text = " ".join(file.read_text(encoding="utf-8") for file in (ROOT / "pages").rglob("*.py"))
    assert not {name for name in taken if name in text}
