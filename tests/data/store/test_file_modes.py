"""Files that hold patients are their owner's alone; what an account exports has the modes of that account."""

import os
import stat
import subprocess
import sys

import pytest

from core.cli import KEEPS_PATIENTS
from data.store.cohort import CohortStore
from data.tables import export as exporting
from tests.helpers.paths import ROOT

TABLE = "subject,arm,sex\nP1,A,M\nP2,B,F\n"


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def open_to_all():
    before = os.umask(0)
    yield
    os.umask(before)


def test_cohort_key_and_locks_are_private(tmp_path):
    (tmp_path / "t.csv").write_text(TABLE)
    told = ["--cohort", str(tmp_path / "new" / "c.duckdb"), "subjects", str(tmp_path / "t.csv")]
    command = [sys.executable, "-c", "from core.cli import main; main()", *told]
    subprocess.run(command, check=True, cwd=ROOT, umask=0, capture_output=True)
    made = [tmp_path / "new", *(tmp_path / "new").iterdir()]
    assert {path.name for path in made} >= {"new", "c.duckdb", "c.duckdb.key", "c.duckdb.gate"}
    assert {path.name: oct(mode(path)) for path in made if mode(path) & 0o077} == {}


def test_every_command_that_writes_a_cohort_keeps_it_private():
    assert {"ingest", "subjects", "reads", "score", "demo", "serve"} <= KEEPS_PATIENTS


def test_a_store_opened_by_a_program_is_private_too(tmp_path, open_to_all):
    store = CohortStore.open(tmp_path / "c.duckdb")
    assert mode(store.path) == mode(tmp_path / "c.duckdb.gate") == 0o600


@pytest.mark.parametrize("ending", ["csv", "parquet", "xlsx"])
def test_an_export_is_private_while_it_is_written(tmp_path, monkeypatch, open_to_all, ending):
    store = CohortStore.open(tmp_path / "c.duckdb")
    seen = []
    replace = os.replace

    def watched(draft, target):
        seen.append((mode(draft.parent), list(tmp_path.glob("out*"))))
        replace(draft, target)

    monkeypatch.setattr(exporting.os, "replace", watched)
    os.umask(0o027)
    exporting.export(store, "subjects", tmp_path / f"out.{ending}")
    assert seen == [(0o700, [])]
    assert mode(tmp_path / f"out.{ending}") == 0o640
    assert not list(tmp_path.glob(".export_*"))
