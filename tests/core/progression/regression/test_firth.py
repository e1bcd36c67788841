"""Firth's penalised logistic regression against closed forms and a plain search."""

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, special

from core.progression.regression.firth import QUANTILE, firth
from core.progression.regression.logistic import logistic


def penalised(x, y, beta):
    at = x @ beta
    share = special.expit(at)
    information = (x * (share * (1 - share))[:, None]).T @ x
    return (
        y @ special.log_expit(at) + (1 - y) @ special.log_expit(-at) + np.linalg.slogdet(information)[1] / 2
    )


@pytest.mark.parametrize(("cases", "others"), [((10, 15), (0, 12)), ((3, 20), (8, 25)), ((6, 6), (0, 5))])
def test_a_two_by_two_table_has_a_half_added_to_each_cell(cases, others):
    """Firth 1993: the penalised estimate of a saturated model."""
    (a, n1), (b, n2) = cases, others
    y = np.repeat([1, 0, 1, 0], [a, n1 - a, b, n2 - b])
    x = np.column_stack([np.ones(n1 + n2), np.repeat([1, 0], [n1, n2])])
    found = firth(x, y)
    assert found.converged
    ratio = (a + 0.5) * (n2 - b + 0.5) / ((n1 - a + 0.5) * (b + 0.5))
    assert found.beta[1] == pytest.approx(np.log(ratio))
    assert found.beta[0] == pytest.approx(np.log((b + 0.5) / (n2 - b + 0.5)))


@pytest.fixture
def sample():
    rng = np.random.default_rng(4)
    x = np.column_stack([np.ones(30), rng.normal(size=30), np.arange(30) % 2])
    return x, (rng.random(30) < special.expit(x @ [-1, 1, 1])).astype(float)


def test_optimum_and_profile_are_those_of_a_plain_search(sample):
    x, y = sample
    found = firth(x, y)
    best = optimize.minimize(lambda beta: -penalised(x, y, beta), np.zeros(3), method="BFGS", tol=1e-10)
    assert found.beta == pytest.approx(best.x, abs=1e-4)
    assert found.loglik == pytest.approx(-best.fun, abs=1e-8)
    for limit in (found.low[2], found.high[2]):
        held = optimize.minimize(lambda rest, limit=limit: -penalised(x, y, [*rest, limit]), found.beta[:2])
        assert 2 * (found.loglik + held.fun) == pytest.approx(QUANTILE, abs=1e-5)
    without = optimize.minimize(lambda rest: -penalised(x, y, [*rest, 0.0]), found.beta[:2])
    assert found.p[2] == pytest.approx(special.chdtrc(1, 2 * (found.loglik + without.fun)), abs=1e-6)


def test_swapping_the_outcomes_turns_the_signs(sample):
    x, y = sample
    plain, turned = firth(x, y), firth(x, 1 - y)
    assert turned.beta == pytest.approx(-plain.beta)
    assert turned.low == pytest.approx(-plain.high, abs=1e-6)


def test_a_logistic_model_that_is_separated_says_so_and_gives_firth():
    table = pd.DataFrame({"progressed": [0] * 10 + [1] * 10, "baseline": np.arange(20.0)})
    result = logistic(table, "progressed ~ baseline").as_dict()
    assert result["coefficients"] == [] and "Firth" in result["notes"]["separation"]
    slope = result["firth"][1]
    assert slope["term"] == "baseline" and 0 < slope["ci"][0] < slope["estimate"] < slope["ci"][1]
    assert slope["odds_ratio"] == pytest.approx(np.exp(slope["estimate"]))
    assert (
        "firth" not in logistic(table.assign(baseline=table["baseline"] % 3), "progressed ~ baseline").extra
    )
