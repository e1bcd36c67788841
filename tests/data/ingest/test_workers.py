"""Reading processes: whatever a file does to its process, the others are read."""

import os
import subprocess
import sys
import time

import pytest

from core.errors import StoreError
from data.ingest.worker import CRASHED, DAMAGED, NO_MEMORY, TOO_LONG, Bounds
from data.ingest.workers import answers, seconds_for
from tests.helpers.paths import ROOT
from tests.helpers.tasks import go_wrong

QUICK = Bounds(wall_seconds=4)


def said(items, workers=2, context=None, seconds=1.0):
    found = answers(go_wrong, context, items, workers, seconds=lambda _: seconds, bounds=QUICK)
    return [(item, one.reason or one.value.split(" of ")[0]) for item, one in found]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("way", "reason"),
    [
        ("abort", CRASHED),
        ("segfault", CRASHED),
        ("exit", CRASHED),
        ("panic", CRASHED),
        ("spin", TOO_LONG),
        ("memory", NO_MEMORY),
        ("killed", NO_MEMORY),
        ("fault", DAMAGED),
    ],
)
def test_the_culprit_is_refused_and_the_others_are_read_in_order(workers, way, reason):
    items = ["a", "b", way, "c", "d", "e", way, "f"]
    assert said(items, workers) == [(item, reason if item == way else item) for item in items]


def test_a_file_that_waits_for_ever_is_given_up():
    assert said(["a", "sleep", "b"]) == [("a", "a"), ("sleep", TOO_LONG), ("b", "b")]


@pytest.mark.parametrize("way", ["abort", "panic", "spin"])
def test_a_single_file_has_a_process_of_its_own(way):
    assert said([way], 1)[0][1] in (CRASHED, TOO_LONG)


def test_a_process_killed_from_outside_is_no_fault_of_its_file(tmp_path):
    assert said(["a", "killed once", "b"], context=str(tmp_path / "mark"))[1] == (
        "killed once",
        "killed once",
    )


def test_nothing_is_read_in_the_process_that_asks():
    pids = {int(one.value.split(" of ")[1]) for _, one in answers(go_wrong, None, ["a", "b", "c"], 2)}
    assert os.getpid() not in pids


def test_a_full_disk_is_no_fault_of_the_file():
    for workers in (0, 1):
        with pytest.raises(OSError, match="No space left"):
            said(["full"], workers)


def test_processes_that_cannot_start_are_one_error_not_a_refusal_of_every_file(monkeypatch):
    monkeypatch.setattr("data.ingest.workers._COMMAND", "raise SystemExit(3)")
    with pytest.raises(StoreError, match=r"cannot be started \(it ended with status 3\)"):
        said(["a", "b"])
    monkeypatch.setattr("data.ingest.workers.sys.executable", "/nowhere/python")
    with pytest.raises(StoreError, match=r"cannot be started \(No such file"):
        said(["a", "b"])


def test_what_fails_at_the_start_is_named():
    def local(item, context):
        return item

    with pytest.raises(StoreError, match="has no attribute 'local'"):
        list(answers(local, None, ["a"], 1))


def test_processes_end_with_who_asked(tmp_path):
    code = (
        "from data.ingest.workers import answers; from tests.helpers.tasks import go_wrong; import time\n"
        "for item, one in answers(go_wrong, None, ['a', 'sleep'], 1):\n    print(one.value, flush=True)\n"
    )
    asking = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    pid = int(asking.stdout.readline().split(" of ")[1])
    asking.kill()
    asking.wait()
    end = time.monotonic() + 20
    while _is_running(pid) and time.monotonic() < end:
        time.sleep(0.05)
    assert not _is_running(pid)


def _is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as stream:
            return stream.read().split()[2] != "Z"
    except OSError:
        return False


def test_a_module_in_the_working_folder_is_not_run(tmp_path, monkeypatch):
    (tmp_path / "pydicom.py").write_text("import os; os._exit(7)")
    monkeypatch.chdir(tmp_path)
    assert said(["a"]) == [("a", "a")]


def test_time_grows_with_the_file_up_to_a_bound():
    assert seconds_for(0) == 30
    assert 60 < seconds_for(40 << 20) < seconds_for(10 << 30) == 300
