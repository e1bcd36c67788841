"""Adjusted risk difference by standardisation: against statsmodels, closed forms and a simulation."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import special

from core.progression.arms.standardised_risk import is_separated, standardised_risk


@pytest.fixture
def sample():
    rng = np.random.default_rng(3)
    arm, x = np.arange(90) % 2, rng.normal(size=(90, 2))
    return rng.random(90) < special.expit(-0.5 + x[:, 0] - 0.8 * arm), arm, x


def test_estimate_and_delta_variance_are_those_of_statsmodels(sample):
    flag, arm, x = sample
    found = standardised_risk(flag, arm, x)
    design = np.column_stack([np.ones(90), x, arm])
    fit = sm.Logit(flag.astype(float), design).fit(disp=0)
    effects = fit.get_margeff(at="overall", dummy=True)
    assert found.differences[0].estimate == pytest.approx(effects.margeff[-1], rel=1e-6)
    gaps = special.expit(design[:, :3] @ fit.params[:3] + fit.params[3]) - special.expit(
        design[:, :3] @ fit.params[:3]
    )
    variance = (effects.margeff_se[-1] ** 2 + gaps.var(ddof=1) / 90) * 90 / 86
    assert found.differences[0].se == pytest.approx(np.sqrt(variance), rel=1e-5)
    assert not found.is_penalised


def test_without_covariates_it_is_the_difference_of_proportions(sample):
    flag, arm, _ = sample
    found = standardised_risk(flag, arm, np.zeros((90, 0))).differences[0]
    first, second = flag[arm == 0].mean(), flag[arm == 1].mean()
    assert found.estimate == pytest.approx(second - first)
    plain = first * (1 - first) / 45 + second * (1 - second) / 45
    assert found.se == pytest.approx(np.sqrt(plain * 90 / 88))


def test_several_arms_are_compared_with_the_first(sample):
    flag, _, x = sample
    arm = np.arange(90) % 3
    found = standardised_risk(flag, arm, x)
    turned = standardised_risk(flag, np.array([0, 2, 1])[arm], x)
    assert len(found.differences) == 2
    assert found.differences[0].estimate == pytest.approx(turned.differences[1].estimate)


def test_separated_outcomes_are_fitted_by_firth():
    flag = np.repeat([1, 0, 0], [6, 6, 12])
    arm = np.repeat([1, 0], [12, 12])
    found = standardised_risk(flag, arm, np.zeros((24, 0)))
    assert found.is_penalised
    assert found.differences[0].estimate == pytest.approx(6.5 / 13 - 0.5 / 13)


@pytest.mark.parametrize(
    ("x", "y", "apart"),
    [
        ([0, 1, 2, 3], [0, 0, 1, 1], True),
        ([0, 1, 1, 2], [0, 0, 1, 1], True),
        ([0, 2, 1, 3], [0, 0, 1, 1], False),
    ],
)
def test_separation_is_found(x, y, apart):
    assert is_separated(np.column_stack([np.ones(4), x]), np.array(y, float)) is apart


def test_what_cannot_be_compared_is_none(sample):
    flag, arm, x = sample
    assert standardised_risk(np.ones(90), arm, x) is None
    assert standardised_risk(flag, arm, arm[:, None]) is None
    assert standardised_risk(flag, np.zeros(90, int), x) is None


def test_interval_holds_with_24_patients():
    rng = np.random.default_rng(5)
    many = rng.normal(size=100_000)
    truth = (special.expit(many - 2) - special.expit(many - 1)).mean()
    held = []
    for _ in range(250):
        x, arm, stratum = rng.normal(size=(24, 1)), rng.permutation(24) % 2, rng.integers(0, 2, (24, 1))
        flag = rng.random(24) < special.expit(x[:, 0] - 1 - arm)
        found = standardised_risk(flag, arm, np.column_stack([x, stratum]))
        held += [found.differences[0].low <= truth <= found.differences[0].high] if found else []
    assert 0.92 <= np.mean(held) <= 0.99
