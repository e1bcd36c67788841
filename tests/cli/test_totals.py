"""``sharpline totals`` as a script calls it."""

import json
import re
import subprocess
import sys

import pandas as pd
import pytest

from core import scores
from tests.helpers.commands import run_command


def run(capsys, *arguments):
    return run_command(capsys, "totals", *arguments)


def reading(system="msasss", grade=1, **given):
    grades = dict.fromkeys(scores.get(system).codes, grade) | given
    return pd.DataFrame(
        {"subject": "P1", "visit": "BL", "reader": "R1", "site": list(grades), "grade": list(grades.values())}
    )


def test_json_is_the_contract(tmp_path, capsys):
    frame = pd.concat(
        [
            reading(C6S=None, C7S=None, C7I=None, L1I=0),
            pd.DataFrame([{"subject": "P1", "visit": "BL", "reader": "R1", "site": "C9I", "grade": 1}]),
        ]
    )
    frame.to_csv(tmp_path / "sites.csv", index=False)
    status, out, _ = run(capsys, tmp_path / "sites.csv", "--system", "msasss", "--json")
    assert status == 1
    answer = json.loads(out)
    assert answer["system"] == "msasss"
    assert answer["rule"] == "msasss.seg_mean"
    total = answer["totals"][0]
    counts = total.pop("counts")
    assert total == {
        "subject": "P1",
        "visit": "BL",
        "reader": "R1",
        "total": 23.0,
        "components": {"cervical": 12.0, "lumbar": 11.0},
        "scored_sites": 21,
        "imputed_sites": 3,
        "missing_reason": None,
    }
    assert answer["refused"] == [{"row": 25, "reason": "site C9I is not an mSASSS site"}]
    assert counts["syndesmophytes"] == 0


@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet"])
@pytest.mark.parametrize(
    ("system", "total"), [("msasss", 24), ("svdh", 86), ("sparcc", 108), ("synovitis", 52)]
)
def test_all_systems_from_all_formats(tmp_path, capsys, ending, system, total):
    frame = reading(system)
    if system == "synovitis":
        frame = frame[~frame["site"].str.endswith(".CS")]
    path = tmp_path / f"t.{ending}"
    {"csv": frame.to_csv, "xlsx": frame.to_excel, "parquet": frame.to_parquet}[ending](path, index=False)
    status, out, _ = run(capsys, path, "--system", system, "--json")
    assert status == 0
    assert json.loads(out)["totals"][0]["total"] == total


def test_missing_total_is_null_with_its_reason(tmp_path, capsys):
    frame = reading(C2I=None)
    frame.to_csv(tmp_path / "t.csv", index=False)
    status, out, _ = run(
        capsys, tmp_path / "t.csv", "--system", "msasss", "--rule", "complete_only", "--json"
    )
    answer = json.loads(out)
    assert status == 0
    assert answer["rule"] == "msasss.complete_only"
    assert answer["totals"][0]["total"] is None
    assert answer["totals"][0]["components"] == {"cervical": None, "lumbar": 12}
    assert answer["totals"][0]["missing_reason"] == "cervical: 1 of 12 corners missing"


def test_where_keeps_rows_and_their_numbers(tmp_path, capsys):
    frame = pd.concat([reading().assign(campaign="one"), reading(grade=2, C2I=7).assign(campaign="two")])
    frame.to_csv(tmp_path / "t.csv", index=False)
    _, out, err = run(capsys, tmp_path / "t.csv", "--system", "msasss", "--where", "campaign=two", "--json")
    answer = json.loads(out)
    assert [row["row"] for row in answer["refused"]] == [25]
    assert answer["totals"][0]["total"] == 48
    _, out, err = run(capsys, tmp_path / "t.csv", "--system", "msasss", "--json")
    assert len(json.loads(out)["refused"]) == 48
    assert "several values of campaign" in err


def test_settings_are_used_and_recorded(tmp_path, capsys):
    frame = reading("mtss", 0).assign(feature=None)
    frame.loc[len(frame)] = ["P1", "BL", "R1", "LF.J.MTP1", 1, "ankylosis"]
    frame.to_csv(tmp_path / "t.csv", index=False)
    arguments = (tmp_path / "t.csv", "--system", "svdh", "--json")
    assert json.loads(run(capsys, *arguments)[1])["totals"][0]["total"] == 14
    answer = json.loads(run(capsys, *arguments, "--set", "ankylosis_erosion=as_seen")[1])
    assert answer["totals"][0]["total"] == 4
    assert answer["settings"]["mtss.ankylosis_erosion"] == "as_seen"


def test_chosen_units_are_listed(tmp_path, capsys):
    reading("sparcc", 0).to_csv(tmp_path / "t.csv", index=False)
    _, out, _ = run(capsys, tmp_path / "t.csv", "--system", "sparcc", "--json")
    assert json.loads(out)["totals"][0]["chosen"] == ["C2C3", "C3C4", "C4C5", "C5C6", "C6C7", "C7T1"]


def test_text_says_rule_totals_and_refused_rows(tmp_path, capsys):
    reading(C2I=5).to_csv(tmp_path / "t.csv", index=False)
    status, out, _ = run(capsys, tmp_path / "t.csv", "--system", "msasss")
    assert status == 1
    assert "mSASSS, rule msasss.seg_mean (not verified" in out
    assert "grade 5 is outside 0-3 of C2I" in out
    assert "23 corners scored, 1 imputed" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.csv", "--system", "msasss"], "sharpline: .*none.csv; no such file"),
        (["t.csv", "--system", "basri"], "sharpline: system basri; one of msasss"),
        (["t.csv", "--system", "msasss", "--rule", "half"], "sharpline: rule half; mSASSS has seg_mean"),
        (["t.csv", "--system", "msasss", "--set", "x"], "NAME=VALUE is needed"),
        (["t.csv", "--system", "msasss"], "t.csv has no column reader; it has subject, visit, site, grade;"),
        (["whole.csv", "--system", "msasss", "--where", "visit=W9"], "--where visit=W9; rows with these"),
        (["t.csv"], "Missing option '--system'"),
    ],
)
def test_errors_are_one_line_and_status_2(tmp_path, capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    reading().to_csv("whole.csv", index=False)
    reading().drop(columns="reader").to_csv("t.csv", index=False)
    status, out, err = run(capsys, *arguments)
    assert status == 2
    assert out == ""
    assert len(err.strip().splitlines()) == 1
    assert re.search(message, err)


def test_the_installed_command_answers(tmp_path):
    reading().to_csv(tmp_path / "t.csv", index=False)
    call = [
        sys.executable,
        "-c",
        "from core.cli import main; main()",
        "totals",
        "t.csv",
        "--system",
        "msasss",
        "--json",
    ]
    done = subprocess.run(call, capture_output=True, text=True, cwd=tmp_path, check=True)
    assert json.loads(done.stdout)["totals"][0]["total"] == 24
