"""Site grades and the findings that stand beside them."""

import pandas as pd
import pytest

from core.domain import CohortFilter, Viewer
from data.queries import scores
from data.store.cohort import CohortStore

HANDS = CohortFilter(system="mtss")


@pytest.fixture
def store(tmp_path):
    """One joint, eroded 1 and ankylosed, graded by R1."""
    store = CohortStore.open(tmp_path / "c.duckdb")
    rows = [("LH.E.PIP3", "erosion", 1), ("LH.J.PIP3", "jsn", 4), ("LH.E.PIP3", "ankylosis", 1)]
    with store.write("test", "build") as tx:
        tx.insert("subject", pd.DataFrame({"subject": ["P1"]}))
        tx.insert("visit", pd.DataFrame([{"subject": "P1", "visit": "BL", "visit_order": 0, "day": 0}]))
        tx.insert("reader", pd.DataFrame([{"reader": "R1", "kind": "human"}]))
        tx.insert("campaign", pd.DataFrame([{"campaign": "c", "system": "mtss", "read_mode": "paired"}]))
        frame = pd.DataFrame(rows, columns=["site", "feature", "grade"])
        keys = {"subject": "P1", "visit": "BL", "system": "mtss", "reader": "R1", "campaign": "c", "read": 1}
        tx.insert("site_score", frame.assign(**keys, grade=frame["grade"].astype("Int32")))
    return store


@pytest.mark.parametrize("subject", [None, "P1"])
def test_a_finding_at_a_joint_is_no_second_grade_of_its_site(store, subject):
    grades = scores.site_grades(store, Viewer(), HANDS, subject=subject)
    assert grades[["site", "feature", "grade"]].values.tolist() == [
        ["LH.E.PIP3", "erosion", 1],
        ["LH.J.PIP3", "jsn", 4],
    ]
    special = scores.special_findings(store, Viewer(), HANDS, subject=subject)
    assert special[["site", "feature", "grade", "reader"]].values.tolist() == [
        ["LH.E.PIP3", "ankylosis", 1, "R1"]
    ]


def test_a_system_without_findings_has_none(store):
    assert scores.special_findings(store, Viewer(), CohortFilter()).empty
