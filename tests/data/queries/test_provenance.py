"""Where a patient's numbers come from, as each viewer may see it."""

import json

import pandas as pd
import pytest

from core.domain import Box, Role, Viewer
from data.queries import provenance
from data.store.cohort import CohortStore

READER = Viewer(Role.READER, "R1")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = CohortStore.open(tmp_path_factory.mktemp("trail") / "cohort.duckdb")
    with store.write("importer", "reads") as tx:
        tx.insert("subject", pd.DataFrame({"subject": ["P1"]}))
        tx.insert("visit", pd.DataFrame([{"subject": "P1", "visit": "BL", "visit_order": 0}]))
        kinds = {"reader": ["R1", "R2", "M"], "kind": ["human", "human", "model"]}
        tx.insert("reader", pd.DataFrame(kinds | {"weights_hash": [None, None, "w1"]}))
        modes = {
            "campaign": ["c", "model-single", "model-paired"],
            "read_mode": ["paired", "single", "paired"],
        }
        tx.insert("campaign", pd.DataFrame(modes).assign(system="mtss"))
        tx.insert("image", pd.DataFrame([{"image": "aa", "subject": "P1", "visit": "BL"}]))
        rows = [("R1", "jsn", 2, 1), ("R1", "ankylosis", 1, 1), ("R2", "jsn", 3, 1), ("R1", "jsn", 0, 2)]
        reads = pd.DataFrame(rows, columns=["reader", "feature", "grade", "read"])
        tx.insert("site_score", reads.assign(**PLACE, campaign="c"))
    for number, campaign in enumerate(("model-single", "model-single", "model-paired")):
        with store.write("scorer", f"run {number}") as tx:
            run = {"run": f"run{number}", "system": "mtss", "reader": "M", "campaign": campaign}
            tx.insert("run", pd.DataFrame([run | {"weights_hash": f"w{number}", "software": "1.0"}]))
            finding = {"finding": f"f{number}", "image": "aa", "grade": number, "run": f"run{number}"}
            geometry = json.dumps({"box": [1, 2, 3, 4]})
            row = finding | {"system": "mtss", "site": "LH.J.PIP2", "feature": "jsn", "geometry": geometry}
            tx.insert(
                "finding", pd.DataFrame([row | {"grade_probabilities": [0.25, 0.75], "compared": None}])
            )
            if number == 2:
                score = PLACE | {"reader": "M", "campaign": campaign, "feature": "jsn", "grade": 2, "read": 1}
                tx.insert("site_score", pd.DataFrame([score | {"run": "run2", "image": "aa"}]))
    return store


PLACE = {"subject": "P1", "visit": "BL", "system": "mtss", "site": "LH.J.PIP2"}


def test_reads_carry_run_campaign_and_event(store):
    rows = provenance.reads(store, Viewer(), "P1", "mtss")
    assert len(rows) == 4, "first reads only, findings at the joint among them"
    model = rows[rows["kind"] == "model"].iloc[0]
    assert (model["run"], model["weights_hash"], model["software"]) == ("run2", "w2", "1.0")
    assert (model["actor"], model["action"], model["read_mode"]) == ("scorer", "run 2", "paired")
    person = rows[(rows["reader"] == "R2")].iloc[0]
    assert pd.isna(person["run"]) and person["actor"] == "importer" and person["event"] < model["event"]


def test_findings_are_those_of_the_newest_run_in_each_campaign(store):
    rows = provenance.findings(store, Viewer(), "P1", "mtss")
    assert set(zip(rows["campaign"], rows["run"], strict=True)) == {
        ("model-single", "run1"),
        ("model-paired", "run2"),
    }
    assert rows["box"].iloc[0] == Box(1, 2, 3, 4)
    assert list(rows["grade_probabilities"].iloc[0]) == [0.25, 0.75]
    assert rows["compared"].tolist() == [{}, {}]


def test_blinded_reader_gets_own_reads_without_run_event_or_visit_name(store):
    rows = provenance.reads(store, READER, "P1", "mtss")
    assert set(rows["reader"]) == {"R1"} and len(rows) == 2
    assert rows[["run", "event", "happened_at", "actor", "action", "visit_order"]].isna().all(axis=None)
    assert rows["visit"].str.startswith("film ").all()


def test_blinded_reader_gets_no_finding(store):
    assert provenance.findings(store, READER, "P1", "mtss").empty


def test_other_patients_and_systems_have_nothing(store):
    assert provenance.reads(store, Viewer(), "P9", "mtss").empty
    assert provenance.findings(store, Viewer(), "P1", "msasss").empty
