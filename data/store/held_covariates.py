"""Which stored covariates a blinded study hides, by name and by what they say about the arms."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

import pandas as pd

from data.store.treatment_names import GOES_WITH_ARM, MIN_PATIENTS, MIN_SHARE, why_held

if TYPE_CHECKING:
    import duckdb

CONFIRMED = "confirmed_covariates"  # setting: JSON list of names that a person confirmed
MAX_LARGEST_ARM = 0.85  # of the patients: where nearly all are in one arm, every value goes with it
MIN_FOR_A_LIMIT = 10  # patients before a limit between the numbers of two arms is no chance
NAMES = "SELECT DISTINCT name FROM {source} WHERE superseded_by IS NULL ORDER BY name"
STORED = """
    SELECT c.name, coalesce(c.text, c.number::VARCHAR) AS level, c.number, s.arm
    FROM main.covariate c JOIN main.subject s ON s.subject = c.subject
    WHERE c.superseded_by IS NULL AND s.superseded_by IS NULL AND s.arm IS NOT NULL"""
GOES_WITH = f"""
    WITH pair AS ({{pairs}}),
    cell AS (SELECT name, level, arm, count(*) AS n FROM pair GROUP BY ALL),
    patients AS (
        SELECT name, sum(n) AS n, max(n) / sum(n) AS largest, count(*) AS arms
        FROM (SELECT name, arm, sum(n) AS n FROM cell GROUP BY ALL) GROUP BY name),
    of_arm AS (
        SELECT name, sum(most) AS n, count(DISTINCT level) AS levels
        FROM (SELECT name, arm, max(n) AS most, arg_max(level, n) AS level FROM cell GROUP BY ALL)
        GROUP BY name),
    of_level AS (
        SELECT name, sum(n) AS n, sum(most) AS most
        FROM (SELECT name, level, sum(n) AS n, max(n) AS most FROM cell GROUP BY ALL)
        WHERE n > 1 GROUP BY name),
    ranges AS (
        SELECT name, arm, quantile_disc(number, 0.05) AS low, quantile_disc(number, 0.95) AS high
        FROM pair WHERE number IS NOT NULL GROUP BY ALL),
    apart AS (
        SELECT a.name FROM ranges a JOIN ranges b ON a.name = b.name AND a.arm < b.arm
        GROUP BY a.name HAVING bool_and(a.high < b.low OR b.high < a.low))
    SELECT p.name FROM patients p LEFT JOIN of_arm a USING (name) LEFT JOIN of_level l USING (name)
    WHERE p.arms > 1 AND p.n >= {MIN_PATIENTS} AND p.largest <= {MAX_LARGEST_ARM} AND (
        (a.levels > 1 AND a.n >= {MIN_SHARE} * p.n)
        OR (l.n >= 0.5 * p.n AND l.most >= greatest({MIN_SHARE}, 1.1 * p.largest) * l.n)
        OR (p.n >= {MIN_FOR_A_LIMIT} AND p.name IN (FROM apart)))
    ORDER BY p.name"""


def confirmed(meta: dict[str, str]) -> list[str]:
    """The names of covariates that a person confirmed not to show the treatment."""
    return list(json.loads(meta.get(CONFIRMED, "[]")))


def as_setting(names: Iterable[str]) -> str:
    """Confirmed names as the text of their setting."""
    return json.dumps(sorted(set(names)), ensure_ascii=False)


def held(connection: duckdb.DuckDBPyConnection, known: Iterable[str]) -> dict[str, str]:
    """Stored covariates that nobody may see while the study is blinded -> why.

    known: names that a person confirmed.
    """
    known = set(known)
    names = [row[0] for row in connection.execute(NAMES.format(source="main.covariate")).fetchall()]
    reasons = {name: why_held(name, known) for name in names}
    if not all(reasons.values()):
        with_arm = connection.execute(GOES_WITH.format(pairs=STORED)).fetchall()
        reasons |= {row[0]: reasons[row[0]] or GOES_WITH_ARM for row in with_arm}
    return {name: reason for name, reason in reasons.items() if reason}


def goes_with_arm(
    connection: duckdb.DuckDBPyConnection, covariates: pd.DataFrame, arms: pd.DataFrame
) -> set[str]:
    """Names of covariates whose values go with the arms of the same table.

    covariates: ``subject, name, number, text``. arms: ``subject, arm``.
    """
    both = covariates.merge(arms.dropna(subset=["arm"]), on="subject")
    if both.empty:
        return set()
    connection.register("covariates_by_arm", both[["name", "number", "text", "arm"]])
    pairs = "SELECT name, coalesce(text, number::VARCHAR) AS level, number, arm FROM covariates_by_arm"
    try:
        return {row[0] for row in connection.execute(GOES_WITH.format(pairs=pairs)).fetchall()}
    finally:
        connection.unregister("covariates_by_arm")
