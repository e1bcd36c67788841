"""One open connection to the cohort: queries with bound parameters, as rows or frames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from data.store import audit, held_covariates, shape, totals
from data.store.arrow import to_arrow, to_frame
from data.store.audit import quoted

Parameters = Sequence[Any] | Mapping[str, Any] | None


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
                f"SELECT t.* FROM main.{quoted(table)} t SEMI JOIN keys k ON {key_match(rows)} "
                "WHERE superseded_by IS NULL"
            )
        finally:
            self._connection.unregister("keys")

    def tables(self) -> dict[str, dict[str, str]]:
        """Table name -> column name -> type, as stored."""
        return audit.columns(self._connection)

    def not_made_yet(self) -> set[str]:
        """Tables that came after the version with which the cohort was last written."""
        return shape.not_made_yet(self._connection)

    def digests(self, older: Iterable[int] = ()) -> audit.Digests:
        """Digests of all stored rows, for the check of the trail (``audit.digests``)."""
        return audit.digests(self._connection, older=older)

    def last_writes(self) -> dict[str, int]:
        """Table -> the last event that changed what is in it."""
        return audit.last_writes(self._connection)

    def foreign_objects(self) -> list[str]:
        """What the file holds that is not of a cohort, and could stand in the place of what is."""
        return shape.differences(self._connection)

    def wrong_totals(self) -> list[str]:
        """Where stored totals are not what the stored scores make."""
        return totals.differences(self._connection)

    def is_blinded(self) -> bool:
        """Whether arms are hidden now."""
        return bool(self.value("SELECT value FROM main.meta WHERE key = 'blinded'") != "false")

    def confirmed_covariates(self) -> list[str]:
        """Names of covariates that a person confirmed not to show the treatment."""
        key = held_covariates.CONFIRMED
        stored = self.value("SELECT value FROM main.meta WHERE key = $key", {"key": key})
        return held_covariates.confirmed({key: stored} if stored else {})

    def held_covariates(self) -> dict[str, str]:
        """Stored covariates that nobody may see while the study is blinded -> why."""
        return held_covariates.held(self._connection, self.confirmed_covariates())

    def goes_with_arm(self, covariates: pd.DataFrame, arms: pd.DataFrame) -> set[str]:
        """Covariates of a table whose values go with the arms of that table (``subject, arm``)."""
        return held_covariates.goes_with_arm(self._connection, covariates, arms)

    def visit_order(self) -> list[str]:
        """All visits in the order of the study."""
        return totals.visit_order(self._connection)


def key_match(keys: pa.Table) -> str:
    """Condition that a row ``t`` has the keys ``k``; plain equality wherever no key is missing, for speed."""
    return " AND ".join(
        f"t.{quoted(name)} {'IS NOT DISTINCT FROM' if keys[name].null_count else '='} k.{quoted(name)}"
        for name in keys.column_names
    )
