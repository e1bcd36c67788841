"""Long work as ``sharpline`` commands in processes of their own: progress, cancelling, results.

The board belongs to the app and not to a page or a session: a job goes on when the page changes, and every
session sees it. The app process itself never imports a network.
"""

from __future__ import annotations

import atexit
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st

from data.scratch import mark_used, new_folder, remove_left_behind

ROOT = Path(__file__).resolve().parents[2]
COUNT = re.compile(r"(\d+)\s*(?:of|/)\s*(\d+)")
TAIL = 4000  # bytes of standard error that are looked at
KEPT = 20
PATIENCE = 5.0  # seconds in which a job ends by itself when the app does
COMMAND = "import json, sys; from core.cli import main; main(json.load(sys.stdin))"


@dataclass
class Job:
    """One command that runs or ran.

    folder: what it printed, in the files ``out`` and ``err``. delivery: uploads, removed when it has ended.
    makes: the name of a file that it writes into its folder, "" for none. cohort: whose it is.
    """

    title: str
    arguments: list[str]
    process: subprocess.Popen[bytes]
    folder: Path
    delivery: Path | None = None
    began: float = field(default_factory=time.monotonic)
    seconds: float | None = None
    cancelled: bool = False
    makes: str = ""
    cohort: str = ""

    @property
    def made(self) -> Path:
        """The file that it writes; it is there once it is whole."""
        return self.folder / (self.makes or "nothing")

    @property
    def is_running(self) -> bool:
        if self.process.poll() is None:
            return True
        if self.seconds is None:
            self.seconds = time.monotonic() - self.began
            self._remove_delivery()
        return False

    def remove_delivery_at_end(self) -> None:
        """Wait for its end, whether somebody looks or not, and remove the uploads."""
        self.process.wait()
        self._remove_delivery()

    def _remove_delivery(self) -> None:
        if self.delivery is not None:
            shutil.rmtree(self.delivery, ignore_errors=True)

    @property
    def status(self) -> int | None:
        return self.process.poll()

    @property
    def result(self) -> dict[str, Any]:
        """What the command printed with ``--json``; empty where it printed nothing."""
        text = _read(self.folder / "out")
        return json.loads(text) if text.strip().startswith("{") else {}

    @property
    def progress(self) -> tuple[int, int, str]:
        """(done, all, last line); 0 of 0 before anything was said."""
        line = last_line(_read(self.folder / "err", TAIL))
        return (*count_in(line), line)

    @property
    def complaint(self) -> str:
        """The last line of standard error without the command's name: why it failed."""
        return last_line(_read(self.folder / "err", TAIL)).removeprefix("sharpline: ")

    def cancel(self) -> None:
        """Ask it to stop: what is committed stays, and the same command goes on from there."""
        if self.is_running:
            self.cancelled = True
            self.process.send_signal(signal.SIGINT)


class Board:
    """The jobs of this app, newest first."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        remove_left_behind()
        atexit.register(self.stop_all)

    def start(
        self,
        title: str,
        cohort: str,
        arguments: list[str],
        delivery: Path | None = None,
        *,
        actor: str = "",
        makes: str = "",
    ) -> Job:
        """Run ``sharpline --cohort COHORT ARGUMENTS --json`` in a process of its own.

        What it is told goes through its standard input: the list of processes, which every account of the
        machine can read, holds no name, reason or path. actor: who asks for it, for the audit trail.
        makes: name of the file that the command writes with ``--out``.
        """
        folder = new_folder("job")
        out_file = ["--out", str(folder / makes)] if makes else []
        told = ["--cohort", str(Path(cohort).resolve()), *arguments, *out_file, "--json"]
        environment = dict(os.environ) | {"YOLO_OFFLINE": "true", "PYTHONUNBUFFERED": "1"}
        environment |= {"SHARPLINE_ACTOR": actor} if actor else {}
        with open(folder / "out", "wb") as out, open(folder / "err", "wb") as err:
            process = subprocess.Popen(
                [sys.executable, "-c", COMMAND],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=err,
                env=environment,
                start_new_session=True,
            )
        assert process.stdin is not None
        with suppress(BrokenPipeError), process.stdin:
            process.stdin.write(json.dumps(told).encode())
        job = Job(title, arguments, process, folder, delivery, makes=makes, cohort=cohort)
        if delivery is not None:
            mark_used(delivery, process.pid)
        threading.Thread(target=job.remove_delivery_at_end, daemon=True).start()
        for old in self.jobs[KEPT - 1 :]:
            shutil.rmtree(old.folder, ignore_errors=True)
        self.jobs = [job, *self.jobs][:KEPT]
        return job

    @property
    def running(self) -> list[Job]:
        return [job for job in self.jobs if job.is_running]

    def stop_all(self) -> None:
        """Cancel what runs, and remove uploads and what was printed; at the end of the app."""
        for job in self.running:
            job.cancel()
        until = time.monotonic() + PATIENCE
        while self.running and time.monotonic() < until:
            time.sleep(0.05)
        for job in self.running:
            job.process.kill()
        for job in self.jobs:
            job.remove_delivery_at_end()
            shutil.rmtree(job.folder, ignore_errors=True)


@st.cache_resource(show_spinner=False)
def board() -> Board:
    return Board()


def last_line(text: str) -> str:
    """The last line that is not empty; a bar that rewrites its line counts each time as one."""
    lines = [line.strip() for line in re.split(r"[\r\n]+", text.replace("\x1b[K", "")) if line.strip()]
    return lines[-1] if lines else ""


def count_in(line: str) -> tuple[int, int]:
    """(done, all) of a progress line, as JSON or as "3 of 12" or "3/12"; (0, 0) where it holds none."""
    if line.startswith("{"):
        try:
            said = json.loads(line)
            return int(said["done"]), int(said["total"])
        except (ValueError, KeyError, TypeError):
            return 0, 0
    found = COUNT.search(line)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _read(path: Path, tail: int = 0) -> str:
    """The content, or its last ``tail`` bytes, of a file that may still be written, or be gone."""
    if not path.exists():
        return ""
    with open(path, "rb") as stream:
        stream.seek(max(0, path.stat().st_size - tail) if tail else 0)
        return stream.read().decode("utf-8", errors="replace")
