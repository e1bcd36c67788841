"""ICC against the printed tables, pingouin and its properties (domain.md C1, F1-F3)."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.agreement.batch.comparisons import agree
from core.agreement.icc import FORMS, icc, mean_squares, satterthwaite_df
from core.agreement.table import flat_pair

SHROUT_FLEISS = np.array(
    [(9, 2, 5, 8), (6, 1, 3, 2), (8, 4, 6, 8), (7, 1, 2, 6), (10, 5, 6, 9), (6, 2, 4, 7)]
)
PRINTED = {  # domain.md F1
    "ICC(1,1)": (0.16574, -0.13293, 0.72256),
    "ICC(A,1)": (0.28976, 0.01879, 0.76108),
    "ICC(C,1)": (0.71484, 0.34246, 0.94586),
    "ICC(1,k)": (0.44280, -0.88444, 0.91242),
    "ICC(A,k)": (0.62005, 0.07114, 0.92723),
    "ICC(C,k)": (0.90932, 0.67567, 0.98589),
}
whole_tables = st.tuples(st.integers(2, 9), st.integers(2, 4)).flatmap(
    lambda shape: arrays(float, shape, elements=st.integers(0, 5).map(float))
)


@pytest.mark.parametrize("form", FORMS)
def test_shrout_fleiss_1979(form):
    found = icc(SHROUT_FLEISS)["forms"][form]
    assert [round(x, 5) for x in (found["estimate"], *found["ci"])] == list(PRINTED[form])


def test_shrout_fleiss_mean_squares_and_df():
    squares = icc(SHROUT_FLEISS)["mean_squares"]
    assert {key: round(value, 5) for key, value in squares.items()} == {
        "BMS": 11.24167,
        "WMS": 6.26389,
        "JMS": 32.48611,
        "EMS": 1.01944,
    }
    assert round(float(satterthwaite_df(mean_squares(SHROUT_FLEISS))), 5) == 4.78514


def test_both_names_are_given():
    found = icc(SHROUT_FLEISS)["forms"]["ICC(A,k)"]
    assert (found["shrout_fleiss"], found["mcgraw_wong"]) == ("ICC(2,k)", "ICC(A,k)")


@pytest.fixture
def pingouin(monkeypatch):
    """pingouin with its limits in full precision (it rounds them to two digits otherwise)."""
    import pingouin

    monkeypatch.setitem(pingouin.options, "round.column.CI95", None)
    return pingouin


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")
def test_equals_pingouin(seed, pingouin):
    rng = np.random.default_rng(seed)
    n, k = int(rng.integers(6, 40)), int(rng.integers(2, 6))
    table = rng.normal(size=(n, 1)) * (seed % 3) + rng.normal(size=(n, k)) + rng.normal(size=k)
    if seed % 2:
        table = table.round()
    long = pd.DataFrame(table).melt(ignore_index=False, var_name="rater").reset_index(names="subject")
    expected = pingouin.intraclass_corr(long, "subject", "rater", "value").set_index("Type")
    found = icc(table)["forms"]
    for form in FORMS:
        assert found[form]["estimate"] == pytest.approx(expected.at[form, "ICC"], abs=1e-9)
        limits = np.array(found[form]["ci"], dtype=float)
        ok = np.isfinite(limits)  # below minus infinity pingouin's Spearman-Brown changes its sign
        np.testing.assert_allclose(limits[ok], np.asarray(expected.at[form, "CI95"])[ok], atol=1e-7)


@given(whole_tables)
def test_never_nan_and_every_gap_has_its_reason(table):
    result = icc(table)
    for form, value in result["forms"].items():
        numbers = [value["estimate"], *value["ci"]]
        assert all(x is None or np.isfinite(x) for x in numbers)
        if None in numbers:
            assert form in result["notes"] or "icc" in result["notes"]


@given(whole_tables, st.integers(-100, 100), st.sampled_from([0.25, 3.0, 40.0]))
def test_shift_scale_and_order_change_nothing(table, shift, scale):
    before = icc(table)["forms"]
    for changed in (table * scale, table + shift, table[::-1], table[:, ::-1]):
        after = icc(changed)["forms"]
        for form in FORMS:
            expected = before[form]["estimate"]
            found = after[form]["estimate"]
            assert (found is None) == (expected is None)
            assert expected is None or found == pytest.approx(expected, abs=1e-9)


@given(whole_tables)
def test_f_interval_holds_the_estimate(table):
    """Not so for the Satterthwaite limits of (A,.) with two or three subjects."""
    for form, value in icc(table)["forms"].items():
        if "A" in form or value["estimate"] is None:
            continue
        low, high = value["ci"]
        assert low is None or low <= value["estimate"] + 1e-9
        assert high is None or high >= value["estimate"] - 1e-9


def test_perfect_agreement_is_one_with_interval_one():
    for value in icc([[0, 0], [3, 3], [7, 7]])["forms"].values():
        assert (value["estimate"], value["ci"]) == (1, [1, 1])


def test_constant_difference_is_perfect_consistency_only():
    found = icc([[0.1, 0.4], [3.1, 3.4], [7.7, 8.0]])["forms"]
    assert (found["ICC(C,1)"]["estimate"], found["ICC(C,1)"]["ci"]) == (1, [1, 1])
    assert found["ICC(A,1)"]["estimate"] < 1


@pytest.mark.parametrize("table", [[[2, 2], [2, 2]], [[1, 2, 3]], [[1], [2], [3]]])
def test_nothing_to_compute_is_none_with_a_reason(table):
    result = icc(table)
    assert all(
        value["estimate"] is None and value["ci"] == [None, None] for value in result["forms"].values()
    )
    assert result["notes"]["icc"]


def test_negative_estimate_stays_negative():
    result = icc([[1, 5], [4, 2], [3, 3], [5, 1.5]])
    assert result["forms"]["ICC(C,1)"]["estimate"] < -0.5
    assert result["variance_components"]["subject"] < 0


def test_raters_alike_push_agreement_above_consistency():
    """JMS < EMS is not clamped: ICC(2,1) may exceed ICC(3,1), as in domain.md F3."""
    first = np.array([0, 4, 12, 22, 2, 35, 0, 8, 16, 5.0])
    second = np.array([0, 5, 10, 24, 2, 33, 1, 7, 15, 6.0])
    found = icc(np.column_stack([first, second]))["forms"]
    assert round(found["ICC(A,1)"]["estimate"], 4) == 0.9930
    assert [round(x, 4) for x in found["ICC(A,1)"]["ci"]] == [0.9722, 0.9982]
    assert round(found["ICC(C,1)"]["estimate"], 4) == 0.9922
    change = np.column_stack([[0, 2, 1, 0, 0, 6, 2, 0, 3, 0.0], [1, 1, 3, -1, 0, 4, 0, 1, 1, 0.0]])
    found = icc(change)["forms"]
    assert [round(x, 4) for x in (found["ICC(A,1)"]["estimate"], *found["ICC(A,1)"]["ci"])] == [
        0.6667,
        0.1288,
        0.9044,
    ]
    assert [round(x, 4) for x in (found["ICC(A,k)"]["estimate"], *found["ICC(A,k)"]["ci"])] == [
        0.8000,
        0.2282,
        0.9498,
    ]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("scale", [1e-300, 1e-100, 1e100, 1e300, 1e307])
def test_size_of_the_unit_changes_no_form_and_warns_of_nothing(scale):
    table = np.array([[1, 2], [3, 4], [5, 5], [2, 9]], dtype=float)
    plain, scaled = icc(table), icc(table * scale)
    for form, value in plain["forms"].items():
        assert scaled["forms"][form]["estimate"] == pytest.approx(value["estimate"], rel=1e-12)
        assert scaled["forms"][form]["ci"] == pytest.approx(value["ci"], rel=1e-9)
    if scale > 1e150:
        assert scaled["mean_squares"]["BMS"] is None and "too large" in scaled["notes"]["mean_squares"]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("scale", [1e-100, 1e100])
def test_every_statistic_of_a_pair_stands_the_sizes_that_the_command_takes(scale):
    table = np.array([[1, 2], [3, 4], [5, 5], [2, 9.5]])
    plain, scaled = flat_pair(*table.T), flat_pair(*(table * scale).T)
    for name in ("pearson", "spearman", "ccc", "ICC(A,1)", "bland_altman.proportional_bias"):
        assert scaled[name]["estimate"] == pytest.approx(plain[name]["estimate"], rel=1e-9)
    drawn = agree((table * scale)[None], draws=200)
    expected = agree(table[None], draws=200)
    for name in ("pearson", "ccc", "ICC(A,1)"):
        assert drawn.estimate[name] == pytest.approx(expected.estimate[name], rel=1e-9)
