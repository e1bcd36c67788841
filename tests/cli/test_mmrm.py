"""``sharpline mmrm`` as a script calls it."""

import json

import pandas as pd
import pytest

from tests.helpers.commands import run_command
from tests.helpers.paths import REFERENCE

COUNTS = (120, 367, 113)
FORMULA = "change ~ baseline * visit + sex + arm * visit"


@pytest.fixture
def trial(tmp_path):
    path = tmp_path / "trial.csv"
    pd.read_csv(REFERENCE / "mmrm_trial.csv", comment="#").to_csv(path, index=False)
    return path


def run(capsys, *arguments):
    return run_command(capsys, "mmrm", *arguments)


def test_json_is_the_contract(trial, capsys):
    common = (
        trial,
        "--formula",
        FORMULA,
        "--subject",
        "subject",
        "--visit",
        "visit",
        "--levels",
        "arm=Placebo,Active",
    )
    status, out, err = run(capsys, *common, "--json")
    result = json.loads(out)
    assert (status, err) == (0, "")
    assert (result["n_subjects"], result["n_rows"], result["dropped_rows"]) == COUNTS
    assert result["reml_loglik"] == pytest.approx(-809.8236602, abs=1e-6)  # nlme, see mmrm_gls.csv
    assert result["converged"] is True
    row = result["coefficients"][0]
    assert set(row) == {"term", "estimate", "se", "df", "t", "p", "ci"}
    assert row["estimate"] == pytest.approx(
        -0.6164606879 + 0.3611235566, abs=1e-5
    )  # nlme, Placebo as reference
    assert result["covariance"]["levels"] == ["W26", "W52", "W78", "W104"]
    assert len(result["covariance"]["matrix"]) == 4
    row = result["contrasts"][3]
    assert (row["visit"], row["a"], row["b"]) == ("W104", "Active", "Placebo")
    assert row["estimate"] == pytest.approx(-0.3611235566 - 1.426093783, abs=1e-5)
    rogered = json.loads(run(capsys, *common, "--json", "--df", "kenward-roger")[1])["contrasts"][3]
    assert rogered["se"] > row["se"]
    assert rogered["df"] == row["df"]


def test_text_says_fit_coefficients_and_contrasts(trial, capsys):
    status, out, _ = run(
        capsys,
        trial,
        "--formula",
        "change ~ arm * visit",
        "--subject",
        "subject",
        "--visit",
        "visit",
        "--covariance",
        "ar1h",
    )
    assert status == 0
    assert "120 subjects, 367 rows used, 113 left out" in out
    assert "covariance ar1h, df satterthwaite, REML log-likelihood" in out
    assert "W104 " in out and "Placebo" in out


def test_refused_rows_end_with_status_1(trial, capsys):
    frame = pd.read_csv(trial, dtype=str)
    frame.loc[0, "change"] = "ND"
    frame.to_csv(trial, index=False)
    status, out, err = run(
        capsys,
        trial,
        "--formula",
        "change ~ arm * visit",
        "--subject",
        "subject",
        "--visit",
        "visit",
        "--json",
    )
    assert status == 1
    assert json.loads(out)["refused"] == [{"row": 1, "reason": "change 'ND' is not a number"}]
    assert "row 1 refused" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--formula", "change ~ DOSE"], "the table has no column DOSE"),
        (["--formula", "change ~ arm", "--levels", "arm"], "--levels arm: COLUMN=LEVEL,LEVEL is needed"),
        (["--formula", "change ~ arm", "--covariance", "sp"], "'sp' is not one of"),
        (["--formula", "change ~ arm", "--where", "sex=X"], "no row is left under --where"),
    ],
)
def test_errors_are_one_line_and_status_2(trial, capsys, arguments, message):
    status, out, err = run(capsys, trial, "--subject", "subject", "--visit", "visit", *arguments)
    assert (status, out) == (2, "")
    assert len(err.strip().splitlines()) == 1
    assert message in err


def test_means_averages_and_f_tests_are_printed_and_in_the_json(trial, capsys):
    common = (trial, "--formula", FORMULA, "--subject", "subject", "--visit", "visit", "--covariance", "cs")
    status, out, _ = run(capsys, *common, "--average", "W78,W104", "--average", "W26")
    assert status == 0
    places = [
        out.index(text) for text in ("LS means", "differences", "average of W78, W104", "F tests (Type III)")
    ]
    assert places == sorted(places)
    result = json.loads(run(capsys, *common, "--json")[1])
    assert set(result["ls_means"][0]) == {"visit", "arm", "estimate", "se", "df", "ci", "n"}
    assert [over["visits"] for over in result["averages"]] == [["W26", "W52", "W78", "W104"]]
    assert set(result["averages"][0]["ls_means"][0]) == {"arm", "estimate", "se", "df", "ci"}
    assert set(result["tests"][0]) == {"term", "num_df", "den_df", "f", "p"}
    status, _, err = run(capsys, *common, "--average", "W9")
    assert status == 2 and "the visits are W26, W52, W78, W104" in err


def test_adjusted_p_stand_beside_the_raw_ones(trial, capsys):
    common = (trial, "--formula", FORMULA, "--subject", "subject", "--visit", "visit", "--covariance", "cs")
    _, out, _ = run(capsys, *common, "--adjust", "holm")
    assert "p adjusted by Holm" in out and "p_adjusted" in out
    status, _, err = run(capsys, *common, "--adjust", "holm", "--order", "Active")
    assert status == 2 and "give both" in err
