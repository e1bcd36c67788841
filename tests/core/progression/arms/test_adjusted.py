"""Arms against the reference by strata and covariates: each number is that of its own function."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from core.errors import InputError
from core.progression.arms.adjusted import AdjustedOptions, adjusted_comparison
from core.progression.arms.mantel_haenszel import cmh_test, common_risk_difference, tables
from core.progression.arms.multiplicity import adjusted_p
from core.progression.arms.patient_columns import as_columns, patient_columns, stratum_of
from core.progression.arms.rank_ancova import rank_ancova, residual_ranks
from core.progression.arms.van_elteren import van_elteren
from core.progression.progressors import cutoff

ARMS = ["Placebo", "Low", "High"]
CUTOFFS = (cutoff(">0"), cutoff(">SDC"))


@pytest.fixture
def trial():
    rng = np.random.default_rng(12)
    n = 84
    arm = np.array(ARMS)[np.arange(n) % 3]
    rows = pd.DataFrame(
        {
            "subject": [f"P{number:02d}" for number in range(n)],
            "arm": pd.Categorical(arm, categories=ARMS),
            "baseline": rng.gamma(2, 6, n).round(1),
            "change": (rng.gamma(0.7, 3, n) * (rng.random(n) < 0.6)).round(1),
            "years": 2.0,
        }
    )
    patients = pd.DataFrame(
        {
            "region": np.array(["EU", "US"])[rng.integers(0, 2, n)],
            "crp": np.array(["low", "high"])[rng.integers(0, 2, n)],
            "age": rng.integers(25, 70, n).astype(float),
            "sex": np.array(["F", "M"], object)[rng.integers(0, 2, n)],
        },
        index=rows["subject"],
    )
    return rows, patients


def compared(trial, *, limit=1.5, **options):
    rows, patients = trial
    limits = None if limit is None else np.full(len(rows), limit)
    return adjusted_comparison(rows, patients, AdjustedOptions(cutoffs=CUTOFFS, **options), limits)


OPTIONS = {"strata": ("region", "crp"), "covariates": ("age", "sex")}


def test_every_arm_is_compared_with_the_reference(trial):
    found = compared(trial, **OPTIONS)
    assert found["reference_arm"] == "Placebo"
    assert [(row["a"], row["b"], row["n_a"], row["n_b"]) for row in found["comparisons"]] == [
        ("Low", "Placebo", 28, 28),
        ("High", "Placebo", 28, 28),
    ]
    assert sum(sum(sizes.values()) for sizes in found["stratum_sizes"].values()) == found["n"] == 84
    assert set(found["stratum_sizes"]) == {"EU / low", "EU / high", "US / low", "US / high"}


def test_ancova_is_least_squares_of_all_arms(trial):
    rows, patients = trial
    data = rows.set_index("subject").join(patients)
    data["stratum"] = data["region"] + data["crp"]
    fit = smf.ols("change ~ arm + baseline + stratum + age + sex", data.astype({"arm": object}).assign(
        arm=data["arm"])).fit()  # fmt: skip
    for row in compared(trial, **OPTIONS)["comparisons"]:
        term = f"arm[T.{row['a']}]"
        expected = [fit.params[term], fit.bse[term], fit.pvalues[term], *fit.conf_int().loc[term]]
        one = row["ancova"]
        assert [one["estimate"], one["se"], one["p"], *one["ci"]] == pytest.approx(expected)
        assert one["df"] == fit.df_resid


def test_tests_by_stratum_are_those_of_the_pair(trial):
    rows, patients = trial
    stratum = stratum_of(patients, ["region", "crp"])
    covariates = np.column_stack([rows["baseline"], as_columns(patients[["age", "sex"]])])
    for row in compared(trial, **OPTIONS)["comparisons"]:
        pair = rows["arm"].isin(["Placebo", row["a"]]).to_numpy()
        change, second = rows["change"].to_numpy()[pair], (rows["arm"] == row["a"]).to_numpy()[pair]
        assert row["van_elteren"]["p"] == van_elteren(change, second, stratum[pair]).p
        ranks = rank_ancova(change, covariates[pair], second, stratum[pair])
        assert row["rank_ancova"]["p"] == pytest.approx(ranks.p)
        counts = tables(change > 1.5, second, stratum[pair])
        shares = row["progressors"][">SDC"]
        assert shares["cmh"]["p"] == cmh_test(counts).p
        assert shares["risk_difference"] == common_risk_difference(counts)
        low, high = shares["adjusted_risk_difference"]["ci"]
        assert low < shares["adjusted_risk_difference"]["estimate"] < high


def test_ranks_cleared_of_covariates_do_not_depend_on_their_scale(trial):
    rows, patients = trial
    change, age = rows["change"].to_numpy(), patients["age"].to_numpy()
    base = rows["baseline"].to_numpy()
    plain = residual_ranks(change, np.column_stack([base, age]))
    assert plain == pytest.approx(residual_ranks(change, np.column_stack([np.log(base), age**3])))
    assert plain.sum() == pytest.approx(0)
    assert residual_ranks(change, np.column_stack([base, base])) == pytest.approx(
        residual_ranks(change, base)
    )


def test_who_lacks_a_stratum_or_covariate_is_left_out_and_named(trial):
    rows, patients = trial
    patients.loc["P03", "region"], patients.loc["P05", "age"] = None, np.nan
    found = compared((rows, patients), **OPTIONS)
    assert found["n"] == 82
    assert found["left_out"] == [
        {"subject": "P03", "reason": "no region"},
        {"subject": "P05", "reason": "no age"},
    ]


@pytest.mark.parametrize("method", ["holm", "hochberg", "fixed"])
def test_adjusted_p_stand_beside_every_raw_p(trial, method):
    found = compared(trial, adjust=method, order=("High", "Low") if method == "fixed" else (), **OPTIONS)
    rows = found["comparisons"]
    order = [1, 0] if method == "fixed" else [0, 1]
    for family in (
        [row["ancova"] for row in rows],
        [row["van_elteren"] for row in rows],
        [row["rank_ancova"] for row in rows],
        [row["progressors"][">0"]["cmh"] for row in rows],
        [row["progressors"][">SDC"]["adjusted_risk_difference"] for row in rows],
    ):
        expected = adjusted_p([family[place]["p"] for place in order], method)
        assert [family[place]["p_adjusted"] for place in order] == expected
    assert method.split("_")[0] in found["adjust_words"].casefold()


def test_dunnett_is_of_the_means_alone(trial):
    found = compared(trial, adjust="dunnett", **OPTIONS)
    for row in found["comparisons"]:
        assert row["ancova"]["p"] < row["ancova"]["p_adjusted"] < 1
        assert "p_adjusted" not in row["van_elteren"]
    assert "means" in found["notes"]["adjust"]


def test_without_strata_and_covariates_all_are_one_stratum(trial):
    rows, _ = trial
    found = compared(trial)
    assert (found["strata"], found["stratum_sizes"], found["left_out"]) == ([], {}, [])
    assert found["comparisons"][0]["van_elteren"]["strata"] == 1
    assert found["n"] == len(rows)


def test_what_cannot_be_compared_is_said(trial):
    rows, patients = trial
    found = compared((rows, patients.assign(region=rows["arm"].to_numpy(object))), strata=("region",))
    assert found["comparisons"][0]["ancova"]["estimate"] is None and "follow" in found["notes"]["ancova"]
    assert found["comparisons"][0]["van_elteren"]["p"] is None
    assert "not every arm" in found["notes"]["strata"]
    assert "SDC" in compared(trial, limit=None)["notes"][">SDC"]
    one = rows[rows["arm"] == "Placebo"].assign(arm=lambda own: own["arm"].cat.remove_unused_categories())
    assert "two arms" in compared((one, patients))["notes"]["comparisons"]


def test_firth_is_said_where_a_term_separates(trial):
    rows, patients = trial
    rows = rows.assign(change=np.where(rows["arm"] == "Low", 0.0, rows["change"] + 0.5))
    found = compared((rows, patients))
    assert "Firth" in found["notes"][">0"]
    assert {
        row["progressors"][">0"]["adjusted_risk_difference"]["method"] for row in found["comparisons"]
    } == {"Firth"}


@pytest.mark.parametrize(("options", "said"), [
    ({"adjust": "scheffe"}, "dunnett"), ({"adjust": "fixed", "order": ("High",)}, "name each of them once"),
])  # fmt: skip
def test_unknown_methods_and_orders_are_refused(trial, options, said):
    with pytest.raises(InputError, match=said):
        compared(trial, **options)


# Columns of patients


def test_patients_have_one_value_from_several_rows():
    table = pd.DataFrame(
        {"subject": ["1", "1", "2", 3], "age": ["40", None, "50.5", ""], "sex": list("FFM ")}
    )
    found = patient_columns(table, ["age", "sex"])
    assert found.index.tolist() == ["1", "2", "3"]
    assert found["age"].tolist() == pytest.approx([40, 50.5, np.nan], nan_ok=True)
    assert found["sex"].tolist()[:2] == ["F", "M"] and found["sex"].isna().tolist()[2]


def test_two_values_of_a_patient_are_refused():
    table = pd.DataFrame({"subject": ["1", "1"], "age": [40, 41]})
    with pytest.raises(InputError, match="subject 1 has age 40 and 41"):
        patient_columns(table, ["age"])
    with pytest.raises(InputError, match="no column sex"):
        patient_columns(table, ["sex"])
