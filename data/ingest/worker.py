"""One reading process: answers tasks one by one, within bounds of memory and time.

Started by ``data.ingest.workers``. Decoders are C and Rust code on files of strangers: a damaged one may
crash, panic, hang or fill the memory, and does it here, where it costs one file and no more.
"""

from __future__ import annotations

import errno
import importlib
import os
import resource
import select
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

OUR_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE)
DAMAGED = "the file is damaged: parts of its header contradict each other"
CRASHED = "the picture is damaged in a way that crashes the decoder; ask the site to export it again"
NO_MEMORY = "the file needs more memory than one file may take; ask the site to export it again"
TOO_LONG = "the file takes longer to read than any film does; ask the site to export it again"
TIME_IS_UP = signal.SIGPROF  # ends a process that does not handle it, even inside a decoder
GROWTH = 512 << 20  # bytes by which a process may grow between files before it makes room for a new one

Work = Callable[[Any, Any], Any]  # item, context -> result


@dataclass(frozen=True)
class Bounds:
    """What one process may take.

    memory: bytes of address space. wall_seconds: for one file, waiting for disk and network included.
    start_seconds: from the start of the process to its first word.
    """

    memory: int = 1900 << 20
    wall_seconds: float = 900.0
    start_seconds: float = 120.0


@dataclass(frozen=True)
class Answer:
    """What became of one task: ``value``, or the reason why there is none.

    error: a fault of this machine (a full disk), which ends the whole. ends: the process ends after it.
    """

    value: Any = None
    reason: str = ""
    error: OSError | None = None
    ends: bool = False


@dataclass(frozen=True)
class Started:
    """The first word of a process: ready, or ``problem``."""

    problem: str = ""


def answer(work: Work, item: Any, context: Any) -> Answer:
    """The answer to one task. Never raises but for an interruption."""
    try:
        return Answer(work(item, context))
    except OSError as error:
        return Answer(error=error) if error.errno in OUR_DISK else Answer(reason=DAMAGED)
    except MemoryError:
        return Answer(reason=NO_MEMORY, ends=True)
    except (KeyboardInterrupt, SystemExit):
        raise
    except Exception:  # a damaged file can fail anywhere; it must not take the others with it
        return Answer(reason=DAMAGED)
    except BaseException:  # a panic of a decoder in Rust; what it leaves behind is not to be trusted
        return Answer(reason=CRASHED, ends=True)


def main() -> None:
    """Serve the connection whose file number is the first argument, until it is closed."""
    handle = int(sys.argv[1])
    with Connection(handle) as connection:
        try:
            work, context = _start(connection, handle)
            _serve(connection, work, context)
        except (EOFError, ConnectionError):
            pass  # the parent has ended
    os._exit(0)


def _start(connection: Connection, handle: int) -> tuple[Work, Any]:
    try:
        bounds: Bounds = connection.recv()
        _stay_within(bounds)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent
        signal.signal(TIME_IS_UP, signal.SIG_DFL)
        threading.Thread(target=_end_with_parent, args=(handle,), daemon=True).start()
        module, name, context = connection.recv()
        work: Work = getattr(importlib.import_module(module), name)
        _one_thread()
    except (EOFError, ConnectionError):
        raise
    except BaseException as error:
        connection.send(Started(f"{type(error).__name__}: {error}"))
        raise EOFError from None
    connection.send(Started())
    return work, context


def _serve(connection: Connection, work: Work, context: Any) -> None:
    at_rest = _memory()
    while True:
        item, seconds = connection.recv()
        signal.setitimer(signal.ITIMER_PROF, seconds)
        said = answer(work, item, context)
        signal.setitimer(signal.ITIMER_PROF, 0)
        ends = said.ends or _memory() > at_rest + GROWTH
        connection.send(Answer(said.value, said.reason, said.error, ends))
        if ends:
            return


def _stay_within(bounds: Bounds) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = bounds.memory if hard == resource.RLIM_INFINITY else min(bounds.memory, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash must not leave a patient's film behind


def _end_with_parent(handle: int) -> None:
    poll = select.poll()
    poll.register(handle, 0)  # only that the other end was closed
    poll.poll()
    os._exit(1)


def _one_thread() -> None:
    """Decoders and filters keep to one thread: there is a process for each core already."""
    cv2 = sys.modules.get("cv2")
    if cv2 is not None:
        cv2.setNumThreads(1)


def _memory() -> int:
    """Bytes of address space in use, 0 where the system does not say."""
    try:
        with open("/proc/self/statm", "rb") as stream:
            return int(stream.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 0
