"""Totals under each system's default rule, brought up to date in the transaction of a write.

Only readings that the write touched are worked out again: a reading is one subject, system, reader, campaign
and read over all visits, since a rule may look at the other visits. mSASSS, with a block rule that looks at
nothing else, is summed in SQL; other systems and rules go through ``core.scores.totals``. A test holds the
two equal.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from core import scores
from core.scores.system import Choose, Fill, Rule, ScoreSystem

if TYPE_CHECKING:
    import duckdb

UNIT = ("subject", "system", "reader", "campaign", "read")
READING = ("subject", "visit", "system", "reader", "campaign", "read")


def update(connection: duckdb.DuckDBPyConnection, event: int) -> None:
    """Works the table ``total`` out again for the readings that this event touched."""
    unit = ", ".join(UNIT)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE touched AS SELECT DISTINCT {unit} FROM main.site_score "
        f"WHERE subject IS NOT NULL AND (event = {int(event)} OR superseded_by = {int(event)})"
    )
    systems = connection.execute("SELECT DISTINCT system FROM touched ORDER BY system").fetchall()
    if systems:
        connection.execute(f"DELETE FROM main.total t USING touched u WHERE {_same('t', 'u', UNIT)}")
    for (name,) in systems:
        _insert(connection, scores.get(name), f"EXISTS (FROM touched u WHERE {_same('s', 'u', UNIT)})")
    connection.execute("DROP TABLE touched")


def is_summed_in_sql(system: ScoreSystem, rule: Rule) -> bool:
    """Whether the rule needs nothing but the block sums of one reader and visit."""
    plain = not (system.states or system.combination) and rule.choose is Choose.ALL
    return plain and (rule.fill is Fill.NOTHING or (rule.fill is Fill.BLOCK_MEAN and not rule.min_share))


def totals_sql(system: ScoreSystem, rule: Rule, which: str) -> str:
    """SELECT of the rows of ``total`` for a system that is summed in SQL.

    which: condition on the current rows ``s`` of ``site_score``.
    """
    sites = ", ".join(f"('{site.code}', '{site.block}')" for site in system.sites)
    sizes = ", ".join(f"('{block}', {_size(system, block)})" for block in system.blocks)
    parts = [(component.name, component.blocks) for component in system.components]
    components = ", ".join(
        f"('{name}', '{block}', {len(blocks)})"
        for name, blocks in [*parts, ("total", system.total_blocks)]
        for block in blocks
    )
    reading = ", ".join(READING)
    allowed = rule.max_missing or 0
    return f"""
        WITH site (site, block) AS (VALUES {sites}), size (block, sites) AS (VALUES {sizes}),
        part (component, block, blocks) AS (VALUES {components}),
        reading AS (
            SELECT DISTINCT {reading} FROM main.site_score s
            WHERE superseded_by IS NULL AND visit IS NOT NULL AND system = '{system.name}' AND {which}),
        graded AS (
            SELECT {reading}, block, count(grade) AS scored, sum(grade) AS points
            FROM main.site_score s JOIN site USING (site)
            WHERE superseded_by IS NULL AND visit IS NOT NULL AND system = '{system.name}' AND {which}
            GROUP BY ALL),
        filled AS (
            SELECT r.*, size.block, coalesce(scored, 0) AS scored, sites - coalesce(scored, 0) AS missing,
                CASE WHEN sites - coalesce(scored, 0) <= {allowed} THEN points * sites / scored END AS points
            FROM reading r CROSS JOIN size LEFT JOIN graded g ON g.block = size.block
                AND {_same("g", "r", READING)})
        SELECT subject, visit, system, component, reader, campaign, read, '{rule.name}' AS rule,
            CASE WHEN count(points) = any_value(blocks) THEN sum(points) END AS total,
            sum(scored)::INTEGER AS scored_sites,
            sum(CASE WHEN points IS NULL THEN 0 ELSE missing END)::INTEGER AS imputed_sites,
            CASE WHEN count(points) < any_value(blocks) THEN
                string_agg(block || ' has ' || missing || ' missing sites', ', ' ORDER BY block)
                FILTER (points IS NULL) END AS missing_reason
        FROM filled JOIN part USING (block) GROUP BY {reading}, component"""


def _same(one: str, other: str, names: Iterable[str]) -> str:
    return " AND ".join(f"{one}.{name} IS NOT DISTINCT FROM {other}.{name}" for name in names)


def _size(system: ScoreSystem, block: str) -> int:
    return sum(site.block == block for site in system.sites)


def _insert(connection: duckdb.DuckDBPyConnection, system: ScoreSystem, which: str) -> None:
    rule = system.default_rule
    connection.execute(f"INSERT INTO main.total {totals_sql(system, rule, which)}")
