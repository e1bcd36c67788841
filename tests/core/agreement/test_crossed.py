"""Variance components of crossed subjects and readers against lme4, and the pools that they serve."""

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.agreement.crossed import CrossedDesign, fit_crossed, simulate
from core.agreement.icc import icc
from core.agreement.long_table import collect
from core.agreement.reader_pool import is_pool, pool_icc, usual_number
from core.agreement.table import agreement
from tests.helpers.paths import REFERENCE, SHARED

TABLES = pd.read_csv(REFERENCE / "crossed_tables.csv", comment="#")
LME4 = pd.read_csv(REFERENCE / "crossed_lme4.csv", comment="#").to_dict("records")
POOL = SHARED / "cases" / "statistics" / "reader_pool.csv"


def wide(rows, value="score"):
    return rows.pivot(index="subject", columns="reader", values=value).to_numpy(float)


@pytest.mark.parametrize("row", LME4, ids=lambda row: row["set"])
def test_variances_are_those_of_lme4(row):
    found = fit_crossed(wide(TABLES[TABLES["set"] == row["set"]]))
    assert [found.subject, found.reader, found.residual] == pytest.approx(
        [row["subject"], row["reader"], row["residual"]], rel=2e-4, abs=1e-6
    )


def pool(seed, subjects=30, readers=6, each=2, variances=(4.0, 0.5, 1.0)):
    rng = np.random.default_rng(seed)
    subject, reader, error = (np.sqrt(value) for value in variances)
    table = rng.normal(0, subject, (subjects, 1)) + rng.normal(0, reader, readers)
    table = table + rng.normal(0, error, (subjects, readers))
    for row in table:
        row[rng.permutation(readers)[each:]] = np.nan
    return table


def minus_loglik(table, variances):
    """-2 REML log-likelihood from the whole covariance matrix: the slow twin."""
    subject, reader = np.nonzero(~np.isnan(table))
    y = table[subject, reader]
    covariance = variances[0] * (subject[:, None] == subject) + variances[1] * (reader[:, None] == reader)
    covariance = covariance + variances[2] * np.eye(len(y))
    inverse = np.linalg.inv(covariance)
    weight = inverse.sum()
    rest = y @ inverse @ y - (inverse.sum(axis=0) @ y) ** 2 / weight
    return np.linalg.slogdet(covariance)[1] + np.log(weight) + rest


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([(4, 0.5, 1), (0.2, 1, 1), (5, 0, 1), (9, 1, 0.1)]))
def test_no_variances_beside_the_fit_are_likelier(seed, variances):
    table = pool(seed, variances=variances)
    found = fit_crossed(table)
    here = np.array([found.subject, found.reader, found.residual])
    best = minus_loglik(table, here)
    rng = np.random.default_rng(seed)
    for _ in range(30):
        beside = here * np.exp(rng.normal(0, 0.3, 3)) + 0.02 * rng.random(3) * rng.integers(0, 2, 3)
        assert minus_loglik(table, beside) >= best - 1e-6


def test_a_complete_table_with_positive_variances_has_the_mean_square_ones():
    table = wide(TABLES[TABLES["set"] == "complete"])
    found, expected = fit_crossed(table), icc(table)["variance_components"]
    assert found.subject == pytest.approx(expected["subject"], rel=1e-4)
    assert found.reader == pytest.approx(expected["rater"], rel=1e-4)
    assert found.residual == pytest.approx(expected["residual"], rel=1e-4)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6), st.floats(-100, 100), st.floats(0.01, 100))
def test_shifting_and_scaling_all_ratings_leaves_the_icc(seed, shift, scale):
    table = pool(seed)
    one, other = fit_crossed(table), fit_crossed(table * scale + shift)
    assert float(other.icc()) == pytest.approx(float(one.icc()), abs=2e-4)


def test_readers_who_agree_fully_have_icc_1():
    table = pool(2)
    table = np.where(np.isnan(table), np.nan, np.arange(30.0)[:, None])
    assert pool_icc(table, draws=50)["forms"]["ICC(A,1)"]["estimate"] == pytest.approx(1, abs=1e-6)


def test_the_bootstrap_covers_the_truth_about_as_often_as_it_says():
    truth, covered = 4 / 5.5, 0
    for seed in range(60):
        low, high = pool_icc(pool(seed, 60, 10), draws=200)["forms"]["ICC(A,1)"]["ci"]
        covered += low <= truth <= high
    assert 0.85 <= covered / 60 <= 1


def test_a_thousand_draws_take_seconds_at_most():
    table = pool(1, 60, 10)
    design, parts = CrossedDesign.of(~np.isnan(table)), fit_crossed(table)
    start = time.process_time()
    assert len(simulate(design, parts, 1000).residual) == 1000
    assert time.process_time() - start < 6


def test_what_a_pool_is():
    assert is_pool(pool(1))
    assert not is_pool(pool(1, readers=3, each=3))
    assert not is_pool(np.array([[1, 2], [np.nan, 1], [2, np.nan], [np.nan, 3]]))
    assert usual_number(pool(1, each=3)) == 3


def long(table):
    subject, reader = np.nonzero(~np.isnan(table))
    rows = {"subject": [f"S{s}" for s in subject], "rater": [f"R{r}" for r in reader]}
    return pd.DataFrame(rows | {"rating": table[subject, reader]})


def test_rows_in_another_order_give_the_same_interval():
    rows = long(pool(4))
    one, other = (
        agreement(collect(frame))["icc_mixed"] for frame in (rows, rows.sample(frac=1, random_state=2))
    )
    assert one["ICC(A,1)"]["ci"] == pytest.approx(other["ICC(A,1)"]["ci"], abs=1e-6)
    assert one["averaged"] == 2


def test_ratings_that_cannot_tell_raters_and_subjects_apart_have_a_reason():
    found = pool_icc(np.where(np.eye(4, dtype=bool), 1.0, np.nan))
    assert found["forms"]["ICC(A,1)"]["estimate"] is None
    assert found["notes"]["icc_mixed"]


@pytest.mark.skipif(not POOL.exists(), reason="the shared cases are not on this machine")
def test_the_case_of_ten_readers():
    rows = pd.read_csv(POOL).rename(columns={"reader": "rater", "score": "rating"})
    found = agreement(collect(rows))["icc_mixed"]["ICC(A,1)"]
    assert found["estimate"] == pytest.approx(0.707, abs=5e-4)
    # 500 and 3 000 draws of lme4's bootMer: (0.572, 0.816) and (0.551, 0.813)
    assert found["ci"] == pytest.approx([0.56, 0.814], abs=0.015)
