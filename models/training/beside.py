"""Work in lean processes beside each other: each has one thread and sends its lines to the first process.

Two lean processes use two cores better than one process with two threads, which wait for each other whenever
something else needs a core.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import Manager, get_context
from queue import Empty
from typing import Any

import torch

from core.errors import InputError
from core.helper_process import end_with_parent

Tell = Callable[[str], None]


def beside(
    work: Callable[..., Any], jobs: Sequence[tuple[Any, ...]], processes: int, tell: Tell
) -> Iterator[tuple[int, Any]]:
    """Number and result of each job as it ends; ``work(*job, tell)`` says lines as it goes.

    With one process or job everything runs in this one, in order. Raises InputError where one is killed.
    """
    if processes == 1 or len(jobs) <= 1:
        for number, job in enumerate(jobs):
            yield number, work(*job, tell)
        return
    with Manager() as manager, _pool(min(processes, len(jobs))) as pool:
        lines = manager.Queue()
        running = {pool.submit(_work, work, job, lines): number for number, job in enumerate(jobs)}
        while running:
            done = wait(running, timeout=0.5, return_when="FIRST_COMPLETED").done
            _say(lines, tell)
            for ended in done:
                yield running.pop(ended), _result(ended)


def _pool(processes: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(processes, get_context("spawn"), initializer=_start)


def _start() -> None:
    end_with_parent()
    torch.set_num_threads(1)


def _work(work: Callable[..., Any], job: tuple[Any, ...], lines: Any) -> Any:
    return work(*job, lines.put)


def _say(lines: Any, tell: Tell) -> None:
    while True:
        try:
            tell(lines.get_nowait())
        except Empty:
            return


def _result(ended: Future[Any]) -> Any:
    try:
        return ended.result()
    except BrokenProcessPool as error:
        raise InputError(
            "training stopped early", "all networks must finish", "run the same command again"
        ) from error
