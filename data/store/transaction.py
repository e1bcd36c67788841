"""One write to the cohort: rows in, rows superseded, totals and audit event, all or nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from typing import Any

import duckdb
import pandas as pd

from core.errors import StoreError
from data.store import audit, totals
from data.store.arrow import to_arrow
from data.store.audit import quoted
from data.store.session import Parameters, Session, key_match

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
    "stack_slice": ("run", "image", "stack"),
    "outline": ("run", "image", "frame", "structure", "name", "part"),
    "diagnosis_chance": ("run", "image", "task"),
    "covariate": ("subject", "visit", "name"),
    "delivery": ("image",),
    "frozen": ("frozen",),
}
MAY_BE_EMPTY = {("site_score", "subject"), ("site_score", "visit"), ("covariate", "visit")}


class Transaction(Session):
    """Rows of one event. ``event`` is its number, and the cohort's version once it is written."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, event: int) -> None:
        super().__init__(connection)
        self.event = event
        self.details: dict[str, Any] = {}
        self.touched: set[str] = set()  # tables with rows of this event
        self.is_noted = False
        self.hash = ""  # of the event, once it is written
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
        stored, match = f"main.{quoted(table)} t", key_match(rows)
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
            totals.update(self._connection, self.event)
        everything = {**details, **self.details, "software": software_version()}
        self.hash = audit.close_event(
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
