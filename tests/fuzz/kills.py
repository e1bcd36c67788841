"""Commands killed at random moments and run again: nothing is lost, doubled or half written."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from data.store.cohort import CohortStore
from data.verify import verify
from tests.helpers import small_cohort
from tests.helpers.paths import ROOT
from tests.helpers.small_films import save, trial_film

FILMS = 40
COMMANDS: dict[str, list[str]] = {
    "ingest": ["ingest", "delivery"],
    "reads": ["reads", "reads.csv", "--system", "msasss", "--reader", "R9"],
    "report": ["report", "--out", "report.html", "--cases", "0"],
    "score": ["score", "--processes", "2"],
}
COUNTED = (
    "image",
    "delivery",
    "refused",
    "reader",
    "campaign",
    "site_score",
    "total",
    "finding",
    "unscorable",
)
ORPHAN_SECONDS = 20.0
ROUNDS_A_LINE = 10


def run(commands: list[str], count: int, seed: int) -> int:
    """Kill each command so many times; print what came of it, status 1 where anything was lost or left.

    A line of the sums so far goes to standard error every ten rounds.
    """
    sums = {}
    with tempfile.TemporaryDirectory(prefix="sharpline_kills_") as scratch:
        base = Path(scratch) / "base"
        _prepare(base)
        for command in commands:
            sums[command] = _kill_often(
                command, base, Path(scratch), count, random.Random(f"{command}{seed}")
            )
            print(json.dumps({command: sums[command]}), flush=True)
    faults = ("different", "broken", "tracebacks", "orphans", "failed")
    return 1 if any(one[name] for one in sums.values() for name in faults) else 0


def _prepare(base: Path) -> None:
    """A cohort with grades, a delivery of small films, and a table of another reader."""
    base.mkdir()
    small_cohort.build(base / "c.duckdb", films=False)
    for number in range(FILMS):
        save(
            trial_film(number, f"P{number % 5}", ("BL", "W52")[number % 2]),
            base / "delivery" / f"{number}.dcm",
        )
    save(trial_film(3, "P3", "W52", SOPInstanceUID="1.2.9"), base / "delivery" / "again.dcm")
    (base / "delivery" / "note.txt").write_text("hello")
    grades = small_cohort.site_grades()
    grades = grades[grades["reader"] == "R1"][["subject", "visit", "site", "grade"]]
    grades.to_csv(base / "reads.csv", index=False)
    with_films = base.parent / "films"
    shutil.copytree(base, with_films)
    assert _start("ingest", with_films).wait() in (0, 1)


def _kill_often(command: str, base: Path, scratch: Path, count: int, dice: random.Random) -> dict[str, Any]:
    source = scratch / "films" if command == "score" else base
    whole = scratch / f"{command}_whole"
    shutil.copytree(source, whole)
    began = time.monotonic()
    assert _start(command, whole).wait() in (0, 1)
    lasts, expected = time.monotonic() - began, _state(whole)
    sums: Counter[str] = Counter(rounds=0, kills=0, different=0, broken=0, tracebacks=0, orphans=0, failed=0)
    while sums["kills"] < count:
        place = scratch / "round"
        shutil.copytree(source, place)
        _round(command, place, lasts, dice, sums, expected)
        shutil.rmtree(place)
        if sums["rounds"] % ROUNDS_A_LINE == 0:
            print(command, json.dumps(sums), file=sys.stderr, flush=True)
    return dict(sums) | {"seconds_undisturbed": round(lasts, 2)}


def _round(
    command: str, place: Path, lasts: float, dice: random.Random, sums: Counter[str], expected: dict[str, Any]
) -> None:
    """One to three kills, then to completion."""
    sums["rounds"] += 1
    for _ in range(dice.choice((1, 1, 2, 3))):
        process = _start(command, place)
        time.sleep(dice.uniform(0.3, 1.0) * lasts)
        was_running = process.poll() is None
        sums["kills"] += was_running
        if was_running:
            _kill(process, whole_group=dice.random() < 0.5)
        process.wait()
        sums["orphans"] += was_running and not _group_ends(process.pid)
        sums["broken"] += len(verify(CohortStore(place / "c.duckdb")).broken)
    sums["failed"] += _start(command, place).wait() not in (0, 1)
    sums["tracebacks"] += (place / "err").read_text(errors="replace").count("Traceback")
    sums["broken"] += len(verify(CohortStore(place / "c.duckdb"), films=True).broken)
    sums["different"] += _state(place) != expected


def _start(command: str, place: Path) -> subprocess.Popen[bytes]:
    line = [sys.executable, "-P", "-c", "from core.cli import main; main()", "--cohort", "c.duckdb"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with open(place / "err", "ab") as err:
        return subprocess.Popen(
            [*line, *COMMANDS[command]],
            cwd=place, env=environment, stdout=subprocess.DEVNULL, stderr=err, start_new_session=True,
        )  # fmt: skip


def _kill(process: subprocess.Popen[bytes], *, whole_group: bool) -> None:
    if whole_group:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()


def _group_ends(group: int) -> bool:
    """Whether all helpers of a killed command end by themselves."""
    until = time.monotonic() + ORPHAN_SECONDS
    while time.monotonic() < until:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def _state(place: Path) -> dict[str, Any]:
    """Current rows of each table, the films on the disk, what is left in staging, and the report."""
    store = CohortStore(place / "c.duckdb")
    rows: dict[str, Any] = {}
    for table in COUNTED:
        frame = store.query(f"SELECT * FROM main.{table}")
        rows[table] = int(frame["superseded_by"].isna().sum()) if "superseded_by" in frame else len(frame)
    files = [path for path in store.folder.rglob("*") if path.is_file()] if store.folder.is_dir() else []
    report = place / "report.html"
    return rows | {
        "films": sum(path.suffix == ".dcm" for path in files),
        "previews": sum(path.suffix == ".npy" for path in files),
        "staging": sum(".staging" in path.parts for path in files),
        "report": report.stat().st_size if report.is_file() else 0,
    }
