"""Mixed-model ICC: equal to mean squares where complete, to statsmodels where not."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.agreement.icc import icc
from core.agreement.mixed import FORMS, mixed_icc


def table(seed: int, subject: float = 1.5, gaps: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    ratings = rng.normal(size=(30, 1)) * subject + rng.normal(size=(30, 3)) + np.array([0, 0.4, 0.9])
    return np.where(rng.uniform(size=ratings.shape) < gaps, np.nan, ratings)


@pytest.mark.parametrize("subject", [2.0, 0.3, 0.0])
def test_complete_tables_give_the_mean_square_icc(subject):
    ratings = table(1, subject)
    found, expected = mixed_icc(ratings), icc(ratings)
    for form in FORMS:
        assert found["forms"][form]["estimate"] == pytest.approx(
            expected["forms"][form]["estimate"], abs=1e-6
        )
        assert found["forms"][form]["ci"] == pytest.approx(expected["forms"][form]["ci"], abs=1e-5)
    for part, value in expected["variance_components"].items():
        assert found["variance_components"][part] == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.filterwarnings("ignore::statsmodels.tools.sm_exceptions.ConvergenceWarning")
def test_gaps_give_the_variances_of_statsmodels(seed):
    import statsmodels.formula.api as smf

    ratings = table(seed, gaps=0.3)
    rows = pd.DataFrame(ratings).melt(ignore_index=False, var_name="r").reset_index(names="s").dropna()
    model = smf.mixedlm("value ~ C(r)", rows, groups="s").fit(reml=True)
    parts = mixed_icc(ratings)["variance_components"]
    assert parts["subject"] == pytest.approx(float(model.cov_re.iloc[0, 0]), rel=1e-3)
    assert parts["residual"] == pytest.approx(model.scale, rel=1e-3)


def test_it_uses_what_complete_cases_throw_away():
    ratings = table(4, gaps=0.4)
    complete = ratings[~np.isnan(ratings).any(axis=1)]
    found = mixed_icc(ratings)
    assert found["subjects"] > len(complete)
    width = np.diff(found["forms"]["ICC(C,1)"]["ci"])
    assert width < np.diff(icc(complete)["forms"]["ICC(C,1)"]["ci"])


def test_perfect_agreement_with_gaps_is_one():
    n = np.nan
    found = mixed_icc([[1, 1, n], [2, n, 2], [n, 3, 3], [5, 5, 5]])["forms"]
    assert found["ICC(C,1)"]["estimate"] == found["ICC(A,1)"]["estimate"] == 1
    shifted = mixed_icc([[1, 2, n], [2, n, 4], [n, 4, 5], [5, 6, 7]])["forms"]
    assert shifted["ICC(C,1)"]["estimate"] == 1 and shifted["ICC(A,1)"]["estimate"] < 0.7


@pytest.mark.parametrize(
    ("ratings", "reason"),
    [
        ([[1, np.nan], [np.nan, 2]], "no subject has two ratings"),
        ([[1, 1], [1, 1], [1, np.nan]], "all ratings are equal: no variance to compare"),
        ([[np.nan, np.nan]], "two subjects and two raters with ratings are needed"),
        (np.empty((0, 2)), "two subjects and two raters with ratings are needed"),
    ],
)
def test_what_cannot_be_fitted_says_why(ratings, reason):
    found = mixed_icc(ratings)
    assert found["notes"]["icc_mixed"] == reason
    assert all(value["estimate"] is None for value in found["forms"].values())


@settings(max_examples=40, deadline=None)
@given(arrays(float, (6, 3), elements=st.sampled_from([0.0, 1.0, 2.0, 3.0, np.nan])))
def test_never_nan(ratings):
    found = mixed_icc(ratings)
    for value in found["forms"].values():
        assert all(x is None or np.isfinite(x) for x in (value["estimate"], *value["ci"]))
