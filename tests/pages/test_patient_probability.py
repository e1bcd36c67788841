"""Patient page: the probability of true worsening, and the SDC of as many readers as a patient has."""

import numpy as np
import pytest

from core.progression.probability_of_change.posterior import in_words, true_change
from core.progression.sdc import study_sdc
from tests.bench.simulate_probability import Kind
from tests.helpers import pool_cohort

PAGE = "pages/2_Patient.py"


def words(at, kind):
    return " ".join(element.value for element in getattr(at, kind))


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """160 patients, changes as read: the third was read by one reader alone."""
    seen = np.clip(Kind(0.5, "constant", True, 160).study(np.random.default_rng(9))[1], -10, 40)
    seen[:3] = [[4, 5], [0, 0], [2, np.nan]]
    path = tmp_path_factory.mktemp("large") / "large.duckdb"
    pool_cohort.build(path, seen)
    return path, seen


@pytest.mark.parametrize("place", [0, 1])
def test_a_large_cohort_gives_a_probability(open_app, large, place):
    path, seen = large
    at = open_app(PAGE, cohort=path, patient=f"P00{place}")
    assert not at.exception
    expected = in_words(true_change(seen).worsened[place])
    assert f"**Probability of true worsening:** {expected}" in words(at, "markdown")
    said = " ".join(element.help or "" for element in at.markdown)
    assert "cannot be seen in their readings" in said and "speaks of error, not of this patient" in said


def test_a_patient_of_one_reader_is_judged_by_the_sdc_of_one(open_app, large):
    path, seen = large
    sdc = study_sdc(seen)
    assert sdc.usual < 2 < sdc.limit()
    text = words(open_app(PAGE, cohort=path, patient="P002"), "markdown")
    assert f"A change of +2.0 is **within reading error**: SDC95 (one reader) {sdc.limit():.2f}" in text


def test_a_small_cohort_says_why_it_gives_none(open_app):
    text = words(open_app(PAGE, patient="P4"), "markdown")
    assert "**Truly worse?** No probability is given: 6 patients have a change from two readers" in text
