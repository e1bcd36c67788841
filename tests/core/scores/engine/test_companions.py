"""Counts beside the totals."""

import numpy as np
import pandas as pd

from core import scores
from core.scores.engine.companions import companions

MSASSS, MTSS = scores.get("msasss"), scores.get("mtss")


def frame_of(*readings):
    rows = [
        (subject, visit, reader, site, grade)
        for subject, visit, reader, grades in readings
        for site, grade in grades.items()
    ]
    return pd.DataFrame(rows, columns=["subject", "visit", "reader", "site", "grade"])


def corners(**given):
    return dict.fromkeys(MSASSS.codes, 0) | given


def test_new_syndesmophytes_count_from_the_first_visit():
    frame = frame_of(
        ("P1", "BL", "R1", corners(C2I=1, C3S=2, C3I=2, L1I=None)),
        ("P1", "W52", "R1", corners(C2I=2, C3S=3, C3I=2, C4S=3, C4I=None, L1I=3)),
    )
    counts = companions(frame, MSASSS)
    assert counts["syndesmophytes"].tolist() == [2, 5]
    assert counts["bridges"].tolist() == [0, 3]
    assert counts["at_risk"].tolist() == [21, 20]
    np.testing.assert_array_equal(counts["new_syndesmophytes"], [np.nan, 2])
    np.testing.assert_array_equal(counts["new_bridges"], [np.nan, 2])


def test_a_reader_without_the_first_visit_has_nothing_new():
    frame = frame_of(
        ("P1", "BL", "R1", corners()),
        ("P1", "W52", "R2", corners(C2I=3)),
        ("P1", "W104", "R2", corners(C2I=3)),
    )
    counts = companions(frame, MSASSS)
    assert counts["new_bridges"].isna().all()
    assert counts["bridges"].tolist() == [0, 1, 1]


def test_sens_of_all_maxima_is_86():
    frame = frame_of(("P1", "BL", "R1", {site.code: site.maximum for site in MTSS.sites}))
    assert companions(frame, MTSS)[["eroded", "narrowed", "sens"]].to_numpy().tolist() == [[44, 42, 86]]


def test_sens_counts_what_is_graded_and_what_a_finding_lifts():
    frame = frame_of(("P1", "BL", "R1", dict.fromkeys(MTSS.codes, 0) | {"LH.E.PIP2": 3, "LH.E.PIP3": None}))
    frame["feature"] = None
    frame.loc[len(frame)] = ["P1", "BL", "R1", "LH.J.PIP4", 1, "subluxation"]
    assert companions(frame, MTSS)["sens"].tolist() == [2]


def test_other_systems_have_no_counts():
    frame = frame_of(("P1", "BL", "R1", {"R.MCP2.GS": 1}))
    assert list(companions(frame, scores.get("synovitis")).columns) == ["subject", "visit", "reader"]
