"""Rows stand by the order of visits, also where the study has no place for them."""

import numpy as np
import pandas as pd

from core.domain import Viewer
from data.queries import grids, patient
from data.queries.visit_rows import by_visit
from data.store.cohort import CohortStore
from data.tables.import_reads import ReadsRequest, import_reads


def rows(places):
    frame = pd.DataFrame(
        {
            "subject": ["P1"] * 4 + ["P2"] * 3,
            "visit": ["BL", "W104", "W52", "W52", "W104", "W52", "W8"],
            "visit_order": [places.get(v) for v in ("BL", "W104", "W52", "W52", "W104", "W52", "W8")],
            "reader": list("aabbabc"),
        }
    )
    frame.attrs["sql"] = "SELECT"
    return frame


def test_visits_without_a_place_stand_in_order_of_time():
    found = by_visit(rows({}))
    assert found["visit"].tolist() == ["BL", "W52", "W52", "W104", "W8", "W52", "W104"]
    assert found["reader"].tolist() == list("abbacba")
    assert found.attrs == {"sql": "SELECT"}


def test_places_of_the_study_come_first_and_rows_with_them_stay():
    known = rows({"BL": 0, "W8": 1, "W52": 2, "W104": 3})
    assert by_visit(known) is known
    partly = by_visit(rows({"W104": 0, "BL": 1}), ())
    assert list(dict.fromkeys(partly["visit"])) == ["W104", "BL", "W8", "W52"]
    assert np.array_equal(partly.index, range(7))


def test_a_visit_that_only_reads_name_is_a_visit_of_the_study_and_the_patient(tmp_path):
    store = CohortStore.open(tmp_path / "c.duckdb")
    rows = [("P1", visit, "C3I", grade) for visit, grade in (("W104", 1), ("BL", 0))]
    table = pd.DataFrame(rows, columns=["subject", "visit", "site", "grade"])
    import_reads(store, table, ReadsRequest("msasss", reader="R1"))
    assert grids.visit_names(store, Viewer())["visit"].tolist() == ["BL", "W104"]
    assert patient.visits(store, Viewer(), "P1")["visit"].tolist() == ["BL", "W104"]
    assert set(grids.total_cells(store, Viewer(), "msasss")["visit"]) == {"BL", "W104"}
