"""2 x 2 tables, AUC and calibration, against domain.md F4 and F8, scikit-learn and statsmodels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.agreement.diagnostics.auc import auc, rank_limits, weighted_auc
from core.agreement.diagnostics.calibration import calibration
from core.agreement.diagnostics.two_by_two import diagnostic
from core.agreement.proportion import proportion, wilson

F4 = {
    "sensitivity": (0.800885, 0.743985, 0.847727),
    "specificity": (0.894359, 0.882390, 0.905240),
    "ppv": (0.381053, 0.338498, 0.425516),
    "npv": (0.982242, 0.976322, 0.986702),
}
F4_POINTS = {
    "accuracy": 0.887338,
    "balanced_accuracy": 0.847622,
    "f1": 0.516405,
    "kappa": 0.461603,
    "mcc": 0.502571,
    "lr_positive": 7.58117,
    "lr_negative": 0.222634,
    "prevalence": 0.075108,
}


def cases(seed: int, n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.uniform(size=n) < 0.4
    return labels, (rng.normal(size=n) + labels).round(1)


@pytest.mark.parametrize(("name", "expected"), F4.items())
def test_f4_shares_with_wilson(name, expected):
    found = diagnostic(181, 45, 294, 2489)[name]
    assert tuple(round(x, 6) for x in (found["estimate"], *found["ci"])) == expected


@pytest.mark.parametrize(("name", "expected"), F4_POINTS.items())
def test_f4_points(name, expected):
    found = diagnostic(181, 45, 294, 2489)[name]["estimate"]
    assert round(found, 5 if name == "lr_positive" else 6) == expected


@pytest.mark.parametrize(("count", "n"), [(0, 7), (7, 7), (3, 8), (181, 226)])
def test_wilson_equals_statsmodels(count, n):
    from statsmodels.stats.proportion import proportion_confint

    assert wilson(count, n) == pytest.approx(proportion_confint(count, n, method="wilson"), abs=1e-12)


def test_share_of_nothing_is_none():
    assert proportion(0, 0) == {"estimate": None, "ci": [None, None]}
    found = diagnostic(0, 0, 3, 4)
    assert found["sensitivity"]["estimate"] is None and found["notes"]["sensitivity"]


@given(st.tuples(*[st.integers(0, 4)] * 4))
def test_diagnostic_never_nan(counts):
    for name, value in diagnostic(*counts).items():
        if name in {"counts", "n", "notes"}:
            continue
        assert all(x is None or np.isfinite(x) for x in (value["estimate"], *value["ci"]))


def test_negative_counts_are_refused():
    with pytest.raises(ValueError, match="none may be negative"):
        diagnostic(-1, 0, 0, 0)


def test_auc_of_f8():
    assert auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])["estimate"] == 0.75


@pytest.mark.parametrize("seed", range(4))
def test_auc_equals_scikit_learn(seed):
    from sklearn.metrics import roc_auc_score

    labels, scores = cases(seed)
    assert auc(labels, scores)["estimate"] == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)


def test_delong_se_equals_the_sum_over_pairs():
    """Twin: structural components from the full matrix of comparisons."""
    labels, scores = cases(9)
    wins = np.sign(scores[labels][:, None] - scores[~labels][None, :]) / 2 + 0.5
    rows, columns = wins.mean(axis=1), wins.mean(axis=0)
    se = np.sqrt(rows.var(ddof=1) / len(rows) + columns.var(ddof=1) / len(columns))
    assert auc(labels, scores)["se"] == pytest.approx(se)


def test_clustered_auc_is_wider_where_patients_repeat_themselves():
    labels, scores = cases(5, 40)
    patient = np.repeat(np.arange(40), 6)
    repeated = np.repeat(labels, 6), np.repeat(scores, 6)
    plain, clustered = auc(*repeated), auc(*repeated, clusters=patient)
    assert clustered["estimate"] == pytest.approx(plain["estimate"])
    assert np.diff(clustered["ci"]) > 1.8 * np.diff(plain["ci"])
    assert "seed" in clustered["notes"]["bootstrap"]
    assert auc(*repeated, clusters=patient) == clustered


def test_weighted_auc_is_the_auc_of_the_repeated_cases():
    labels, scores = cases(6, 25)
    weights = np.random.default_rng(0).integers(0, 4, (20, 25))
    found = weighted_auc(labels, scores, weights.astype(float))
    for row, value in zip(weights, found, strict=True):
        rows = np.repeat(np.arange(25), row)
        assert value == pytest.approx(auc(labels[rows], scores[rows])["estimate"])


def test_one_kind_of_case_has_no_auc():
    found = auc([1, 1], [0.2, 0.3])
    assert found["estimate"] is None and found["notes"]["auc"]


def test_calibration_equals_logistic_regression():
    import statsmodels.api as sm

    rng = np.random.default_rng(0)
    p = rng.uniform(0.02, 0.98, 400)
    labels = rng.uniform(size=400) < 1 / (1 + np.exp(-0.5 - 0.7 * np.log(p / (1 - p))))
    found = calibration(labels, p)
    model = sm.Logit(labels.astype(float), sm.add_constant(np.log(p / (1 - p)))).fit(disp=0)
    assert [found["intercept"]["estimate"], found["slope"]["estimate"]] == pytest.approx(list(model.params))
    assert found["slope"]["ci"] == pytest.approx(list(model.conf_int()[1]), rel=1e-6)
    assert found["brier"] == pytest.approx(((p - labels) ** 2).mean())
    assert sum(group["n"] for group in found["bins"]) == 400


def test_calibration_edge_cases_are_none_with_a_reason():
    assert calibration([], [])["notes"]
    assert calibration([1, 1], [0.2, 0.9])["notes"]["slope"]
    assert calibration([0, 1], [0.2, 0.9])["slope"]["estimate"] is None
    assert calibration([0, 1], [0.5, 0.5])["notes"]["slope"] == "all probabilities are equal"
    with pytest.raises(ValueError, match="0 to 1 is needed"):
        calibration([1], [1.2])


@pytest.mark.parametrize(
    ("area", "positive", "negative", "expected"),
    [
        (1, 5, 20, (0.7606992, 1)),
        (1, 10, 10, (0.8002136, 1)),
        (0.75, 12, 30, (0.5559373, 0.8722974)),
        (0, 4, 9, (0, 0.3277348)),
    ],
)
def test_rank_limits_equal_the_formula_in_r(area, positive, negative, expected):
    """R 4.2, Newcombe 2006, method 5:

    v <- function(t) { N <- (m + n) / 2 - 1
      t * (1 - t) * (1 + N * ((1 - t) / (2 - t) + t / (1 + t))) / (m * n) }
    f <- function(t) abs(a - t) - qnorm(.975) * sqrt(v(t))
    uniroot(f, c(1e-9, a - 1e-9), tol = 1e-13); uniroot(f, c(a + 1e-9, 1 - 1e-9), tol = 1e-13)
    """
    assert rank_limits(area, positive, negative) == pytest.approx(expected, abs=2e-7)


def test_an_area_of_one_is_no_certainty():
    labels = np.repeat([False, True], [20, 5])
    found = auc(labels, np.arange(25))
    assert found["estimate"] == 1 and found["ci"] == pytest.approx([0.7606992, 1], abs=2e-7)
    assert found["method"].startswith("ranks") and "told apart" in found["notes"]["auc"]
    turned = auc(~labels, np.arange(25))
    assert turned["estimate"] == 0 and turned["ci"] == pytest.approx([0, 1 - 0.7606992], abs=2e-7)
    clustered = auc(labels, np.arange(25), clusters=np.arange(25), draws=100)
    assert clustered["ci"] == pytest.approx(found["ci"])
