"""Many readers or one writer, across threads and processes, whoever is killed when."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from core.errors import StoreError
from data.store.cohort import CohortStore
from data.store.lock import Gate
from tests.helpers.paths import ROOT

HOLD = """
import sys, time
from pathlib import Path
from data.store.lock import Gate
with getattr(Gate(Path(sys.argv[1])), sys.argv[2])():
    print("in", flush=True)
    time.sleep(float(sys.argv[3]))
"""

WRITE = """
import sys
import pandas as pd
from data.store.cohort import CohortStore
store = CohortStore(sys.argv[1])
for number in range(int(sys.argv[3])):
    with store.write(sys.argv[2], "test") as transaction:
        transaction.insert("subject", pd.DataFrame({"subject": [f"{sys.argv[2]}-{number}"]}))
"""

READ = """
import sys, time
from data.store.cohort import CohortStore
store = CohortStore(sys.argv[1])
seen = 0
while seen < int(sys.argv[2]):
    with store.reading() as session:
        rows = session.value("SELECT count(*) FROM subject")
        version = int(session.value("SELECT value FROM meta WHERE key = 'cohort_version'"))
    assert rows == version - 1, (rows, version)
    assert rows >= seen, "a committed row is gone"
    seen = rows
    time.sleep(0.02)
"""

WRITE_UNTIL_KILLED = """
import sys
import pandas as pd
from data.store.cohort import CohortStore
store = CohortStore(sys.argv[1])
first = store.version()
for number in range(first, 100_000):
    with store.write("W", "test") as transaction:
        rows = [f"{number}-{part}" for part in range(500)]
        transaction.insert("subject", pd.DataFrame({"subject": rows}))
    print(number, flush=True)
"""


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> str:
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return out


def hold(path: Path, how: str, seconds: float) -> subprocess.Popen[str]:
    process = start(HOLD, path, how, seconds)
    assert process.stdout is not None and process.stdout.readline() == "in\n"
    return process


def wait_for_a_turn(file: Path) -> None:
    """Until somebody holds this lock."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with file.open("rb") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            fcntl.flock(stream, fcntl.LOCK_UN)
        time.sleep(0.02)
    raise AssertionError(f"nobody waits at {file}")


def test_readers_share_the_gate(tmp_path):
    gate = Gate(tmp_path / "c", wait_seconds=5)
    with gate.reading():
        finish(hold(tmp_path / "c", "reading", 0))


def test_writer_waits_for_reader_of_another_process(tmp_path):
    reader = hold(tmp_path / "c", "reading", 2)
    began = time.monotonic()
    with Gate(tmp_path / "c").writing():
        assert time.monotonic() - began > 0.3
    finish(reader)


def test_new_reader_waits_behind_a_waiting_writer(tmp_path, monkeypatch):
    monkeypatch.setattr("data.store.lock.FIRST_HOLD", 10.0)
    gate, order = Gate(tmp_path / "c"), []

    def write():
        with gate.writing():
            order.append("writer")

    def read():
        with gate.reading():
            order.append("second reader")

    with gate.reading():
        writer = threading.Thread(target=write)
        writer.start()
        wait_for_a_turn(tmp_path / "c.turn.gate")
        second = threading.Thread(target=read)
        second.start()
        time.sleep(0.1)
        assert order == []
    writer.join(10)
    second.join(10)
    assert order == ["writer", "second reader"]


def test_a_slow_read_and_a_waiting_writer_do_not_stop_other_readers(tmp_path):
    """The writer waits for the slow read; who reads in the meantime waits for neither."""
    path = tmp_path / "c.duckdb"
    slow = start(HOLD, path, "reading", 8)
    assert slow.stdout.readline() == "in\n"
    writer = start(HOLD, path, "writing", 0)
    waited = []
    while slow.poll() is None and len(waited) < 20:
        begun = time.monotonic()
        with Gate(path).reading():
            waited.append(time.monotonic() - begun)
        time.sleep(0.1)
    finish(slow)
    assert "in" in finish(writer)
    assert len(waited) >= 3  # one who waited for the slow read would get in once, after the writer


def test_a_writer_gets_in_between_readers_that_never_cease(tmp_path):
    path = tmp_path / "c.duckdb"
    done = threading.Event()

    def read():
        while not done.is_set():
            with Gate(path).reading():
                time.sleep(0.1)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    try:
        with Gate(path, wait_seconds=20).writing():
            pass
    finally:
        done.set()
        for reader in readers:
            reader.join()


def test_waiting_ends_with_a_sentence_that_names_the_writer(tmp_path):
    writer = hold(tmp_path / "cohort.duckdb", "writing", 30)
    try:
        with (
            pytest.raises(StoreError, match=rf"cohort\.duckdb has been in use .* process {writer.pid}"),
            Gate(tmp_path / "cohort.duckdb", wait_seconds=0.2).reading(),
        ):
            pass
    finally:
        writer.kill()
        writer.communicate()


def test_lock_of_a_killed_process_is_gone(tmp_path):
    writer = hold(tmp_path / "c", "writing", 60)
    os.kill(writer.pid, signal.SIGKILL)
    writer.communicate()
    with Gate(tmp_path / "c", wait_seconds=2).writing():
        pass


def test_gate_opens_again_after_an_error_inside(tmp_path):
    gate = Gate(tmp_path / "c", wait_seconds=2)
    for way in (gate.reading, gate.writing):
        with pytest.raises(ZeroDivisionError), way():
            raise ZeroDivisionError
    with gate.writing():
        pass


def test_folder_that_cannot_be_written_gives_a_sentence(tmp_path):
    with (
        pytest.raises(StoreError, match="a folder in which this account may write is needed"),
        Gate(tmp_path / "missing" / "c").reading(),
    ):
        pass


def test_two_writers_and_readers_see_no_lock_error(tmp_path):
    path = tmp_path / "cohort.duckdb"
    store = CohortStore.open(path)
    writes = 6
    readers = [start(READ, path, 2 * writes) for _ in range(2)]
    writers = [start(WRITE, path, name, writes) for name in ("A", "B")]
    deadline = time.monotonic() + 100
    while any(process.poll() is None for process in writers) and time.monotonic() < deadline:
        assert store.query("SELECT count(*) AS n FROM subject")["n"][0] <= 2 * writes
        time.sleep(0.02)
    for process in writers + readers:
        finish(process)
    assert store.version() == 1 + 2 * writes


def test_threads_of_one_process_share_a_store(tmp_path):
    import pandas as pd

    store = CohortStore.open(tmp_path / "cohort.duckdb")
    problems: list[BaseException] = []

    def write(name: str):
        try:
            for number in range(6):
                with store.write(name, "test") as transaction:
                    transaction.insert("subject", pd.DataFrame({"subject": [f"{name}{number}"]}))
        except BaseException as error:
            problems.append(error)

    def read():
        try:
            for _ in range(20):
                with store.reading() as session:
                    rows = session.value("SELECT count(*) FROM subject")
                    assert rows == session.value("SELECT max(event) FROM event") - 1
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=write, args=(name,)) for name in "AB"]
    threads += [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert problems == []
    assert store.version() == 13


@pytest.mark.parametrize("after_writes, delay", [(1, 0.0), (2, 0.02), (3, 0.06)])
def test_killed_writer_loses_nothing_committed(tmp_path, after_writes, delay):
    from data.verify import verify

    path = tmp_path / "cohort.duckdb"
    store = CohortStore.open(path)
    writer = start(WRITE_UNTIL_KILLED, path)
    assert writer.stdout is not None
    for _ in range(after_writes):
        last = int(writer.stdout.readline())
    time.sleep(delay)
    os.kill(writer.pid, signal.SIGKILL)
    writer.communicate()
    found = store.query("SELECT count(*) AS rows, count(DISTINCT event) AS events FROM subject").iloc[0]
    assert found["rows"] == 500 * found["events"], "half a transaction"
    assert found["events"] >= last, "a committed write is gone"
    assert verify(store).broken == []
    with store.write("next", "test") as transaction:
        transaction.set_meta("study", "goes on")
    assert store.version() == 2 + found["events"]
