"""Films read in worker processes, in the order in which they were listed.

A decoder that crashes takes its process with it, not the ingest: the file that did it is found and refused.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait

from data.ingest.read_file import Outcome, Reading, read_film
from data.ingest.sources import Source

AHEAD = 6  # files in work or waiting for each worker
MAX_MEMORY = 12 << 30  # bytes of address space of one worker: a damaged file must not take the machine down
CRASHED = "the picture is damaged in a way that crashes the decoder; ask the site to export it again"


def outcomes(sources: Sequence[Source], reading: Reading, workers: int) -> Iterator[tuple[Source, Outcome]]:
    """Each source with what became of it, in order. workers: processes; 0 reads in this one."""
    if workers <= 0 or len(sources) <= 1:
        for source in sources:
            yield source, read_film(source, reading)
        return
    yield from _in_processes(list(sources), reading, workers)


def _in_processes(sources: list[Source], reading: Reading, workers: int) -> Iterator[tuple[Source, Outcome]]:
    start = 0
    while start < len(sources):
        for readers in (_until_crash, _up_to_culprit):  # the second one only has work after a crash
            for source, outcome in readers(sources[start:], reading, workers):
                start += 1
                yield source, outcome


def _until_crash(sources: list[Source], reading: Reading, workers: int) -> Iterator[tuple[Source, Outcome]]:
    """Outcomes in order; ends early when a worker dies."""
    pool = _pool(reading, min(workers, len(sources)))
    waiting: deque[tuple[Source, Future[Outcome]]] = deque()
    rest = iter(sources)
    try:
        for source in rest:
            waiting.append((source, pool.submit(_read, source)))
            if len(waiting) >= AHEAD * workers:
                first, future = waiting.popleft()
                yield first, future.result()
        while waiting:
            first, future = waiting.popleft()
            yield first, future.result()
    except BrokenProcessPool:
        return
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _up_to_culprit(sources: list[Source], reading: Reading, workers: int) -> Iterator[tuple[Source, Outcome]]:
    """Read one at a time the files that were in work at a crash, up to the one that crashes again."""
    suspects = sources[: AHEAD * workers + 1]
    if not suspects:
        return
    pool = _pool(reading, 1)
    try:
        for source in suspects:
            try:
                yield source, pool.submit(_read, source).result()
            except BrokenProcessPool:
                yield source, Outcome("refused", CRASHED, reading.key.fingerprint(source.name.encode()))
                return
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _pool(reading: Reading, workers: int) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_start, initargs=(reading,))


_reading: Reading | None = None


def _start(reading: Reading) -> None:
    """Set a worker up: it leaves Ctrl-C to its parent, ends with it, and stays within bounds."""
    global _reading
    _reading = reading
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _limit_memory()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # C decoders write straight to standard error
    import cv2

    cv2.setNumThreads(1)


def _read(source: Source) -> Outcome:
    assert _reading is not None
    return read_film(source, _reading)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _limit_memory() -> None:
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = MAX_MEMORY if hard == resource.RLIM_INFINITY else min(MAX_MEMORY, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
