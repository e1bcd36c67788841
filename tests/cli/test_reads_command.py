"""``sharpline reads`` and ``sharpline verify`` as a script calls them."""

import json

import duckdb
import pytest

from core import scores
from core.cli import main

SITES = scores.get("msasss").codes


@pytest.fixture
def run(tmp_path, capsys):
    def _run(*arguments):
        with pytest.raises(SystemExit) as end:
            main(["--cohort", str(tmp_path / "cohort.duckdb"), *map(str, arguments)])
        out, err = capsys.readouterr()
        return end.value.code, out, err

    return _run


@pytest.fixture
def wide(tmp_path):
    path = tmp_path / "wide.csv"
    lines = [",".join(["subject", "visit", *SITES])]
    lines += [
        ",".join([subject, visit, *["1"] * 23, ""]) for subject in ("P1", "P2") for visit in ("BL", "W52")
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_json_is_the_contract(run, wide):
    status, out, err = run("reads", wide, "--system", "msasss", "--reader", "R1", "--json")
    answer = json.loads(out)
    assert status == 0
    assert (answer["rows"], answer["stored"], answer["refused"]) == (4, 96, [])
    assert "no read mode given: campaign main is assumed to be paired" in err
    assert json.loads(run("reads", wide, "--system", "msasss", "--reader", "R1", "--json")[1])["stored"] == 0


def test_change_is_refused_until_a_reason_is_given(run, wide):
    options = ("--system", "msasss", "--reader", "R1", "--campaign", "c", "--read-mode", "single", "--json")
    run("reads", wide, *options)
    wide.write_text(wide.read_text().replace("P1,BL,1,", "P1,BL,3,"))
    status, out, _ = run("reads", wide, *options)
    answer = json.loads(out)
    assert (status, answer["stored"]) == (1, 0)
    assert [item["row"] for item in answer["refused"]] == [1]
    assert "grade is 1 in the cohort, 3 here; needs --correct REASON" in answer["refused"][0]["reason"]
    status, out, _ = run("reads", wide, *options, "--correct", "film read again")
    assert (status, json.loads(out)["stored"]) == (0, 1)
    assert run("verify")[0] == 0


def test_nothing_usable_is_status_2_and_still_listed(run, tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text("subject,visit,site,grade\nP1,BL,C9I,1\n")
    status, out, _ = run("reads", path, "--system", "msasss", "--reader", "R1", "--json")
    assert status == 2
    assert json.loads(out)["refused"] == [{"row": 1, "reason": "site C9I is not an mSASSS site"}]


@pytest.mark.parametrize(
    "options, message",
    [
        (
            ("--system", "mri", "--reader", "R1"),
            "system mri; one of msasss, mtss, sparcc, synovitis is needed",
        ),
        (("--system", "msasss"), "without a column for the reader"),
        (("--system", "msasss", "--reader", "R1", "--read-mode", "fast"), "'fast' is not one of"),
        (("--system", "sparcc", "--reader", "R1"), "columns site and grade, or one for each SPARCC site"),
    ],
)
def test_wrong_use_is_one_line_and_status_2(run, wide, options, message):
    status, out, err = run("reads", wide, *options)
    assert (status, out) == (2, "")
    assert err.startswith("sharpline: ") and message in err and err.count("\n") == 1


def test_verify_says_what_is_broken(run, wide, tmp_path):
    run("reads", wide, "--system", "msasss", "--reader", "R1")
    status, out, _ = run("verify", "--json")
    answer = json.loads(out)
    assert status == 0
    assert (answer["events"], answer["broken"]) == (2, [])
    assert run("verify", "--head", answer["head"])[0] == 0
    connection = duckdb.connect(str(tmp_path / "cohort.duckdb"))
    connection.execute(
        "UPDATE site_score SET grade = 2 WHERE site = 'C2I' AND subject = 'P1' AND visit = 'BL'"
    )
    connection.close()
    status, out, _ = run("verify", "--json")
    assert status == 1
    assert {"event": 2, "reason": "site_score: rows that it wrote were changed (96 rows)"} in json.loads(out)[
        "broken"
    ]
    assert "broken: 2" in run("verify")[1]


def test_verify_of_no_cohort_is_status_2(run):
    status, _, err = run("verify")
    assert status == 2 and "there is no such file" in err
