"""``sharpline serve``: what is fixed, and when the demo is made."""

import json
import socket
import subprocess

import pytest
from click.testing import CliRunner

from core.cli import cli, serve
from data.store.cohort import CohortStore


def test_usage_statistics_are_off_and_the_address_is_local():
    command = serve.server_command("localhost", 8501)
    assert "--browser.gatherUsageStats=false" in command
    assert "--server.address=localhost" in command
    assert serve.APP.is_file()


def test_environment_names_cohort_and_viewer(tmp_path, monkeypatch):
    monkeypatch.delenv("SHARPLINE_VIEWER", raising=False)
    found = serve.environment(tmp_path / "c.duckdb", None)
    assert found["SHARPLINE_COHORT"] == str(tmp_path / "c.duckdb")
    assert found["SHARPLINE_VIEWER"] == "analyst"
    assert serve.environment(tmp_path, "R1")["SHARPLINE_VIEWER"] == "reader:R1"


def test_port_in_use_is_told():
    with socket.socket() as taken:
        taken.bind(("localhost", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = CliRunner().invoke(cli, ["serve", "--port", str(port)])
    assert result.exit_code != 0
    assert f"localhost:{port}" in str(result.exception)
    assert "choose another with --port" in str(result.exception)


@pytest.fixture
def made(monkeypatch):
    """Instead of rendering films: what ``demo`` would print, and how often it was called."""
    calls = []

    def run(command, **options):
        calls.append(command)
        cohort = command[command.index("--cohort") + 1]
        store = CohortStore.open(cohort)
        with store.write("test", "phantom study") as transaction:
            transaction.set_meta("phantom", "true")
        store.path.with_name(f"{store.path.stem}.study").mkdir(exist_ok=True)
        return subprocess.CompletedProcess(command, 0, stdout=json.dumps({"not_scored": run.problem}))

    run.problem = None
    monkeypatch.setattr(serve.subprocess, "run", run)
    return run, calls


def test_demo_is_made_once(made, tmp_path):
    _, calls = made
    serve.make_demo(tmp_path / "c.duckdb")
    serve.make_demo(tmp_path / "c.duckdb")
    assert len(calls) == 1


def test_demo_that_was_not_scored_is_finished_next_time(made, tmp_path):
    run, calls = made
    run.problem = "no weights"
    serve.make_demo(tmp_path / "c.duckdb")
    run.problem = None
    serve.make_demo(tmp_path / "c.duckdb")
    serve.make_demo(tmp_path / "c.duckdb")
    assert len(calls) == 2


def test_real_cohort_is_left_alone(made, tmp_path):
    import pandas as pd

    _, calls = made
    store = CohortStore.open(tmp_path / "c.duckdb")
    with store.write("test", "subjects") as tx:
        tx.insert("subject", pd.DataFrame({"subject": ["P1"]}))
    serve.make_demo(store.path)
    assert calls == []
