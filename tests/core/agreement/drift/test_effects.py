"""Effects of devices and periods within strata: least squares, patients as units, limits by sign flips."""

import numpy as np
import pytest
import statsmodels.api as sm

from core.agreement.drift import effects as drift


def pictures(rng, patients=30, levels=3, strata=4, each=5):
    patient = np.repeat(np.arange(patients), each)
    level = rng.integers(0, levels, len(patient))
    stratum = rng.integers(0, strata, len(patient))
    value = rng.normal(size=patients)[patient] + 0.5 * stratum + rng.normal(size=len(patient))
    return value, level, stratum, patient


def test_effect_is_that_of_least_squares_with_strata():
    value, level, stratum, patient = pictures(np.random.default_rng(1))
    found = drift.effects(value, level, stratum, patient, 3, 30)
    dummies = np.column_stack([level == 1, level == 2, *(stratum == place for place in range(4))])
    fit = sm.OLS(value, dummies.astype(float)).fit()
    asked = drift.contrasts(found, np.array([[-1.0, 1, 0], [-1, 0, 1]]))
    assert asked.value == pytest.approx(fit.params[:2])


def test_standard_error_is_the_robust_one_by_patient_where_no_level_differs():
    """With levels and residuals apart, the error of the score is the cluster sandwich of the null model."""
    rng = np.random.default_rng(2)
    value, level, stratum, patient = pictures(rng, patients=400)
    found = drift.effects(value, level, stratum, patient, 3, 400)
    dummies = np.column_stack([level == 1, level == 2, *(stratum == place for place in range(4))])
    fit = sm.OLS(value, dummies.astype(float)).fit(
        cov_type="cluster", cov_kwds={"groups": patient, "use_correction": False}
    )
    asked = drift.contrasts(found, np.array([[-1.0, 1, 0], [-1, 0, 1]]))
    assert asked.se == pytest.approx(fit.bse[:2], rel=0.02)


def test_level_that_always_goes_with_a_stratum_is_not_estimated():
    level = np.array([0, 0, 1, 1, 2, 2, 2])
    stratum = np.array([0, 0, 0, 0, 1, 1, 1])
    found = drift.effects(np.arange(7.0), level, stratum, np.arange(7), 3, 7)
    asked = drift.contrasts(found, np.array([[-1.0, 1, 0], [-1, 0, 1], [0, -1, 1]]))
    assert asked.value[0] == pytest.approx(2.0)
    assert np.isnan(asked.value[1:]).all()


def test_gaps_and_unknown_levels_leave_their_pictures_out():
    value, level, stratum, patient = pictures(np.random.default_rng(3))
    lost = np.zeros(len(value), bool)
    lost[::7] = True
    gaps, unknown = np.where(lost, np.nan, value), np.where(lost, -1, level)
    kept = drift.effects(value[~lost], level[~lost], stratum[~lost], patient[~lost], 3, 30)
    for found in (
        drift.effects(gaps, level, stratum, patient, 3, 30),
        drift.effects(value, unknown, stratum, patient, 3, 30),
    ):
        assert found.estimate == pytest.approx(kept.estimate)
        assert found.n.tolist() == kept.n.tolist()


def test_p_of_one_contrast_is_that_of_all_flips():
    rng = np.random.default_rng(4)
    scores = rng.normal(0.4, 1, (8, 1))
    one = drift.Contrasts(scores.sum(0), np.sqrt((scores**2).sum(0)), scores)
    signs = np.array(np.meshgrid(*[[-1, 1]] * 8)).reshape(8, -1).T
    exact = (np.abs(signs @ scores[:, 0]) >= abs(scores.sum()) - 1e-9).mean()
    found = drift.limits({"m": one}, flips=9999)
    assert found.p["m"][0] == pytest.approx(exact, abs=0.02)


def test_flag_and_limit_say_the_same():
    rng = np.random.default_rng(5)
    scores = rng.normal(size=(20, 60)) + rng.normal(0, 0.6, 60)
    one = drift.Contrasts(scores.sum(0), np.sqrt((scores**2).sum(0)), scores)
    found = drift.limits({"m": one})
    beyond = np.abs(one.statistic) > found.limit
    assert 0 < beyond.sum() < 60
    assert (found.p["m"] <= drift.ALPHA).tolist() == beyond.tolist()


def test_normal_draws_of_many_patients_give_the_limit_of_flips(monkeypatch):
    scores = np.random.default_rng(6).normal(size=(300, 6))
    one = drift.Contrasts(scores.sum(0), np.sqrt((scores**2).sum(0)), scores)
    flipped = drift.limits({"m": one}, flips=3999).limit
    monkeypatch.setattr(drift, "MANY", 100)
    assert drift.limits({"m": one}, flips=3999).limit == pytest.approx(flipped, abs=0.1)


def test_nothing_that_varies_has_no_limit():
    found = drift.effects(np.ones(6), np.array([0, 1] * 3), np.zeros(6, int), np.arange(6), 2, 6)
    asked = drift.contrasts(found, np.array([[-1.0, 1]]))
    got = drift.limits({"m": asked})
    assert got.limit is None and np.isnan(got.p["m"]).all()
