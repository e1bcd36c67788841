"""Sums over joints with their denominators, combined grades by the table, and published cuts."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import scores
from core.patient.joint_sums import QUERY, combined_grades, cuts, sums

SYSTEM = scores.get("synovitis")
TABLE = SYSTEM.combination.table


def grades(**joints):
    """joint -> (GS, PD), None where not graded; one reading of one visit."""
    rows = [
        (f"R.{joint}.{mode}", "BL", "R1", SYSTEM.by_code[f"R.{joint}.{mode}"].feature, grade, None)
        for joint, pair in joints.items()
        for mode, grade in zip(("GS", "PD"), pair, strict=True)
        if grade is not None
    ]
    columns = ["site", "visit", "label", "feature", "grade", "reason"]
    return pd.DataFrame(rows, columns=columns).astype({"grade": "Int32"})


def test_a_sum_says_of_how_many_joints_it_is():
    (row,) = sums(grades(MCP2=(2, 1), MCP3=(1, None), WR=(0, 0)), SYSTEM).to_dict("records")
    assert (row["gs"], row["gs_joints"], row["pd"], row["pd_joints"]) == (3, 3, 1, 2)
    assert (row["combined"], row["combined_joints"], row["queries"]) == (2, 2, 0)


def test_flow_without_hypertrophy_is_a_query_and_no_grade():
    found = combined_grades(grades(MCP2=(0, 2), MCP3=(1, 1)), SYSTEM).set_index("site")
    assert np.isnan(found.loc["R.MCP2.CS", "grade"])
    assert found.loc["R.MCP2.CS", "reason"].startswith(f"{QUERY}: power Doppler signal 2 with grey scale")
    assert found.loc["R.MCP3.CS", "grade"] == 1
    (row,) = sums(grades(MCP2=(0, 2), MCP3=(1, 1)), SYSTEM).to_dict("records")
    assert (row["combined"], row["combined_joints"], row["queries"], row["pd"]) == (1, 1, 1, 3)


def test_a_joint_with_one_part_has_no_combined_grade_and_says_which_lacks():
    found = combined_grades(grades(MCP2=(2, None), MCP3=(None, 1)), SYSTEM).set_index("site")
    assert found["grade"].isna().all()
    assert found.loc["R.MCP2.CS", "reason"] == "no power Doppler signal"
    assert found.loc["R.MCP3.CS", "reason"] == "no grey scale synovial hypertrophy"


@given(st.integers(0, 3), st.integers(0, 3))
def test_combined_grades_are_those_of_the_table(first, second):
    (row,) = combined_grades(grades(MCP2=(first, second)), SYSTEM).to_dict("records")
    wanted = TABLE[first][second]
    assert np.isnan(row["grade"]) if wanted is None else row["grade"] == wanted
    assert (row["reason"] == "") == (wanted is not None)


def judged(**joints):
    return {cut.name: cut.is_met for cut in cuts(sums(grades(**joints), SYSTEM).iloc[0], SYSTEM)}


@pytest.mark.parametrize(
    ("joints", "wanted"),
    [
        ({"MCP2": (1, 0), "MCP3": (0, 0)}, (True, True, False)),
        ({"MCP2": (1, 0), "MCP3": (1, 0)}, (True, False, False)),
        ({"MCP2": (2, 2)}, (False, False, True)),
        ({"MCP2": (1, 1)}, (False, True, False)),
        ({"MCP2": (1, None)}, (None, None, None)),
    ],
)
def test_published_cuts_are_judged_on_the_joints_that_are_there(joints, wanted):
    assert tuple(judged(**joints).values()) == wanted


def test_a_given_combined_grade_does_not_count():
    given_too = pd.concat(
        [grades(MCP2=(1, 0)), grades(MCP2=(3, 3)).assign(site="R.MCP2.CS", feature="combined")]
    )
    (row,) = sums(given_too, SYSTEM).to_dict("records")
    assert (row["combined"], row["combined_joints"]) == (1, 1)
