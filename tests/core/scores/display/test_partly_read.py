"""Totals that were chosen among a part of the blocks are told from whole ones."""

import pandas as pd
import pytest

from core.scores import get
from core.scores.display.partly_read import in_words, partly_read

SPARCC = get("sparcc")
WHOLE = len(SPARCC.sites)


def totals(*rows: tuple[str, float | None, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["component", "total", "scored_sites"])


def test_a_total_of_a_part_of_the_units_is_named():
    frame = totals(("total", 30, WHOLE), ("total", 3, 144), ("lumbar", 3, 108), ("total", None, 90))
    found = partly_read(frame, SPARCC)
    assert found.index.tolist() == [1]
    said = in_words(found, SPARCC)
    assert said.startswith("1 total is the worst units among those") and "all 23" in said
    assert in_words(pd.concat([found, found]), SPARCC).startswith("2 totals are")


@pytest.mark.parametrize("system", ["msasss", "mtss"])
def test_a_score_that_chooses_nothing_has_none(system):
    found = partly_read(totals(("total", 3, 1)), get(system))
    assert found.empty and in_words(found, get(system)) == ""
