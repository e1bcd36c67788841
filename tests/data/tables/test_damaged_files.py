"""Damaged tables end with an answer or one line, never with a traceback."""

import pytest

from tests.helpers.damaged_tables import try_many

TRIED = 60


@pytest.mark.parametrize("start", [0, 1_000_000])
def test_a_damaged_table_never_ends_in_a_traceback(start):
    ends, bad = try_many(seeds=range(start, start + TRIED // 2))
    assert bad == []
    assert ends["2"], "some files are damaged beyond use"
    assert ends["0"] + ends["1"], "some can be read"
