"""Where every site of every system stands on the map."""

import pandas as pd
import pytest

from core import scores
from core.scores.display.layout import layout, placed


@pytest.mark.parametrize("name", ["msasss", "mtss", "sparcc", "synovitis"])
def test_every_site_has_a_place_and_no_two_share_one(name):
    system = scores.get(name)
    where = layout(system)
    keys = {where.summed.get(code, code) for code in system.codes}
    assert keys == set(where.places)
    assert len(set(where.places.values())) == len(where.places)
    for row, column in where.places.values():
        assert 0 <= row < len(where.rows) and 0 <= column < len(where.columns)


def test_corners_of_a_disc_stand_beside_each_other():
    where = layout(scores.get("msasss"))
    assert where.rows[0] == "C2C3" and where.rows[-1] == "L5S1"
    assert where.places["C2I"][0] == where.places["C3S"][0] == 0
    assert where.columns == ("inferior", "superior")


def test_hands_have_a_column_for_each_side_and_feature():
    where = layout(scores.get("mtss"))
    assert where.columns == ("R erosion", "R narrowing", "L erosion", "L narrowing")
    assert where.places["RH.E.PIP2"][0] == where.places["LH.J.PIP2"][0]
    assert where.places["RH.E.IP1"][0] != where.places["RF.E.IP1"][0]


def test_the_items_of_a_large_unit_are_summed_and_a_gap_has_no_sum():
    system = scores.get("sparcc")
    where = layout(system)
    items = [site.code for site in system.sites if site.unit == "T7T8"]
    frame = pd.DataFrame({"subject": "P1", "site": items, "grade": 1})
    found = placed(frame, where, ["subject"])
    assert found[["site", "grade"]].values.tolist() == [["T7T8", 18.0]]
    assert placed(frame.iloc[1:], where, ["subject"]).empty
    gap = frame.astype({"grade": "Int32"})
    gap.loc[0, "grade"] = None
    assert placed(gap, where, ["subject"]).empty


def test_single_sites_keep_their_grades():
    frame = pd.DataFrame({"subject": ["P1", "P1"], "site": ["C2I", "C3S"], "grade": [2, None]})
    found = placed(frame.astype({"grade": "Int32"}), layout(scores.get("msasss")), ["subject"])
    assert found[["site", "grade"]].values.tolist() == [["C2I", 2.0]]
