"""Commands that need no cohort say by name which of a table's names look like one."""

import json

import pytest
from click.testing import CliRunner

from core.cli import cli


def run(tmp_path, rows, *arguments, header="subject,reader,days,total"):
    file = tmp_path / "table.csv"
    file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    command, *options = arguments
    result = CliRunner().invoke(cli, [command, str(file), *options, "--json"], standalone_mode=False)
    return json.loads(result.stdout), result


def readings(first, second, *, days=("0", "364")):
    """Six patients read by two readers, who write the names of three of them differently."""
    rows = []
    for number in (7, 8, 9, 21, 22, 23):
        for reader, form in (("R1", first), ("R2", second)):
            name = form.format(number) if number < 10 else str(number)
            rows += [f"{name},{reader},{day},{number % 5 + place}" for place, day in enumerate(days)]
    return rows


PAIRS = [("00{}", "{}"), ("{}", "{}.0"), ("A00{}", "a00{}"), ("S{}", "S{}\u200b"), ("S-{}", "S {}")]


@pytest.mark.parametrize("first, second", PAIRS)
def test_progression_names_subjects_that_look_like_one(tmp_path, first, second):
    found, result = run(tmp_path, readings(first, second), "progression")
    assert found["warnings"][0].startswith("subjects ")
    for number in (7, 8, 9):
        pair = f"{first.format(number)} and {second.format(number)}".replace("\u200b", "<U+200B>")
        assert pair in found["warnings"][0]
    assert found["warnings"][0] in result.stderr


def test_zeros_lost_at_one_visit_are_the_reason_given(tmp_path):
    rows = [
        f"{form},{reader},{day},{total}"
        for form, day, total in (("007", 0, 1), ("7", 364, 2))
        for reader in "AB"
    ]
    found, _ = run(tmp_path, rows, "progression")
    assert found["subjects"] == 0
    assert found["left_out"] == [
        {"subject": "007", "reason": "no film within 90 days of day 364; 7 looks like the same subject"},
        {"subject": "7", "reason": "no film within 90 days of day 0; 007 looks like the same subject"},
    ]
    assert "subjects 007 and 7 look like one" in found["warnings"][0]


def test_names_that_differ_are_not_warned_about(tmp_path):
    rows = [row.replace("R2", "R10") for row in readings("1-1{}", "1-1{}")]
    found, _ = run(
        tmp_path, [*rows, "11-8,R1,0,2", "11-8,R1,364,3", "1-117,R1,0,2", "1-117,R1,364,3"], "progression"
    )
    assert not [text for text in found["warnings"] if "look like" in text]


def test_readers_and_arms_that_look_like_one_are_named(tmp_path):
    rows = [f"{name},{reader},{day},1,{arm}" for name, arm in (("1", "Drug 10 mg"), ("2", "drug 10mg"))
            for reader in ("R1", "R01", "R10") for day in (0, 364)]  # fmt: skip
    found, _ = run(tmp_path, rows, "progression", header="subject,reader,days,total,arm")
    assert [text.split(" look like")[0] for text in found["warnings"] if "look like" in text] == [
        "readers R1 and R01",
        "arms Drug 10 mg and drug 10mg",
    ]


def test_agreement_names_subjects_and_raters(tmp_path):
    options = ("--subject", "subject", "--rater", "reader", "--rating", "total", "--where", "days=0")
    found, result = run(tmp_path, readings("00{}", "{}"), "agreement", *options)
    assert "subjects 007 and 7, 008 and 8, 009 and 9 look like one" in found["warnings"][0]
    assert found["subjects"] == 3
    assert found["warnings"][0] in result.stderr
    alike = [row.replace("R2", "r 1") for row in readings("{}", "{}")]
    assert "raters R1 and r 1" in run(tmp_path, alike, "agreement", *options)[0]["warnings"][0]


def test_mmrm_names_subjects_and_visits_but_not_signs(tmp_path):
    rows = [
        f"{name},{visit},{(number * 7 + place * 3) % 11}"
        for number, name in enumerate(("007", "7", "21", "22", "23", "24", "25"))
        for place, visit in enumerate(("Week -4", "Week 4", "Week 8"))
    ]
    options = ("--formula", "total ~ visit", "--subject", "subject", "--visit", "visit", "--covariance", "cs")
    found, _ = run(tmp_path, rows, "mmrm", *options, header="subject,visit,total")
    assert [text.split(" look like")[0] for text in found["warnings"]] == ["subjects 007 and 7"]
    rows = [row.replace("Week 8", "wk4") if row.startswith("21") else row for row in rows]
    found, _ = run(tmp_path, rows, "mmrm", *options, header="subject,visit,total")
    assert "visits Week 4 and wk4" in found["warnings"][1]


def test_totals_names_subjects_visits_and_readers(tmp_path):
    rows = ["007,Week 4,R1,C2I,1", "7,W4,R01,C2I,1", "8,Week -4,R10,C2I,1"]
    found, _ = run(tmp_path, rows, "totals", "--system", "msasss", header="subject,visit,reader,site,grade")
    assert [text.split(" look like")[0] for text in found["warnings"]] == [
        "subjects 007 and 7", "visits Week 4 and W4", "readers R1 and R01",
    ]  # fmt: skip
