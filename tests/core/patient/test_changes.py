"""What changed between two visits, and how often one reader confirms another."""

import pandas as pd
import pytest

from core import scores
from core.patient.changes import chance_of_change, confirmed_share, site_changes

SYSTEM = scores.get("msasss")
KINDS = {"R1": "human", "R2": "human", "M": "model"}


def frame(cells):
    """cells: site -> label -> (first, last)."""
    rows = [
        (site, visit, label, grade)
        for site, labels in cells.items()
        for label, pair in labels.items()
        for visit, grade in zip(("BL", "W52"), pair, strict=True)
    ]
    table = pd.DataFrame(rows, columns=["site", "visit", "label", "grade"])
    return table.assign(grade=table["grade"].astype("Int32"), subject="P1", feature="corner")


def changes(cells):
    return site_changes(frame(cells), SYSTEM, "BL", "W52", KINDS)


def test_change_that_all_see_stands_before_a_larger_one_that_one_sees():
    found = changes({"C3S": {"R1": (0, 3), "R2": (0, 0)}, "L5S": {"R1": (1, 2), "R2": (1, 2)}})
    assert found["site"].tolist() == ["L5S", "C3S"]
    assert found["all_see_it"].tolist() == [True, False]
    assert found["mean_change"].tolist() == [1.0, 1.5]


def test_equal_changes_stand_from_head_to_foot():
    found = changes({site: {"R1": (0, 1), "R2": (0, 1)} for site in ("S1S", "L2I", "C2I")})
    assert found["site"].tolist() == ["C2I", "L2I", "S1S"]


def test_unchanged_sites_are_not_listed():
    assert changes({"C3S": {"R1": (1, 1), "R2": (0, 0), "M": (2, 2)}}).empty


def test_change_only_the_model_sees_is_listed_last():
    found = changes({"C3S": {"R1": (0, 0), "R2": (0, 0), "M": (0, 2)}, "L5S": {"R1": (0, 1), "R2": (0, 0)}})
    assert found["site"].tolist() == ["L5S", "C3S"]
    assert found["seen_by"].tolist() == [1, 0]
    assert found["M"].tolist() == ["– → –", "0 → 2"]


def test_change_at_a_site_that_no_person_read_twice_has_no_mean():
    found = changes({"C3S": {"R1": (0, None), "M": (0, 2)}})
    assert found["mean_change"].isna().all()
    assert (found["seen_by"].iloc[0], found["readers"].iloc[0], found["all_see_it"].iloc[0]) == (0, 0, False)


def test_site_missing_at_one_visit_is_no_change():
    assert changes({"C3S": {"R1": (None, 2), "R2": (0, 0)}}).empty
    found = changes({"C3S": {"R1": (None, 2), "R2": (0, 1)}})
    assert (found["R1"].iloc[0], found["seen_by"].iloc[0], found["readers"].iloc[0]) == ("– → 2", 1, 1)


def test_opposite_changes_cancel_and_nobody_sees_the_mean():
    found = changes({"C3S": {"R1": (0, 1), "R2": (1, 0)}})
    assert (found["mean_change"].iloc[0], found["seen_by"].iloc[0]) == (0.0, 0)


@pytest.mark.parametrize(
    ("pair", "expected"),
    [
        (((0, 1), (0, 2)), (2, 2)),
        (((0, 1), (1, 1)), (0, 1)),
        (((0, 1), (1, 0)), (0, 2)),
        (((1, 1), (0, 0)), (0, 0)),
        (((0, 1), (None, 1)), (0, 0)),
    ],
)
def test_confirmed_share_counts_ordered_pairs(pair, expected):
    cells = frame({"C3S": {"R1": pair[0], "R2": pair[1]}})
    assert confirmed_share(cells, "BL", "W52", ["R1", "R2"]) == expected


def test_nothing_to_confirm_with_one_reader():
    assert confirmed_share(frame({"C3S": {"R1": (0, 1)}}), "BL", "W52", ["R1"]) == (0, 0)
    assert confirmed_share(frame({"C3S": {"R1": (0, 1)}}), "BL", "W52", []) == (0, 0)


FILMS = pd.DataFrame({"image": ["a0", "a1", "a2"], "visit": ["BL", "W52", "W104"]})


def read_together(**compared):
    rows = [(image, "C5I", chances) for image, chances in compared.items()]
    return pd.DataFrame(rows, columns=["image", "site", "compared"])


def test_chance_of_change_is_that_of_the_two_films():
    findings = read_together(a2={"a0": 0.9, "a1": 0.2}, a1={"a0": 0.7})
    assert chance_of_change(findings, FILMS, "C5I", "BL", "W104") == 0.9
    assert chance_of_change(findings, FILMS, "C5I", "W52", "W104") == 0.2
    assert chance_of_change(findings, FILMS, "C5I", "BL", "W52") == 0.7


def test_no_chance_of_change_where_films_were_read_alone():
    assert chance_of_change(read_together(a2={}), FILMS, "C5I", "BL", "W104") is None
    assert chance_of_change(read_together(a2={"a0": 0.9}), FILMS, "L2S", "BL", "W104") is None
    assert chance_of_change(read_together().astype(object), FILMS.head(0), "C5I", "BL", "W104") is None
