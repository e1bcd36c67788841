"""Models of change: against R and the exact optimum of F7, and what they say where they cannot be fitted."""

import numpy as np
import pandas as pd
import pytest

from core.progression.courses import courses
from core.progression.pairing import Interval
from core.progression.progressors import cutoff
from core.progression.regression.counts import hurdle, negative_binomial, steps
from core.progression.regression.first_progression import first_progression
from core.progression.regression.fit import MODELS, ModelOptions, fit_model
from core.progression.regression.gee import gee
from core.progression.regression.logistic import logistic
from core.progression.regression.mixed import random_slope
from core.progression.regression.rows import change_rows, status_rows
from core.progression.totals_table import collect
from tests.helpers.paths import REFERENCE

NAMES = {"(Intercept)": "Intercept", "armB": "arm[T.B]", "years:armB": "years:arm[T.B]"}


def read(name):
    return pd.read_csv(REFERENCE / f"models_{name}.csv", comment="#")


def expected(model):
    rows = read("r").query("model == @model")
    pairs = zip(rows["term"], rows["estimate"].astype(float), rows["se"].astype(float), strict=True)
    return {NAMES.get(term, term): (estimate, se) for term, estimate, se in pairs}


def found(result, prefix=""):
    return {
        term.term.removeprefix(prefix): (term.estimate, term.se)
        for term in result.terms
        if term.term.startswith(prefix)
    }


def same(result, model, *, rel, se_rel=None, prefix=""):
    ours, theirs = found(result, prefix), expected(model)
    assert ours
    for name, (estimate, se) in ours.items():
        assert estimate == pytest.approx(theirs[name][0], rel=rel, abs=rel), name
        assert se == pytest.approx(theirs[name][1], rel=se_rel or rel), name


@pytest.fixture(scope="module")
def course():
    return read("course").assign(years=lambda rows: rows["days"] / 365.25)


@pytest.fixture(scope="module")
def change():
    return read("change")


@pytest.fixture(scope="module")
def readings():
    return collect(read("course").assign(reader="mean"))


# The mixed model


@pytest.fixture
def sleep(shared):
    return pd.read_csv(shared / "real" / "longitudinal" / "lme4_sleepstudy.csv")


F7 = {
    False: ((6.63228, 1.50224), (565.52, 32.682, 11.055, 654.94), 1751.9393),
    True: ((6.82456, 1.54579), (612.09, 35.072, 9.604, 654.94), 1743.6283),
}


@pytest.mark.real
@pytest.mark.parametrize("reml", [False, True])
def test_sleepstudy_reaches_the_exact_optimum(sleep, reml):
    """domain.md F7, to every digit printed."""
    result = random_slope(sleep, "Reaction ~ Days", subject="Subject", time="Days", reml=reml)
    errors, variances, criterion = F7[reml]
    assert result.converged
    intercept, days = result.terms
    assert (round(intercept.estimate, 5), round(days.estimate, 5)) == (251.40510, 10.46729)
    assert (round(intercept.se, 5), round(days.se, 5)) == errors
    parts = result.extra["variances"]
    assert (
        round(parts["intercept"], 2),
        round(parts["slope"], 3),
        round(parts["covariance"], 3),
        round(parts["residual"], 2),
    ) == variances
    assert round(result.extra["criterion"], 4) == criterion


def test_mixed_model_equals_lmer(course):
    result = random_slope(course, "total ~ years * arm", subject="subject", time="years")
    same(result, "mixed", rel=1e-5)
    theirs = expected("mixed")
    parts = result.extra["variances"]
    for ours, name in (("intercept", "var intercept"), ("slope", "var slope"), ("residual", "var residual")):
        assert parts[ours] == pytest.approx(theirs[name][0], rel=1e-5)
    assert parts["covariance"] == pytest.approx(theirs["covariance"][0], rel=1e-4)
    assert result.extra["criterion"] == pytest.approx(theirs["criterion"][0], abs=1e-5)


def test_mixed_model_of_readings_is_that_of_the_table(course, readings):
    direct = random_slope(course, "total ~ years * arm", subject="subject", time="years")
    result = fit_model(readings, "mixed")
    assert result.table()["estimate"].to_numpy() == pytest.approx(direct.table()["estimate"].to_numpy())
    assert (result.n_subjects, result.n_rows) == (80, 354)


def test_slopes_that_do_not_differ_fall_back_to_an_intercept():
    rng = np.random.default_rng(0)
    rows = [
        (f"P{i}", t, b + t + e)
        for i, b in enumerate(rng.normal(0, 5, 30))
        for t, e in enumerate([1, -1, 1, -1])
    ]
    table = pd.DataFrame(rows, columns=["subject", "years", "total"])
    result = random_slope(table, "total ~ years", subject="subject", time="years")
    assert result.converged
    assert result.extra["variances"]["slope"] is None
    assert "random intercept only" in result.notes["slope"]
    assert result.tried[0] == "random intercept and slope: did not converge"


# GEE


def naive_sandwich(table, formula, alpha, ar1):
    """Estimates and robust errors for a given working correlation, subject by subject."""
    from formulaic import model_matrix

    y, x = model_matrix(formula, table)
    y, x = y.to_numpy()[:, 0], x.to_numpy()
    bread, right, meat = 0, 0, 0
    groups = [np.flatnonzero(table["subject"] == name) for name in table["subject"].unique()]
    inverse = []
    for rows in groups:
        lag = np.abs(np.subtract.outer(np.arange(len(rows)), np.arange(len(rows))))
        work = alpha**lag if ar1 else np.where(lag == 0, 1.0, alpha)
        inverse.append(np.linalg.inv(work))
        bread = bread + x[rows].T @ inverse[-1] @ x[rows]
        right = right + x[rows].T @ inverse[-1] @ y[rows]
    beta = np.linalg.solve(bread, right)
    for rows, weight in zip(groups, inverse, strict=True):
        score = x[rows].T @ weight @ (y[rows] - x[rows] @ beta)
        meat = meat + np.outer(score, score)
    cover = np.linalg.inv(bread)
    return beta, np.sqrt(np.diag(cover @ meat @ cover))


@pytest.mark.parametrize("correlation", ["exchangeable", "ar1"])
def test_gee_equals_a_loop_over_patients_and_geepack(course, correlation):
    """geepack estimates the working correlation with another divisor: equal to two parts in a hundred."""
    rows = course[course["change"].notna()].sort_values(["subject", "days"])
    result = gee(rows, "change ~ years * arm", subject="subject", time="years", correlation=correlation)
    alpha = result.extra["correlation"]["value"]
    beta, errors = naive_sandwich(rows, "change ~ years * arm", alpha, correlation == "ar1")
    table = result.table().set_index("term")
    order = ["Intercept", "years", "arm[T.B]", "years:arm[T.B]"]
    assert table.loc[order, "estimate"].to_numpy() == pytest.approx(beta, rel=1e-6)
    assert table.loc[order, "se"].to_numpy() == pytest.approx(errors, rel=1e-6)
    theirs = expected(f"gee {correlation}")
    for name, (estimate, se) in found(result).items():
        assert estimate == pytest.approx(theirs[name][0], abs=0.03)
        assert se == pytest.approx(theirs[name][1], rel=0.03)


def test_gee_with_few_patients_says_that_errors_are_reduced(course):
    few = course[course["subject"].isin(course["subject"].unique()[:12])]
    result = gee(few, "total ~ years", subject="subject", time="years")
    assert result.converged
    assert "bias-reduced" in result.notes["few"]
    wide = gee(few, "total ~ years", subject="subject", time="years", few=0)
    assert result.terms[1].se > wide.terms[1].se


def test_every_readers_rows_can_go_into_the_gee():
    rows = read("course")
    both = pd.concat([rows.assign(reader="R1"), rows.assign(reader="R2", total=rows["total"] + 1)])
    result = fit_model(collect(both), "gee", ModelOptions(per_reader=True))
    assert result.n_rows == 2 * len(rows)
    assert {term.term: term.estimate for term in result.terms}["reader[T.R2]"] == pytest.approx(1.0)


# Progressors and counts


def test_logistic_equals_glm(change):
    same(logistic(change, "progressed ~ baseline + arm"), "logistic", rel=1e-6)


def test_logistic_of_readings_is_that_of_the_table(change, readings):
    result = fit_model(readings, "logistic", ModelOptions(to_days=728, window=60, rule=">0"))
    same(result, "logistic", rel=1e-6)
    assert result.n_subjects + sum(row["n"] for row in result.left_out) == 80
    assert result.table()["ratio"].to_numpy() == pytest.approx(np.exp([t.estimate for t in result.terms]))


def test_a_term_that_separates_has_no_odds_ratio():
    table = pd.DataFrame({"progressed": [0] * 10 + [1] * 10, "baseline": np.arange(20.0)})
    result = logistic(table, "progressed ~ baseline")
    assert result.terms == ()
    assert not result.converged
    assert result.notes["separation"].startswith("baseline")


@pytest.mark.parametrize("value", [0, 1])
def test_nobody_or_everybody_progressed(value):
    result = logistic(
        pd.DataFrame({"progressed": [value] * 8, "baseline": range(8)}), "progressed ~ baseline"
    )
    assert result.converged is None
    assert "nothing to compare" in result.notes["model"]


def test_counts_are_steps_of_the_readers_mean():
    counted = steps([0.5, -1.0, 2.0, 0.0, 1.75], readers=2)
    assert counted.count.tolist() == [1, 0, 4, 0, 4]
    assert (counted.step, counted.negative, counted.rounded) == (0.5, 1, 1)
    assert "1 negative changes count as 0" in counted.explanation()


def test_negative_binomial_equals_glm_nb(change):
    """glm.nb's errors take theta as known and the expected information; ours are those of the whole fit."""
    result = negative_binomial(change, "baseline + arm", steps(change["change"], 2))
    same(result, "negbin", rel=1e-4, se_rel=0.1)
    table = result.table().set_index("term").loc[["Intercept", "baseline", "arm[T.B]"]]
    x = np.column_stack([np.ones(len(change)), change["baseline"], change["arm"] == "B"])
    mean = np.exp(x @ table["estimate"].to_numpy())
    weight = mean / (1 + result.extra["alpha"] * mean)
    known = np.sqrt(np.diag(np.linalg.inv(x.T @ (weight[:, None] * x))))
    assert known == pytest.approx([expected("negbin")[name][1] for name in table.index], rel=1e-4)
    assert result.extra["alpha"] == pytest.approx(expected("negbin")["alpha"][0], rel=1e-4)
    assert result.extra["loglik"] == pytest.approx(expected("negbin")["loglik"][0], abs=1e-6)
    assert result.extra["zeros"] == 20


def test_hurdle_equals_pscl(change):
    result = hurdle(change, "baseline + arm", steps(change["change"], 2))
    same(result, "hurdle any", rel=1e-5, se_rel=1e-3, prefix="any: ")
    same(result, "hurdle amount", rel=1e-3, se_rel=1e-2, prefix="amount: ")
    assert result.extra["loglik"] == pytest.approx(expected("hurdle")["loglik"][0], abs=1e-4)
    assert {term.term.split(":")[0]: term.n for term in result.terms} == {"any": 62, "amount": 42}


@pytest.mark.parametrize("model", [negative_binomial, hurdle])
def test_all_zero_counts_are_not_fitted(model, change):
    result = model(change, "baseline", steps(np.zeros(len(change)), 2))
    assert (result.terms, result.converged) == ((), None)
    assert "0 of 62 patients" in result.notes["model"]


def test_counts_without_extra_spread_are_poisson():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"baseline": rng.normal(size=300)})
    counted = steps(rng.binomial(6, 0.5, 300), 1)  # less spread than Poisson
    result = negative_binomial(table, "baseline", counted)
    assert result.converged
    assert result.extra["alpha"] is None or result.extra["alpha"] < 1e-3


# Time to first progression


def test_first_progression_lies_between_films(readings):
    times = first_progression(courses(readings, Interval(0, 728, 60)), cutoff(">0.5"))
    expected_times = read("times")
    merged = times.merge(expected_times, on="subject", suffixes=("", "_days"))
    assert len(merged) == len(expected_times)
    assert (merged["left"] * 365.25).to_numpy() == pytest.approx(merged["left_days"].to_numpy())
    assert (merged["right"] * 365.25).to_numpy() == pytest.approx(merged["right_days"].to_numpy())


def test_weibull_equals_survreg(readings):
    result = fit_model(readings, "time", ModelOptions(to_days=728, window=60, rule=">0.5", draws=20))
    theirs = expected("weibull")
    theirs["log sigma"] = theirs.pop("Log(scale)")
    assert set(found(result)) == set(theirs) - {"loglik"}
    for name, (estimate, se) in found(result).items():
        assert estimate == pytest.approx(theirs[name][0], abs=1e-5)
        assert se == pytest.approx(theirs[name][1], rel=1e-4)
    assert result.extra["loglik"] == pytest.approx(theirs["loglik"][0], abs=1e-6)
    curve = result.extra["curves"][0]
    assert (curve["arm"], curve["n"]) == ("A", 40)
    shares = [point["progressed"] for point in curve["points"]]
    assert shares == sorted(shares)
    for point in curve["points"]:
        assert point["ci"][0] <= point["ci"][1]
        assert point["bounds"][0] - 1e-9 <= point["progressed"] <= point["bounds"][1] + 1e-9


# Any model, odd studies


def study(*rows):
    return collect(pd.DataFrame(rows, columns=["subject", "arm", "reader", "days", "total"]))


ODD = {
    "one visit": study(("a", "A", "R1", 0, 1), ("b", "B", "R1", 0, 2), ("c", "A", "R1", 700, 3)),
    "an arm with one patient": study(
        *[(f"p{i}", "A", "R1", d, i + d / 700) for i in range(6) for d in (0, 350, 700)],
        *[("b", "B", "R1", d, 4) for d in (0, 350, 700)],
    ),
    "no variance": study(*[(f"p{i}", "AB"[i % 2], "R1", d, 5) for i in range(8) for d in (0, 350, 700)]),
    "no change": study(*[(f"p{i}", "AB"[i % 2], "R1", d, i) for i in range(8) for d in (0, 350, 700)]),
    "only improvement": study(
        *[(f"p{i}", "AB"[i % 2], "R1", d, 9 + i - d / 350 * (i % 3)) for i in range(9) for d in (0, 350, 700)]
    ),
    "all zeros": study(*[(f"p{i}", "AB"[i % 2], "R1", d, 0) for i in range(8) for d in (0, 350, 700)]),
    "two films on one day": study(
        *[
            (f"p{i}", "AB"[i % 2], "R1", d, i % 4 + (i % 3) * d / 350)
            for i in range(9)
            for d in (0, 350, 700)
        ],
        ("p1", "B", "R1", 700, 3),
    ),
    "a film before baseline": study(
        *[
            (f"p{i}", "AB"[i % 2], "R1", d, i * i % 7 + d // 300)
            for i in range(9)
            for d in (-300, 0, 350, 700)
        ]
    ),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("kind", ODD)
def test_an_odd_study_is_fitted_or_the_reason_is_given(name, kind, recwarn):
    result = fit_model(ODD[kind], name, ModelOptions(draws=20))
    if not result.terms:
        assert result.notes
        assert result.method == "not fitted" or name == "compare"
    values = [
        value for term in result.terms for value in (term.estimate, term.se, term.low, term.high, term.p)
    ]
    assert all(value is None or np.isfinite(value) for value in values)
    assert result.converged or result.notes
    assert not [str(w.message) for w in recwarn.list if "onvergence" in str(w.category)]
    assert set(result.as_dict()) >= {"coefficients", "converged", "tried", "left_out", "notes", "n_subjects"}


def test_films_before_baseline_are_counted_out():
    rows = status_rows(ODD["a film before baseline"], Interval(0, 700, 90))
    assert rows.left_out == (("films before baseline", 9),)
    assert rows.table["years"].min() == 0


def test_who_has_no_second_film_is_counted_out():
    rows = change_rows(ODD["one visit"], Interval(0, 700, 90))
    assert sum(n for _, n in rows.left_out) == 3


def test_patients_without_an_arm_are_counted_out():
    rows = [
        (f"p{i}", ["A", "B", None][i % 3], "R1", d, i + d / 350 * (i % 2)) for i in range(9) for d in (0, 700)
    ]
    result = fit_model(study(*rows), "compare")
    assert result.n_subjects == 6
    assert result.left_out == ({"reason": "no arm", "n": 3},)


def test_a_rule_that_needs_an_sdc_says_so():
    for name in ("logistic", "time"):
        result = fit_model(ODD["no change"], name, ModelOptions(rule=">SDC"))
        assert "no SDC" in result.notes["model"]
