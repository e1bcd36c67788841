"""Whether a cohort file holds the tables that the program makes, and nothing that could stand in their place.

A view, a macro or a computed column can answer one statement truly and another one falsely, so that digests
fit while pages show something else. A cohort has none of them.
"""

from __future__ import annotations

import duckdb

from data.store.migrate import RECORD, applied, available, script

# A macro of the file would hide a function of its name, but not one that is named in full.
FOREIGN = {
    "schema": "SELECT schema_name FROM system.main.duckdb_schemas() "
    "WHERE NOT internal AND schema_name <> 'main'",
    "view": "SELECT schema_name || '.' || view_name FROM system.main.duckdb_views() "
    "WHERE NOT internal AND NOT temporary",
    "macro": "SELECT DISTINCT schema_name || '.' || function_name FROM system.main.duckdb_functions() "
    "WHERE NOT internal",
    "type": "SELECT DISTINCT schema_name || '.' || type_name FROM system.main.duckdb_types() "
    "WHERE NOT internal",
    "sequence": "SELECT schema_name || '.' || sequence_name FROM system.main.duckdb_sequences()",
    "index": "SELECT schema_name || '.' || index_name FROM system.main.duckdb_indexes()",
}
TABLES = (
    "SELECT schema_name || '.' || table_name, sql FROM system.main.duckdb_tables() "
    "WHERE NOT internal AND NOT temporary"
)


def differences(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """What the opened file holds beside the tables of the program, and tables that are made otherwise.

    Tables are compared with those that the migrations make which the file says it has seen.
    """
    found = [
        f"the {kind} {name} is not of a cohort: it can show other rows than those that were written"
        for kind, sql in FOREIGN.items()
        for (name,) in sorted(connection.execute(sql).fetchall())
    ]
    stored = dict(connection.execute(TABLES).fetchall())
    if "main.migration" not in stored:
        return found  # said elsewhere
    expected = _tables_after(applied(connection))
    for name in sorted(stored):
        if name not in expected:
            found.append(f"the table {name} is not of a cohort")
        elif stored[name] != expected[name]:
            found.append(f"the table {name} is not made as the program makes it (columns, types, defaults)")
    return found


def not_made_yet(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Tables of the program that came after the version with which the file was last written."""
    done = applied(connection)
    if not done:
        return set()
    made = _tables_after(done)
    return {name.removeprefix("main.") for name in _tables_after(available()) if name not in made}


def _tables_after(names: list[str]) -> dict[str, str]:
    """Table -> its definition, as these migrations make it."""
    with duckdb.connect(":memory:") as fresh:
        fresh.execute(RECORD)
        for name in names:
            if name in available():
                fresh.execute(script(name))
        return dict(fresh.execute(TABLES).fetchall())
