"""The gate that every opening of a cohort file passes: many readers, or one writer, across processes.

DuckDB locks its file for a whole process and refuses a reader beside a writer, so nobody opens it without
asking here first. Two small files beside the cohort carry kernel locks (``flock``), which vanish with the
process that held them, however it ends:

- ``<cohort>.gate`` is held shared by each reader and alone by the writer;
- ``<cohort>.turn.gate`` is held by a writer while it waits and until it is done. A reader passes through it
  before it takes the gate, so that no new reader gets in front of a waiting writer. Where one slow read keeps
  the writer waiting, it lets the others through every ``LONGEST_HOLD`` seconds at the latest: they never wait
  for the slow one. After half of its patience it does not any more, or it might never get in.

Linux and macOS, on a local disk.
"""

from __future__ import annotations

import errno
import fcntl
import os
import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from core.errors import StoreError

WAIT_SECONDS = 120.0
FIRST_PAUSE, LONGEST_PAUSE = 0.0005, 0.008  # seconds between two tries
FIRST_HOLD, LONGEST_HOLD = 0.25, 2.0  # seconds for which a waiting writer keeps new readers out at a time
LET_THROUGH = 0.1  # seconds in which waiting readers get in


class Gate:
    """Shared and exclusive access to one file, for all threads and processes of this machine.

    path: the guarded file; it need not exist.
    wait_seconds: how long to wait before a StoreError says who holds it.
    """

    def __init__(self, path: Path, *, wait_seconds: float = WAIT_SECONDS) -> None:
        self.path, self.wait_seconds = path, wait_seconds
        self._gate = path.with_name(path.name + ".gate")
        self._turn = path.with_name(path.name + ".turn.gate")

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Inside, no writer has the file open, other readers may. StoreError after ``wait_seconds``."""
        until = time.monotonic() + self.wait_seconds
        with self._locked(self._turn, fcntl.LOCK_EX, until, to_read=True):
            gate = self._locked(self._gate, fcntl.LOCK_SH, until, to_read=True)
            gate.__enter__()
        try:
            yield
        finally:
            gate.__exit__(None, None, None)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Inside, nobody else has the file open. Raises StoreError after ``wait_seconds``."""
        with ExitStack() as held:
            self._enter_alone(held)
            yield

    def _enter_alone(self, held: ExitStack) -> None:
        """Takes turn and gate; lets waiting readers through in between where the gate stays taken."""
        start = time.monotonic()
        until, hold = start + self.wait_seconds, FIRST_HOLD
        while True:
            with ExitStack() as attempt:
                _sign(attempt.enter_context(self._locked(self._turn, fcntl.LOCK_EX, until)))
                now = time.monotonic()
                is_last = now + hold >= start + self.wait_seconds / 2
                with suppress(*([] if is_last else [StoreError])):
                    end = until if is_last else now + hold
                    attempt.enter_context(self._locked(self._gate, fcntl.LOCK_EX, end))
                    held.enter_context(attempt.pop_all())
                    return
            time.sleep(LET_THROUGH)
            hold = min(2 * hold, LONGEST_HOLD)

    @contextmanager
    def _locked(self, file: Path, kind: int, until: float, *, to_read: bool = False) -> Iterator[int]:
        handle = self._open(file, to_read=to_read)
        if handle is None:
            yield -1
            return
        try:
            self._wait(handle, kind, until)
            yield handle
        finally:
            fcntl.flock(handle, fcntl.LOCK_UN)  # a forked child may hold a copy of the handle
            os.close(handle)

    def _open(self, file: Path, *, to_read: bool) -> int | None:
        """The file to lock; None for a reader where there is none and none can be made: nobody writes."""
        try:
            return os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            if to_read and error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
                with suppress(FileNotFoundError):
                    return os.open(file, os.O_RDONLY)
                return None
            raise StoreError(
                f"the cohort {self.path} ({error.strerror})",
                "a folder in which this account may write is needed",
                "check the path and its permissions",
            ) from None

    def _wait(self, handle: int, kind: int, until: float) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                fcntl.flock(handle, kind | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise self._held() from None
            time.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(2 * pause, LONGEST_PAUSE)

    def _held(self) -> StoreError:
        writer = _last_signature(self._turn)
        return StoreError(
            f"the cohort {self.path.name} has been in use for {self.wait_seconds:.0f} s"
            + (f" (last writer: process {writer})" if writer else ""),
            "it must be free for a moment",
            "wait until the import or scoring run is done, or stop it, and try again",
        )


def _sign(handle: int) -> None:
    """Leaves the process number of the writer in the turn file, for the message to those who wait in vain."""
    os.ftruncate(handle, 0)
    os.pwrite(handle, str(os.getpid()).encode(), 0)


def _last_signature(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""
