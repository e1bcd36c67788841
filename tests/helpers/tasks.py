"""Work for reading processes that goes wrong in the ways in which decoders do."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import time
from typing import Any

from data.ingest.outcomes import read_apart
from data.ingest.read_file import Outcome, Reading
from data.ingest.sources import Source


class Panic(BaseException):
    """What a panic of Rust code is for Python."""


def _panic() -> None:
    raise Panic("index out of bounds")


def _full() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def _spin() -> None:
    while True:
        pass


def _fault() -> None:
    raise ZeroDivisionError


WAYS = {
    "abort": os.abort,
    "segfault": lambda: ctypes.string_at(0),
    "exit": lambda: os._exit(9),
    "panic": _panic,
    "spin": _spin,
    "sleep": lambda: time.sleep(600),
    "memory": lambda: bytearray(1 << 34),
    "fault": _fault,
    "full": _full,
    "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
}


def go_wrong(item: str, context: Any) -> str:
    """The item with the context, or what its name says."""
    if item in WAYS:
        WAYS[item]()
    if item == "killed once" and not os.path.exists(context):
        open(context, "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    return f"{item} of {os.getpid()}"


def read_or_crash(source: Source, reading: Reading) -> Outcome:
    """Read a film, but crash at 0.dcm."""
    if source.name == "0.dcm":
        os.abort()
    return read_apart(source, reading)


def row_or_crash(source: Source, _: None) -> dict[str, str]:
    """A row of a preview, or what the name of the file says."""
    if source.name in WAYS:
        WAYS[source.name]()
    return {"file": source.name, "would be": "taken"}
