"""Grades that a reader gave more than once, and nothing of who read once."""

import pandas as pd

from core.domain import CohortFilter, Viewer
from data.queries.grades.repeated_grades import repeated_grades
from data.store.cohort import CohortStore


def test_readers_with_two_reads_or_campaigns(tmp_path):
    store = CohortStore.open(tmp_path / "c.duckdb")
    given = [("R1", "c", 1, 0), ("R1", "c", 2, 1), ("R2", "c", 1, 2), ("R3", "c", 1, None), ("R3", "d", 1, 3)]
    rows = pd.DataFrame(given, columns=["reader", "campaign", "read", "grade"]).astype({"grade": "Int32"})
    with store.write("test", "build") as tx:
        tx.insert("subject", pd.DataFrame({"subject": ["P1"]}))
        tx.insert("visit", pd.DataFrame([{"subject": "P1", "visit": "BL", "visit_order": 0, "day": 0}]))
        tx.insert("reader", pd.DataFrame({"reader": ["R1", "R2", "R3"], "kind": "human"}))
        for name in ("c", "d"):
            tx.insert(
                "campaign", pd.DataFrame([{"campaign": name, "system": "msasss", "read_mode": "paired"}])
            )
        keys = {"subject": "P1", "visit": "BL", "system": "msasss", "site": "C3I", "feature": "corner"}
        reason = rows["grade"].isna().map({True: "hidden", False: None})
        tx.insert("site_score", rows.assign(**keys, reason=reason))
    found = repeated_grades(store, Viewer(), CohortFilter(system="msasss"))
    assert found[["reader", "campaign", "read", "grade"]].values.tolist() == [
        ["R1", "c", 1, 0],
        ["R1", "c", 2, 1],
    ]
