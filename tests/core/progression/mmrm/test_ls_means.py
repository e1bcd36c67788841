"""LS means, visit averages and F tests of terms: against R (emmeans, lmerTest, nlme) and closed forms."""

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError
from core.progression.mmrm.means_table import mean_rows
from core.progression.mmrm.model import Options, mmrm
from tests.core.progression.mmrm.test_model import fitted, trial
from tests.helpers.paths import REFERENCE

TRIAL = "change ~ baseline * visit + sex + arm * visit"
VISITS = ["W26", "W52", "W78", "W104"]


def read(name):
    return pd.read_csv(REFERENCE / name, comment="#")


@pytest.fixture(scope="module")
def data():
    return read("mmrm_trial.csv")


@pytest.fixture(scope="module")
def complete(data):
    return data[data["change"].notna().groupby(data["subject"]).transform("all")]


@pytest.fixture(scope="module")
def us(data):
    options = Options(reference="Placebo", averages=[VISITS, ["W78", "W104"]])
    return mmrm(data, TRIAL, "subject", "visit", options)


@pytest.fixture(scope="module")
def cs(data):
    return mmrm(data, TRIAL, "subject", "visit", Options("cs", reference="Placebo"))


def found(result, row):
    """The entry that a row of the reference is about."""
    kind, _, late = row.what.partition(" ")
    names = ("ls_means", "arm") if kind == "mean" else ("contrasts", "a")
    entries = result if not pd.isna(row.visit) else result["averages"][1 if late else 0]
    own = [one for one in entries[names[0]] if one[names[1]] == row.arm]
    return next(one for one in own if pd.isna(row.visit) or one["visit"] == row.visit)


@pytest.mark.parametrize("model", ["us", "cs"])
def test_means_differences_and_averages_equal_emmeans(model, request):
    result = request.getfixturevalue(model)
    expected = read("mmrm_ls_means.csv").query("model == @model")
    assert len(expected) >= 15
    for row in expected.itertuples():
        one = found(result, row)
        assert [one["estimate"], one["se"]] == pytest.approx([row.estimate, row.se], abs=1e-6)
        if not np.isnan(row.df):
            assert one["df"] == pytest.approx(row.df, rel=1e-5)


@pytest.mark.parametrize("model", ["us", "cs"])
def test_f_tests_equal_nlme_and_lmertest(model, request):
    tests = {row["term"]: row for row in request.getfixturevalue(model)["tests"]}
    expected = read("mmrm_term_tests.csv").query("model == @model")
    assert set(expected["term"]) == set(tests)
    for row in expected.itertuples():
        assert tests[row.term]["num_df"] == row.num_df
        assert tests[row.term]["f"] == pytest.approx(row.f, rel=1e-6)
        if not np.isnan(row.den_df):
            assert tests[row.term]["den_df"] == pytest.approx(row.den_df, rel=1e-6)


def test_kenward_roger_f_tests_equal_pbkrtest_on_complete_rows(complete):
    result = mmrm(complete, TRIAL, "subject", "visit", Options("cs", "kenward-roger"))
    tests = {row["term"]: row for row in result["tests"]}
    for row in read("mmrm_term_tests.csv").query("model == 'cs complete'").itertuples():
        assert tests[row.term]["f"] == pytest.approx(row.f, rel=1e-6)
        assert tests[row.term]["den_df"] == pytest.approx(row.den_df, rel=1e-6)


def test_kenward_roger_gives_hotelling_on_complete_unstructured_rows(complete):
    """Kenward and Roger 1997: the F test of equal visit means is then Hotelling's T squared, exactly."""
    wide = complete.pivot(index="subject", columns="visit", values="change").to_numpy()
    steps = wide[:, 1:] - wide[:, :1]
    n, size = steps.shape
    t2 = n * steps.mean(axis=0) @ np.linalg.solve(np.cov(steps.T), steps.mean(axis=0))
    (test,) = mmrm(complete, "change ~ visit", "subject", "visit", Options("us", "kenward-roger"))["tests"]
    assert test["f"] == pytest.approx(t2 * (n - size) / ((n - 1) * size), rel=1e-8)
    assert (test["num_df"], test["den_df"]) == (size, pytest.approx(n - size, rel=1e-8))


def test_one_sided_df_and_f_are_those_of_the_coefficient(us):
    sex = next(row for row in us["coefficients"] if row["term"] == "sex[T.M]")
    test = next(row for row in us["tests"] if row["term"] == "sex")
    assert test["f"] == pytest.approx(sex["t"] ** 2)
    assert (test["den_df"], test["p"]) == (pytest.approx(sex["df"]), pytest.approx(sex["p"]))


@pytest.mark.parametrize("df", ["satterthwaite", "kenward-roger"])
def test_f_tests_do_not_depend_on_the_reference(df):
    frame = trial()
    plain = fitted(frame, "change ~ baseline + sex + arm * visit", df=df)["tests"]
    levels = {"arm": ["B", "A"], "sex": ["M", "F"], "visit": ["W24", "W2", "W12"]}
    turned = fitted(frame, "change ~ baseline + sex + arm * visit", df=df, levels=levels)["tests"]
    for one, other in zip(plain, turned, strict=True):
        assert one["term"] == other["term"]
        assert [one["f"], one["den_df"]] == pytest.approx([other["f"], other["den_df"]], rel=1e-6)


def test_mean_of_the_differences_is_the_difference_of_the_averages(us):
    late = us["averages"][1]
    means = {row["arm"]: row["estimate"] for row in late["ls_means"]}
    (difference,) = late["contrasts"]
    assert difference["estimate"] == pytest.approx(means["Active"] - means["Placebo"])
    by_visit = [row["estimate"] for row in us["contrasts"] if row["visit"] in ("W78", "W104")]
    assert difference["estimate"] == pytest.approx(np.mean(by_visit))


def test_means_count_the_patients_of_their_visit(data, us):
    counts = data[data["change"].notna()].groupby(["visit", "arm"]).size()
    assert {(row["visit"], row["arm"]): row["n"] for row in us["ls_means"]} == counts.to_dict()


def test_a_model_without_arms_has_one_mean_a_visit():
    result = fitted(trial(), "change ~ baseline + visit")
    assert [(row["visit"], row["arm"]) for row in result["ls_means"]] == [
        (visit, None) for visit in ("W2", "W12", "W24")
    ]
    assert result["averages"][0]["contrasts"] == []
    rows = mean_rows(result)
    assert set(rows["arm"]) == {"all"} and "difference" not in rows


def test_empty_combinations_have_no_mean_and_no_f_tests():
    frame = trial()
    frame = frame[~((frame["arm"] == "B") & (frame["visit"] == "W24"))]
    result = fitted(frame, "change ~ arm * visit", averages=[["W2", "W12"], ["W24"]])
    missing = [row for row in result["ls_means"] if row["estimate"] is None]
    assert [(row["visit"], row["arm"], row["n"]) for row in missing] == [("W24", "B", 0)]
    assert result["tests"] == [] and "no rows" in result["notes"]["tests"]
    assert result["averages"][0]["contrasts"][0]["estimate"] is not None
    assert result["averages"][1]["contrasts"][0]["estimate"] is None


def test_factors_with_a_coding_of_their_own_have_no_f_tests():
    result = fitted(trial(), "change ~ C(sex, contr.sum) + arm * visit")
    assert result["tests"] == [] and "coding" in result["notes"]["tests"]
    assert [row["term"] for row in fitted(trial(), "change ~ C(sex) + visit")["tests"]] == ["C(sex)", "visit"]


@pytest.mark.parametrize(("averages", "said"), [([["W9"]], "W9; the visits are W2"), ([[]], "name these")])
def test_averages_of_unknown_visits_are_refused(averages, said):
    with pytest.raises(InputError, match=said):
        fitted(trial(), averages=averages)


def test_the_visit_is_no_arm():
    with pytest.raises(InputError, match="that is the visit"):
        fitted(trial(), arm="visit")


def test_rows_of_the_table_put_the_reference_first(us):
    rows = mean_rows(us)
    assert rows["visit"].drop_duplicates().tolist() == [
        *VISITS,
        "average of all visits",
        "average of W78, W104",
    ]
    assert rows["arm"].tolist() == ["Placebo", "Active"] * 6
    own = rows[rows["arm"] == "Active"].set_index("visit").loc["W104"]
    last = next(row for row in us["contrasts"] if row["visit"] == "W104")
    assert own["difference"] == last["estimate"] and own["p"] == last["p"]
    assert rows.loc[rows["arm"] == "Placebo", "difference"].isna().all()


# Several arms


@pytest.fixture(scope="module")
def three():
    data = read("arms_dunnett.csv").assign(visit="W52")
    data["subject"] = [f"P{place}" for place in range(len(data))]
    return data


def several(frame, method, order=()):
    options = Options(reference="P", arm="g", adjust=method, order=order)
    return mmrm(frame, "y ~ x + g", "subject", "visit", options)


def test_dunnett_of_one_visit_equals_multcomp(three):
    result = several(three, "dunnett")
    p = {row["a"]: row["p_adjusted"] for row in result["contrasts"]}
    assert p == pytest.approx({"L": 0.31813773979, "M": 0.06061192514, "H": 0.02791388600}, abs=3e-6)
    assert "Dunnett" in result["adjust_words"] and "not over visits" in result["notes"]["adjust"]


def test_a_fixed_sequence_follows_its_order(three):
    rows = {row["a"]: row for row in several(three, "fixed", ["H", "M", "L"])["contrasts"]}
    assert rows["H"]["p_adjusted"] == rows["H"]["p"]
    assert rows["L"]["p_adjusted"] == max(row["p"] for row in rows.values())
    with pytest.raises(InputError, match="the arms to compare are"):
        several(three, "fixed", ["H"])
    with pytest.raises(InputError, match="one of dunnett"):
        several(three, "tukey")


@pytest.mark.parametrize("method", ["dunnett", "holm", "hochberg"])
def test_each_visit_is_a_family_of_its_own(data, method):
    arms = {
        name: ("Placebo", "Low", "High")[place % 3] for place, name in enumerate(sorted(set(data["subject"])))
    }
    frame = data.assign(arm=data["subject"].map(arms))
    whole = mmrm(frame, "change ~ arm * visit", "subject", "visit", Options("cs", adjust=method))
    assert len(whole["contrasts"]) == 8
    for row in [*whole["contrasts"], *whole["averages"][0]["contrasts"]]:
        assert row["p"] <= row["p_adjusted"] <= min(1, 2 * row["p"] + 1e-9)
