"""``sharpline mmrm`` as a script calls it."""

import json
from pathlib import Path

import pandas as pd
import pytest

from core.cli import main

REFERENCE = Path(__file__).parents[1] / "reference"
FORMULA = "FEV1 ~ RACE + SEX + ARMCD * AVISIT"


@pytest.fixture
def fev(tmp_path):
    path = tmp_path / "fev.csv"
    pd.read_csv(REFERENCE / "fev_data.csv", comment="#").to_csv(path, index=False)
    return path


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        main(["mmrm", *map(str, arguments)])
    out, err = capsys.readouterr()
    return end.value.code, out, err


def test_json_is_the_contract(fev, capsys):
    common = (
        fev,
        "--formula",
        FORMULA,
        "--subject",
        "USUBJID",
        "--visit",
        "AVISIT",
        "--levels",
        "SEX=Male,Female",
    )
    status, out, err = run(capsys, *common, "--json")
    result = json.loads(out)
    assert (status, err) == (0, "")
    assert (result["n_subjects"], result["n_rows"], result["dropped_rows"]) == (197, 537, 263)
    assert result["reml_loglik"] == pytest.approx(-1693.22, abs=0.005)
    assert result["converged"] is True
    row = result["coefficients"][0]
    assert set(row) == {"term", "estimate", "se", "df", "t", "p", "ci"}
    assert [row["estimate"], row["se"], row["df"], row["t"]] == pytest.approx(
        [30.78, 0.89, 218.8, 34.72], abs=0.05
    )
    assert result["covariance"]["levels"] == ["VIS1", "VIS2", "VIS3", "VIS4"]
    assert len(result["covariance"]["matrix"]) == 4
    row = result["contrasts"][3]
    assert (row["visit"], row["a"], row["b"]) == ("VIS4", "TRT", "PBO")
    assert [row["estimate"], row["se"]] == pytest.approx([4.4, 1.68], abs=0.005)
    rogered = json.loads(run(capsys, *common, "--json", "--df", "kenward-roger")[1])["contrasts"][3]
    assert rogered["se"] > row["se"]
    assert rogered["df"] == row["df"]


def test_text_says_fit_coefficients_and_contrasts(fev, capsys):
    status, out, _ = run(
        capsys,
        fev,
        "--formula",
        "FEV1 ~ ARMCD * AVISIT",
        "--subject",
        "USUBJID",
        "--visit",
        "AVISIT",
        "--covariance",
        "ar1h",
    )
    assert status == 0
    assert "197 subjects, 537 rows used, 263 left out" in out
    assert "covariance ar1h, df satterthwaite, REML log-likelihood" in out
    assert "VIS4 TRT PBO" in out


def test_refused_rows_end_with_status_1(fev, capsys):
    frame = pd.read_csv(fev, dtype=str)
    frame.loc[1, "FEV1"] = "ND"
    frame.to_csv(fev, index=False)
    status, out, err = run(
        capsys,
        fev,
        "--formula",
        "FEV1 ~ ARMCD * AVISIT",
        "--subject",
        "USUBJID",
        "--visit",
        "AVISIT",
        "--json",
    )
    assert status == 1
    assert json.loads(out)["refused"] == [{"row": 2, "reason": "FEV1 'ND' is not a number"}]
    assert "row 2 refused" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--formula", "FEV1 ~ DOSE"], "the table has no column DOSE"),
        (["--formula", "FEV1 ~ ARMCD", "--levels", "ARMCD"], "--levels ARMCD: COLUMN=LEVEL,LEVEL is needed"),
        (["--formula", "FEV1 ~ ARMCD", "--covariance", "sp"], "'sp' is not one of"),
        (["--formula", "FEV1 ~ ARMCD", "--where", "SEX=X"], "no row is left under --where"),
    ],
)
def test_errors_are_one_line_and_status_2(fev, capsys, arguments, message):
    status, out, err = run(capsys, fev, "--subject", "USUBJID", "--visit", "AVISIT", *arguments)
    assert (status, out) == (2, "")
    assert len(err.strip().splitlines()) == 1
    assert message in err
