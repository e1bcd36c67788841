"""Power of means and shares: R's power.t.test and power.prop.test, Lu, Luo and Chen, simulated trials."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.progression.planning import means
from core.progression.planning.reading import error_of_one, sd_with, true_sd
from core.progression.planning.responders import exact_share_power, share_power
from core.progression.planning.search import enrolled, smallest
from tests.helpers.paths import REFERENCE

R = pd.read_csv(REFERENCE / "planning_r.csv", comment="#")


@pytest.mark.parametrize("row", R[R["kind"] == "t"].to_dict("records"), ids=str)
def test_t_test_needs_the_patients_of_r(row):
    def power(a, b):
        return means.t_test(a, b, difference=row["a"], sd=row["b"], alpha=0.05)

    assert smallest(power, row["power"], 1).control == math.ceil(row["n"])


@pytest.mark.parametrize("row", R[R["kind"] == "prop"].to_dict("records"), ids=str)
def test_progressors_need_the_patients_of_r(row):
    def power(a, b):
        return share_power(a, b, p_control=row["a"], p_treated=row["b"], alpha=0.05)

    assert smallest(power, row["power"], 1).control == math.ceil(row["n"])


# Lu, Luo and Chen 2008, table 2: visits, dropout, correlation of first and last visit, phi (AR(1))
TABLE_2 = [
    (2, 0.1, 0.0, 1.11111111111111),
    (2, 0.3, 0.5, 1.32142857142857),
    (2, 0.4, 0.9, 1.12666666666667),
    (4, 0.1, 0.3, 1.08280448732802),
    (4, 0.3, 0.1, 1.38254161826624),
    (4, 0.4, 0.7, 1.221989488974),
]


@pytest.mark.parametrize(("visits", "lost", "first_last", "phi"), TABLE_2)
def test_inflation_by_dropout_is_that_of_lu_luo_and_chen(visits, lost, first_last, phi):
    rho = first_last ** (1 / (visits - 1))
    lag = np.abs(np.subtract.outer(np.arange(visits), np.arange(visits)))
    found = means.inflation(rho**lag, np.linspace(1, 1 - lost, visits))
    assert found == pytest.approx(phi, abs=1e-9)


def test_mmrm_without_dropout_is_ancova():
    common = {"difference": 1.0, "sd": 2.0, "correlation": 0.4, "alpha": 0.05}
    alone = means.mmrm(40, 50, between_visits=means.exchangeable(3, 0.5), retention=np.ones(3), **common)
    assert alone == pytest.approx(means.ancova(40, 50, **common), abs=1e-12)


def test_ancova_has_its_power_in_simulated_trials():
    n, rho, gap, trials = 12, 0.6, 1.0, 4000
    rng = np.random.default_rng(5)
    base = rng.normal(size=(trials, 2 * n))
    change = rho * base + math.sqrt(1 - rho**2) * rng.normal(size=base.shape)
    arm = np.repeat([1.0, 0.0], n)
    change += gap * (1 - arm)
    hits = 0
    for x, y in zip(base, change, strict=True):
        design = np.column_stack([np.ones(2 * n), x, arm])
        inverse = np.linalg.inv(design.T @ design)
        b = inverse @ design.T @ y
        s2 = ((y - design @ b) ** 2).sum() / (2 * n - 3)
        hits += abs(b[2]) / math.sqrt(s2 * inverse[2, 2]) > 2.0796  # t, 21 degrees of freedom
    planned = means.ancova(n, n, difference=gap, sd=1.0, correlation=rho, alpha=0.05)
    assert hits / trials == pytest.approx(planned, abs=0.02)


def test_exact_power_is_that_of_simulated_tables():
    rng = np.random.default_rng(3)
    a, b = rng.binomial(40, 0.5, 20000), rng.binomial(60, 0.2, 20000)
    pooled = (a + b) / 100
    z = np.abs(a / 40 - b / 60) / np.sqrt(pooled * (1 - pooled) * (1 / 40 + 1 / 60))
    exact = exact_share_power(40, 60, p_control=0.5, p_treated=0.2, alpha=0.05)
    assert (z > 1.959964).mean() == pytest.approx(exact, abs=0.01)
    assert exact == pytest.approx(share_power(40, 60, p_control=0.5, p_treated=0.2, alpha=0.05), abs=0.03)


@settings(max_examples=40, deadline=None)
@given(st.floats(0.2, 3), st.floats(0.5, 4), st.floats(0.25, 4))
def test_smallest_trial_is_the_smallest(difference, sd, allocation):
    def power(a, b):
        return means.t_test(a, b, difference=difference, sd=sd, alpha=0.05)

    size = smallest(power, 0.8, allocation)
    assert size.power >= 0.8
    fewer = size.control - 1
    assert fewer < 2 or power(fewer, max(2, math.ceil(fewer * allocation - 1e-9))) < 0.8


def test_no_number_of_patients_is_enough_for_no_difference():
    assert smallest(lambda a, b: 0.05, 0.8, 1) is None


def test_dropout_is_made_up_for():
    assert (enrolled(80, 0.2), enrolled(81, 0.2), enrolled(80, 0.0)) == (100, 102, 80)


def test_more_readers_take_their_error_out_of_the_sd():
    rng = np.random.default_rng(9)
    true = rng.normal(0, 2, 200_000)
    error = error_of_one(1.96 * 1.5)
    assert error == pytest.approx(1.5)
    two = true + rng.normal(0, 1.5, (200_000, 2)).mean(axis=1)
    without = true_sd(float(two.std()), error, 2)
    assert without == pytest.approx(2, abs=0.02)
    three = true + rng.normal(0, 1.5, (200_000, 3)).mean(axis=1)
    assert sd_with(3, without, error) == pytest.approx(three.std(), abs=0.02)


def test_an_sd_below_the_reading_error_is_refused():
    with pytest.raises(ValueError, match="below their error"):
        true_sd(1.0, 2.0, 2)
