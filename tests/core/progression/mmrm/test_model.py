"""MMRM from table and formula: levels, rows left out, contrasts, and what cannot be fitted."""

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError
from core.natural import natural_key
from core.progression.mmrm.levels import ordered_levels
from core.progression.mmrm.model import Options, mmrm


def trial(seed=1, subjects=40, visits=("W2", "W12", "W24")):
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(subjects):
        level, slope = rng.normal(10, 3), rng.normal(0, 1)
        for place, visit in enumerate(visits):
            change = 0.3 * level + place * (1 - number % 2) + slope * place + rng.normal()
            rows.append((f"P{number}", "AB"[number % 2], "FM"[number % 3 == 0], level, visit, change))
    frame = pd.DataFrame(rows, columns=["subject", "arm", "sex", "baseline", "visit", "change"])
    frame.index += 1
    return frame


def fitted(frame, formula="change ~ baseline + arm * visit", **options):
    return mmrm(frame, formula, "subject", "visit", Options(**options))


def terms(result):
    return [row["term"] for row in result["coefficients"]]


def estimate(result, term):
    return next(row["estimate"] for row in result["coefficients"] if row["term"] == term)


def test_numbers_inside_text_sort_by_value():
    assert sorted(["W12", "W2", "BL", "w104", "W52"], key=natural_key) == ["BL", "W2", "W12", "W52", "w104"]
    assert ordered_levels(["b", "a", "b"]) == ["a", "b"]
    assert ordered_levels(["b", "a"], ["b", "c", "a"]) == ["b", "a"]
    with pytest.raises(InputError, match="levels arm=A; B is in the table too"):
        ordered_levels(["A", "B"], ["A"], "arm")


def test_visits_stand_in_natural_order_and_the_first_is_the_reference():
    result = fitted(trial())
    assert result["covariance"]["levels"] == ["W2", "W12", "W24"]
    assert terms(result)[:5] == ["Intercept", "baseline", "arm[T.B]", "visit[T.W12]", "visit[T.W24]"]


def test_levels_set_another_reference():
    result = fitted(trial(), levels={"arm": ["B", "A"]})
    assert "arm[T.A]" in terms(result)
    assert [(row["a"], row["b"]) for row in result["contrasts"]] == [("A", "B")] * 3
    turned = fitted(trial())
    assert [row["estimate"] for row in result["contrasts"]] == pytest.approx(
        [-row["estimate"] for row in turned["contrasts"]]
    )
    assert result["reml_loglik"] == pytest.approx(turned["reml_loglik"])


def test_rows_with_a_missing_variable_are_left_out_and_counted():
    frame = trial()
    frame.loc[[1, 5], "change"] = np.nan
    frame.loc[7, "baseline"] = np.nan
    frame.loc[9, "arm"] = None
    result = fitted(frame)
    assert (result["n_rows"], result["dropped_rows"]) == (116, 4)
    kept = fitted(frame.drop(index=[1, 5, 7, 9]))
    assert kept["reml_loglik"] == pytest.approx(result["reml_loglik"])


def test_a_visit_without_any_outcome_is_no_level():
    frame = pd.concat([trial(), trial().query("visit == 'W2'").assign(visit="BL", change=np.nan)])
    assert fitted(frame.reset_index(drop=True))["covariance"]["levels"] == ["W2", "W12", "W24"]


def test_text_in_the_outcome_is_refused():
    frame = trial().astype({"change": object})
    frame.loc[3, "change"] = "ND"
    result = fitted(frame)
    assert result["refused"] == [{"row": 3, "reason": "change 'ND' is not a number"}]
    assert (result["n_rows"], result["dropped_rows"]) == (119, 0)


def test_numbers_as_text_are_numbers():
    frame = trial()
    as_text = frame.assign(baseline=frame["baseline"].map(repr), change=frame["change"].map(repr))
    assert fitted(as_text)["reml_loglik"] == pytest.approx(fitted(frame)["reml_loglik"])


def test_order_of_rows_does_not_matter():
    frame = trial()
    assert fitted(frame.sample(frac=1, random_state=3))["reml_loglik"] == pytest.approx(
        fitted(frame)["reml_loglik"]
    )


def test_contrasts_are_sums_of_coefficients():
    result = fitted(trial())
    arm = estimate(result, "arm[T.B]")
    expected = [
        arm,
        arm + estimate(result, "arm[T.B]:visit[T.W12]"),
        arm + estimate(result, "arm[T.B]:visit[T.W24]"),
    ]
    assert [row["visit"] for row in result["contrasts"]] == ["W2", "W12", "W24"]
    assert [row["estimate"] for row in result["contrasts"]] == pytest.approx(expected)
    first = result["contrasts"][0]
    same = next(row for row in result["coefficients"] if row["term"] == "arm[T.B]")
    assert [first[name] for name in ("se", "df", "p")] == pytest.approx(
        [same[name] for name in ("se", "df", "p")]
    )


def test_other_factors_count_equally_and_numbers_at_their_mean():
    frame = trial()
    result = fitted(frame, "change ~ baseline * arm + sex * arm + arm * visit")
    first = result["contrasts"][0]["estimate"]
    expected = (
        estimate(result, "arm[T.B]")
        + frame["baseline"].mean() * estimate(result, "baseline:arm[T.B]")
        + estimate(
            result, "arm[T.B]:sex[T.M]" if "arm[T.B]:sex[T.M]" in terms(result) else "sex[T.M]:arm[T.B]"
        )
        / 2
    )
    assert first == pytest.approx(expected)


def test_without_an_interaction_there_are_no_contrasts_unless_an_arm_is_named():
    result = fitted(trial(), "change ~ baseline + arm + visit")
    assert result["contrasts"] == []
    assert result["notes"]["contrasts"] == "no factor interacts with visit: name one with --arm"
    named = fitted(trial(), "change ~ baseline + arm + visit", arm="arm")
    assert [row["estimate"] for row in named["contrasts"]] == pytest.approx(
        [estimate(result, "arm[T.B]")] * 3
    )


def test_a_number_is_a_factor_only_under_c():
    frame = trial().assign(week=lambda rows: rows["visit"].str[1:].astype(int))
    linear = mmrm(frame, "change ~ arm * week", "subject", "week")
    factor = mmrm(frame, "change ~ arm * C(week)", "subject", "week")
    assert "week" in terms(linear)
    assert "C(week)[T.12]" in terms(factor)
    assert linear["covariance"]["levels"] == factor["covariance"]["levels"] == ["2", "12", "24"]
    assert [row["visit"] for row in linear["contrasts"]] == ["2", "12", "24"]
    assert factor["contrasts"][2]["estimate"] == pytest.approx(
        estimate(factor, "arm[T.B]") + estimate(factor, "arm[T.B]:C(week)[T.24]")
    )


def test_a_covariance_for_each_arm():
    frame = trial()
    spread = np.where(frame["arm"] == "B", 3, 1)
    frame["change"] = frame["change"] * spread
    pooled, apart = fitted(frame), fitted(frame, group="arm")
    assert apart["reml_loglik"] > pooled["reml_loglik"] + 10
    matrices = apart["covariance"]["groups"]
    assert np.trace(matrices["B"]) > 3 * np.trace(matrices["A"])
    alone = [
        mmrm(frame[frame["arm"] == arm], "change ~ visit", "subject", "visit")["covariance"]["matrix"]
        for arm in "AB"
    ]
    both = mmrm(frame, "change ~ arm * visit", "subject", "visit", Options(group="arm"))["covariance"][
        "groups"
    ]
    np.testing.assert_allclose(both["A"], alone[0], rtol=1e-5)
    np.testing.assert_allclose(both["B"], alone[1], rtol=1e-5)


def test_a_column_that_follows_from_others_has_no_estimate():
    frame = trial()
    frame = frame[~((frame["arm"] == "B") & (frame["visit"] == "W24"))].assign(
        double=lambda rows: 2 * rows["baseline"]
    )
    result = fitted(frame, "change ~ baseline + double + arm * visit")
    lost = [row["term"] for row in result["coefficients"] if row["estimate"] is None]
    assert lost == ["double", "arm[T.B]:visit[T.W24]"]
    assert [row["estimate"] is None for row in result["contrasts"]] == [False, False, True]
    assert "double" in result["notes"]["coefficients"]


def test_a_covariance_that_the_rows_do_not_determine_is_not_called_converged():
    frame = trial()
    number = frame["subject"].str[1:].astype(int)
    frame = frame[(frame["visit"] == "W2") | ((number % 2 == 0) == (frame["visit"] == "W12"))]
    result = fitted(frame, "change ~ baseline + visit")
    assert not result["converged"]
    assert len(result["tried"]) == 3
    assert result["coefficients"][0]["df"] is None
    assert set(result["notes"]) >= {"converged", "df"}


@pytest.mark.parametrize(
    ("change", "formula", "options", "message"),
    [
        ({}, "change ~ dose * visit", {}, "the table has no column dose; it has subject, arm"),
        ({}, "change baseline", {}, "OUTCOME ~ TERMS is needed"),
        ({}, "change ~ baseline + (", {}, "OUTCOME ~ TERMS is needed"),
        ({}, "arm ~ visit", {}, "no row has every variable of the model"),
        ({}, "change ~ visit", {"covariance": "sp"}, "--covariance sp; one of us, toep"),
        ({}, "change ~ visit", {"df": "kr"}, "--df kr; one of satterthwaite"),
        ({}, "change ~ arm * visit", {"arm": "dose"}, "--arm dose; the formula has arm, visit"),
        ({}, "change ~ arm * visit", {"levels": {"arm": ["A"]}}, "B is in the table too"),
        ({"visit": "W2"}, "change ~ arm", {}, r"two rows for subject P0 and visit W2 \(row 2\)"),
    ],
)
def test_what_cannot_be_used_is_said(change, formula, options, message):
    with pytest.raises(InputError, match=message):
        fitted(trial().assign(**change), formula, **options)


def test_numbers_and_text_in_one_column_are_said():
    frame = trial().astype({"baseline": object})
    frame.loc[4, "baseline"] = "low"
    with pytest.raises(
        InputError, match=r"column baseline holds numbers, and 'low' in row 4; .* write C\(baseline\)"
    ):
        fitted(frame)


def test_a_subject_in_two_groups_is_said():
    frame = trial()
    frame.loc[2, "arm"] = "B"
    with pytest.raises(InputError, match="subject P0 has two values of arm"):
        fitted(frame, group="arm")


def test_too_few_rows_are_said():
    with pytest.raises(InputError, match="6 rows for 6 coefficients"):
        fitted(trial(subjects=2).assign(arm=["A"] * 3 + ["B"] * 3))
