"""``sharpline serve``: what is fixed, and when the demo is made."""

import json
import socket
import subprocess
import sys

import httpx
import pytest
from click.testing import CliRunner

from core.cli import cli, serve
from core.errors import InputError
from data.store.cohort import CohortStore
from tests.helpers import small_cohort
from tests.helpers.app_in_browser import free_port
from tests.helpers.paths import ROOT


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


@pytest.mark.parametrize("address", ["0.0.0.0", "192.168.1.7", "::", "example.org"])
def test_other_machines_are_served_only_with_sign_in(tmp_path, address):
    told = ["--cohort", str(tmp_path / "c.duckdb"), "serve", "--address", address]
    error = CliRunner().invoke(cli, told).exception
    assert str(error).startswith(f"--address {address} without sign-in")
    assert "--sign-in FILE" in str(error)


@pytest.mark.parametrize("name", ["", " ", "\t", "R9", "r1", "R1 R2"])
def test_a_blank_or_unknown_reader_is_refused(tmp_path, monkeypatch, name):
    monkeypatch.delenv("SHARPLINE_VIEWER", raising=False)
    store = small_cohort.build(tmp_path / "c.duckdb", films=False)
    result = CliRunner().invoke(cli, ["--cohort", str(store.path), "serve", "--as-reader", name])
    assert isinstance(result.exception, InputError)
    if name.strip():
        assert "the cohort has R1, R2" in str(result.exception)


@pytest.mark.parametrize("text", ["", "boss", "reader", "reader:", "reader: ", "Reader:"])
def test_a_viewer_of_the_environment_that_is_none_is_refused(tmp_path, monkeypatch, text):
    monkeypatch.setenv("SHARPLINE_VIEWER", text)
    result = CliRunner().invoke(cli, ["--cohort", str(tmp_path / "c.duckdb"), "serve"])
    assert isinstance(result.exception, InputError)


def test_what_must_hold_does_not_depend_on_a_configuration_file():
    command = serve.server_command("localhost", 8501)
    for option in (
        "server.enableCORS=true", "server.enableXsrfProtection=true", "server.enableStaticServing=false",
        "client.showErrorDetails=none", "browser.serverAddress=localhost", "server.allowedHosts=localhost",
        "server.allowedHosts=127.0.0.1", "global.developmentMode=false",
    ):  # fmt: skip
        assert f"--{option}" in command


WATCHED = """
import socket, sys
def refuse(self, address, *rest):
    if isinstance(address, tuple) and address[0] not in ("localhost", "127.0.0.1", "::1"):
        print("OUTSIDE", address, file=sys.stderr, flush=True)
        raise OSError("no network here")
    return known(self, address, *rest)
known, socket.socket.connect = socket.socket.connect, refuse
looked_up = socket.getaddrinfo
def look_up(host, *rest, **more):
    if host not in (None, "localhost", "127.0.0.1", "::1", "0.0.0.0", ""):
        print("OUTSIDE", host, file=sys.stderr, flush=True)
        raise OSError("no network here")
    return looked_up(host, *rest, **more)
socket.getaddrinfo = look_up
from streamlit.web.cli import main
sys.argv = ["streamlit", *sys.argv[1:]]
main()
"""


@pytest.mark.parametrize("address", ["localhost", "0.0.0.0"])
def test_nothing_outside_is_asked_at_start_or_for_a_foreign_origin(tmp_path, address):
    """The server runs where every connection elsewhere is noted and fails; hosts and origins are tried."""
    store = small_cohort.build(tmp_path / "c.duckdb", films=False)
    port = free_port()
    options = serve.server_command(address, port)[3:]
    errors = tmp_path / "errors"
    with open(errors, "w") as stream:
        server = subprocess.Popen(
            [sys.executable, "-c", WATCHED, *options],
            cwd=ROOT, env=serve.environment(store.path, None), stdout=subprocess.DEVNULL, stderr=stream,
        )  # fmt: skip
        try:
            serve._wait_until_up(server, "localhost", port)
            for host, origin, status in (
                ("localhost", None, 200), ("127.0.0.1", None, 200), ("evil.example", None, 400),
                ("localhost", "http://evil.example", 403), ("localhost", "null", 403),
                ("localhost", "http://localhost:1", 403), ("localhost", f"http://127.0.0.1:{port}", 403),
            ):  # fmt: skip
                for path in ("/", "/_stcore/host-config", "/_stcore/stream"):
                    assert answered(port, path, host, origin) in (
                        {status} | ({403} if status == 400 else set())
                    )
        finally:
            server.terminate()
            server.wait(20)
    assert "OUTSIDE" not in errors.read_text()


def answered(port, path, host, origin):
    headers = {"host": f"{host}:{port}"} | ({"origin": origin} if origin else {})
    return httpx.get(
        f"http://localhost:{port}{path}", headers=headers, trust_env=False, timeout=60
    ).status_code
