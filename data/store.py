"""The cohort store: one DuckDB file, opened for moments only, by readers or by one writer.

Everything that reads or writes a cohort goes through ``CohortStore``; nothing outside ``data/`` knows
DuckDB. A write is one transaction: rows, totals, version and the event of the audit trail change together
or not at all.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from core import scores
from core.domain import Viewer
from core.errors import NotAllowed, StoreError
from core.scores.system import Rule, ScoreSystem
from data import access, audit, derived
from data.audit import quoted
from data.frames import to_arrow, to_frame
from data.gate import WAIT_SECONDS, Gate
from data.migrate import migrate, pending

Parameters = Sequence[Any] | Mapping[str, Any] | None

KEYS: dict[str, tuple[str, ...]] = {  # what is unique among the current rows of a table
    "subject": ("subject",),
    "visit": ("subject", "visit"),
    "image": ("image",),
    "reader": ("reader",),
    "campaign": ("campaign", "system"),
    "run": ("run",),
    "site_score": ("subject", "visit", "system", "site", "feature", "reader", "campaign", "read"),
    "finding": ("finding",),
    "unscorable": ("run", "image", "site"),
    "covariate": ("subject", "visit", "name"),
    "delivery": ("image",),
    "frozen": ("frozen",),
}
MAY_BE_EMPTY = {("site_score", "subject"), ("site_score", "visit"), ("covariate", "visit")}
SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",  # nothing is fetched from a network
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",  # a name is a table, never a variable of the program
}
NEW_COHORT = {"blinded": "true", "phantom": "false"}


class Session:
    """One short connection; lives inside ``CohortStore.reading`` or ``CohortStore.write``."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def query(self, sql: str, parameters: Parameters = None) -> pd.DataFrame:
        """The rows of one statement.

        parameters: a sequence for ``?``, a mapping for ``$name``. Text comes back as ``str`` columns, whole
        numbers with gaps as ``Int32``/``Int64``, decimals as ``float64``; missing is NA or NaN.
        """
        return to_frame(self._connection.execute(sql, parameters).to_arrow_table())

    def value(self, sql: str, parameters: Parameters = None) -> Any:
        """The first value of the first row, None where there is no row."""
        row = self._connection.execute(sql, parameters).fetchone()
        return row[0] if row else None

    def current(self, table: str, keys: pd.DataFrame) -> pd.DataFrame:
        """The current rows of a table whose key columns equal a row of ``keys`` (missing equals missing)."""
        types = audit.columns(self._connection)[table]
        rows = to_arrow(keys.drop_duplicates(), types, table)
        self._connection.register("keys", rows)
        try:
            return self.query(
                f"SELECT t.* FROM main.{quoted(table)} t SEMI JOIN keys k ON {_match(rows)} "
                "WHERE superseded_by IS NULL"
            )
        finally:
            self._connection.unregister("keys")

    def tables(self) -> dict[str, dict[str, str]]:
        """Table name -> column name -> type, as stored."""
        return audit.columns(self._connection)

    def digests(self) -> audit.Digests:
        """Digests of all stored rows, for the check of the trail."""
        return audit.digests(self._connection)

    def wrong_totals(self) -> list[str]:
        """Where stored totals are not what the stored scores make."""
        return derived.differences(self._connection)

    def visit_order(self) -> list[str]:
        """All visits in the order of the study."""
        return derived.visit_order(self._connection)


class Look(Session):
    """A connection for a viewer: table names mean what this viewer may see, current rows only.

    allowed: the policy, for ``data.access.selection`` and for what a page should not even offer.
    as_of: an earlier version of the cohort: rows as they were then (settings are those of today).
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, viewer: Viewer, as_of: int | None = None
    ) -> None:
        super().__init__(connection)
        settings = connection.execute("SELECT key, value, current_database() FROM main.meta").fetchall()
        meta = {key: value for key, value, _ in settings}
        self.allowed = access.policy(viewer, blinded=meta.get("blinded") != "false")
        database = quoted(settings[0][2])
        if as_of is not None and not self.allowed.sees_order:
            raise NotAllowed("an earlier version", "a reader sees today's films", "leave it out")
        self._as_of = as_of
        self._views = access.views(self.allowed, audit.columns(connection), database, as_of)
        connection.execute("SET VARIABLE viewer_reader = ?", [self.allowed.reader])
        connection.execute("SET VARIABLE mask_key = ?", [meta.get("mask_key", "")])

    def query(self, sql: str, parameters: Parameters = None) -> pd.DataFrame:
        self._cover(sql)
        return super().query(sql, parameters)

    def value(self, sql: str, parameters: Parameters = None) -> Any:
        self._cover(sql)
        return super().value(sql, parameters)

    def _cover(self, sql: str) -> None:
        """Puts the viewer's view over each table that the statement names; only these, for speed."""
        words = set(re.findall(r"\w+", sql.casefold()))
        for name in [name for name in self._views if name.casefold() in words]:
            view = self._views.pop(name)
            if name == "total" and self._as_of is not None:
                self._keep_totals_of_then()
            else:
                self._connection.execute(f"CREATE TEMP VIEW {quoted(name)} AS {view}")

    def _keep_totals_of_then(self) -> None:
        """Totals are kept for today only: those of an earlier version are worked out from its site scores."""
        names = self.query("SELECT DISTINCT system FROM site_score ORDER BY system")["system"].tolist()
        systems = [scores.get(name) for name in names]
        self._connection.execute("CREATE TEMP TABLE total AS FROM main.total WITH NO DATA")
        for system in systems:
            self._connection.register("totals_then", self.totals_under(system, system.default_rule))
            columns = ", ".join(derived.COLUMNS)
            self._connection.execute(f"INSERT INTO temp.total ({columns}) SELECT {columns} FROM totals_then")
            self._connection.unregister("totals_then")

    def keep(self, name: str, frame: pd.DataFrame) -> None:
        """Makes a frame a table of this connection, for joins; it goes when the look ends."""
        self._connection.register("kept_frame", frame)
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE {quoted(name)} AS FROM kept_frame")
        self._connection.unregister("kept_frame")

    def visit_order(self) -> list[str]:
        """All visits that this viewer sees, in the order of the study (by name where it is hidden)."""
        self._cover("site_score visit")
        return derived.visit_order(self._connection, "site_score s", "visit")

    def totals_under(
        self,
        system: ScoreSystem,
        rule: Rule,
        settings: dict[str, str] | None = None,
        patients: str = "",
        parameters: Parameters = None,
    ) -> pd.DataFrame:
        """Totals under any rule, with the columns of the table ``total``.

        patients: SELECT of the subjects wanted (``data.access.selection``), with its parameters; all without.
        Raises NotAllowed for a blinded reader: rules may look at the order of visits.
        """
        if not self.allowed.sees_order:
            raise NotAllowed("totals under another rule", "a reader sees the default rule", "leave it out")
        which = f"subject IN ({patients})" if patients else "true"
        if derived.is_summed_in_sql(system, rule) and not settings:
            return self.query(
                f"{derived.totals_sql(system, rule, which, 'site_score s')} ORDER BY ALL", parameters
            )
        self._cover(f"site_score visit {which}")
        return derived.computed(
            self._connection,
            system,
            rule,
            settings=settings,
            which=which,
            source="site_score s",
            visit_table="visit",
            parameters=parameters,
        )


class Transaction(Session):
    """Rows of one event. ``event`` is its number, and the cohort's version once it is written."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, event: int) -> None:
        super().__init__(connection)
        self.event = event
        self.details: dict[str, Any] = {}
        self.touched: set[str] = set()  # tables with rows of this event
        self.is_noted = False
        self._tables = audit.columns(connection)

    def insert(self, table: str, frame: pd.DataFrame) -> int:
        """Adds rows; columns that the frame lacks stay empty. Returns the number of rows.

        Raises StoreError for an unknown column or a value that does not fit its column.
        """
        if frame.empty:
            return 0
        rows = to_arrow(frame, self._stored_columns(table), table)
        names = ", ".join(quoted(name) for name in rows.column_names)
        self._connection.register("inserted_rows", rows)
        try:
            return self.insert_select(table, names, "SELECT * FROM inserted_rows")
        finally:
            self._connection.unregister("inserted_rows")

    def insert_select(self, table: str, names: str, sql: str, parameters: Parameters = None) -> int:
        """Adds the rows of a SELECT to the columns ``names`` ("a, b, c"). Returns the number of rows."""
        statement = f"INSERT INTO main.{quoted(table)} ({names}, event) SELECT *, {self.event} FROM ({sql})"
        count = self.value(statement, parameters)
        if count:
            self.touched.add(table)
        return int(count)

    def supersede(self, table: str, keys: pd.DataFrame) -> int:
        """Marks the current rows with these keys as superseded by this event; the old rows stay.

        keys: any columns of the table; a missing value matches a missing one. Returns the number of rows.
        Rows that this same event inserted are left alone.
        """
        if keys.empty:
            return 0
        rows = to_arrow(keys.drop_duplicates(), self._stored_columns(table), table)
        current = f"superseded_by IS NULL AND event <> {self.event}"
        stored, match = f"main.{quoted(table)} t", _match(rows)
        self._connection.register("keys", rows)
        try:
            of_events = self.query(
                f"SELECT DISTINCT event FROM {stored} SEMI JOIN keys k ON {match} WHERE {current}"
            )["event"]
            update = f"UPDATE {stored} SET superseded_by = {self.event} FROM keys k"
            count = int(self.value(f"{update} WHERE {match} AND {current}"))
        finally:
            self._connection.unregister("keys")
        if count:
            self.touched.add(table)
            old = self.details.setdefault("superseded", {}).setdefault(table, {"rows": 0, "of_events": []})
            old["rows"] += count
            old["of_events"] = sorted({*old["of_events"], *(int(event) for event in of_events)})
        return count

    def refuse(self, source: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Keeps what was not taken.

        source: the file. rows: ``row`` (number, None for a whole file), ``reason``, ``content`` (text or a
        mapping of the row as it came).
        """
        frame = pd.DataFrame(
            {
                "source": source,
                "row_number": [row.get("row") for row in rows],
                "reason": [row["reason"] for row in rows],
                "content": [_as_text(row.get("content")) for row in rows],
            },
            dtype=object,
        )
        self.insert("refused", frame)

    def set_meta(self, key: str, value: str) -> None:
        """Sets one of the cohort's settings; the event keeps the new value and the old one."""
        old = self.value("SELECT value FROM main.meta WHERE key = ?", [key])
        if old == value:
            return
        self._write_meta(key, value)
        self.details.setdefault("meta", {})[key] = value
        self.details.setdefault("meta_before", {})[key] = old
        self.touched.add("meta")

    def note(self, **details: Any) -> None:
        """Keeps an event even where it writes no row: something that was done. The version stays."""
        self.details |= details
        self.is_noted = True

    def _write_meta(self, key: str, value: str) -> None:
        self._connection.execute("DELETE FROM main.meta WHERE key = ?", [key])
        self._connection.execute("INSERT INTO main.meta VALUES (?, ?)", [key, value])

    def _stored_columns(self, table: str) -> dict[str, str]:
        if table not in KEYS and table != "refused":
            raise StoreError(f"rows for the table {table}", f"one of {', '.join(KEYS)}", "name a table")
        return {name: kind for name, kind in self._tables[table].items() if name not in audit.TRAIL}

    def close(self, actor: str, action: str, reason: str, details: Mapping[str, Any]) -> None:
        """Checks keys, brings totals up to date, writes the event and the new version."""
        for table in sorted(self.touched & set(KEYS)):
            self._check_complete(table, KEYS[table])
            self._check_unique(table, KEYS[table])
        if self.touched & {"site_score", "visit"}:
            derived.update(self._connection, self.event)
        everything = {**details, **self.details, "software": software_version()}
        audit.close_event(
            self._connection,
            {
                "event": self.event,
                "happened_at": datetime.now(UTC).replace(tzinfo=None),
                "actor": actor,
                "action": action,
                "reason": reason,
                "details": json.dumps(everything, sort_keys=True, ensure_ascii=False, default=str),
            },
            {name: self._tables[name] for name in self.touched},
        )
        self._write_meta("last_event", str(self.event))
        if self.touched:
            self._write_meta("cohort_version", str(self.event))

    def _check_complete(self, table: str, keys: tuple[str, ...]) -> None:
        """No part of a key may be empty, but that a score of an unassigned film has no subject and visit."""
        needed = [key for key in keys if (table, key) not in MAY_BE_EMPTY]
        empty = " OR ".join(f"{quoted(key)} IS NULL" for key in needed)
        if self.value(f"SELECT 1 FROM main.{quoted(table)} WHERE event = {self.event} AND ({empty}) LIMIT 1"):
            raise StoreError(
                f"a row of {table} without {' or '.join(needed)}",
                "each of these is needed",
                "fill them in, or leave the row out",
            )

    def _check_unique(self, table: str, keys: tuple[str, ...]) -> None:
        """No two current rows may have one key; only keys that this event touched can have become double.

        Hashes are counted first, in a tenth of the memory; only where two are equal are keys compared.
        """
        names = ", ".join(quoted(key) for key in keys)
        if table == "site_score":
            names += ", CASE WHEN subject IS NULL OR visit IS NULL THEN image END"
        first, stored = quoted(keys[0]), f"main.{quoted(table)}"
        mine = f"SELECT DISTINCT {first} FROM {stored} WHERE event = {self.event}"
        touched = f"FROM {stored} SEMI JOIN ({mine}) USING ({first}) WHERE superseded_by IS NULL"
        unassigned = f"FROM {stored} WHERE superseded_by IS NULL AND {first} IS NULL"
        has_unassigned = self.value(
            f"SELECT 1 FROM {stored} WHERE event = {self.event} AND {first} IS NULL LIMIT 1"
        )
        for rows in (touched, unassigned) if has_unassigned else (touched,):
            if self.value(f"SELECT 1 {rows} GROUP BY hash({names}) HAVING count(*) > 1 LIMIT 1") is None:
                continue
            double = self._connection.execute(
                f"SELECT {names}, count(*) {rows} GROUP BY ALL HAVING count(*) > 1 ORDER BY ALL LIMIT 1"
            ).fetchone()
            if double:
                raise StoreError(
                    f"{double[-1]} rows of {table} for {', '.join(str(part) for part in double[:-1])}",
                    "one current row for each is needed",
                    "supersede the old row first, or drop the double",
                )


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
            yield Look(connection, viewer, as_of)

    def version(self) -> int:
        """The number of the last write of rows or settings: part of every cache key. 0 without a cohort."""
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
            connection.execute("BEGIN")
            try:
                last = connection.execute("SELECT coalesce(max(event), 0) FROM main.event").fetchone()
                transaction = Transaction(connection, int(last[0]) + 1 if last else 1)
                with _kept(self.path, transaction):
                    yield transaction
                if transaction.touched or transaction.is_noted:
                    transaction.close(actor, action, reason, details or {})
                connection.execute("COMMIT")
            except BaseException:
                connection.execute("ROLLBACK")
                raise

    def set_blinded(self, blinded: bool, *, actor: str, reason: str) -> None:
        """Hides or shows the arms from now on; who did it and why stays in the trail."""
        with self.write(actor, "blind" if blinded else "unblind", reason) as transaction:
            transaction.set_meta("blinded", "true" if blinded else "false")

    # -- opening -------------------------------------------------------------------------------------------

    @contextmanager
    def _connection(self, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
        try:
            connection = duckdb.connect(str(self.path), read_only=read_only, config=SETTINGS)
        except duckdb.Error as error:
            raise StoreError(
                f"the cohort {self.path.name} ({str(error).splitlines()[0]})",
                "a cohort file made by Sharpline, used by nothing else, is needed",
                "check the path, and close other programs that have the file open",
            ) from None
        try:
            yield connection
        finally:
            connection.close()

    def _must_exist(self) -> None:
        if not self.exists():
            raise StoreError(
                f"the cohort {self.path}",
                "there is no such file",
                "make one with 'sharpline demo', 'sharpline subjects' or 'sharpline ingest'",
            )

    def _is_outdated(self) -> bool:
        with self._gate.reading(), self._connection(read_only=True) as connection:
            return bool(pending(connection)) or not _has_events(connection)

    def _create(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._gate.writing(), self._connection(read_only=False) as connection:
            migrate(connection)
            is_new = not _has_events(connection)
        if is_new:
            with self.write("sharpline", "create", details={"cohort": self.path.name}) as transaction:
                for key, value in {**NEW_COHORT, "mask_key": secrets.token_hex(16)}.items():
                    if transaction.value("SELECT 1 FROM main.meta WHERE key = ?", [key]) is None:
                        transaction.set_meta(key, value)


def _has_events(connection: duckdb.DuckDBPyConnection) -> bool:
    row = connection.execute("SELECT count(*) FROM event").fetchone()
    return bool(row and row[0])


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


def _match(keys: pa.Table) -> str:
    """Condition that a row ``t`` has the keys ``k``; plain equality wherever no key is missing, for speed."""
    return " AND ".join(
        f"t.{quoted(name)} {'IS NOT DISTINCT FROM' if keys[name].null_count else '='} k.{quoted(name)}"
        for name in keys.column_names
    )


def _as_text(content: Any) -> str | None:
    if content is None or isinstance(content, str):
        return content
    return json.dumps(content, ensure_ascii=False, default=str)


@cache
def software_version() -> str:
    """The version of Sharpline that is running."""
    try:
        return installed_version("sharpline")
    except PackageNotFoundError:
        return "unknown"


def current_actor() -> str:
    """Who is at work, for the audit trail: ``SHARPLINE_ACTOR``, else the account's name."""
    import getpass

    try:
        return os.environ.get("SHARPLINE_ACTOR") or getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
