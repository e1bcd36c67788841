"""Which tables a statement reads."""

from __future__ import annotations

import re
import threading
from functools import cache, lru_cache

import duckdb

MADE_OF = {"held_image": "image"}  # views under a name of their own -> the table that they show

_lock = threading.Lock()


@lru_cache(maxsize=2048)
def named_tables(sql: str) -> frozenset[str]:
    """The names of tables, views and common table expressions in a SELECT, in small letters.

    Of a statement that cannot be taken apart, every word.
    """
    with _lock:
        row = _parser().execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchone()
    tree = str(row[0]) if row else ""
    if '"error":true' in tree[:20] or '"statements":[]' in tree:
        return frozenset(re.findall(r"\w+", sql.casefold()))
    names = {name.casefold() for name in re.findall(r'"table_name":"([^"]*)"', tree)}
    return frozenset(names | {MADE_OF[name] for name in names & set(MADE_OF)})


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(":memory:", config={"threads": 1})
