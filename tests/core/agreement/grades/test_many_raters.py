"""Three raters or more on grades: published values, a slow twin, properties, gaps, the scale."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import friedmanchisquare

from core.agreement.grades.gwet import gwet
from core.agreement.grades.kendall import kendall_w
from core.agreement.grades.many_raters import COEFFICIENTS, GWET, many_raters
from core.agreement.long_table import collect
from core.agreement.table import Choices, agreement
from tests.helpers.paths import REFERENCE

N = np.nan
UNITS = [
    [1, 1, N, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4],
    [4, 4, 4, 4], [1, 1, 2, 1], [2, 2, 2, 2], [N, 5, 5, 5], [N, N, 1, 1], [N, N, 3, N],
]  # fmt: skip


def value(found, name, weights):
    return found[name][GWET[weights] if name == "gwet" else weights]


@pytest.mark.parametrize(
    "row", pd.read_csv(REFERENCE / "many_raters_irrcac.csv", comment="#").to_dict("records"), ids=str
)
def test_values_are_those_of_irrcac(row):
    found = value(many_raters(UNITS), row["coefficient"], row["weights"])
    assert found["estimate"] == pytest.approx(row["value"], abs=6e-6)
    assert found["ci"][0] < found["estimate"] < found["ci"][1]


def tables(seed, subjects=20, raters=4, gaps=0.2):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 4, subjects)
    table = np.clip(truth[:, None] + rng.integers(-1, 2, (subjects, raters)), 0, 3).astype(float)
    table[rng.random(table.shape) < gaps] = N
    return table


def slow(table, levels, loss):
    """Fleiss, AC and alpha from loops over pairs of ratings; loss: of two grades, at most 1."""
    rows = [[grade for grade in row if not np.isnan(grade)] for row in table]
    rows = [row for row in rows if row]
    pairs = [
        np.mean([1 - loss(a, b) for i, a in enumerate(row) for j, b in enumerate(row) if i != j])
        for row in rows
        if len(row) > 1
    ]
    share = {k: np.mean([row.count(k) / len(row) for row in rows]) for k in levels}
    fleiss = sum((1 - loss(a, b)) * share[a] * share[b] for a in levels for b in levels)
    kept = sum(1 - loss(a, b) for a in levels for b in levels) / (len(levels) * (len(levels) - 1))
    ac = kept * sum(p * (1 - p) for p in share.values())
    double = [row for row in rows if len(row) > 1]
    everything = [grade for row in double for grade in row]
    size = len(everything)
    ordered = [(a, b, len(row) - 1) for row in double for a, b in permutations(row, 2)]
    observed = sum(loss(a, b) / others for a, b, others in ordered) / size
    expected = sum(loss(a, b) for a in everything for b in everything) / (size * (size - 1))
    seen = np.mean(pairs)
    return {
        "fleiss": (seen - fleiss) / (1 - fleiss),
        "gwet": (seen - ac) / (1 - ac),
        "krippendorff": 1 - observed / expected,
    }


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_a_slow_twin_gives_the_same(seed):
    table = tables(seed)
    found = many_raters(table, levels=range(4))
    losses = {"unweighted": lambda a, b: float(a != b), "linear": lambda a, b: abs(a - b) / 3,
              "quadratic": lambda a, b: (a - b) ** 2 / 9}  # fmt: skip
    for weights, loss in losses.items():
        for name, expected in slow(table.tolist(), [0.0, 1.0, 2.0, 3.0], loss).items():
            assert value(found, name, weights)["estimate"] == pytest.approx(expected, abs=1e-12)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_order_of_subjects_and_raters_does_not_matter(seed):
    table = tables(seed)
    rng = np.random.default_rng(seed)
    other = table[rng.permutation(len(table))][:, rng.permutation(table.shape[1])]
    one, two = many_raters(table), many_raters(other)
    for name in COEFFICIENTS:
        for key, found in one[name].items():
            assert found["estimate"] == pytest.approx(two[name][key]["estimate"], abs=1e-12)
            assert found["se"] == pytest.approx(two[name][key]["se"], abs=1e-12)


def test_two_raters_without_gaps_have_the_ac_of_two_raters():
    table = tables(3, raters=2, gaps=0)
    expected = gwet(table[:, 0], table[:, 1], levels=range(4))
    for key, found in many_raters(table, levels=range(4))["gwet"].items():
        assert found["estimate"] == pytest.approx(expected[key]["estimate"], abs=1e-12)
        assert found["se"] == pytest.approx(expected[key]["se"], rel=0.15)


def test_full_agreement_is_1_and_one_grade_throughout_has_no_value():
    same = np.repeat(np.arange(4.0)[:, None], 3, axis=1)
    found = many_raters(same)
    assert all(value(found, name, "linear")["estimate"] == pytest.approx(1) for name in COEFFICIENTS)
    constant = many_raters(np.ones((6, 3)))
    assert all(value(constant, name, "linear")["estimate"] is None for name in COEFFICIENTS)
    assert many_raters([[0.5, 1.0, 1.2]]) is None


def test_the_scale_widens_what_could_have_been_given():
    table = tables(1) % 2
    assert (
        many_raters(table)["gwet"]["ac1"]["estimate"]
        < many_raters(table, range(4))["gwet"]["ac1"]["estimate"]
    )
    assert many_raters(table)["fleiss"]["unweighted"] == many_raters(table, range(4))["fleiss"]["unweighted"]


def test_the_bootstrap_of_patients_is_seeded_and_near_the_jackknife():
    table = tables(5, subjects=150, gaps=0.1)
    one, two = (many_raters(table, clusters=np.arange(150), draws=800, seed=3) for _ in range(2))
    assert one == two
    plain = many_raters(table)["fleiss"]["linear"]["ci"]
    assert one["fleiss"]["linear"]["ci"] == pytest.approx(plain, abs=0.02)


def test_kendalls_w_is_that_of_friedman():
    table = tables(8, subjects=12, raters=3, gaps=0)
    found = kendall_w(table)  # Friedman ranks within each rater: raters are his blocks
    statistic, p = friedmanchisquare(*table)
    assert found["estimate"] == pytest.approx(statistic / (3 * 11))
    assert found["p"] == pytest.approx(p)
    assert kendall_w(np.repeat(np.arange(5.0)[:, None], 3, axis=1))["estimate"] == pytest.approx(1)
    assert kendall_w(np.ones((5, 3)))["estimate"] is None


def long(table):
    frame = pd.DataFrame(table, columns=[f"r{k}" for k in range(np.shape(table)[1])])
    rows = frame.rename_axis("subject").reset_index().melt("subject", var_name="rater", value_name="rating")
    return rows.assign(subject=rows["subject"].map("s{}".format))


def test_the_result_of_three_raters_has_every_coefficient_with_gaps():
    result = agreement(collect(long(UNITS)), Choices())
    assert result["dropped_subjects"] == 4
    assert result["grades"] == {"levels": [1, 2, 3, 4, 5], "subjects": 11, "ratings": 41}
    assert result["fleiss"] == many_raters(UNITS)["fleiss"]
    assert result["kendall_w"]["estimate"] is not None
    assert "kappa" not in result


def test_ratings_that_are_no_grades_have_a_note_instead():
    result = agreement(collect(long(np.array(UNITS) + 0.3)), Choices())
    assert result["fleiss"] is None
    assert "kappas are for grades" in result["notes"]["fleiss"]


def test_a_rating_off_the_scale_is_refused():
    result = agreement(collect(long(UNITS), scale=[1, 2, 3, 4]), Choices(scale=(1, 2, 3, 4)))
    assert [row["reason"] for row in result["refused"]] == ["rating 5 is not on the scale"] * 3
    assert result["grades"]["levels"] == [1, 2, 3, 4]


@pytest.mark.parametrize("order", list(permutations(range(3)))[:3])
def test_conger_sees_who_gave_which_grade(order):
    table = np.array([[0, 1, 1], [1, 2, 2], [0, 1, 0], [2, 2, 2], [1, 1, 2]], float)[:, order]
    found = many_raters(table)
    assert found["conger"]["unweighted"]["estimate"] > found["fleiss"]["unweighted"]["estimate"]


def test_patients_leave_the_mixed_model_without_an_interval():
    frame = long(UNITS).assign(cluster=lambda rows: rows["subject"].str[-1])
    result = agreement(collect(frame), Choices(draws=200))
    assert result["icc_mixed"]["ICC(A,1)"]["ci"] == [None, None]
    assert "--cluster" in result["icc_mixed"]["notes"]["ci"]
    assert result["fleiss"]["linear"]["ci"][0] is not None
    assert result["kendall_w"]["p"] is None
