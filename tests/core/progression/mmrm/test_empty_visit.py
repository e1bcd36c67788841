"""A visit that is named and has no row keeps its place in the lags; steps that differ are told."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from core.progression.mmrm.model import Options, mmrm
from tests.helpers.paths import SHARED

FORMULA = "change ~ baseline + arm * visit"
CASE = SHARED / "cases" / "15_gapvisit.csv"


def repeated(seed=5):
    rng = np.random.default_rng(seed)
    place = np.array([0, 1, 3, 6])
    covariance = 4 * 0.7 ** np.abs(np.subtract.outer(place, place))
    rows = []
    for s in range(60):
        errors, base = rng.multivariate_normal(np.zeros(4), covariance), rng.normal(20, 5)
        for number, visit in enumerate(["V1", "V2", "V4", "V7"]):
            if rng.random() < 0.85:
                rows.append((f"P{s}", "AB"[s % 2], visit, base, base * 0.1 + number / 2 + errors[number]))
    return pd.DataFrame(rows, columns=["subject", "arm", "visit", "baseline", "change"])


def by_hand(table, names, places):
    """REML log-likelihood of AR(1) with these places, by a search without derivatives."""
    columns = [np.ones(len(table)), table["baseline"], (table["arm"] == "B") * 1.0]
    columns += [(table["visit"] == name) * 1.0 for name in names[1:]]
    columns += [((table["visit"] == name) & (table["arm"] == "B")) * 1.0 for name in names[1:]]
    x, y = np.column_stack(columns), table["change"].to_numpy()
    time = table["visit"].map(dict(zip(names, places, strict=True))).to_numpy(float)
    own = [np.flatnonzero(table["subject"] == name) for name in table["subject"].unique()]

    def minus(theta):
        variance, rho = np.exp(theta[0]), 1 / (1 + np.exp(-theta[1]))
        information, right, square, logdet = 0, 0, 0, 0
        for rows in own:
            v = variance * rho ** np.abs(np.subtract.outer(time[rows], time[rows]))
            w = np.linalg.inv(v)
            information = information + x[rows].T @ w @ x[rows]
            right = right + x[rows].T @ w @ y[rows]
            square += y[rows] @ w @ y[rows]
            logdet += np.linalg.slogdet(v)[1]
        rest = square - right @ np.linalg.solve(information, right)
        free = len(y) - x.shape[1]
        return 0.5 * (free * np.log(2 * np.pi) + logdet + np.linalg.slogdet(information)[1] + rest)

    return -minimize(minus, [1, 0], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-10}).fun


def fitted(table, covariance, **options):
    return mmrm(table, FORMULA, "subject", "visit", Options(covariance, **options))


ALL = {"visit": [f"V{number}" for number in range(1, 8)]}


def test_lags_of_ar1_are_those_among_all_named_visits():
    table = repeated()
    named, plain = fitted(table, "ar1", levels=ALL), fitted(table, "ar1")
    names = ["V1", "V2", "V4", "V7"]
    assert named["reml_loglik"] == pytest.approx(by_hand(table, names, [0, 1, 3, 6]), abs=1e-6)
    assert plain["reml_loglik"] == pytest.approx(by_hand(table, names, [0, 1, 2, 3]), abs=1e-6)
    assert "V3, V5, V6; they keep their place" in named["notes"]["empty_visits"]
    assert "V2 to V4 2" in plain["notes"]["visit_steps"]
    assert named["visit_order"]["empty"] == ["V3", "V5", "V6"]


def test_a_visit_of_the_table_without_an_outcome_keeps_its_place():
    table = repeated()
    empty = [f"V{number}" for number in (3, 5, 6)]
    rows = [(name, arm, visit, 20.0, None) for name, arm in (("P0", "A"), ("P1", "B")) for visit in empty]
    more = pd.concat([table, pd.DataFrame(rows, columns=table.columns)], ignore_index=True)
    found = fitted(more, "ar1")
    assert found["reml_loglik"] == pytest.approx(fitted(table, "ar1", levels=ALL)["reml_loglik"], abs=1e-9)
    assert "empty_visits" in found["notes"]


def test_toeplitz_has_one_correlation_for_every_lag_that_occurs():
    found = fitted(repeated(), "toep", levels=ALL)
    matrix = np.array(found["covariance"]["matrix"])
    assert found["covariance_parameters"] == 1 + 5  # lags 1, 2, 3, 5, 6
    assert matrix[1, 2] != pytest.approx(matrix[0, 1])
    assert matrix[0, 2] == pytest.approx(matrix[2, 3])


@pytest.mark.parametrize("covariance", ["us", "cs", "csh"])
def test_structures_without_lags_do_not_see_an_empty_visit(covariance):
    table = repeated()
    named, plain = fitted(table, covariance, levels=ALL), fitted(table, covariance)
    assert named["reml_loglik"] == pytest.approx(plain["reml_loglik"], abs=1e-9)
    assert "change nothing" in named["notes"]["empty_visits"]


@pytest.mark.skipif(not CASE.exists(), reason="the shared cases are not on this machine")
def test_the_case_of_a_study_without_its_third_visit():
    levels = {"visit": ["V1", "V2", "V3", "V4"]}
    found = mmrm(
        pd.read_csv(CASE), "change ~ baseline + arm*visit", "subject", "visit", Options("ar1", levels=levels)
    )
    assert found["reml_loglik"] == pytest.approx(-495.8950, abs=1e-4)
    assert [row["visit"] for row in found["contrasts"]] == ["V1", "V2", "V4"]
    assert [row["estimate"] for row in found["contrasts"]] == pytest.approx(
        [-0.3942, -0.6839, -1.0828], abs=1e-4
    )
    assert [row["se"] for row in found["contrasts"]] == pytest.approx([0.6769, 0.6767, 0.6753], abs=1e-4)
