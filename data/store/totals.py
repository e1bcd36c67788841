"""Totals under each system's default rule, brought up to date in the transaction of a write.

Only readings that the write touched are computed again: a reading is one subject, system, reader,
campaign and read over all its visits, since a rule may look at the other visits. A rule that needs nothing
but block sums of one visit is summed in SQL; all others go through ``core.scores.engine.totals``.
A test holds the two equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from core import scores
from core.natural import natural_key
from core.scores.engine import totals as engine
from core.scores.system import Choose, Fill, Rule, ScoreSystem
from core.visit_order import order_of_study

if TYPE_CHECKING:
    import duckdb

UNIT = ("subject", "system", "reader", "campaign", "read")
READING = ("subject", "visit", "system", "reader", "campaign", "read")
BY = ("reader", "campaign", "read")
COLUMNS = (
    "subject", "visit", "system", "component", "reader", "campaign", "read", "rule", "total", "scored_sites",
    "imputed_sites", "missing_reason",
)  # fmt: skip
SCORED = "s.superseded_by IS NULL AND s.subject IS NOT NULL AND s.visit IS NOT NULL"


def update(connection: duckdb.DuckDBPyConnection, event: int) -> None:
    """Works the table ``total`` out again for the readings that this event touched.

    A changed order of visits touches the readings of its subjects under rules that look at other visits.
    """
    systems = _touched(connection, event)
    if systems:
        connection.execute(f"DELETE FROM main.total t USING touched u WHERE {_same('t', 'u', UNIT)}")
    for name in systems:
        system = scores.get(name)
        source = f"main.site_score s SEMI JOIN touched u ON {_same('s', 'u', UNIT)}"
        if is_summed_in_sql(system, system.default_rule):
            sql = totals_sql(system, system.default_rule, source=source)
            connection.execute(f"INSERT INTO main.total {sql}")
        else:
            _insert(connection, computed(connection, system, system.default_rule, source=source))
    connection.execute("DROP TABLE touched")


def _touched(connection: duckdb.DuckDBPyConnection, event: int) -> list[str]:
    """Makes the temporary table ``touched`` of readings; the systems in it."""
    unit, number = ", ".join(UNIT), int(event)
    by_visits = [
        name for name, item in scores.systems().items() if not is_summed_in_sql(item, item.default_rule)
    ]
    written, withdrawn = (
        f"SELECT {unit} FROM main.site_score WHERE subject IS NOT NULL AND {column} = {number}"
        for column in ("event", "superseded_by")  # apart: then row groups are skipped by their minimum
    )
    connection.execute(f"CREATE OR REPLACE TEMP TABLE touched AS {written} UNION {withdrawn}")
    connection.execute(
        f"INSERT INTO touched SELECT DISTINCT {unit} FROM main.site_score s WHERE {SCORED} "
        f"AND system IN ({', '.join(repr(name) for name in by_visits)}) AND subject IN "
        f"(SELECT subject FROM main.visit WHERE event = {number} OR superseded_by = {number}) "
        f"EXCEPT SELECT {unit} FROM touched"
    )
    rows = connection.execute("SELECT DISTINCT system FROM touched ORDER BY system").fetchall()
    return [name for (name,) in rows]


def _insert(connection: duckdb.DuckDBPyConnection, totals: pd.DataFrame) -> None:
    connection.register("computed_totals", totals)
    names = ", ".join(COLUMNS)
    connection.execute(f"INSERT INTO main.total ({names}) SELECT {names} FROM computed_totals")
    connection.unregister("computed_totals")


# -- in SQL ------------------------------------------------------------------------------------------------


def is_summed_in_sql(system: ScoreSystem, rule: Rule) -> bool:
    """Whether the rule needs nothing but the block sums of one reader and visit."""
    plain = not (system.states or system.combination) and rule.choose is Choose.ALL
    return plain and (rule.fill is Fill.NOTHING or (rule.fill is Fill.BLOCK_MEAN and not rule.min_share))


def totals_sql(
    system: ScoreSystem, rule: Rule, which: str = "true", source: str = "main.site_score s"
) -> str:
    """SELECT of the rows of ``total`` for a system and rule that are summed in SQL.

    source: the scores ``s``; which: condition on them.
    """
    sites = ", ".join(f"('{site.code}', '{site.block}')" for site in system.sites)
    sizes = ", ".join(f"('{block}', {_size(system, block)})" for block in system.blocks)
    parts = [(component.name, component.blocks) for component in system.components]
    components = ", ".join(
        f"('{name}', '{block}', {place}, {len(blocks)})"
        for name, blocks in [*parts, ("total", system.total_blocks)]
        for place, block in enumerate(blocks)
    )
    reading, allowed = ", ".join(READING), rule.max_missing or 0
    rows = f"{source} WHERE {SCORED} AND s.system = '{system.name}' AND {which}"
    limit = f", at most {allowed} allowed" if rule.max_missing is not None else ""
    return f"""
        WITH site (site, block) AS (VALUES {sites}), size (block, sites) AS (VALUES {sizes}),
        part (component, block, place, blocks) AS (VALUES {components}),
        score AS (SELECT {", ".join(f"s.{name}" for name in READING)}, site, grade FROM {rows}),
        reading AS (SELECT DISTINCT {reading} FROM score),
        graded AS (
            SELECT {reading}, block, count(grade) AS scored, sum(grade) AS points
            FROM score JOIN site USING (site) GROUP BY ALL),
        filled AS (
            SELECT r.*, size.block, sites,
                coalesce(scored, 0) AS scored, sites - coalesce(scored, 0) AS missing,
                CASE WHEN sites - coalesce(scored, 0) <= {allowed} THEN points * sites / scored END AS points
            FROM reading r CROSS JOIN size LEFT JOIN graded g ON g.block = size.block
                AND {_same("g", "r", READING)})
        SELECT subject, visit, system, component, reader, campaign, read, '{rule.name}' AS rule,
            CASE WHEN count(points) = any_value(blocks) THEN sum(points) END::DOUBLE AS total,
            sum(scored)::INTEGER AS scored_sites,
            sum(CASE WHEN points IS NULL THEN 0 ELSE missing END)::INTEGER AS imputed_sites,
            string_agg(block || ': ' || missing || ' of ' || sites || ' {system.site_title} missing{limit}',
                '; ' ORDER BY place) FILTER (points IS NULL) AS missing_reason
        FROM filled JOIN part USING (block) GROUP BY {reading}, component"""


def _size(system: ScoreSystem, block: str) -> int:
    return sum(site.block == block for site in system.sites)


def _same(one: str, other: str, names: Iterable[str]) -> str:
    """Condition that two rows have equal keys; none of these is ever empty in a total."""
    return " AND ".join(f"{one}.{name} = {other}.{name}" for name in names)


# -- through the rule engine -------------------------------------------------------------------------------


def computed(
    connection: duckdb.DuckDBPyConnection,
    system: ScoreSystem,
    rule: Rule,
    *,
    settings: dict[str, str] | None = None,
    which: str = "true",
    source: str = "main.site_score s",
    visit_table: str = "main.visit",
    parameters: Any = None,
) -> pd.DataFrame:
    """Rows of ``total`` under any rule, by the rule engine.

    source: the scores ``s``; which: condition on them, which must take all visits of a reading or none.
    """
    columns = ", ".join(f"s.{name}" for name in ("subject", "visit", "site", "feature", "grade", *BY))
    rows = connection.execute(
        f"SELECT {columns} FROM {source} "
        f"WHERE {SCORED} AND s.system = '{system.name}' AND {which} ORDER BY ALL",
        parameters,
    ).df()
    if rows.empty:
        return pd.DataFrame({name: [] for name in COLUMNS})
    order = visit_order(connection, source, visit_table)
    whole = engine.compute(rows, system, rule, settings, by=BY, visits=order).totals
    frames = [_component(whole, whole, "total", "total")]
    for item in system.components:
        part = replace(system, total_blocks=item.blocks)
        counts = engine.compute(rows, part, rule, settings, by=BY, visits=order).totals
        frames.append(_component(whole, counts, item.name, item.name))
    return pd.concat(frames, ignore_index=True).assign(system=system.name, rule=rule.name)[list(COLUMNS)]


def _component(whole: pd.DataFrame, counts: pd.DataFrame, column: str, component: str) -> pd.DataFrame:
    """One component's rows: its total from the whole, its counted sites from a run of its own."""
    frame = whole[["subject", "visit", *BY]].assign(component=component, total=whole[column])
    frame["read"] = frame["read"].astype("int64")
    frame["scored_sites"] = counts["scored_sites"].to_numpy()
    frame["imputed_sites"] = counts["imputed_sites"].to_numpy()
    is_missing = frame["total"].isna()
    reason = counts["missing_reason"].where(counts["missing_reason"].notna(), whole["missing_reason"])
    frame["missing_reason"] = reason.where(is_missing, None).astype("str")
    return frame


def visit_order(
    connection: duckdb.DuckDBPyConnection, source: str = "main.site_score s", visit_table: str = "main.visit"
) -> list[str]:
    """All visits in the order of the study, those without a place in it behind (``core.visit_order``)."""
    plan = connection.execute(
        "SELECT visit, min(place) AS visit_order FROM (SELECT visit, visit_order AS place "
        f"FROM {visit_table} WHERE superseded_by IS NULL UNION SELECT DISTINCT s.visit, NULL FROM {source} "
        "WHERE s.superseded_by IS NULL) WHERE visit IS NOT NULL GROUP BY visit"
    ).df()
    return order_of_study(plan).names


def natural(text: str) -> tuple[Any, ...]:
    """Sort key that takes numbers inside text by value, so W2 stands before W12."""
    return natural_key(text), text


# -- checking ----------------------------------------------------------------------------------------------


def differences(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Where the stored totals are not what the stored scores make, in words; empty where all is well."""
    found = []
    names = connection.execute(
        f"SELECT system FROM main.total UNION SELECT system FROM main.site_score s WHERE {SCORED} ORDER BY 1"
    ).fetchall()
    for (name,) in names:
        if name not in scores.names():
            found.append(f"total: system {name} is unknown")
            continue
        system = scores.get(name)
        rule = system.default_rule
        if is_summed_in_sql(system, rule):
            wrong = _wrong(connection, name, totals_sql(system, rule))
        else:
            connection.register("computed_totals", computed(connection, system, rule))
            wrong = _wrong(connection, name, f"SELECT {', '.join(COLUMNS)} FROM computed_totals")
            connection.unregister("computed_totals")
        if wrong:
            found.append(
                f"total: {len(wrong)} readings of {name} are not the sum of their scores, such as {wrong[0]}"
            )
    return found


def _wrong(connection: duckdb.DuckDBPyConnection, system: str, recomputed: str) -> Sequence[str]:
    """Readings of which stored and recomputed totals differ; rows are compared only where sums differ."""
    names = ", ".join(f"round(total, 9) AS {name}" if name == "total" else name for name in COLUMNS)
    stored = f"SELECT {names} FROM main.total WHERE system = '{system}'"
    fresh = f"SELECT {names} FROM ({recomputed})"
    if _fingerprint(connection, stored) == _fingerprint(connection, fresh):
        return []
    rows = connection.execute(
        f"SELECT DISTINCT concat_ws(' ', subject, visit, reader, campaign, read) FROM "
        f"((({stored}) EXCEPT ALL ({fresh})) UNION ALL (({fresh}) EXCEPT ALL ({stored}))) ORDER BY 1"
    ).fetchall()
    return [text for (text,) in rows]


def _fingerprint(connection: duckdb.DuckDBPyConnection, rows: str) -> tuple[int, int]:
    """Number of rows and a sum over their hashes, whatever their order."""
    found = connection.execute(
        f"SELECT count(*), sum(hash({', '.join(COLUMNS)})::HUGEINT) FROM ({rows})"
    ).fetchone()
    return (int(found[0]), int(found[1] or 0)) if found else (0, 0)
