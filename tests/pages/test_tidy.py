"""Objects are looked through now and then, not after every run."""

import tomllib

import pytest

from core.cli.serve import server_command
from pages.common import tidy
from tests.helpers.paths import ROOT


@pytest.fixture
def collected(monkeypatch):
    times = []
    monkeypatch.setattr(tidy.gc, "collect", lambda: times.append(tidy.time.monotonic()))
    monkeypatch.setattr(tidy, "_last", 0.0)
    clock = {"now": 1000.0}
    monkeypatch.setattr(tidy.time, "monotonic", lambda: clock["now"])
    return times, clock


def test_many_runs_look_through_once(collected):
    times, _ = collected
    for _ in range(20):
        tidy.tidy_up()
    assert len(times) == 1


def test_it_looks_through_again_after_a_while(collected):
    times, clock = collected
    tidy.tidy_up()
    clock["now"] += tidy.EVERY_SECONDS + 1
    tidy.tidy_up()
    assert len(times) == 2


def test_streamlit_does_not_do_it_after_every_run():
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert settings["runner"]["postScriptGC"] is False
    assert "--runner.postScriptGC=false" in server_command("localhost", 1)
