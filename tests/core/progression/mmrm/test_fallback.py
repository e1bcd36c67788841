"""The covariance of an MMRM when a fit fails: the first in a fixed order that converges."""

import pytest

from core.progression.mmrm.fallback import STRUCTURES, change_formula, mmrm_with_fallback
from core.progression.mmrm.model import Options, mmrm
from tests.core.progression.mmrm.test_model import trial

VISITS = ["W2", "W12", "W24"]
OPTIONS = Options(df="kenward-roger", arm="arm", levels={"visit": VISITS})


@pytest.mark.parametrize(
    ("arms", "visits", "baselines", "formula"),
    [
        ("AB", 3, 2, "change ~ baseline * visit + arm * visit"),
        ("AB", 1, 2, "change ~ baseline + arm"),
        ("A", 3, 2, "change ~ baseline * visit + visit"),
        ("A", 3, 1, "change ~ visit"),
        ("A", 1, 1, "change ~ 1"),
    ],
)
def test_formula_leaves_out_what_does_not_vary(arms, visits, baselines, formula):
    frame = trial(visits=VISITS[:visits])
    frame = frame[frame["arm"].isin(list(arms))]
    if baselines == 1:
        frame["baseline"] = 5.0
    assert change_formula(frame, VISITS[:visits]) == formula


def test_unstructured_is_kept_where_it_converges():
    frame = trial()
    found, failures = mmrm_with_fallback(frame, change_formula(frame, VISITS), OPTIONS)
    assert found["covariance_structure"] == STRUCTURES[0] == "us"
    assert failures == []


def test_simpler_covariance_follows_a_fit_that_fails():
    frame = trial(subjects=4)
    formula = "change ~ arm * visit"
    found, failures = mmrm_with_fallback(frame, formula, OPTIONS)
    tried = [text.partition(":")[0] for text in failures]
    assert tried and tried == list(STRUCTURES[: len(tried)])
    assert found["covariance_structure"] == STRUCTURES[len(tried)]
    alone = mmrm(frame, formula, "subject", "visit", Options(found["covariance_structure"], "kenward-roger",
                 arm="arm", levels={"visit": VISITS}))  # fmt: skip
    assert found == alone


def test_nothing_is_fitted_where_no_structure_converges():
    found, failures = mmrm_with_fallback(trial(subjects=2), "change ~ arm * visit", OPTIONS)
    assert found is None
    assert len(failures) == len(STRUCTURES)


def test_difference_of_the_means_is_the_contrast():
    frame = trial()
    formula = change_formula(frame, VISITS)
    fitted, _ = mmrm_with_fallback(frame, formula, OPTIONS)
    means = {(row["arm"], row["visit"]): row["estimate"] for row in fitted["ls_means"]}
    for row in fitted["contrasts"]:
        difference = means[row["a"], row["visit"]] - means[row["b"], row["visit"]]
        assert difference == pytest.approx(row["estimate"], abs=1e-6)
