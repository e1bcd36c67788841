"""Brings the tables of a cohort file up to date: numbered SQL files, each applied once, in order.

A migration and its record are one transaction, so a failed one leaves no trace.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from core.errors import StoreError

FOLDER = Path(__file__).parent / "migrations"
RECORD = "CREATE TABLE IF NOT EXISTS migration (name TEXT, applied_at TIMESTAMP)"


def available(folder: Path = FOLDER) -> list[str]:
    """Names of the migrations that this version of the software knows, in order."""
    return sorted(path.stem for path in folder.glob("[0-9]*.sql"))


def script(name: str, folder: Path = FOLDER) -> str:
    """The SQL of a migration."""
    return (folder / f"{name}.sql").read_text(encoding="utf-8")


def applied(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Names of the migrations that the file has seen, in order. Writes nothing."""
    known = connection.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'migration' AND NOT temporary"
    ).fetchone()
    if not known or not known[0]:
        return []
    return [name for (name,) in connection.execute("SELECT name FROM migration ORDER BY name").fetchall()]


def pending(connection: duckdb.DuckDBPyConnection, folder: Path = FOLDER) -> list[str]:
    """Names of the migrations still to be applied. Writes nothing.

    Raises StoreError where the file was written by a newer version than this one.
    """
    done = applied(connection)
    newer = sorted(set(done) - set(available(folder)))
    if newer:
        raise StoreError(
            f"the cohort has the table version {newer[-1]}",
            f"this version of Sharpline knows tables up to {available(folder)[-1]}",
            "install the newer version of Sharpline",
        )
    return [name for name in available(folder) if name not in done]


def migrate(connection: duckdb.DuckDBPyConnection, folder: Path = FOLDER) -> list[str]:
    """Applies what is pending, one transaction each, and returns the names."""
    names = pending(connection, folder)
    for name in names:
        with all_or_nothing(connection):
            apply(connection, name, folder)
    return names


def apply(connection: duckdb.DuckDBPyConnection, name: str, folder: Path = FOLDER) -> None:
    """Applies one migration and records it, inside a transaction of the caller."""
    connection.execute(RECORD)
    connection.execute(script(name, folder))
    connection.execute("INSERT INTO migration VALUES (?, now()::TIMESTAMP)", [name])


@contextmanager
def all_or_nothing(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """One transaction. Where it fails, its own error is raised, also where nothing is left to roll back."""
    connection.execute("BEGIN")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with suppress(duckdb.Error):  # a full disk ends the transaction, and with it the cause is told
            connection.execute("ROLLBACK")
        raise


def check_version(connection: duckdb.DuckDBPyConnection, cohort: str) -> None:
    """Raises StoreError for a file without tables, one of another program, and one of a newer version."""
    if not applied(connection):
        tables = connection.execute("SELECT count(*) FROM duckdb_tables() WHERE NOT temporary").fetchone()
        if tables and tables[0]:
            raise StoreError(
                f"{cohort}, a DuckDB file", "a cohort made by Sharpline is needed", "check the path"
            )
        raise StoreError(
            f"the cohort {cohort}, which was not finished when it was made (it was stopped)",
            "its tables are needed",
            "run the command that made it again",
        )
    pending(connection)
