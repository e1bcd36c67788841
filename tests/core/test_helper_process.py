"""A helper process ends with the process that started it, however that one ends."""

import os
import signal
import subprocess
import sys
import time

import pytest

from core.helper_process import end_with_parent
from tests.helpers.paths import ROOT

PARENT = """
import os, time
from multiprocessing import get_context
from core.helper_process import end_with_parent
if __name__ == "__main__":
    with get_context("spawn").Pool(2, end_with_parent) as pool:
        pool.apply(os.getpid)
        print(*(one.pid for one in pool._pool), flush=True)
        pool.apply(time.sleep, (600,))
"""


def alive(process: int) -> bool:
    try:
        with open(f"/proc/{process}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc to see whether a process runs")
def test_helpers_end_when_their_parent_is_killed(tmp_path) -> None:  # type: ignore[no-untyped-def]
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    started = subprocess.Popen(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert started.stdout is not None
    helpers = [int(word) for word in started.stdout.readline().split()]
    assert len(helpers) == 2
    started.send_signal(signal.SIGKILL)
    started.wait()
    started.stdout.close()
    until = time.monotonic() + 60
    while any(map(alive, helpers)) and time.monotonic() < until:
        time.sleep(0.02)
    assert not any(map(alive, helpers))


def test_outside_of_a_helper_it_does_nothing() -> None:
    end_with_parent()
