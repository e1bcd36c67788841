"""How a section was made and its sentences for the paper follow what was chosen in it; none can forget."""

import ast

import pytest

from pages.common.agreement.sections import SECTIONS
from pages.common.ways_out.change_sections import (
    adjusted_methods,
    estimand_methods,
    model_methods,
    subgroup_methods,
)
from pages.common.ways_out.chosen import Chosen
from tests.helpers.paths import ROOT

PROGRESSION, AGREEMENT = "pages/4_Progression.py", "pages/3_Agreement.py"
ADJUSTED = {
    "strata": ["sex"], "covariates": ["age"], "reference_arm": "Placebo", "n": 20, "left_out": ["P1"],
    "adjust": "holm",
}  # fmt: skip


def how_made(at):
    (box,) = [one for one in at.expander if one.label == "How was this made?"]
    return "\n".join(one.value for one in box.markdown)


def paper(at):
    (box,) = [one for one in at.expander if one.label.startswith("Methods, in sentences")]
    return box.code[0].value


def opened(open_app, page, section):
    at = open_app(page)
    key = f"{page[8:-3].lower()}_section"
    at.session_state[key] = section
    return at.run()


def test_strata_and_covariates_stand_in_how_it_was_made_and_in_the_paper(open_app):
    at = opened(open_app, PROGRESSION, "Strata and covariates")
    assert "**Strata of randomisation**: none" in how_made(at)
    assert "ANCOVA of change with arm and baseline" in paper(at)
    at.multiselect(key="progression_strata").set_value(["HLA-B27"]).run()
    assert not at.exception
    assert "Section **Strata and covariates**" in how_made(at)
    assert "**Strata of randomisation**: HLA-B27" in how_made(at)
    assert "**Covariates**: none" in how_made(at)
    text = paper(at)
    assert "Change is the score at" in text
    assert "ANCOVA of change with arm, baseline and HLA-B27" in text
    assert "within strata of HLA-B27" in text


def test_another_section_has_its_own_choices_alone(open_app):
    at = opened(open_app, PROGRESSION, "Strata and covariates")
    at.session_state["progression_section"] = "Parts of the score"
    at.run()
    assert "Section **Parts of the score**" in how_made(at)
    assert "Strata" not in how_made(at)
    assert "ANCOVA" not in paper(at)
    assert "each part by its own SDC95" in paper(at)


def test_what_stands_above_the_sections_is_said_as_well(open_app):
    at = open_app(PROGRESSION)
    said = how_made(at)
    assert "**95% band**: no band" in said
    assert "**Imputed sites**: with imputed sites" in said
    assert "**Film off its visit by at most**: " in said


def test_choices_of_agreement_stand_in_how_it_was_made_and_in_the_paper(open_app):
    at = opened(open_app, AGREEMENT, "Verdicts")
    at.number_input(key="agreement_margin_of_bias").set_value(3.0).run()
    assert "**Margin of a bias (mSASSS)**: 3" in how_made(at)
    assert "Margin of a bias (mSASSS): 3" in paper(at)
    assert "two one-sided tests" in paper(at)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_of_agreement_says_which_it_is(open_app, section):
    at = opened(open_app, AGREEMENT, section)
    assert not at.exception
    assert f"Section **{section}**" in how_made(at)


def test_sections_choose_with_widgets_that_note_themselves():
    plain = {"selectbox", "multiselect", "segmented_control", "number_input", "slider", "toggle", "radio"}
    allowed = {"margin.py", "frozen_analyses.py"}  # settings of the study, which are said where they count
    for folder in ("agreement", "progression"):
        for file in (ROOT / "pages/common" / folder).rglob("*.py"):
            calls = [node.func.attr for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
                     if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]  # fmt: skip
            assert file.name in allowed or not plain & set(calls), f"{file}: use pages.common.sticky_widgets"


def test_a_choice_that_is_in_the_sentences_is_not_said_twice():
    held = Chosen(section="Strata", methods="Arms within strata of sex.")
    held.inside = {"a": ("Strata", "sex"), "b": ("Covariates", "none")}
    held.inside["c"] = ("Margin", "3")
    assert held.paragraph == "Strata: Arms within strata of sex. Settings: Covariates: none; Margin: 3."
    assert held.lines == ["Strata: Strata: sex; Covariates: none; Margin: 3."]
    assert Chosen(section="Access log").paragraph == ""


def test_no_p_value_is_claimed_for_a_subset():
    text = adjusted_methods(ADJUSTED, has_p=True)
    assert "rank ANCOVA cleared of baseline and age" in text
    assert "P-values allow for several arms by Holm." in text
    subset = adjusted_methods(ADJUSTED, has_p=False)
    for absent in ("van Elteren", "Cochran", "Holm"):
        assert absent not in subset
    assert "no p-value is given" in subset


def test_models_are_named_as_they_were_fitted():
    fitted = {
        "mmrm": {"formula": "change ~ arm", "covariance_structure": "ar1", "n_subjects": 20,
                 "adjust": "dunnett", "adjust_words": "Dunnett: all arms"},
        "mixed": {"failed": "two visits are needed"},
    }  # fmt: skip
    text = model_methods(fitted, has_p=True)
    assert "ar1 covariance, REML, Kenward-Roger degrees of freedom; p-values adjusted by Dunnett;" in text
    assert "not fitted, two visits are needed." in text
    assert model_methods({}, has_p=False) == ""


def test_an_estimand_is_named_with_its_event_and_assumptions():
    row = {
        "assumptions": [{"title": "missing at random"}, {"title": "jump to reference (J2R)"}],
        "tipping": [],
    }
    text = estimand_methods("rescue day", "hypothetical", ">0", row)
    assert "hypothetical for the intercurrent event “rescue day”" in text
    assert "missing at random; jump to reference (J2R). Variance: conditional mean imputation" in text
    assert "tipping" not in text
    assert "Progression is ≥2, or the event" in estimand_methods("rescue day", "composite", ">=2", {})
    assert "no intercurrent event was named" in estimand_methods("", "treatment-policy", ">0", row)


def test_subgroups_are_named():
    assert "subgroups of sex and age" in subgroup_methods("Active", "Placebo", ["sex", "age"])
