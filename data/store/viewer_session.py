"""The cohort as one viewer may see it: the same queries over views that leave out what is hidden."""

from __future__ import annotations

import re
from typing import Any

import duckdb
import pandas as pd

from core import scores
from core.domain import Viewer
from core.errors import NotAllowed
from core.scores.system import Rule, ScoreSystem
from data.store import access, audit, held_covariates, totals
from data.store.audit import quoted
from data.store.named_tables import named_tables
from data.store.session import Parameters, Session


class Look(Session):
    """A connection for a viewer: table names mean what this viewer may see, current rows only.

    allowed: the policy, for ``data.store.access.selection`` and for what a page should not even offer.
    named: the tables that statements named so far, and the settings: what answers were made from.
    as_of: an earlier version of the cohort: rows as they were then (settings are those of today).
    tables: what the cohort holds, table -> column -> type.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        viewer: Viewer,
        as_of: int | None,
        tables: audit.Tables,
    ) -> None:
        super().__init__(connection)
        settings = connection.execute("SELECT key, value, current_database() FROM main.meta").fetchall()
        meta = {key: value for key, value, _ in settings}
        self.allowed = access.policy(viewer, blinded=meta.get("blinded") != "false")
        database = quoted(settings[0][2])
        if as_of is not None and not self.allowed.sees_order:
            raise NotAllowed("an earlier version", "a reader sees today's films", "leave it out")
        self._as_of, self._confirmed = as_of, held_covariates.confirmed(meta)
        self.named = {"meta"}
        self._tables = tables
        self._views = access.views(self.allowed, self._tables, database, as_of)
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
        self.named |= named_tables(sql) & (self._tables.keys() | access.TABLES_ADDED_LATER.keys())
        if "covariate" in self.named and not self.allowed.sees_arm:
            self.named.add("subject")  # what is held back depends on the arms
        for name in [name for name in self._views if name.casefold() in words]:
            view = self._views.pop(name, "")  # totals of then cover what they are made from
            if not view:
                continue
            if name == "covariate" and not self.allowed.sees_arm:
                held = list(held_covariates.held(self._connection, self._confirmed))
                self._connection.execute("SET VARIABLE held_covariates = ?::VARCHAR[]", [held])
            if name == "total" and self._as_of is not None:
                self._keep_totals_of_then()
            else:
                self._connection.execute(f"CREATE TEMP VIEW {quoted(name)} AS {view}")

    def _keep_totals_of_then(self) -> None:
        """Totals are kept for today only: those of an earlier version are computed from its site scores."""
        names = self.query("SELECT DISTINCT system FROM site_score ORDER BY system")["system"].tolist()
        systems = [scores.get(name) for name in names]
        self._connection.execute("CREATE TEMP TABLE total AS FROM main.total WITH NO DATA")
        for system in systems:
            self._connection.register("totals_then", self.totals_under(system, system.default_rule))
            columns = ", ".join(totals.COLUMNS)
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
        return totals.visit_order(self._connection, "site_score s", "visit")

    def totals_under(
        self,
        system: ScoreSystem,
        rule: Rule,
        settings: dict[str, str] | None = None,
        patients: str = "",
        parameters: Parameters = None,
    ) -> pd.DataFrame:
        """Totals under any rule, with the columns of the table ``total``.

        patients: SELECT of the subjects wanted (``data.store.access.selection``), with its parameters; all
        without. Raises NotAllowed for a blinded reader: rules may look at the order of visits.
        """
        if not self.allowed.sees_order:
            raise NotAllowed("totals under another rule", "a reader sees the default rule", "leave it out")
        which = f"subject IN ({patients})" if patients else "true"
        if totals.is_summed_in_sql(system, rule) and not settings:
            return self.query(
                f"{totals.totals_sql(system, rule, which, 'site_score s')} ORDER BY ALL", parameters
            )
        self._cover(f"site_score visit {which}")
        return totals.computed(
            self._connection,
            system,
            rule,
            settings=settings,
            which=which,
            source="site_score s",
            visit_table="visit",
            parameters=parameters,
        )
