"""Processor time of every test with its child processes: ``pytest -p tests.helpers.processor_time``.

Wall time says little on a shared machine. The table at the end names the costliest tests and folders; a
fixture's time counts for the test that asked for it first. Children that are still running count nowhere.
"""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

import pytest

SHOWN = 60
seconds: defaultdict[str, float] = defaultdict(float)


def _now() -> float:
    return sum(os.times()[:4])


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    item.began = _now()
    yield


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    now = _now()
    outcome.get_result().user_properties.append(("processor_seconds", now - item.began))
    item.began = now


def pytest_runtest_logreport(report):
    spent = [value for name, value in report.user_properties if name == "processor_seconds"]
    if spent:
        seconds[report.nodeid] += spent[-1]


def pytest_terminal_summary(terminalreporter):
    folders: defaultdict[str, float] = defaultdict(float)
    for nodeid, spent in seconds.items():
        folders[Path(nodeid.split("::")[0]).parent.as_posix()] += spent
    for title, table in (("tests", seconds), ("folders", folders)):
        terminalreporter.section(f"processor seconds: {title}, {sum(table.values()):.0f} in all")
        for name, spent in sorted(table.items(), key=lambda row: -row[1])[:SHOWN]:
            terminalreporter.write_line(f"{spent:8.2f}  {name}")
