"""Published cuts counted over patients, and sums that fell or rose."""

import pandas as pd
import pytest

from core import scores
from core.agreement.proportion import wilson
from core.patient.joint_sums import combined_grades, sums
from core.progression.remission import counted, falls_and_rises, met

SYSTEM = scores.get("synovitis")
COLUMNS = ["subject", "visit", "label", "site", "feature", "grade", "reason"]


def grades(*rows):
    """(subject, visit, reader, joint, GS, PD)."""
    long = [
        (
            subject,
            visit,
            reader,
            f"R.{joint}.{mode}",
            SYSTEM.by_code[f"R.{joint}.{mode}"].feature,
            grade,
            None,
        )
        for subject, visit, reader, joint, *pair in rows
        for mode, grade in zip(("GS", "PD"), pair, strict=True)
        if grade is not None
    ]
    return pd.DataFrame(long, columns=COLUMNS)


SOME = grades(
    ("P1", "BL", "R1", "MCP2", 2, 2), ("P1", "BL", "R2", "MCP2", 2, 1),
    ("P1", "W24", "R1", "MCP2", 1, 0), ("P1", "W24", "R2", "MCP2", 1, 0),
    ("P2", "BL", "R1", "MCP2", 0, 0), ("P2", "W24", "R1", "MCP2", 2, 1), ("P2", "W24", "R1", "MCP3", 1, 0),
    ("P3", "BL", "R1", "MCP2", 1, 0),
)  # fmt: skip


def table(cut, arms=None):
    judged = met(sums(SOME, SYSTEM), SYSTEM)
    found = counted(judged, SYSTEM, ["BL", "W24"], arms or {})
    return {(row.visit, row.arm): (row.met, row.n) for row in found[found["cut"] == cut].itertuples()}


def test_cuts_are_counted_of_those_who_could_be_judged():
    assert table("PD sum 0") == {("BL", "all"): (2, 3), ("W24", "all"): (1, 2)}
    assert table("GLOESS at most 1") == {("BL", "all"): (2, 3), ("W24", "all"): (1, 2)}


def test_a_tie_of_two_readers_is_not_met():
    assert table("PD 2 or more in a joint")["BL", "all"] == (0, 3)


def test_arms_stand_before_all_patients_with_their_intervals():
    arms = {"P1": "active", "P2": "placebo", "P3": "placebo"}
    assert table("PD sum 0", arms) == {
        ("BL", "active"): (0, 1), ("BL", "placebo"): (2, 2), ("BL", "all"): (2, 3),
        ("W24", "active"): (1, 1), ("W24", "placebo"): (0, 1), ("W24", "all"): (1, 2),
    }  # fmt: skip
    found = counted(met(sums(SOME, SYSTEM), SYSTEM), SYSTEM, ["BL"], arms)
    row = found[(found["cut"] == "PD sum 0") & (found["arm"] == "all")].iloc[0]
    assert (row["low"], row["high"]) == pytest.approx(wilson(2, 3))


def test_sums_change_over_joints_graded_at_both_visits():
    both = pd.concat([SOME, combined_grades(SOME, SYSTEM)])
    found = falls_and_rises(both, SYSTEM, "BL", "W24").set_index("component")
    gs = found.loc["grey scale sum"]
    assert (gs["n"], gs["fell"], gs["same"], gs["rose"], gs["left_out"]) == (2, 1, 0, 1, 2)
    assert found.loc["combined sum (GLOESS)", "n"] == 2
