"""The rank test of skewed changes: simulated trials with scipy's test, and normal changes."""

import math

import numpy as np
import pytest
from scipy import stats

from core.progression.planning.ranks import (
    EFFECTS,
    are_power,
    rank_power,
    simulated,
    skewed,
    under_treatment,
)

OBSERVED = np.array([0.0] * 12 + [0.5, 0.5, 1, 1, 1.5, 2, 3, 4, 6, 11, -0.5, -1])


def trials(arms, control, treated, draws=1500):
    """Share of significant trials, drawn patient by patient and tested by scipy."""
    rng = np.random.default_rng(8)
    a = rng.choice(arms.values, (draws, control), p=arms.control)
    b = rng.choice(arms.values, (draws, treated), p=arms.treated)
    p = stats.mannwhitneyu(a, b, axis=1, method="asymptotic", use_continuity=False).pvalue
    return float(np.mean(np.nan_to_num(p, nan=1.0) < 0.05))


@pytest.mark.parametrize("effect", EFFECTS)
def test_power_holds_in_trials_drawn_patient_by_patient(effect):
    arms = under_treatment(OBSERVED, 0.6, effect)
    by_formula = rank_power(60, 90, arms, 0.05)
    by_counts = simulated(60, 90, arms, 0.05)
    assert by_counts["rank"] == pytest.approx(trials(arms, 60, 90), abs=0.035)
    assert by_counts["rank"] == pytest.approx(by_formula, abs=0.04)


@pytest.mark.parametrize("effect", EFFECTS)
def test_mean_falls_by_the_planned_difference(effect):
    arms = under_treatment(OBSERVED, 0.6, effect)
    assert arms.difference == pytest.approx(0.6)
    assert arms.values @ arms.control == pytest.approx(OBSERVED.mean())


def test_level_is_held_without_a_difference():
    arms = under_treatment(OBSERVED, 0.0, "shift")
    found = simulated(50, 50, arms, 0.05)
    assert found["rank"] == pytest.approx(0.05, abs=0.012)
    assert arms.less == pytest.approx(0.5)


def test_normal_changes_have_the_efficiency_three_over_pi():
    values = stats.norm.ppf((np.arange(800) + 0.5) / 800)
    arms = under_treatment(values, 0.5, "shift")
    by_are = are_power(85, 85, difference=0.5, sd=1.0, are=3 / math.pi, alpha=0.05)
    assert rank_power(85, 85, arms, 0.05) == pytest.approx(by_are, abs=0.01)


def test_skewed_changes_have_the_mean_sd_and_zeros_that_were_asked_for():
    values, weight = skewed(2.0, 3.0, 0.5)
    mean = values @ weight
    assert weight.sum() == pytest.approx(1)
    assert weight[values == 0].sum() == pytest.approx(0.5)
    assert mean == pytest.approx(2.0, rel=0.01)
    assert math.sqrt(weight @ (values - mean) ** 2) == pytest.approx(3.0, rel=0.05)


def test_a_skewed_tail_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="too small"):
        skewed(2.0, 1.0, 0.5)
    with pytest.raises(ValueError, match="cannot fall"):
        under_treatment(OBSERVED, 5.0, "fewer")
