"""Sentences for a paper say what was done, and nothing that was not."""

import pytest

from core.report.methods import (
    AgreementMethods,
    ChangeMethods,
    PatientMethods,
    Reading,
    agreement_methods,
    change_methods,
    patient_methods,
)

TWO = Reading("mSASSS", ("R1", "R2"), "main", "paired")
RULES = (("Segment mean", 20, 4), ("none, without imputed sites", 17, 7))


def test_change_names_rule_films_arms_and_error():
    done = ChangeMethods(
        TWO, "BL", "W104", RULES, "last observation carried forward", ("Active", "Placebo"), 2, 24,
        selection="5 of 24 patients: sex F", made_with="cohort version 3, Sharpline 0.3.0.",
    )  # fmt: skip
    text = change_methods(done)
    for said in (
        "mSASSS was scored by 2 readers (R1 and R2), reading campaign main, with films read in mode “paired”",
        "the mean of the readers was analysed",
        "Change is the score at W104 minus that at BL.",
        "“Segment mean”: 20 patients had a change; 4 had no change and were left out.",
        "Missing films were handled by last observation carried forward.",
        "Active minus Placebo (reference arm) has a 95% Welch interval.",
        "SDC95) of the mean of 2 readers, from the 24 patients",
        "Included were 5 of 24 patients: sex F.",
        "Made with cohort version 3, Sharpline 0.3.0.",
    ):
        assert said in text


def test_what_was_not_done_is_not_said():
    text = change_methods(ChangeMethods(Reading("mSASSS", (), model="m:demo"), "BL", "W52", RULES[:1]))
    assert "scored by the model m:demo" in text
    assert "No missing film was imputed." in text
    for absent in ("Welch", "SDC95", "reference arm", "Included", "Made with", "mean of the readers"):
        assert absent not in text


def test_images_are_called_what_they_are_and_names_stay_as_given():
    reading = Reading("SPARCC", ("R1", "Filmer"), "film set B", "paired", image="stack")
    done = ChangeMethods(reading, "BL", "W12", RULES[:1], selection="3 patients: centre Filmhaus")
    text = change_methods(done)
    assert "(R1 and Filmer), reading campaign film set B, with stacks read in mode “paired”" in text
    assert "No missing stack was imputed." in text and "centre Filmhaus" in text
    text = change_methods(ChangeMethods(reading, "BL", "W12", RULES[:1], "multiple imputation"))
    assert "Missing stacks were handled by multiple imputation." in text


@pytest.mark.parametrize(
    ("margin", "said"), [(4.0, "a margin of 4 squared units"), (None, "no verdict is given")]
)
def test_agreement_with_a_model(margin, said):
    done = AgreementMethods(
        "mSASSS", ("R1", "R2"), ("m",), "status at W52", "ICC(A,1)", "Segment mean", 1, margin=margin
    )
    text = agreement_methods(done)
    assert said in text
    assert "two-way, absolute agreement, single rater" in text
    assert "(1 patient)" in text


def test_agreement_without_a_model_and_with_few_patients():
    text = agreement_methods(
        AgreementMethods(
            "mSASSS", ("R1", "R2"), (), "status at W52", "ICC(A,1)", "Segment mean", 6, limits=False
        )
    )
    assert "interchangeability" not in text
    assert "Bland-Altman" not in text


def test_one_patient():
    text = patient_methods(PatientMethods(TWO, "BL", "W52", "Segment mean", 1.81))
    assert "A change of more than 1.81 (SDC95" in text
    assert "Change is" not in patient_methods(PatientMethods(TWO, "BL", "BL", "Segment mean", 1.81))
