"""Patients as a work list: labels, orders, neighbours; a blinded reader has the names alone."""

import numpy as np
import pandas as pd
import pytest

from core.domain import CohortFilter, Role, Viewer
from data.queries.work_list import model_doubt
from pages.common.readings import Error
from pages.common.views.work_list import BY_CHANGE, BY_DISAGREEMENT, BY_NAME, WorkList, labels
from tests.helpers import small_cohort

PATIENT, COHORT = "pages/2_Patient.py", "pages/1_Cohort.py"
ROWS = pd.DataFrame(
    {
        "subject": ["P1", "P2", "P3", "P4"],
        "arm": ["A", None, "B", "B"],
        "change": [-0.5, 7.5, np.nan, 7.5],
        "beyond": [False, True, None, True],
        "disagreement": [1.0, 0.0, np.nan, 3.0],
        "doubt": [np.nan] * 4,
    }
)


def test_labels_say_change_flag_and_arm_as_far_as_known():
    said = list(labels(WorkList(ROWS)).values())
    assert said == ["P1 · −0.5 · A", "P2 · +7.5 > SDC", "P3 · B", "P4 · +7.5 > SDC · B"]


def test_orders_put_the_largest_first_and_the_unknown_last():
    found = WorkList(ROWS, "BL", "W1", Error(1.0, 2.0, 4, ("R1",), "BL", "W1"))
    assert found.orders == [BY_NAME, BY_CHANGE, BY_DISAGREEMENT]
    assert found.sorted_by(BY_CHANGE)["subject"].tolist() == ["P2", "P4", "P1", "P3"]
    assert found.sorted_by(BY_DISAGREEMENT)["subject"].tolist() == ["P4", "P1", "P2", "P3"]


def test_doubt_is_the_spread_that_the_probabilities_leave(tmp_path):
    store = small_cohort.build(tmp_path / "c.duckdb", films=False)
    chance = [[0.5, 0.5, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0], [0.25, 0.25, 0.25, 0.25]]
    with store.write("test", "films") as tx:
        tx.insert("image", pd.DataFrame({"image": ["a"], "subject": "P1", "visit": "W104"}))
        tx.insert("run", pd.DataFrame({"run": ["r"], "system": "msasss", "reader": small_cohort.MODEL}))
        rows = pd.DataFrame({"finding": ["f1", "f2", "f3"], "site": ["C2I", "C3S", "C3I"]})
        tx.insert("finding", rows.assign(image="a", run="r", system="msasss", feature="corner",
                                         grade_probabilities=chance))  # fmt: skip
    found = model_doubt(store, Viewer(), CohortFilter(), "W104")
    assert found["subject"].tolist() == ["P1"]
    assert found["doubt"].iloc[0] == pytest.approx(np.sqrt(0.25 + 0 + 1.25))
    assert model_doubt(store, Viewer(), CohortFilter(), "BL").empty
    assert model_doubt(store, Viewer(Role.READER, "R1"), CohortFilter(), "W104").empty


def listed(at):
    return next(box for box in at.selectbox if box.label == "Patient").options


def test_the_list_is_walked_in_its_order_at_the_same_visits(open_app):
    at = open_app(PATIENT)
    assert listed(at)[3].startswith("P4 · +6") and listed(at)[3].endswith("> SDC · Active")
    at.selectbox(key="last_visit").select("W52").run()
    at.selectbox(key="list_sort").select(BY_CHANGE).run()
    names = [text.partition(" ")[0] for text in listed(at)]
    changes = [float(text.split(" · ")[1].split()[0].replace("−", "-")) for text in listed(at)]
    assert changes == sorted(changes, reverse=True)
    at.selectbox(key="patient_choice").set_value(names[0]).run()
    at = at.button(key="patient_to_next").click().run()
    assert at.title[0].value == f"Patient {names[1]}"
    assert at.selectbox(key="last_visit").value == "W52"
    at = at.button(key="patient_to_previous").click().run()
    assert at.title[0].value == f"Patient {names[0]}"
    assert at.button(key="patient_to_previous").disabled
    cohort = at.switch_page(COHORT).run()
    assert cohort.selectbox(key="list_sort").value == BY_CHANGE


def test_the_cohort_lists_change_flag_and_arm(open_app, blinded_file):
    table = next(one.value for one in open_app(COHORT).dataframe if "beyond SDC" in one.value)
    row = table[table["subject"] == "P4"].iloc[0]
    assert row["change"] > 4 and row["beyond SDC"] == "yes" and row["arm"] == "Active"
    blinded = next(
        one.value for one in open_app(COHORT, cohort=blinded_file).dataframe if "change" in one.value
    )
    assert "arm" not in blinded


def test_a_visit_that_the_patient_does_not_have_is_said(open_app):
    at = open_app(PATIENT, patient="P2", last="W999")
    assert "To: P2 has no visit W999 to choose here, W104 is shown." in [one.value for one in at.warning]


def test_a_blinded_reader_walks_names_alone(open_app, cohort_file):
    at = open_app(PATIENT, viewer="reader:R1")
    assert listed(at) == small_cohort.PATIENTS
    assert not [box for box in at.selectbox if box.label == "Sorted by"]
    at = at.button(key="patient_to_next").click().run()
    assert at.title[0].value == "Patient P2"
    assert not [one for one in at.warning if "no visit" in one.value]
    tables = [one.value for one in open_app(COHORT, viewer="reader:R1").dataframe]
    assert not [table for table in tables if {"change", "arm", "doubt"} & set(table)]
