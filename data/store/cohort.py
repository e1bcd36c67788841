"""The cohort store: one DuckDB file, opened for moments only, by readers or by one writer.

Everything that reads or writes a cohort goes through ``CohortStore``; nothing outside ``data/`` knows
DuckDB. A write is one transaction: rows, totals, version and the event of the audit trail change together
or not at all.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from core.domain import Viewer
from core.errors import StoreError
from data.store import audit, heads
from data.store.faults import cannot_open, cannot_use
from data.store.lock import WAIT_SECONDS, Gate
from data.store.migrate import all_or_nothing, applied, apply, check_version, migrate, pending
from data.store.session import Parameters, Session
from data.store.transaction import Transaction
from data.store.viewer_session import Look

SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",  # nothing is fetched from a network
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",  # a name is a table, never a variable of the program
}
NEW_COHORT = {"blinded": "true", "phantom": "false"}


class CohortStore:
    """One cohort file. Cheap to make; holds no connection, so it may be shared by threads.

    path: the cohort file. ``open`` creates it and brings its tables up to date.
    wait_seconds: how long to wait for other processes before a StoreError.
    """

    def __init__(self, path: str | Path, *, wait_seconds: float = WAIT_SECONDS) -> None:
        if "://" in str(path):
            raise StoreError(f"the cohort {path}", "a file is needed", "give the path of a .duckdb file")
        self.path = Path(path).expanduser().resolve()
        self._gate = Gate(self.path, wait_seconds=wait_seconds)
        self._wrote: heads.Head | None = None  # the end of the chain after the last write through this store

    @classmethod
    def open(cls, path: str | Path, *, wait_seconds: float = WAIT_SECONDS) -> CohortStore:
        """The store with all its tables, created where it does not exist yet."""
        store = cls(path, wait_seconds=wait_seconds)
        if not store.exists() or store._is_outdated():
            store._create()
        return store

    @property
    def folder(self) -> Path:
        """Where the films lie, beside the cohort file."""
        return self.path.with_name(f"{self.path.stem}.films")

    def exists(self) -> bool:
        return self.path.is_file() and self.path.stat().st_size > 0

    # -- reading -------------------------------------------------------------------------------------------

    def query(self, sql: str, parameters: Parameters = None) -> pd.DataFrame:
        """The rows of one statement over the stored tables, superseded rows included (see ``Session.query``).

        For the program's own use; what a person sees goes through ``look``.
        """
        with self.reading() as session:
            return session.query(sql, parameters)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Several statements over one state of the cohort, in one short opening.

        Inside a ``write`` of the same thread, its transaction is used.
        """
        open_session = _open_sessions().get(self.path)
        if open_session is not None:
            yield open_session
            return
        self._must_exist()
        with (
            self._gate.reading(),
            self._connection(read_only=True) as connection,
            _kept(self.path, Session(connection)) as session,
        ):
            yield session

    @contextmanager
    def look(self, viewer: Viewer, *, as_of: int | None = None) -> Iterator[Look]:
        """What this viewer may see: every table name means the viewer's view of it, current rows only.

        as_of: an earlier version; the rows that were current then, with the totals that they made.
        Never inside a ``write``. Raises StoreError where the cohort does not exist.
        """
        self._must_exist()
        if self.path in _open_sessions():
            raise StoreError("a look inside another access", "one access at a time", "close the first one")
        with self._gate.reading(), self._connection(read_only=True) as connection:
            yield Look(connection, viewer, as_of, self._tables(connection))

    def _tables(self, connection: duckdb.DuckDBPyConnection) -> audit.Tables:
        """Tables and columns, asked once for each state of the file; nobody writes while it is open."""
        state = tuple(
            part
            for file in (self.path, self.path.with_name(f"{self.path.name}.wal"))
            if file.exists()
            for part in (file.stat().st_ino, file.stat().st_mtime_ns, file.stat().st_size)
        )
        seen, tables = _tables.get(self.path, ((), {}))
        if seen != state:
            tables = audit.columns(connection)
            _tables[self.path] = (state, tables)
        return tables

    def version(self) -> int:
        """The number of the last write of rows or settings. 0 without a cohort."""
        return int(self.meta().get("cohort_version", 0)) if self.exists() else 0

    def meta(self) -> dict[str, str]:
        """The cohort's settings."""
        with self.reading() as session:
            frame = session.query("SELECT key, value FROM main.meta ORDER BY key")
        return dict(zip(frame["key"], frame["value"], strict=True))

    @property
    def is_blinded(self) -> bool:
        """Whether arms are hidden. A cohort is blinded until someone unblinds it."""
        return self.meta().get("blinded") != "false"

    @property
    def is_phantom(self) -> bool:
        """Whether patients and films are generated: must be said wherever a number is shown."""
        return self.meta().get("phantom") == "true"

    # -- writing -------------------------------------------------------------------------------------------

    @contextmanager
    def write(
        self, actor: str, action: str, reason: str = "", details: Mapping[str, Any] | None = None
    ) -> Iterator[Transaction]:
        """One transaction: all of it or nothing; its event, digests, totals and version come with it.

        Prepare the rows before: while it lasts everybody else waits. A write that changed nothing leaves no
        event, unless it asks for one (``Transaction.note``). actor: who (a person, or ``sharpline
        <command>``); details: what was asked, as JSON values.
        """
        self._must_exist()
        if self.path in _open_sessions():
            raise StoreError("a write inside another access", "one access at a time", "close the first one")
        with self._gate.writing(), self._connection(read_only=False) as connection:
            with all_or_nothing(connection):
                self._must_follow(connection)
                last = connection.execute("SELECT coalesce(max(event), 0) FROM main.event").fetchone()
                transaction = Transaction(connection, int(last[0]) + 1 if last else 1)
                with _kept(self.path, transaction):
                    yield transaction
                if transaction.touched or transaction.is_noted:
                    transaction.close(actor, action, reason, details or {})
            self._keep_head(connection, transaction)

    def _keep_head(self, connection: duckdb.DuckDBPyConnection, transaction: Transaction) -> None:
        """Sign the end of the chain after a write that left an event."""
        if transaction.hash:
            first = connection.execute("SELECT hash FROM main.event ORDER BY event LIMIT 1").fetchone()
            head = heads.Head(transaction.event, transaction.hash, first[0] if first else "")
            heads.keep(self.path, head)
            self._wrote = head

    def _must_follow(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Nothing is written to a file that was put in the place of the one that this store wrote to."""
        if self._wrote is None:
            return
        row = connection.execute(
            "SELECT hash FROM main.event WHERE event = ?", [self._wrote.event]
        ).fetchone()
        if row is None or row[0] != self._wrote.hash:
            raise StoreError(
                f"the cohort {self.path.name} is another file than before (a backup, or a new one)",
                "one file is needed from the first write to the last",
                "see that the right file is there, and run the command again: what is missing is made up for",
            )

    def set_blinded(self, blinded: bool, *, actor: str, reason: str) -> None:
        """Hides or shows the arms from now on; who did it and why stays in the trail."""
        with self.write(actor, "blind" if blinded else "unblind", reason) as transaction:
            transaction.set_meta("blinded", "true" if blinded else "false")

    # -- opening -------------------------------------------------------------------------------------------

    @contextmanager
    def _connection(
        self, *, read_only: bool, may_be_old: bool = False
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """An open connection. may_be_old: also to a file whose tables are missing or not of this version."""
        try:
            connection = duckdb.connect(str(self.path), read_only=read_only, config=SETTINGS)
        except duckdb.Error as error:
            raise cannot_open(self.path, error) from None
        try:
            if not may_be_old:
                self._check_version(connection)
            yield connection
        except duckdb.Error as error:
            raise cannot_use(self.path, error) from error
        finally:
            with suppress(duckdb.Error):
                connection.close()

    def _check_version(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Once for each state of the file: tables change with the file alone."""
        state = self.path.stat()
        seen = (state.st_ino, state.st_mtime_ns, state.st_size)
        if _checked.get(self.path) != seen:
            check_version(connection, self.path.name)
            _checked[self.path] = seen

    def _must_exist(self) -> None:
        if not self.exists():
            raise StoreError(
                f"the cohort {self.path}",
                "there is no such file",
                "make one with 'sharpline demo', 'sharpline subjects' or 'sharpline ingest'",
            )

    def _is_outdated(self) -> bool:
        with self._gate.reading(), self._connection(read_only=True, may_be_old=True) as connection:
            return bool(pending(connection)) or not _has_events(connection)

    def _create(self) -> None:
        """Tables and first event in one transaction, so that no half of a cohort is ever there."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._gate.writing(), self._connection(read_only=False, may_be_old=True) as connection:
            if applied(connection):
                migrate(connection)
                if not _has_events(connection):
                    self._begin(connection, [])
            else:
                self._begin(connection, pending(connection))

    def _begin(self, connection: duckdb.DuckDBPyConnection, migrations: list[str]) -> None:
        """Tables and settings of a new cohort, with its first event."""
        heads.set_aside(self.path)
        self.path.chmod(0o600)
        with all_or_nothing(connection):
            for name in migrations:
                apply(connection, name)
            transaction = Transaction(connection, 1)
            for key, value in {**NEW_COHORT, "mask_key": secrets.token_hex(16)}.items():
                if transaction.value("SELECT 1 FROM main.meta WHERE key = ?", [key]) is None:
                    transaction.set_meta(key, value)
            transaction.close("sharpline", "create", "", {"cohort": self.path.name})
        self._keep_head(connection, transaction)


def _has_events(connection: duckdb.DuckDBPyConnection) -> bool:
    row = connection.execute("SELECT count(*) FROM event").fetchone()
    return bool(row and row[0])


_tables: dict[Path, tuple[tuple[int, ...], audit.Tables]] = {}  # cohort file -> its state, its tables then
_checked: dict[Path, tuple[int, int, int]] = {}  # cohort file -> its state when its version was checked
_thread = threading.local()


def _open_sessions() -> dict[Path, Session]:
    """The sessions that this thread has open now, by cohort file."""
    if not hasattr(_thread, "sessions"):
        _thread.sessions = {}
    sessions: dict[Path, Session] = _thread.sessions
    return sessions


@contextmanager
def _kept(path: Path, session: Session) -> Iterator[Session]:
    _open_sessions()[path] = session
    try:
        yield session
    finally:
        del _open_sessions()[path]


def current_actor() -> str:
    """Who is at work, for the audit trail: ``SHARPLINE_ACTOR``, else the account's name."""
    import getpass

    try:
        return os.environ.get("SHARPLINE_ACTOR") or getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
