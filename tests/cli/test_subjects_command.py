"""``sharpline subjects`` as a script calls it."""

import json

import pytest

from core.cli import main


@pytest.fixture
def run(tmp_path, capsys):
    def _run(*arguments):
        with pytest.raises(SystemExit) as end:
            main(["--cohort", str(tmp_path / "cohort.duckdb"), *map(str, arguments)])
        out, err = capsys.readouterr()
        return end.value.code, out, err

    return _run


def test_real_tables_go_in_as_they_are(run, shared):
    folder = shared / "real/trial-tables"
    status, out, _ = run("subjects", folder / "admiral_adsl.csv", "--visits", folder / "ex.csv", "--json")
    answer = json.loads(out)
    assert status == 0
    assert (answer["subjects"], answer["visits"], answer["covariates"]) == (306, 591, 2290)
    assert answer["refused"] == []
    assert answer["columns"]["arm"] == "ARM"
    status, out, _ = run("subjects", folder / "dm.csv", "--visits", folder / "qs_ophtha.csv", "--json")
    answer = json.loads(out)
    assert answer["subjects"] == 306
    assert [item["row"] for item in answer["refused"]] != [], "a visit day that differs is refused"
    assert all(item["reason"].startswith("visits: ") for item in answer["refused"])
    assert status == 1


def test_refused_rows_are_listed_and_the_status_says_so(run, tmp_path):
    path = tmp_path / "s.csv"
    path.write_text("subject,sex\nP1,F\nP2,Q\n")
    status, out, _ = run("subjects", path, "--json")
    assert status == 1
    assert json.loads(out)["refused"] == [{"row": 2, "reason": "sex 'Q' is neither M nor F"}]
    status, out, _ = run("subjects", path)
    assert "row 2: sex 'Q' is neither M nor F" in out
    path.write_text("subject,sex\nP2,Q\n")
    assert run("subjects", path)[0] == 2


def test_dry_run_stores_nothing(run, tmp_path):
    path = tmp_path / "s.csv"
    path.write_text("subject,sex\nP1,F\n")
    assert json.loads(run("subjects", path, "--dry-run", "--json")[1])["stored"]["subject"] == 1
    assert json.loads(run("subjects", path, "--json")[1])["stored"]["subject"] == 1


@pytest.mark.parametrize(
    "content, options, message",
    [
        ("arm,sex\nA,F\n", (), "a column with the subject's code is needed"),
        ("subject,sex\nP1,F\n", ("--map", "nr=subject"), "column nr; the table has subject, sex"),
        ("subject,sex\nP1,F\n", ("--map", "sex"), "COLUMN=NAME is needed"),
        ("", (), "the file is empty"),
    ],
)
def test_wrong_input_is_one_line_and_status_2(run, tmp_path, content, options, message):
    path = tmp_path / "s.csv"
    path.write_text(content)
    status, out, err = run("subjects", path, *options)
    assert (status, out) == (2, "")
    assert err.startswith("sharpline: ") and message in err and err.count("\n") == 1
