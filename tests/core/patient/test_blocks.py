"""Blocks of a score that is read slice by slice: sums by visit and slice, and what changed."""

import numpy as np
import pandas as pd
import pytest

from core import scores
from core.figures.patient.block_map import block_map, step_of
from core.patient import breakdown as core
from core.patient.blocks import block_changes, by_block, by_slice, item_title, slices_of
from core.scores.engine.contributions import parts

SYSTEM = scores.get("sparcc")
VISITS = ["BL", "W24"]
KINDS = {"R1": "human", "R2": "human", "truth": "consensus"}


def reads(ill, missing=()):
    """Every item of one patient, 0 but for ``ill``: (label, visit, site); no grade for ``missing``."""
    rows = [
        {"subject": "P1", "visit": visit, "label": label, "site": site.code, "feature": site.feature,
         "grade": None if (label, visit, site.code) in missing else int((label, visit, site.code) in ill)}
        for label in KINDS for visit in VISITS for site in SYSTEM.sites
    ]  # fmt: skip
    return pd.DataFrame(rows).astype({"grade": "Int32"})


@pytest.fixture
def one():
    ill = {("R1", "BL", f"T7T8.{item}") for item in ("s1.UA", "s1.INT", "s2.UA")}
    ill |= {("R1", "W24", "T7T8.s2.UA"), ("R1", "BL", "L4L5.s3.LP"), ("R2", "BL", "T7T8.s3.UP")}
    return reads(ill, missing={("R1", "W24", "C2C3.s1.DEP")})


def made(frame):
    return parts(frame, SYSTEM, by=("label",), visits=VISITS)


def test_a_block_has_slices_and_items_with_names():
    first, *rest = slices_of(SYSTEM, "T7T8")
    assert [first.title, *(one.title for one in rest)] == ["slice 1", "slice 2", "slice 3"]
    assert first.sites[:2] == ("T7T8.s1.UA", "T7T8.s1.UP") and len(first.sites) == 6
    assert item_title(SYSTEM, "T7T8.s2.LP") == "lower posterior quadrant"


def test_sums_of_blocks_are_those_of_their_sites_and_lack_where_an_item_does(one):
    cells = by_block(made(one), "R1").set_index(["block", "visit"])
    assert cells.loc[("T7T8", "BL"), ["value", "site"]].tolist() == [3, "T7T8.s1.UA"]
    assert cells.loc[("T7T8", "W24"), "value"] == 1
    assert np.isnan(cells.loc[("C2C3", "W24"), "value"]) and cells.loc[("C2C3", "W24"), "lacking"] == 1
    assert cells.loc[("L5S1", "BL"), "site"] == "L5S1.s2.UA"
    assert len(cells) == 46
    assert cells["counts"].groupby("visit").sum().tolist() == [6, 6]
    counted = cells[cells["counts"]]["value"].groupby("visit").sum()
    assert counted.tolist() == [4, 1], "what counts adds up to the total"


def test_a_reading_by_slice_adds_up_to_its_total(one):
    found = made(one)
    table = by_slice(found, core.reading_of(found, "R1", "BL"), SYSTEM.total_blocks)
    assert table["block"].tolist() == ["T7T8", "L4L5"]
    assert table.loc[0, ["adds", "slice 1", "slice 2", "slice 3"]].tolist() == [3, 2, 1, 0]
    later = by_slice(found, core.reading_of(found, "R1", "W24"), SYSTEM.total_blocks)
    assert later["block"].tolist() == ["C2C3", "T7T8"] or later["block"].tolist() == ["T7T8", "C2C3"]
    assert np.isnan(later.set_index("block").loc["C2C3", "slice 1"])


def test_changes_are_told_by_block_with_who_saw_them(one):
    table = block_changes(one, SYSTEM, *VISITS, KINDS).set_index("block")
    assert list(table.index) == ["T7T8", "L4L5"]
    assert table.loc["T7T8", ["R1", "R2", "truth", "seen_by", "readers"]].tolist() == [
        "3 → 1", "1 → 0", "0 → 0", 2, 2,
    ]  # fmt: skip
    assert table.loc["L4L5", "seen_by"] == 1
    assert table.loc["T7T8", "site"] == "T7T8.s1.UA"
    assert block_changes(reads(set()), SYSTEM, *VISITS, KINDS).empty


def test_the_map_has_a_mark_for_each_block_and_visit(one):
    figure = block_map(by_block(made(one), "R1"), SYSTEM, VISITS, chosen="T7T8")
    squares = figure.data[0]
    assert len(squares.x) == 46 and list(squares.text).count("×") == 1
    chosen = [tuple(row) for row, text in zip(squares.customdata, squares.text, strict=True) if text == "3"]
    assert chosen == [("T7T8.s1.UA", "BL")]
    assert [step_of(value, 18) for value in (0, 1, 4, 5, 9, 13, 14, 18)] == [0, 1, 1, 2, 2, 3, 4, 4]


@pytest.mark.parametrize(
    "rule, most", [("six_worst_each_visit", 108), ("same_six_as_baseline", 108), ("all_23", 414)]
)
def test_the_range_of_a_total_is_that_of_its_rule(rule, most):
    chosen = SYSTEM.rule(rule)
    assert SYSTEM.most_of(chosen) == most
    assert SYSTEM.title_of("total", chosen) == f"total (0-{most})"
    assert SYSTEM.title_of("total") == "total (0-108)" and SYSTEM.title_of("lumbar") == "lumbar spine (0-108)"


@pytest.mark.parametrize("name, most", [("msasss", 72), ("mtss", 448)])
def test_the_range_of_a_score_of_all_its_blocks_is_unchanged(name, most):
    assert {scores.get(name).most_of(rule) for rule in scores.get(name).rules} == {most}
    assert scores.get(name).measures == "damage" and not scores.get(name).of_stacks
