"""Errors that a person can act on: what was given, what is needed, what to do."""

from __future__ import annotations

import errno


class CohortError(Exception):
    """A problem that a person can fix.

    given: what was given, naming the file, row, subject or option.
    needed: what is needed instead.
    todo: what to do now.
    Shown as one line, ``WHAT was given; WHAT is needed; WHAT to do``.
    """

    def __init__(self, given: str, needed: str, todo: str) -> None:
        super().__init__(f"{given}; {needed}; {todo}")
        self.given, self.needed, self.todo = given, needed, todo

    def __reduce__(self) -> tuple[type[CohortError], tuple[str, str, str]]:
        """How it goes from one process to another."""
        return type(self), (self.given, self.needed, self.todo)


class InputError(CohortError):
    """A file, table or option that cannot be used as it is."""


class StoreError(CohortError):
    """The cohort store cannot do what was asked of it."""


class NotAllowed(CohortError):
    """The viewer may not see or do this (blinded study, other reader)."""


class ModelError(CohortError):
    """Weights are missing, damaged or do not fit the network."""


_FULL = (errno.ENOSPC, errno.EDQUOT)
_CLOSED = (errno.EACCES, errno.EPERM, errno.EROFS)


def in_words(error: BaseException) -> str:
    """One line for an error that nobody foresaw: what happened, what is needed, what to do."""
    if isinstance(error, CohortError):
        return str(error)
    if isinstance(error, MemoryError):
        return "the memory is used up; more is needed; close other programs, or give fewer files at a time"
    if isinstance(error, OSError) and error.errno in _FULL:
        return f"the disk is full{_where(error)}; room is needed; make room and run the same command again"
    if isinstance(error, OSError) and error.errno in _CLOSED:
        needed = "a place where this account may read and write is needed"
        todo = "check its permissions, or choose another"
        return f"no access{_where(error)} ({error.strerror}); {needed}; {todo}"
    if isinstance(error, OSError) and error.errno is not None:
        return f"{error.strerror}{_where(error)}; a file or folder that works is needed; check the path"
    said = " ".join(str(error).split())[:300]
    happened = f"{type(error).__name__}{f': {said}' if said else ''}"
    return (
        f"unexpected, {happened}; an input that this command can use is needed; check it, or run the command "
        "again as 'sharpline --debug ...' and report what it shows"
    )


def _where(error: OSError) -> str:
    return f" at {error.filename}" if isinstance(error.filename, str) else ""
