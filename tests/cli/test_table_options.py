"""What commands that read a table share: sheets, codes for missing, decimal sign, ranges, CDISC names."""

import json

import numpy as np
import pandas as pd
import pytest

from core.cli import main
from tests.helpers.table_files import long_table, write_sheets, write_transport

SITES = ("C2I", "C3S", "C3I")


@pytest.fixture
def run(capsys):
    def called(*arguments):
        with pytest.raises(SystemExit) as end:
            main([*map(str, arguments), "--json"])
        out, err = capsys.readouterr()
        return end.value.code, json.loads(out) if out else None, err

    return called


def progression(frame, path):
    frame.to_csv(path, index=False)
    return path


NUMBERS = ("subjects", "summary", "sdc95", "change_icc", "progressors")


def numbers(result):
    return {name: result[name] for name in NUMBERS}


@pytest.mark.parametrize("code", ["-9", "999", "-99", "NA", ".", "ND", "not done"])
def test_a_code_for_missing_gives_what_an_empty_cell_gives(run, tmp_path, code):
    table = long_table().astype({"total": object})
    table.loc[3, "total"] = None
    _, wanted, _ = run("progression", progression(table, tmp_path / "empty.csv"))
    table.loc[3, "total"] = code
    path = progression(table, tmp_path / "code.csv")
    status, found, err = run("progression", path, "--missing", code)
    assert (status, numbers(found)) == (0, numbers(wanted))
    assert f"counts as missing ({code})" in err
    status, found, _ = run("progression", path)
    assert numbers(found) == numbers(wanted)
    if code in ("-9", "999", "-99", "ND"):
        assert (status, [item["row"] for item in found["refused"]]) == (1, [4])
        assert found["refused"][0]["reason"].startswith("total ") and code in found["refused"][0]["reason"]


def test_a_refused_value_is_not_in_any_method_for_missing_films(run, tmp_path):
    table = long_table().astype({"total": object})
    table.loc[3, "total"] = None
    _, wanted, _ = run("progression", progression(table, tmp_path / "empty.csv"), "--sensitivity")
    table.loc[3, "total"] = 999
    status, found, _ = run("progression", progression(table, tmp_path / "code.csv"), "--sensitivity")
    assert status == 1
    means = [
        {row["method"]: row["estimate"] for row in one["sensitivity"] if row["measure"] == "mean change"}
        for one in (found, wanted)
    ]
    assert means[0]["observed"] == means[1]["observed"]
    assert all(abs(mean) < 10 for mean in means[0].values() if mean is not None)


@pytest.mark.parametrize(
    ("options", "high"), [((), "448"), (("--system", "msasss"), "72"), (("--range", "0,50"), "50")]
)
def test_totals_outside_the_range_are_refused(run, tmp_path, options, high):
    table = long_table().astype({"total": float})
    table.loc[0, "total"] = float(high) + 0.5
    status, found, _ = run("progression", progression(table, tmp_path / "t.csv"), *options)
    assert status == 1
    assert f"is outside 0 to {high}, " in found["refused"][0]["reason"]


def test_range_that_is_given_allows_what_looks_like_a_code(run, tmp_path):
    table = long_table().astype({"total": float})
    table.loc[0, "total"] = 999
    path = progression(table, tmp_path / "t.csv")
    assert run("progression", path, "--range", "0,1000")[0] == 0
    assert run("progression", path, "--range", "9")[0] == 2


def test_decimal_commas_give_the_same_numbers(run, tmp_path):
    table = long_table()
    _, wanted, _ = run("progression", progression(table, tmp_path / "point.csv"))
    table.to_csv(tmp_path / "comma.csv", sep=";", decimal=",", index=False)
    status, found, err = run("progression", tmp_path / "comma.csv")
    assert (status, numbers(found)) == (0, numbers(wanted))
    assert "decimal commas" in err


def test_agreement_refuses_likely_codes_and_the_impossible(run, tmp_path):
    table = long_table()[lambda rows: rows["days"] == 0].reset_index(drop=True)
    table.loc[2, "total"] = -9
    path = progression(table.rename(columns={"total": "points"}), tmp_path / "a.csv")
    names = ("--subject", "subject", "--rater", "reader", "--rating", "points")
    status, found, _ = run("agreement", path, *names)
    assert (status, found["dropped_subjects"]) == (1, 1)
    assert "points -9 looks like a code for a missing value" in found["refused"][0]["reason"]
    assert run("agreement", path, *names, "--missing", "-9")[0] == 0
    assert run("agreement", path, *names, "--range=-20,20")[0] == 0
    status, found, _ = run("agreement", path, *names, "--system", "msasss")
    assert "outside 0 to 72" in found["refused"][0]["reason"]


@pytest.mark.parametrize("command", ["progression", "agreement"])
def test_refused_cell_of_a_workbook_is_named(run, tmp_path, command):
    table = long_table().astype({"total": object})
    table.loc[1, "total"] = "see note"
    rows = [["title"], list(table.columns), *table.to_numpy().tolist()]
    write_sheets(tmp_path / "b.xlsx", {"Info": [["made 2024"]], "Scores": rows})
    names = ("--subject", "subject,days", "--rater", "reader", "--rating", "total")
    status, found, err = run(command, tmp_path / "b.xlsx", *(names if command == "agreement" else ()))
    assert status == 1
    assert found["refused"][0]["cell"] == "Scores!D4"
    assert "row 2 (Scores!D4) refused" in err
    assert "read from sheet Scores of Info, Scores" in err


def test_formula_without_a_value_stops_every_command_that_needs_the_cell(run, tmp_path):
    table = long_table().astype(object)
    table["comment"] = "=1+1"
    rows = [list(table.columns), *table.to_numpy().tolist()]
    write_sheets(tmp_path / "b.xlsx", {"S": rows})
    assert run("progression", tmp_path / "b.xlsx")[0] == 0, "the comment is not needed"
    rows[5][3] = "=MAX(2,3)"
    write_sheets(tmp_path / "b.xlsx", {"S": rows})
    names = ("--subject", "subject,days", "--rater", "reader", "--rating", "total")
    model = ("--formula", "total ~ days", "--subject", "subject", "--visit", "days")
    for command in (("progression",), ("agreement", *names), ("mmrm", *model)):
        status, _, err = run(command[0], tmp_path / "b.xlsx", *command[1:])
        assert status == 2
        assert "S!D6 (=MAX(2,3))" in err


def reads_rows(grade=1):
    header = ["subject", "visit", "reader", "site", "grade"]
    return [header, *[["P1", "BL", "R1", site, grade] for site in SITES]]


@pytest.mark.parametrize("command", ["totals", "reads"])
def test_grades_of_a_workbook_by_cell(run, tmp_path, command):
    rows = reads_rows()
    rows[2][4], rows[3][4] = "NA", 7
    write_sheets(tmp_path / "b.xlsx", {"old": [["x"]], "S": rows}, {"old": "hidden"})
    cohort = ("--cohort", tmp_path / "c.duckdb")
    status, found, err = run(*cohort, command, tmp_path / "b.xlsx", "--system", "msasss")
    assert status == 1
    assert found["refused"] == [{"row": 3, "reason": "grade 7 is outside 0-3 of C3I", "cell": "S!E4"}]
    assert "grade: 1 cell counts as missing (NA)" in err
    status, found, _ = run(*cohort, command, tmp_path / "b.xlsx", "--system", "msasss", "--missing", "7")
    assert (status, found["refused"]) == (0, [])
    assert run(*cohort, command, tmp_path / "b.xlsx", "--system", "msasss", "--sheet", "none")[0] == 2


def test_grade_of_a_wide_table_names_its_column(run, tmp_path):
    rows = [["subject", "visit", *SITES], ["P1", "BL", 1, 9, 2]]
    write_sheets(tmp_path / "b.xlsx", {"S": rows})
    cohort = ("--cohort", tmp_path / "c.duckdb")
    options = ("--system", "msasss", "--reader", "R1")
    _, found, _ = run(*cohort, "reads", tmp_path / "b.xlsx", *options)
    assert found["refused"][0] == {
        "row": 1, "reason": "grade 9 is outside 0-3 of C3S", "column": "C3S", "cell": "S!D2",
    }  # fmt: skip


@pytest.mark.parametrize("read", ["1e2", "0", "1.5", "=1+1", "99999999999999999999", "1000"])
def test_read_that_is_no_small_whole_number_is_refused(run, tmp_path, read):
    path = tmp_path / "r.csv"
    path.write_text(f"subject,visit,site,grade,reader,read\nP1,BL,C2I,1,R1,{read}\nP1,BL,C3S,1,R1,1\n")
    status, found, _ = run("--cohort", tmp_path / "c.duckdb", "reads", path, "--system", "msasss")
    assert (status, found["stored"]) == (1, 1)
    assert found["refused"] == [{"row": 1, "reason": f"read {read} is not a number from 1 to 999"}]


def test_subjects_lose_codes_and_commas_in_columns_of_numbers(run, tmp_path):
    path = tmp_path / "s.csv"
    rows = ["subject;arm;CRP;Region", "NA;A;1,5;NA", "P2;A;-9;EU", "P3;B;.;EU", "P4;B;20,5;NA"]
    path.write_text("\n".join(rows))
    cohort = ("--cohort", tmp_path / "c.duckdb")
    status, found, err = run(*cohort, "subjects", path, "--missing", "-9")
    assert (status, found["subjects"]) == (0, 4)
    assert "CRP: 2 cells count as missing (-9, .)" in err
    out = tmp_path / "o.csv"
    run(*cohort, "export", "--table", "subjects", "--out", out)
    table = pd.read_csv(out, dtype=str, keep_default_na=False).set_index("subject")
    assert table["CRP"].to_dict() == {"NA": "1.5", "P2": "", "P3": "", "P4": "20.5"}
    assert table["Region"].to_dict() == {"NA": "NA", "P2": "EU", "P3": "EU", "P4": "NA"}


def test_said_columns_choose_the_sheet_of_subjects_and_of_visits(run, tmp_path):
    sheets = {"notes": [["made"], ["2024"]], "people": [["PATNO2", "arm"], ["P1", "A"], ["P2", "B"]]}
    write_sheets(tmp_path / "s.xlsx", sheets)
    plans = {"a": [["visit", "planned_day"], ["BL", 0]], "b": [["visit", "planned_day"], ["W52", 364]]}
    write_sheets(tmp_path / "v.xlsx", plans)
    command = (
        "--cohort",
        tmp_path / "c.duckdb",
        "subjects",
        tmp_path / "s.xlsx",
        "--visits",
        tmp_path / "v.xlsx",
    )
    status, _, err = run(*command, "--map", "PATNO2=subject", "--dry-run")
    assert status == 2
    assert "v.xlsx has the sheets a, b" in err
    status, found, _ = run(*command, "--map", "PATNO2=subject", "--visits-sheet", "b")
    assert (status, found["subjects"], found["visits"]) == (0, 2, 2)


def adam():
    """The long table as ADaM has it, with the days as study days."""
    table = long_table()
    return pd.DataFrame(
        {
            "USUBJID": table["subject"],
            "TRT01P": ["A", "B"] * (len(table) // 2),
            "PARAMCD": "MSASSS",
            "READER": table["reader"],
            "AVISIT": table["days"].map({0: "Baseline", 364: "Week 52"}),
            "AVISITN": table["days"].map({0: 0, 364: 52}),
            "ABLFL": table["days"].map({0: "Y", 364: ""}),
            "ADY": table["days"] + 1,
            "ADT": table["days"].map({0: 19724, 364: 20088}),
            "AVAL": table["total"],
        }
    ).assign(TRT01P=lambda rows: rows["USUBJID"].str[-1].astype(int).mod(2).map({0: "A", 1: "B"}))


@pytest.mark.parametrize("ending", ["csv", "xpt", "parquet", "xlsx"])
@pytest.mark.parametrize("without", [[], ["ADY"]])
def test_adam_table_gives_the_same_progression(run, tmp_path, ending, without):
    table = adam()
    plain = long_table().assign(arm=table["TRT01P"])
    _, wanted, _ = run("progression", progression(plain, tmp_path / "plain.csv"))
    table = table.drop(columns=without)
    path = tmp_path / f"adam.{ending}"
    if ending == "xpt":
        write_transport(path, {name: table[name].tolist() for name in table}, {"ADT": ("DATE", 9)})
    else:
        dates = pd.to_datetime(table["ADT"], unit="D", origin="1960-01-01").dt.date.astype(str)
        dated = table.assign(ADT=dates)
        {"csv": dated.to_csv, "parquet": dated.to_parquet, "xlsx": dated.to_excel}[ending](path, index=False)
    status, found, err = run("progression", path)
    assert (status, numbers(found)) == (0, numbers(wanted))
    assert "AVAL is read as total" in err and "TRT01P is read as arm" in err


def test_several_parameters_are_never_pooled(run, tmp_path):
    table = pd.concat([adam(), adam().assign(PARAMCD="CRP")])
    path = progression(table, tmp_path / "adam.csv")
    status, _, err = run("progression", path)
    assert status == 2
    assert "several values of PARAMCD: CRP, MSASSS" in err and "--where PARAMCD=CRP" in err
    assert run("progression", path, "--where", "PARAMCD=MSASSS")[0] == 0


def test_parameter_names_the_score_whose_range_holds(run, tmp_path):
    table = adam()
    table.loc[0, "AVAL"] = 73
    status, found, _ = run("progression", progression(table, tmp_path / "adam.csv"))
    assert status == 1
    assert "total 73 is outside 0 to 72, the range of mSASSS total" in found["refused"][0]["reason"]


def test_study_day_0_is_refused(run, tmp_path):
    table = adam()
    table.loc[0, "ADY"] = 0
    status, _, err = run("progression", progression(table, tmp_path / "adam.csv"))
    assert status == 2
    assert "row 1 has ADY 0; study days have no day 0" in err


def test_adam_table_gives_the_same_mmrm(run, tmp_path):
    noise = np.random.default_rng(3).normal(size=(24, 3)).round(2)
    rows = [
        (f"S{number:02d}", "AB"[number % 2], 10 + number % 5, visit, noise[number, place])
        for number in range(24)
        for place, visit in enumerate(["Week 2", "Week 12", "Week 104"])
    ]
    plain = pd.DataFrame(rows, columns=["subject", "arm", "baseline", "visit", "change"])
    formula = ("--formula", "change ~ baseline + arm * visit", "--subject", "subject", "--visit", "visit")
    _, wanted, _ = run("mmrm", progression(plain, tmp_path / "plain.csv"), *formula)
    names = {"subject": "USUBJID", "arm": "TRT01P", "baseline": "BASE", "visit": "AVISIT", "change": "CHG"}
    table = plain.rename(columns=names).assign(ABLFL="", PARAMCD="X")
    first = table.drop_duplicates("USUBJID").assign(AVISIT="Baseline", ABLFL="Y", CHG=0)
    table = pd.concat([first, table])
    table["AVISITN"] = table["AVISIT"].map({"Baseline": 0, "Week 2": 2, "Week 12": 12, "Week 104": 104})
    status, found, err = run("mmrm", progression(table, tmp_path / "adam.csv"), *formula)
    assert status == 0
    assert found["coefficients"] == wanted["coefficients"]
    assert "24 baseline rows (ABLFL is Y) are left out" in err


def test_planned_numbers_order_the_visits_of_a_model(run, tmp_path):
    noise = np.random.default_rng(4).normal(size=(20, 3)).round(2)
    rows = [
        (f"S{number:02d}", "AB"[number % 2], visit, place, noise[number, place])
        for number in range(20)
        for place, visit in enumerate(["Screening", "Early", "Late"])
    ]
    table = pd.DataFrame(rows, columns=["USUBJID", "TRTP", "AVISIT", "AVISITN", "AVAL"])
    options = ("--formula", "AVAL ~ TRTP * AVISIT", "--subject", "USUBJID", "--visit", "AVISIT")
    _, found, _ = run("mmrm", progression(table, tmp_path / "t.csv"), *options)
    assert found["covariance"]["levels"] == ["Screening", "Early", "Late"]


def test_mmrm_refuses_likely_codes(run, tmp_path):
    noise = np.random.default_rng(5).normal(size=(20, 2)).round(2)
    rows = [
        (f"S{number:02d}", "AB"[number % 2], visit, noise[number, place])
        for number in range(20)
        for place, visit in enumerate(["W2", "W12"])
    ]
    table = pd.DataFrame(rows, columns=["subject", "arm", "visit", "points"])
    table.loc[4, "points"] = -99
    path = progression(table, tmp_path / "t.csv")
    options = ("--formula", "points ~ arm * visit", "--subject", "subject", "--visit", "visit")
    status, found, _ = run("mmrm", path, *options)
    assert (status, found["n_rows"], found["refused"][0]["row"]) == (1, 39, 5)
    status, found, _ = run("mmrm", path, *options, "--missing", "-99")
    assert (status, found["n_rows"], found["dropped_rows"]) == (0, 39, 1)
