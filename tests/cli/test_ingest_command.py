"""``sharpline ingest``: what it prints, how it ends, and that it can be interrupted."""

import json
import os
import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner

from core.cli import cli, main
from data.store.cohort import CohortStore
from tests.helpers.paths import ROOT
from tests.helpers.small_films import film, picture, save, trial_film


@pytest.fixture
def cohort(tmp_path):
    return tmp_path / "trial.duckdb"


@pytest.fixture
def films(tmp_path):
    for number in range(3):
        save(film(picture(number), bits=12), tmp_path / "films" / f"{number}.dcm")
    return tmp_path / "films"


def run(cohort, *arguments):
    line = ["--cohort", str(cohort), "ingest", "--workers", "0", *map(str, arguments)]
    return CliRunner().invoke(cli, line, standalone_mode=False)


def test_json_has_the_keys_of_the_contract(cohort, films):
    (films / "note.txt").write_text("hello")
    result = run(cohort, films, "--json")
    answer = json.loads(result.stdout)
    assert {key: answer[key] for key in ("found", "ingested", "already_there", "refused")} == {
        "found": 4,
        "ingested": 3,
        "already_there": 0,
        "refused": [{"file": "note.txt", "reason": "is a text file, not a DICOM image"}],
    }
    assert result.return_value == 1
    assert "4 of 4 files" in result.stderr


def test_all_taken_ends_with_0_and_so_does_the_second_run(cohort, films):
    first = run(cohort, films, "--json")
    assert (first.return_value, json.loads(first.stdout)["ingested"]) == (0, 3)
    second = run(cohort, films, "--json")
    assert (second.return_value, json.loads(second.stdout)["already_there"]) == (0, 3)


def test_nothing_taken_ends_with_2(cohort, tmp_path):
    (tmp_path / "note.txt").write_text("hello")
    assert run(cohort, tmp_path / "note.txt").return_value == 2


def test_a_person_reads_counts_and_reasons(cohort, films):
    (films / "note.txt").write_text("hello")
    text = run(cohort, films).stdout
    assert text.startswith("4 files: 3 imported, 0 already there, 1 refused\n")
    assert "  note.txt: is a text file, not a DICOM image" in text
    assert "Without subject or visit (3):" in text


def test_refused_files_are_all_listed_and_films_grouped_by_what_is_said(cohort, tmp_path):
    for number in range(25):
        (tmp_path / f"{number:02}.txt").write_text(f"hello {number}")
        save(film(picture(number), bits=12), tmp_path / f"{number:02}.dcm")
    text = run(cohort, *sorted(tmp_path.glob("*.txt")), *sorted(tmp_path.glob("*.dcm"))).stdout
    assert text.count("is a text file, not a DICOM image") == 25
    (line,) = [line for line in text.splitlines() if "no subject" in line]
    assert line.endswith("00.dcm, 01.dcm, 02.dcm, 03.dcm, 04.dcm, 05.dcm and 19 more (--json lists all)")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ingest", "nowhere"], "sharpline: nowhere; no such file or folder; check the path"),
        (["ingest"], "Missing argument 'PATHS...'"),
        (["ingest", "EMPTY"], "no files are in there"),
        (["ingest", "EMPTY", "--map", "nowhere.csv"], "--map nowhere.csv; no such file"),
    ],
)
def test_wrong_use_is_one_line_and_status_2(cohort, tmp_path, capsys, arguments, message):
    (tmp_path / "empty").mkdir()
    given = [str(tmp_path / "empty") if word == "EMPTY" else word for word in arguments]
    with pytest.raises(SystemExit) as end:
        main(["--cohort", str(cohort), *given])
    assert end.value.code == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.strip().splitlines()) == 1
    assert cohort.exists() is ("EMPTY" in arguments)


@pytest.mark.slow
def test_ctrl_c_keeps_what_is_committed_and_says_how_to_go_on(cohort, tmp_path):
    for number in range(40):
        save(film(picture(number, rows=1500, columns=1200), bits=12), tmp_path / "films" / f"{number:02}.dcm")
    command = [sys.executable, "-c", "from core.cli import main; main()", "--cohort", str(cohort)]
    process = subprocess.Popen(
        [*command, "ingest", str(tmp_path / "films"), "--workers", "0"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_hears_ctrl_c,
    )
    store = CohortStore(cohort)
    lines = iter(process.stderr.readline, "")
    assert any(line.startswith("20 of 40") for line in lines)  # the first sixteen are committed by then
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=60)
    assert process.returncode == 2, (out, error)
    assert "interrupted; nothing committed was lost; run the same command again to go on" in error
    assert "Traceback" not in error
    assert 0 < _count(store) < 40
    assert run(cohort, tmp_path / "films").return_value == 0
    assert _count(store) == 40


def _hears_ctrl_c() -> None:
    """A shell's background job ignores the interrupt, and all that it starts inherits this."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _count(store) -> int:
    if not store.exists():
        return 0
    try:
        return int(store.query("SELECT count(*) AS n FROM image WHERE superseded_by IS NULL")["n"][0])
    except Exception:  # the tables are being made
        return 0


def test_subjects_that_come_after_the_films_find_them(cohort, tmp_path):
    save(trial_film(1, "S1", "Week 52"), tmp_path / "films" / "a.dcm")
    assert run(cohort, tmp_path / "films").return_value == 0
    (tmp_path / "subjects.csv").write_text("subject,arm\ns-1,Active\n")
    (tmp_path / "visits.csv").write_text("subject,visit,planned_day\ns-1,BL,0\ns-1,W52,364\n")
    line = ["--cohort", str(cohort), "subjects", str(tmp_path / "subjects.csv")]
    result = CliRunner().invoke(
        cli, [*line, "--visits", str(tmp_path / "visits.csv")], standalone_mode=False, catch_exceptions=False
    )
    assert "films assigned anew: 1" in result.stderr
    row = CohortStore(cohort).query("SELECT subject, visit FROM image WHERE superseded_by IS NULL").iloc[0]
    assert (row.subject, row.visit) == ("s-1", "W52")
