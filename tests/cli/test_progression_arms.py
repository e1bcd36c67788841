"""``sharpline progression`` with strata, covariates and several arms."""

import json

import numpy as np
import pandas as pd
import pytest

from tests.helpers.commands import run_command


@pytest.fixture
def study(tmp_path):
    rng = np.random.default_rng(8)
    rows = []
    for number in range(60):
        arm, region = ("Placebo", "Low", "High")[number % 3], ("EU", "US")[number // 3 % 2]
        base, change = rng.gamma(2, 6), rng.gamma(0.7, 3) * (rng.random() < 0.7)
        for reader in ("R1", "R2"):
            for days, total in ((0, base), (728, base + change)):
                seen = max(0, round(2 * (total + rng.normal(0, 0.4))) / 2)
                rows.append((f"P{number}", arm, region, 30 + number, reader, days, seen))
    path = tmp_path / "study.csv"
    columns = ["subject", "arm", "region", "age", "reader", "days", "total"]
    pd.DataFrame(rows, columns=columns).to_csv(path, index=False)
    return path


def run(capsys, *arguments):
    return run_command(capsys, "progression", *arguments)


def test_json_has_the_comparison_and_nothing_else_changes(study, capsys):
    status, out, _ = run(
        capsys, study, "--strata", "region", "--covariate", "age", "--adjust", "holm", "--json"
    )
    assert status == 0
    result = json.loads(out)
    found = result.pop("adjusted")
    assert (found["reference_arm"], found["strata"], found["covariates"]) == ("Placebo", ["region"], ["age"])
    assert [row["a"] for row in found["comparisons"]] == ["High", "Low"]
    assert set(found["comparisons"][0]["progressors"]) == {">0", ">0.5", ">=2", ">SDC", ">=5", ">=5/y"}
    assert set(found["comparisons"][0]["ancova"]) == {"estimate", "se", "df", "p", "ci", "p_adjusted"}
    assert result == json.loads(run(capsys, study, "--json")[1])


def test_reference_and_order_are_followed(study, capsys):
    common = (
        study,
        "--reference",
        "Low",
        "--adjust",
        "fixed",
        "--order",
        "Placebo,High",
        "--progressor",
        ">=3",
    )
    found = json.loads(run(capsys, *common, "--json")[1])["adjusted"]
    assert found["reference_arm"] == "Low"
    p = {row["a"]: row["ancova"] for row in found["comparisons"]}
    assert p["High"]["p_adjusted"] == max(p["High"]["p"], p["Placebo"]["p"])
    assert ">=3" in found["comparisons"][0]["progressors"]


def test_text_says_what_it_is_adjusted_for(study, capsys):
    _, out, _ = run(capsys, study, "--strata", "region", "--covariate", "age", "--adjust", "dunnett")
    assert "Arms against Placebo: baseline, strata region, covariates age; 60 patients, 0 left out" in out
    assert "Dunnett" in out and "van Elteren p" in out and "Mantel-Haenszel" in out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--strata", "site"), "no column site"),
        (("--strata", "total"), "one value for each subject is needed"),
        (("--order", "High,Low"), "give both"),
        (("--adjust", "fixed", "--order", "High"), "name each of them once"),
        (("--cluster", "region", "--adjust", "holm"), "--cluster with --strata"),
    ],
)
def test_options_that_cannot_be_followed_are_refused(study, capsys, options, said):
    status, _, err = run(capsys, study, *options)
    assert status == 2 and said in err


def test_patients_without_an_arm_are_named_and_a_study_without_arms_is_said(study, capsys):
    table = pd.read_csv(study)
    table.loc[table["subject"].isin(["P1", "P2"]), "arm"] = None
    table.to_csv(study, index=False)
    found = json.loads(run(capsys, study, "--strata", "region", "--json")[1])["adjusted"]
    assert found["n"] == 58
    assert found["left_out"] == [{"subject": name, "reason": "no arm"} for name in ("P1", "P2")]
    table.drop(columns="arm").to_csv(study, index=False)
    status, out, _ = run(capsys, study, "--strata", "region", "--covariate", "age", "--adjust", "holm")
    assert status == 0 and "two arms with patients are needed" in out
