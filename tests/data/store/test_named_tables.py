"""The tables of a statement are found wherever they stand in it, and columns of their names are not taken."""

import pytest

from data.store.named_tables import named_tables


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("SELECT subject, visit FROM total JOIN image USING (subject, visit)", {"total", "image"}),
        ("SELECT (SELECT count(*) FROM reader) AS reader", {"reader"}),
        ("SELECT 1 FROM total WHERE subject IN (SELECT subject FROM subject)", {"total", "subject"}),
        ("FROM main.visit", {"visit"}),
        ('FROM "run" r SEMI JOIN Finding f USING (run)', {"run", "finding"}),
        ("SELECT 1 FROM image UNION ALL SELECT 2 FROM visit", {"image", "visit"}),
        ("WITH a AS (FROM visit), b AS (FROM a) SELECT * FROM b", {"a", "b", "visit"}),
        ("SELECT * FROM (SELECT unnest([1]) AS reader), LATERAL (SELECT * FROM run)", {"run"}),
        ("SELECT CASE WHEN EXISTS (FROM event) THEN 1 END", {"event"}),
        ("PIVOT visit ON visit USING count(*)", {"visit"}),
    ],
)
def test_tables_are_found(sql, tables):
    found = named_tables(sql)
    assert tables <= found
    known = {"total", "image", "reader", "subject", "visit", "run", "finding", "event"}
    if "PIVOT" not in sql:
        assert found & known == tables & known


@pytest.mark.parametrize("sql", ["DESCRIBE FROM visit", "not a statement about visit", ""])
def test_every_word_counts_where_a_statement_cannot_be_taken_apart(sql):
    assert ("visit" in named_tables(sql)) == ("visit" in sql)
