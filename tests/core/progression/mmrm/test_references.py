"""MMRM against R (nlme, lmerTest, pbkrtest). Reference tables say which lines made them."""

import pandas as pd
import pytest

from core.progression.mmrm.model import Options, mmrm
from tests.helpers.paths import REFERENCE

TRIAL = "change ~ baseline * visit + sex + arm * visit"
NAMES = {"(Intercept)": "Intercept", "sexM": "sex[T.M]", "armPlacebo": "arm[T.Placebo]"} | {
    f"visit{visit}": f"visit[T.{visit}]" for visit in ("W52", "W78", "W104")
}


def read(name):
    return pd.read_csv(REFERENCE / name, comment="#")


def by_term(result):
    return {tuple(sorted(row["term"].split(":"))): row for row in result["coefficients"]}


@pytest.mark.parametrize("covariance", ["us", "toep", "ar1", "cs", "toeph", "ar1h", "csh"])
def test_every_structure_equals_nlme(covariance):
    expected = read("mmrm_gls.csv").query("covariance == @covariance")
    result = mmrm(read("mmrm_trial.csv"), TRIAL, "subject", "visit", Options(covariance))
    found = by_term(result)
    assert result["converged"]
    assert len(found) == len(expected) - 1
    for row in expected.itertuples():
        if row.term == "reml_loglik":
            assert result["reml_loglik"] == pytest.approx(row.estimate, abs=1e-6)
        else:
            term = found[tuple(sorted(NAMES.get(part, part) for part in row.term.split(":")))]
            assert [term["estimate"], term["se"]] == pytest.approx([row.estimate, row.se], abs=1e-5)


ORTHODONT = {
    # gls(distance ~ age * Sex, correlation = corSymm(form = ~ v | Subject),
    #     weights = varIdent(form = ~ 1 | v)), opt = "optim"; summary()$tTable
    "us": [
        ("Intercept", 17.425368312, 1.17264716551),
        ("age", 0.476364711, 0.09915839623),
        ("Sex[T.Male]", -1.583077660, 1.52331335251),
        ("age:Sex[T.Male]", 0.350438528, 0.12881053520),
    ],
}


@pytest.fixture
def orthodont(shared):
    return pd.read_csv(shared / "real" / "longitudinal" / "nlme_Orthodont.csv")


@pytest.mark.real
def test_orthodont_unstructured_equals_nlme(orthodont):
    result = mmrm(orthodont, "distance ~ age * Sex", "Subject", "age")
    assert result["reml_loglik"] == pytest.approx(-212.27340010, abs=1e-7)
    for row, (term, estimate, se) in zip(result["coefficients"], ORTHODONT["us"], strict=True):
        assert row["term"] == term
        assert [row["estimate"], row["se"]] == pytest.approx([estimate, se], abs=1e-5)
        assert row["df"] == pytest.approx(25, abs=1e-6)


@pytest.mark.real
@pytest.mark.parametrize("df", ["satterthwaite", "kenward-roger"])
def test_orthodont_equal_correlation_equals_lmertest_and_pbkrtest(orthodont, df):
    """coef(summary(lmer(distance ~ age * Sex + (1 | Subject)), ddf = ...)): complete rows, the two agree."""
    result = mmrm(orthodont, "distance ~ age * Sex", "Subject", "age", Options("cs", df))
    rows = [(row["estimate"], row["se"], row["df"]) for row in result["coefficients"]]
    expected = [
        (17.3727272727, 1.18350708772, 103.9863611),
        (0.4795454545, 0.09346984943, 79),
        (-1.0321022727, 1.53742080529, 103.9863611),
        (0.3048295455, 0.12142089614, 79),
    ]
    for found, wanted in zip(rows, expected, strict=True):
        assert found == pytest.approx(wanted, rel=1e-7)


@pytest.mark.real
def test_orthodont_with_gaps_equals_lmertest(orthodont):
    """The same on orthodont[-seq(3, nrow, 5), ]."""
    gaps = orthodont.drop(index=orthodont.index[2::5])
    result = mmrm(gaps, "distance ~ age * Sex", "Subject", "age", Options("cs"))
    expected = [
        (17.4737596529, 1.4633504642, 76.50516111),
        (0.4721416076, 0.1224899329, 58.90833926),
        (-1.2255695261, 1.8873697756, 76.60676540),
        (0.3140943083, 0.1573618438, 58.74373303),
    ]
    for row, wanted in zip(result["coefficients"], expected, strict=True):
        assert (row["estimate"], row["se"], row["df"]) == pytest.approx(wanted, rel=2e-7)


@pytest.mark.real
def test_sleepstudy_intercepts_equal_the_closed_form(shared):
    """domain.md F7, random intercept only: the model is a covariance of equal correlation."""
    sleep = pd.read_csv(shared / "real" / "longitudinal" / "lme4_sleepstudy.csv")
    result = mmrm(sleep, "Reaction ~ Days", "Subject", "Days", Options("cs"))
    rows = [(row["estimate"], row["se"]) for row in result["coefficients"]]
    assert rows[0] == pytest.approx((251.40510, 9.7467), abs=5e-5)
    assert rows[1] == pytest.approx((10.46729, 0.8042), abs=5e-5)
    assert -2 * result["reml_loglik"] == pytest.approx(1786.4651, abs=5e-5)
