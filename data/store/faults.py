"""What DuckDB says when a cohort file cannot be opened or used, in words for a person."""

from __future__ import annotations

from pathlib import Path

import duckdb

from core.errors import StoreError

_FULL = ("no space left", "disk quota", "out of disk", "could not write")
_DAMAGED = (
    duckdb.FatalException,
    duckdb.InternalException,
    duckdb.SerializationException,
    duckdb.IOException,
)


def cannot_open(path: Path, error: duckdb.Error) -> StoreError:
    """The error for a file that is no cohort, is damaged, or is open elsewhere."""
    if _is_full(error):
        return _full(path)
    return StoreError(
        f"the cohort {path.name} ({_first_line(error)})",
        "a cohort file made by Sharpline, used by nothing else, is needed",
        "check the path, and close other programs that have the file open",
    )


def cannot_use(path: Path, error: duckdb.Error) -> StoreError:
    """The error for a statement that failed: a full disk, a damaged file, or a fault of the program."""
    if _is_full(error):
        return _full(path)
    if isinstance(error, duckdb.OutOfMemoryException):
        return StoreError(
            f"the cohort {path.name} ({_first_line(error)})", "more memory is needed", "close other programs"
        )
    if isinstance(error, _DAMAGED):
        return StoreError(
            f"the cohort {path.name} is damaged ({_first_line(error)})",
            "a whole cohort file is needed",
            "put a backup in its place",
        )
    return StoreError(
        f"the cohort {path.name} ({_first_line(error)})",
        "tables and values as Sharpline writes them are needed",
        "run 'sharpline verify', and with --debug before the command to see where it failed",
    )


def _is_full(error: duckdb.Error) -> bool:
    return any(word in str(error).lower() for word in _FULL)


def _full(path: Path) -> StoreError:
    return StoreError(
        f"the disk of the cohort {path.name} is full",
        "nothing was lost; room for the rows is needed",
        "make room and run the same command again",
    )


def _first_line(error: duckdb.Error) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]
