"""The audit trail: one hash-chained event a write, with a digest of the rows it wrote and superseded.

A row's content is the text ``name=value`` of its non-empty columns (so a column added later changes nothing
for older rows), without the columns of the trail itself. A digest is the number of rows and the SHA-256 of
the sorted SHA-256 of their contents: independent of the order in which they lie. Events of versions before
0.3 have the sum of the first 96 bits of the MD5 of their rows instead, and are checked by that.
An event's hash is the SHA-256 of the hash before it and of everything the event says, digests included.

This shows damage, mistakes and edits behind the program's back. Whoever can rewrite the whole file can also
write a new chain: the signed heads outside the file (``data.store.heads``) show that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    import duckdb

TRAIL = ("event", "superseded_by")  # columns that say which event wrote a row, not what it says
EVENT_FIELDS = ("event", "happened_at", "actor", "action", "reason", "details", "row_count", "digest")
LENGTH_OF_SHA256 = 64  # hex digits
NO_HASH = "0" * LENGTH_OF_SHA256

Tables = dict[str, dict[str, str]]  # table -> column -> type
Roles = dict[str, list[Any]]  # "inserted" | "superseded" -> [rows, sum]
Digests = dict[int, dict[str, Roles]]  # event -> table -> roles


def columns(connection: duckdb.DuckDBPyConnection) -> Tables:
    """Table name -> column name -> type, of all stored tables."""
    rows = connection.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() "
        "WHERE NOT internal AND schema_name = 'main' AND database_name = current_database() "
        "ORDER BY table_name, column_index"
    ).fetchall()
    found: Tables = {}
    for table, column, kind in rows:
        found.setdefault(table, {})[column] = kind
    return found


def audited(tables: Tables) -> Tables:
    """The tables whose rows belong to an event."""
    return {name: cols for name, cols in tables.items() if "event" in cols and name != "event"}


def quoted(name: str) -> str:
    """An identifier for SQL, in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def row_content(cols: dict[str, str]) -> str:
    """SQL expression: the text of one row, unambiguous, empty columns left out."""
    fields = ", ".join(_field(name, kind) for name, kind in cols.items() if name not in TRAIL)
    return f"concat_ws(chr(31), {fields})"


def _field(name: str, kind: str) -> str:
    value = quoted(name)
    text = f"replace({value}, chr(31), repeat(chr(31), 2))" if kind == "VARCHAR" else f"{value}::VARCHAR"
    return f"('{name}=' || {text})"


def digests(
    connection: duckdb.DuckDBPyConnection,
    only_event: int | None = None,
    tables: Tables | None = None,
    older: Iterable[int] = (),
) -> Digests:
    """Digests of the stored rows by event and table; of one event, and of some tables, where given.

    older: events whose digests are of the first kind (``events_with_sums``).
    """
    found: Digests = {}
    of_first_kind = sorted(older)
    for table, cols in audited(columns(connection) if tables is None else tables).items():
        for role, column in (("inserted", "event"), ("superseded", "superseded_by")):
            if column not in cols:
                continue
            for sql in _digest_statements(table, cols, column, only_event, of_first_kind):
                for event, rows, digest in connection.execute(sql).fetchall():
                    found.setdefault(event, {}).setdefault(table, {})[role] = [rows, str(digest)]
    return found


def _digest_statements(
    table: str, cols: dict[str, str], column: str, only_event: int | None, older: list[int]
) -> list[str]:
    if only_event is not None:
        return [_digest_sql(table, cols, column, f"{column} = {int(only_event)}")]
    numbers = ", ".join(str(int(event)) for event in older) or "NULL"
    is_older = f"coalesce({column} IN ({numbers}), false)"
    # a row that belongs to no event must be found too
    newer = f"NOT {is_older}" if column == "event" else f"{column} IS NOT NULL AND NOT {is_older}"
    statements = [_digest_sql(table, cols, column, newer)]
    return [*statements, _sum_sql(table, cols, column, is_older)] if older else statements


def _digest_sql(table: str, cols: dict[str, str], column: str, which: str) -> str:
    """In two steps, by the first byte of a row's hash: no sorted list is longer than a 256th of the rows."""
    rows = f"SELECT {column} AS key, sha256({row_content(cols)}) AS h FROM main.{quoted(table)} WHERE {which}"
    parts = (
        "SELECT key, left(h, 2) AS part, count(*) AS n, sha256(string_agg(h, '' ORDER BY h)) AS digest "
        f"FROM ({rows}) GROUP BY ALL"
    )
    return (
        f"SELECT key, sum(n)::BIGINT, sha256(string_agg(part || digest, '' ORDER BY part)) "
        f"FROM ({parts}) GROUP BY key"
    )


def _sum_sql(table: str, cols: dict[str, str], column: str, which: str) -> str:
    return (
        "SELECT key, count(*), sum(h) FROM "
        f"(SELECT {column} AS key, (md5_number(content) >> 32)::HUGEINT AS h FROM "
        f"(SELECT {column}, {row_content(cols)} AS content FROM main.{quoted(table)} WHERE {which})) "
        "GROUP BY key"
    )


def events_with_sums(events: pd.DataFrame) -> list[int]:
    """The events whose digests are sums, as versions before 0.3 wrote them.

    events: columns ``event`` and ``digest``.
    """
    return [int(row["event"]) for row in events.to_dict("records") if _has_sums(_parsed(row["digest"]))]


def _has_sums(noted: Mapping[str, Any]) -> bool:
    roles = [role for table in noted.values() if isinstance(table, dict) for role in table.values()]
    digests = [str(role[1]) for role in roles if isinstance(role, list) and len(role) == 2]
    return any(len(digest) < LENGTH_OF_SHA256 for digest in digests)


def last_writes(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Table -> the last event that changed what is in it; tables that nothing was written to are left out.

    Totals change with the scores and visits that they are made of, ``event`` with every event.
    """
    rows = connection.execute(
        "SELECT name, max(event) FROM ("
        "SELECT event, unnest(json_keys(digest)) AS name FROM main.event "
        "UNION ALL SELECT event, 'meta' FROM main.event WHERE json_exists(details, '$.meta') "
        "UNION ALL SELECT event, 'event' FROM main.event) GROUP BY name"
    ).fetchall()
    found = {str(name): int(event) for name, event in rows}
    made_of = [found[name] for name in ("site_score", "visit") if name in found]
    return found | ({"total": max(made_of)} if made_of else {})


def event_hash(previous: str, values: Mapping[Any, Any]) -> str:
    """The hash that closes an event: of the hash before it and of the event's own fields."""
    content = json.dumps(
        [_plain(values[name]) for name in EVENT_FIELDS], ensure_ascii=True, separators=(",", ":")
    )
    return hashlib.sha256((previous + content).encode("ascii")).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if pd.isna(value):
        return None
    return value.isoformat(timespec="microseconds") if hasattr(value, "isoformat") else int(value)


def close_event(connection: duckdb.DuckDBPyConnection, values: dict[str, Any], touched: Tables) -> str:
    """Writes the event of the running transaction: digest of its rows, link to the event before it.

    touched: the tables that the event wrote to. Returns its hash.
    """
    last = connection.execute("SELECT hash FROM main.event ORDER BY event DESC LIMIT 1").fetchone()
    previous = last[0] if last else NO_HASH
    tables = digests(connection, values["event"], touched).get(values["event"], {})
    values = values | {
        "row_count": sum(roles.get("inserted", [0])[0] for roles in tables.values()),
        "digest": json.dumps(tables, sort_keys=True, separators=(",", ":")),
    }
    closed = event_hash(previous, values)
    connection.execute(
        f"INSERT INTO main.event ({', '.join(EVENT_FIELDS)}, previous, hash) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [*(values[name] for name in EVENT_FIELDS), previous, closed],
    )
    return closed


def broken_chain(events: pd.DataFrame) -> list[dict[str, Any]]:
    """What is wrong in the chain of events itself: gaps, links and changed contents.

    events: the table ``event``, ordered by number, ``happened_at`` as datetime.
    """
    broken, previous, expected = [], NO_HASH, 1
    for row in events.astype(object).to_dict("records"):
        number = int(row["event"])
        if number != expected:
            broken.append(fault(number, f"event {expected} should stand here: one is missing or duplicated"))
        if row["previous"] != previous:
            broken.append(fault(number, "it does not follow the event before it"))
        if event_hash(row["previous"], row) != row["hash"]:
            broken.append(fault(number, "what the event says was changed"))
        previous, expected = row["hash"], number + 1
    return broken


def broken_rows(events: pd.DataFrame, stored: Digests) -> list[dict[str, Any]]:
    """Where the stored rows differ from what their event recorded: edited, deleted or added."""
    noted = {int(row["event"]): _parsed(row["digest"]) for row in events.to_dict("records")}
    broken = []
    for number in sorted(set(noted) | set(stored), key=lambda event: (event is None, event)):
        then, now = noted.get(number, {}), stored.get(number, {})
        for table in sorted(set(then) | set(now)):
            for role in ("inserted", "superseded"):
                reason = _difference(then.get(table, {}).get(role), now.get(table, {}).get(role))
                if reason:
                    broken.append(fault(number, f"{table}: {_ROLE[role]} {reason}"))
    return broken


_ROLE = {"inserted": "rows that it wrote", "superseded": "rows that it superseded"}


def _difference(then: list[Any] | None, now: list[Any] | None) -> str:
    if then == now:
        return ""
    before, after = (then or [0])[0], (now or [0])[0]
    return f"were {before}, are {after}" if before != after else f"were changed ({before} rows)"


def broken_meta(events: pd.DataFrame, meta: dict[str, str]) -> list[dict[str, Any]]:
    """Settings that differ from what the events said they became."""
    said: dict[str, str] = {}
    for details in events["details"]:
        said |= _parsed(details).get("meta", {})
    last = int(events["event"].max()) if len(events) else 0
    wrote = [int(row["event"]) for row in events.to_dict("records") if writes(row)]
    said["cohort_version"] = str(max(wrote, default=0))
    if "last_event" in meta or len(wrote) < len(events):  # cohorts of the first version lack it
        said["last_event"] = str(last)
    return [
        fault(last or None, f"meta: {key} is {meta.get(key)!r}, the events say {said.get(key)!r}")
        for key in sorted(set(said) | set(meta))
        if said.get(key) != meta.get(key)
    ]


def writes(event: Mapping[Any, Any]) -> bool:
    """Whether an event wrote rows or settings; others only say that something was done."""
    return bool(_parsed(event["digest"]) or _parsed(event["details"]).get("meta"))


def _parsed(text: Any) -> dict[str, Any]:
    """The JSON object in a field of an event; empty where someone made it unreadable (the hash shows it)."""
    try:
        value = json.loads(text)
    except (TypeError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def fault(event: int | None, reason: str) -> dict[str, Any]:
    return {"event": event, "reason": reason}


def head(events: pd.DataFrame) -> str:
    """The hash of the last event: whoever keeps it elsewhere can prove later that nothing was rewritten."""
    return str(events["hash"].iloc[-1]) if len(events) else NO_HASH


def faults(*lists: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """All faults, in the order of their events."""
    every = [fault for group in lists for fault in group]
    return sorted(every, key=lambda fault: (fault["event"] is None, fault["event"] or 0))
