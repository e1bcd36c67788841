"""SDC and ICC of change where every patient is read by some of many readers."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.progression.analysis import Options, progression
from core.progression.missing.methods import BY_NAME, METHODS
from core.progression.missing.sensitivity import SensitivityOptions, sensitivity
from core.progression.regression.fit import ModelOptions, fit_model
from core.progression.sdc import judged_by, smallest_detectable_change, study_sdc
from core.progression.totals_table import collect
from tests.helpers.paths import SHARED

CASE = SHARED / "cases" / "25_bib.csv"


def pool(seed, subjects=30, readers=4, each=2):
    """Long totals: each subject read by ``each`` of the readers at days 0 and 364."""
    rng = np.random.default_rng(seed)
    rows = []
    for s in range(subjects):
        change = rng.poisson(1.5)
        for r in rng.permutation(readers)[: each if np.isscalar(each) else each[s % len(each)]]:
            first = float(10 + rng.integers(0, 5))
            rows += [(f"P{s:02}", "AB"[s % 2], f"R{r}", 0, first)]
            rows += [(f"P{s:02}", "AB"[s % 2], f"R{r}", 364, first + change + rng.integers(-1, 2))]
    return pd.DataFrame(rows, columns=["subject", "arm", "reader", "days", "total"])


def test_a_pool_has_an_sdc_and_says_how():
    found = progression(collect(pool(1)))
    one, mean = found["sdc95"]["one_reader"], found["sdc95"]["mean_of_readers"]
    assert mean == pytest.approx(one / np.sqrt(2))
    assert found["sdc_readers"] == 2
    assert "mixed model" in found["sdc_method"] and "mixed model" in found["notes"]["sdc95"]
    low, high = found["sdc95_ci"]["mean_of_readers"]
    assert low < mean < high
    icc = found["change_icc"]["ICC(A,1)"]
    assert icc["ci"][0] < icc["estimate"] < icc["ci"][1]
    assert found["progressors"][">SDC"] is not None


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 4))
def test_on_a_complete_table_the_mixed_model_is_the_analysis_of_variance(seed, readers):
    rng = np.random.default_rng(seed)
    change = rng.normal(size=(12, readers)) + rng.normal(0, 2, (12, 1))
    plain = smallest_detectable_change(change)
    gap = np.vstack([np.column_stack([change, np.full(12, np.nan)]), np.full((1, readers + 1), np.nan)])
    found = study_sdc(gap)  # a reader without any change makes every subject incomplete
    assert found.is_pool and not plain.is_pool
    assert found.limit() == pytest.approx(plain.limit(), rel=1e-5)
    assert found.interval() == pytest.approx(plain.interval(), rel=1e-5)


def test_each_subject_is_judged_by_the_sdc_of_its_own_readers():
    frame = pool(3, each=(1, 2, 3))
    readings = collect(frame)
    found = progression(readings)
    limit = found["sdc95"]["one_reader"]
    readers = {
        row["subject"]: sum(v is not None for v in row["per_reader"].values()) for row in found["change"]
    }
    expected = sum(row["mean_change"] > limit / np.sqrt(readers[row["subject"]]) for row in found["change"])
    assert found["progressors"][">SDC"] == expected
    model = fit_model(readings, "logistic", ModelOptions(rule=">SDC"))
    assert model.n_subjects == len(found["change"])


@pytest.mark.parametrize("each", [(1, 2, 3), (4, 4, 1, 2)])
def test_every_method_for_missing_films_judges_as_the_count_does(each):
    """Of a pool, and of a study in which some subjects lack a reader; without a gap all methods agree."""
    frame = pool(3, each=each)
    found = progression(collect(frame))
    expected = found["progressors"][">SDC"] / len(found["change"])
    panel = sensitivity({"": frame}, SensitivityOptions(methods=METHODS[:3]))
    rows = panel[(panel["group"] == "all") & (panel["measure"] == ">SDC")]
    assert rows["estimate"].to_numpy() == pytest.approx(expected)


def test_a_change_that_was_put_in_is_judged_by_the_usual_number_of_readers():
    frame = pool(3, each=(1, 2))
    gone = frame[~((frame["subject"] == "P01") & (frame["days"] == 364))]
    middle = frame[frame["subject"] == "P01"].assign(days=lambda rows: rows["days"] / 2)
    frame = pd.concat([gone, middle[middle["days"] > 0]])
    panel = sensitivity({"": frame}, SensitivityOptions(to_days=364, methods=[BY_NAME["locf"]]))
    row = panel[(panel["group"] == "all") & (panel["measure"] == ">SDC")].iloc[0]
    assert row["imputed_films"] == 1 and row["n"] == 30


def test_one_rule_says_what_a_change_is_judged_by():
    """Readers who read everybody: one cut-off, as ``>SDC`` counts. A pool: each by the readers he has."""
    assert judged_by(2.0, 2, np.array([1, 2]), is_pool=False) == pytest.approx(2 / np.sqrt(2))
    assert judged_by(2.0, 2, np.array([1, 2, np.nan, 4]), is_pool=True) == pytest.approx(
        [2, 2 / np.sqrt(2), 2 / np.sqrt(2), 1]
    )
    assert judged_by(2.0, 2, 0, is_pool=True) == pytest.approx(2 / np.sqrt(2))


def test_a_study_with_two_subjects_read_by_all_keeps_the_analysis_of_variance():
    frame = pool(5, each=(4, 2, 2, 2, 2))
    found = progression(collect(frame))
    assert found["sdc_method"].startswith("analysis of variance")
    assert found["sdc_subjects"] == 6


def test_one_reader_still_has_no_sdc():
    frame = pool(1)
    found = progression(collect(frame, readers=["R1"]))
    assert found["sdc95"] is None and found["sdc_method"] is None
    assert "one reader" in found["notes"]["sdc95"]


def test_pairs_of_readers_that_share_no_subject_have_no_sdc():
    frame = pool(1, each=1)
    assert progression(collect(frame))["sdc95"] is None


def test_a_bootstrap_of_patients_leaves_the_pool_without_an_interval():
    frame = pool(1)
    clusters = {name: name[:2] + str(int(name[1:]) // 2) for name in frame["subject"].unique()}
    found = progression(collect(frame), Options(clusters=clusters))
    assert found["sdc95"]["one_reader"] > 0
    assert found["sdc95_ci"]["one_reader"] == [None, None]
    assert "--cluster" in found["notes"]["sdc95_ci"]


@pytest.mark.skipif(not CASE.exists(), reason="the shared cases are not on this machine")
def test_the_case_of_pairs_out_of_three_readers():
    found = progression(collect(pd.read_csv(CASE)))
    assert found["sdc95"]["one_reader"] == pytest.approx(2.064, abs=5e-4)
    assert found["sdc95"]["mean_of_readers"] == pytest.approx(1.459, abs=5e-4)
    assert (found["sdc95"]["one_reader"] / 1.96) ** 2 == pytest.approx(1.1086, abs=5e-5)
