"""P-values for several arms: against R (multcomp, p.adjust), scipy and what each method promises."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from core.progression.arms.joint_ancova import joint_ancova
from core.progression.arms.multiplicity import adjusted_p, dunnett_p
from tests.helpers.paths import REFERENCE

CONTROL = [7.40, 8.50, 7.20, 8.24, 9.84, 8.32]  # Dunnett 1955, blood counts
FIRST, SECOND = [9.76, 8.80, 7.68, 9.36], [12.80, 9.68, 12.16, 9.20, 10.55]


def test_dunnett_equals_multcomp_and_scipy_on_the_blood_counts():
    values, arm = np.array([*CONTROL, *FIRST, *SECOND]), np.repeat([0, 1, 2], [6, 4, 5])
    found = joint_ancova(values, arm, np.zeros((15, 0)))
    p = dunnett_p(found.differences / found.errors, found.correlation, found.df)
    assert p == pytest.approx([0.620101980018, 0.005825360848], abs=1e-6)  # summary(glht(mcp(g = "Dunnett")))
    theirs = stats.dunnett(FIRST, SECOND, control=CONTROL, rng=np.random.default_rng(1))
    assert p == pytest.approx(theirs.pvalue, abs=2e-4)


def test_dunnett_with_a_covariate_equals_multcomp():
    data = pd.read_csv(REFERENCE / "arms_dunnett.csv", comment="#")
    arm = data["g"].map({"P": 0, "L": 1, "M": 2, "H": 3}).to_numpy()
    found = joint_ancova(data["y"].to_numpy(), arm, data[["x"]].to_numpy())
    t = found.differences / found.errors
    assert t == pytest.approx([1.494891653, 2.333697330, 2.654363507])
    assert dunnett_p(t, found.correlation, found.df) == pytest.approx(
        [0.31813773979, 0.06061192514, 0.02791388600], abs=3e-6
    )


def test_dunnett_of_one_arm_is_the_t_test():
    assert dunnett_p(np.array([2.1]), np.ones((1, 1)), 20) == pytest.approx([2 * stats.t.sf(2.1, 20)])
    assert dunnett_p(np.array([2.1, 1.0]), np.eye(2), np.inf)[0] == pytest.approx(
        1 - (1 - 2 * stats.norm.sf(2.1)) ** 2
    )


def test_holm_and_hochberg_equal_r():
    """p.adjust(c(.01, .04, .03, .005), "holm" / "hochberg")."""
    p = [0.01, 0.04, 0.03, 0.005]
    assert adjusted_p(p, "holm") == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert adjusted_p(p, "hochberg") == pytest.approx([0.03, 0.04, 0.04, 0.02])


def test_a_sequence_stops_at_the_first_arm_that_is_not_significant():
    assert adjusted_p([0.01, 0.2, 0.001], "fixed") == [0.01, 0.2, 0.2]
    assert adjusted_p([None, 0.001], "fixed") == [None, 1.0]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0.0001, 1), min_size=1, max_size=6), st.sampled_from(["holm", "hochberg", "fixed"]))
def test_adjusted_p_is_never_smaller_and_missing_ones_make_it_no_smaller(p, method):
    found = adjusted_p(p, method)
    assert all(one >= raw - 1e-12 for one, raw in zip(found, p, strict=True))
    more = adjusted_p([*p, None], method)
    assert more[-1] is None
    assert all(one >= less - 1e-12 for one, less in zip(more, found, strict=False))


def test_dunnett_lies_between_the_raw_p_and_bonferroni():
    t = np.array([2.4, 2.0, 1.1])
    correlation = np.full((3, 3), 0.5) + 0.5 * np.eye(3)
    raw = 2 * stats.t.sf(t, 30)
    found = np.array(dunnett_p(t, correlation, 30))
    assert (found > raw).all() and (found < np.minimum(3 * raw, 1)).all()
