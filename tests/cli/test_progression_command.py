"""``sharpline progression`` as a script calls it."""

import json
import re

import pandas as pd
import pytest

from tests.helpers.commands import run_command

TOTALS = {
    "R1": ([0, 4, 12, 22, 2, 35, 0, 8, 16, 5], [0, 6, 13, 22, 2, 41, 2, 8, 19, 5]),
    "R2": ([0, 5, 10, 24, 2, 33, 1, 7, 15, 6], [1, 6, 13, 23, 2, 37, 1, 8, 16, 6]),
}


@pytest.fixture
def table():
    rows = [
        (f"P{number + 1}", "A", reader, day, totals[number])
        for reader, (base, follow) in TOTALS.items()
        for number in range(10)
        for day, totals in ((0, base), (730, follow))
    ]
    return pd.DataFrame(rows, columns=["subject", "arm", "reader", "days", "total"])


def run(capsys, *arguments):
    return run_command(capsys, "progression", *arguments)


def answer(capsys, frame, path, *arguments):
    {".csv": frame.to_csv, ".xlsx": frame.to_excel, ".parquet": frame.to_parquet}[path.suffix](
        path, index=False
    )
    status, out, err = run(capsys, path, "--json", *arguments)
    return status, json.loads(out), err


@pytest.mark.parametrize("ending", [".csv", ".xlsx", ".parquet"])
def test_json_is_the_contract(table, tmp_path, capsys, ending):
    status, result, _ = answer(capsys, table, tmp_path / f"t{ending}")
    assert status == 0
    assert (result["from_days"], result["to_days"], result["subjects"], result["readers"]) == (
        0,
        730,
        10,
        ["R1", "R2"],
    )
    first = result["change"][0]
    assert {name: first[name] for name in ("subject", "arm", "mean_change", "per_reader")} == {
        "subject": "P1", "arm": "A", "mean_change": 0.5, "per_reader": {"R1": 0, "R2": 1},
    }  # fmt: skip
    assert first["annualised"] == pytest.approx(0.250171, abs=5e-7)
    row = result["summary"]["all"]
    assert [row[name] for name in ("n", "mean", "sd", "median", "q1", "q3")] == pytest.approx(
        [10, 1.2, 1.584649, 0.75, 0.125, 1.875], abs=5e-7
    )
    assert result["sdc95"] == pytest.approx({"one_reader": 1.981658, "mean_of_readers": 1.401244}, abs=5e-7)
    form = result["change_icc"]["ICC(A,1)"]
    assert [form["estimate"], *form["ci"]] == pytest.approx([0.6667, 0.1288, 0.9044], abs=5e-5)
    assert {name: result["progressors"][name] for name in (">0", ">0.5", ">=2", ">SDC")} == {
        ">0": 7, ">0.5": 5, ">=2": 3, ">SDC": 4,
    }  # fmt: skip
    assert result["net_progression"] == 6
    assert result["cumulative_probability"][0] == {"subject": "P4", "arm": "A", "x": 0.05, "y": -0.5}


def test_refused_rows_end_with_status_1(table, tmp_path, capsys):
    frame = table.astype(object)
    frame.loc[0, "total"] = "zero"
    status, result, err = answer(capsys, frame, tmp_path / "t.csv")
    assert status == 1
    assert result["refused"] == [{"row": 1, "reason": "total 'zero' is not a number"}]
    assert "row 1 refused" in err
    assert result["change"][0]["per_reader"] == {"R1": None, "R2": 1}


def test_an_export_is_taken_as_it_is(table, tmp_path, capsys):
    export = pd.concat(
        [table.assign(component=name, system="msasss", campaign="paired", total=table["total"] * factor)
         for name, factor in (("cervical", 0.5), ("total", 1))]
    )  # fmt: skip
    _, result, err = answer(capsys, export, tmp_path / "t.csv")
    assert result["summary"]["all"]["mean"] == pytest.approx(1.2)
    assert "component=total" in err
    _, result, _ = answer(capsys, export, tmp_path / "t.csv", "--where", "component=cervical")
    assert result["summary"]["all"]["mean"] == pytest.approx(0.6)


@pytest.mark.parametrize("column", ["campaign", "read_mode", "system", "rule"])
def test_changes_of_two_campaigns_are_never_pooled(table, tmp_path, capsys, column):
    both = pd.concat([table.assign(**{column: "one"}), table.assign(**{column: "two"})])
    both.to_csv(tmp_path / "t.csv", index=False)
    status, out, err = run(capsys, tmp_path / "t.csv", "--json")
    assert (status, out) == (2, "")
    assert f"has several values of {column}: one, two; an SDC belongs to one of them; choose one" in err
    assert answer(capsys, both, tmp_path / "t.csv", "--where", f"{column}=two")[1]["subjects"] == 10


def test_readers_of_several_kinds_are_pointed_out(table, tmp_path, capsys):
    kinds = table.assign(reader_kind=table["reader"].map({"R1": "human", "R2": "model"}))
    assert "readers of several kinds (human, model)" in answer(capsys, kinds, tmp_path / "t.csv")[2]
    one = answer(capsys, kinds, tmp_path / "t.csv", "--where", "reader_kind=human")
    assert (one[1]["readers"], one[2]) == (["R1"], "")


def test_days_window_and_readers_are_options(table, tmp_path, capsys):
    more = pd.concat([table, table[table["days"] == 0].assign(days=400)])
    arguments = ("--from-days", 380, "--to-days", 700, "--window", 40, "--readers", "R2")
    _, result, _ = answer(capsys, more, tmp_path / "t.csv", *arguments)
    assert (result["from_days"], result["to_days"], result["window"]) == (380, 700, 40)
    assert result["readers"] == ["R2"]
    assert result["change"][0]["from_day"] == 400
    assert result["sdc95"] is None


def test_text_says_change_error_and_progressors(table, tmp_path, capsys):
    table.to_csv(tmp_path / "t.csv", index=False)
    status, out, _ = run(capsys, tmp_path / "t.csv")
    assert status == 0
    assert "Change from day 0 to day 730" in out
    assert "SDC95, one reader 1.98; mean of 2 readers 1.4" in out
    assert re.search(r"change >SDC +all 4/10", out)


@pytest.mark.parametrize(
    ("drop", "arguments", "message"),
    [
        ("days", [], "t.csv has no column days; it has subject, arm, reader, total;"),
        ("arm", ["--where", "reader=R9"], "no row is left under --where"),
        ("arm", ["--readers", "R9"], "reader R9; the readers are R1, R2"),
        ("arm", ["--from-days", "700", "--to-days", "10"], "from day 700 to day 10"),
    ],
)
def test_errors_are_one_line_and_status_2(table, tmp_path, capsys, drop, arguments, message):
    table.drop(columns=drop).to_csv(tmp_path / "t.csv", index=False)
    status, out, err = run(capsys, tmp_path / "t.csv", *arguments)
    assert (status, out) == (2, "")
    assert len(err.strip().splitlines()) == 1
    assert message in err


def long_study(n=40):
    """Half-yearly films of two arms, some of them missing at the end."""
    rows = []
    for number in range(n):
        for visit in range(5 if number % 4 else 3):
            for reader in ("R1", "R2"):
                total = number % 9 + visit * (number % 3) / 2 + (reader == "R2") * (number + visit) % 2
                rows.append((f"P{number}", "AB"[number % 2], reader, 182 * visit, total, f"pt{number // 2}"))
    return pd.DataFrame(rows, columns=["subject", "arm", "reader", "days", "total", "patient"])


def test_missing_films_are_put_in_on_demand(tmp_path, capsys):
    status, result, _ = answer(capsys, long_study(), tmp_path / "t.csv", "--impute", "linear")
    assert status == 0
    first = result["imputed"][0]
    assert (first["method"], first["group"], first["measure"]) == ("linear", "all", "mean change")
    assert (first["n"], first["imputed_films"]) == (40, 10)
    assert result["subjects"] == 30  # what the contract states stays as it is
    assert "rate up to the last film" in first["estimand"]


def test_sensitivity_takes_every_rule_of_the_file(tmp_path, capsys):
    both = pd.concat([long_study().assign(rule=rule) for rule in ("msasss.seg_mean", "msasss.complete_only")])
    path = tmp_path / "t.csv"
    status, result, err = answer(capsys, both, path, "--sensitivity", "--imputations", 2)
    assert status == 0
    assert {row["rule"] for row in result["sensitivity"]} == {"msasss.seg_mean", "msasss.complete_only"}
    assert len({row["method"] for row in result["sensitivity"]}) == 5
    assert "change and models use msasss.seg_mean" in err
    status, _, err = run(capsys, path)
    assert status == 2
    assert "several values of rule" in err


def test_models_are_fitted_on_demand(tmp_path, capsys):
    status, result, err = answer(
        capsys,
        long_study(),
        tmp_path / "t.csv",
        "--model",
        "mixed",
        "--model",
        "logistic",
        "--progressor",
        ">=2",
    )
    assert status == 0
    assert set(result["models"]) == {"mixed", "logistic"}
    mixed = result["models"]["mixed"]
    assert [row["term"] for row in mixed["coefficients"]] == [
        "Intercept",
        "arm[T.B]",
        "years",
        "years:arm[T.B]",
    ]
    assert mixed["converged"] is True
    assert result["models"]["logistic"]["rule"] == ">=2"
    assert "fitting mixed" in err


def test_cluster_resamples_patients(tmp_path, capsys):
    path = tmp_path / "t.csv"
    status, result, _ = answer(capsys, long_study(), path, "--cluster", "patient")
    assert status == 0
    assert result["cluster"] == "patient"
    assert result["bootstrap"]["patients"] == 20
    _, plain, _ = answer(capsys, long_study(), path)
    assert plain["summary"]["all"]["ci"] != result["summary"]["all"]["ci"]
    assert plain["summary"]["all"]["mean"] == result["summary"]["all"]["mean"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--cluster", "nothing"], "--cluster nothing"),
        (["--cluster", "patient", "--sensitivity"], "--cluster with --sensitivity"),
        (["--progressor", "many"], "--progressor many"),
        (["--bands", "2,1"], "--bands 2,1: rising numbers"),
        (["--bands", "a"], "--bands a: numbers are needed"),
        (["--impute", "guess"], "--impute"),
    ],
)
def test_wrong_use_of_the_options(tmp_path, capsys, arguments, message):
    long_study(4).to_csv(tmp_path / "t.csv", index=False)
    status, out, err = run(capsys, tmp_path / "t.csv", *arguments)
    assert (status, out) == (2, "")
    assert message in err
    assert "Traceback" not in err


def test_bands_of_the_sdc(tmp_path, capsys):
    _, result, _ = answer(capsys, long_study(), tmp_path / "t.csv", "--bands", "0.5,2")
    assert [band["label"] for band in result["sdc_by_size"]["bands"]] == [
        "0 to below 0.5", "0.5 to below 2", "2 or more",
    ]  # fmt: skip


def test_text_tells_panel_and_models(tmp_path, capsys):
    long_study().to_csv(tmp_path / "t.csv", index=False)
    status, out, _ = run(
        capsys, tmp_path / "t.csv", "--impute", "locf", "--model", "compare", "--model", "time", "--seed", 1
    )
    assert status == 0
    for piece in (
        "as given, locf: Mean change had nothing happened",
        "films put in",
        "Time to first",
        "arm[T.B]",
    ):
        assert piece in out
    assert "nan" not in out
