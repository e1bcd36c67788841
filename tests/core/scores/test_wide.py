"""Wide tables to long ones."""

import pandas as pd
import pytest

from core import scores
from core.errors import InputError
from core.scores.totals import compute
from core.scores.wide import site_columns, wide_to_long

MSASSS, MTSS = scores.get("msasss"), scores.get("mtss")


def test_every_site_becomes_a_row_under_its_row_number():
    wide = pd.DataFrame({"subject": ["P1", "P2"], "c2i": [1, None], "C3_S": [0, 3]}, index=[1, 2])
    long = wide_to_long(wide, MSASSS)
    assert long.index.tolist() == [1, 1, 2, 2]
    assert long["site"].tolist() == ["C2I", "C3S", "C2I", "C3S"]
    assert long["grade"].fillna(-1).tolist() == [1, 0, -1, 3]
    assert long["subject"].tolist() == ["P1", "P1", "P2", "P2"]


def test_a_table_with_the_names_of_the_dream_challenge():
    wide = pd.DataFrame(
        [["P1", "BL", "R1", *[site.maximum for site in MTSS.sites]]],
        columns=["subject", "visit", "reader", *[site.aliases[0] for site in MTSS.sites]],
    )
    assert len(site_columns(wide, MTSS)) == 86
    assert compute(wide_to_long(wide, MTSS), MTSS).totals["total"].tolist() == [448]


def test_two_columns_of_one_site_are_refused():
    with pytest.raises(InputError, match="columns C2I, c2_i; one column for each site"):
        site_columns(pd.DataFrame(columns=["C2I", "c2_i"]), MSASSS)


def test_a_table_without_sites_is_refused():
    with pytest.raises(InputError, match="none is an mSASSS site such as C2I, C3S, C3I"):
        wide_to_long(pd.DataFrame({"a": [1]}), MSASSS)
