"""Files read in processes of their own, in the order in which they were listed.

A file that crashes its process, or takes more memory or time than any film does, is refused by name; the
process is replaced, and the other files go on. Nothing of a delivery is decoded in the process that asks.
"""

from __future__ import annotations

import heapq
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, TypeVar

from core.errors import StoreError
from data.ingest.worker import (
    CRASHED,
    NO_MEMORY,
    TIME_IS_UP,
    TOO_LONG,
    Answer,
    Bounds,
    Started,
    Work,
    answer,
)

ROOT = Path(__file__).resolve().parents[2]
AHEAD = 6  # files in work or done and waiting for their turn, for each process
AT_HAND = 2  # files that a process has been given: the next one is there when it is done with the first
MIN_SECONDS, MAX_SECONDS = 30.0, 300.0  # processor time of one file
_COMMAND = "from data.ingest.worker import main; main()"
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

Item = TypeVar("Item")


def answers(
    work: Work,
    context: Any,
    items: Sequence[Item],
    workers: int,
    *,
    seconds: Callable[[Item], float] = lambda _: MAX_SECONDS,
    bounds: Bounds | None = None,
) -> Iterator[tuple[Item, Answer]]:
    """Each item with the answer of ``work(item, context)``, in order.

    work: a function of a module. workers: processes; 0 works in this one, without bounds.
    seconds: processor time that an item may take. Raises StoreError where no process can be started, OSError
    where this machine is at fault.
    """
    if workers <= 0:
        for item in items:
            yield item, _whole(answer(work, item, context))
        return
    pool = _Pool(work, context, items, min(workers, len(items)), seconds, bounds or Bounds())
    try:
        yield from pool.run()
    finally:
        pool.end()


def seconds_for(size: int) -> float:
    """Processor time that a file of so many bytes may take: ten times what the slowest encoding needs."""
    return min(MAX_SECONDS, MIN_SECONDS + size / 1e6)


def _whole(said: Answer) -> Answer:
    if said.error is not None:
        raise said.error
    return said


class _Worker:
    """A process, and the items that it was given (their numbers) and has not answered yet."""

    def __init__(self, work: Work, context: Any, bounds: Bounds) -> None:
        self.connection, theirs = Pipe()
        self.given: deque[int] = deque()
        self.is_ready, self.is_overdue = False, False
        self.until = time.monotonic() + bounds.start_seconds
        with theirs:
            self.process = _process(theirs)
        with suppress(ConnectionError):  # it has ended, which shows when it is listened to
            self.connection.send(bounds)
            self.connection.send((work.__module__, work.__name__, context))

    def give(self, number: int, item: Any, seconds: float, wall_seconds: float) -> None:
        if not self.given:
            self.until = time.monotonic() + wall_seconds
        self.given.append(number)
        with suppress(ConnectionError):  # likewise
            self.connection.send((item, seconds))

    def end(self) -> int:
        """End it at once; the status that it ended with."""
        self.connection.close()
        self.process.kill()
        return self.process.wait()


def _process(connection: Connection) -> subprocess.Popen[bytes]:
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = os.environ | {"PYTHONPATH": path} | dict.fromkeys(_THREADS, "1")
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-c", _COMMAND, str(connection.fileno())],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # decoders write there whatever they like
            pass_fds=[connection.fileno()],
        )
    except OSError as error:
        raise _cannot_start(error.strerror or str(error)) from error


class _Pool:
    """Processes at work on numbered items; ``run`` gives the answers in order."""

    def __init__(
        self,
        work: Work,
        context: Any,
        items: Sequence[Any],
        workers: int,
        seconds: Callable[[Any], float],
        bounds: Bounds,
    ) -> None:
        self._work, self._context, self._items = work, context, items
        self._size, self._seconds, self._bounds = workers, seconds, bounds
        self._open = list(range(len(items)))  # a heap of numbers that nobody was given yet
        self._answers: dict[int, Answer] = {}
        self._tried: set[int] = set()  # those whose process was killed from outside once
        self._workers: list[_Worker] = []

    def run(self) -> Iterator[tuple[Any, Answer]]:
        """The items with their answers, in order."""
        done = 0
        while done < len(self._items):
            self._hand_out(done + AHEAD * self._size)
            self._listen()
            while done in self._answers:
                yield self._items[done], _whole(self._answers.pop(done))
                done += 1

    def end(self) -> None:
        """End all processes."""
        for worker in self._workers:
            worker.end()

    def _hand_out(self, limit: int) -> None:
        """Give out items below ``limit``, to as many processes as there is work for."""
        while len(self._workers) < self._size and len(self._workers) < self._left():
            self._workers.append(_Worker(self._work, self._context, self._bounds))
        for count in range(1, AT_HAND + 1):
            for worker in self._workers:
                if worker.is_ready and len(worker.given) < count and self._open and self._open[0] < limit:
                    number = heapq.heappop(self._open)
                    item = self._items[number]
                    worker.give(number, item, self._seconds(item), self._bounds.wall_seconds)

    def _left(self) -> int:
        return len(self._open) + sum(len(worker.given) for worker in self._workers)

    def _listen(self) -> None:
        """Wait for words of the processes, or for the first one that takes too long."""
        by_connection = {worker.connection: worker for worker in self._workers}
        busy = [worker for worker in self._workers if worker.given or not worker.is_ready]
        timeout = max(0.0, min(worker.until for worker in busy) - time.monotonic()) if busy else 0.0
        for connection in wait(list(by_connection), timeout):
            self._hear(by_connection[connection])  # type: ignore[index]
        for worker in busy:
            if worker in self._workers and time.monotonic() > worker.until:
                worker.is_overdue = True
                self._replace(worker)

    def _hear(self, worker: _Worker) -> None:
        try:
            said = worker.connection.recv()
        except (EOFError, ConnectionError):
            self._replace(worker)
            return
        if isinstance(said, Started):
            if said.problem:
                raise _cannot_start(said.problem)
            worker.is_ready = True
            return
        self._answers[worker.given.popleft()] = said
        worker.until = time.monotonic() + self._bounds.wall_seconds
        if said.ends:
            self._drop(worker)

    def _drop(self, worker: _Worker) -> int:
        """End a process; what it was given and has not answered is for others."""
        self._workers.remove(worker)
        for number in worker.given:
            heapq.heappush(self._open, number)
        return worker.end()

    def _replace(self, worker: _Worker) -> None:
        """A process has ended, or takes too long: the file in its hands is refused, or tried once more."""
        culprit = worker.given.popleft() if worker.given else None
        status = self._drop(worker)
        if not worker.is_ready:
            raise _cannot_start("no answer" if worker.is_overdue else f"it ended with status {status}")
        if culprit is None:
            return
        if status == -signal.SIGKILL and not worker.is_overdue and culprit not in self._tried:
            self._tried.add(culprit)  # another program, or the system in need of memory
            heapq.heappush(self._open, culprit)
            return
        self._answers[culprit] = Answer(reason=_why_ended(status, worker.is_overdue))


def _why_ended(status: int, is_overdue: bool) -> str:
    if is_overdue or status == -TIME_IS_UP:
        return TOO_LONG
    return NO_MEMORY if status == -signal.SIGKILL else CRASHED


def _cannot_start(why: str) -> StoreError:
    return StoreError(
        f"a process that reads films cannot be started ({why})",
        "room for one more process, and about 2 GB of memory, are needed",
        "close other programs and run the same command again",
    )
