"""Outlines on slices: whose they are, in their order, and for whom."""

import json

import pandas as pd
import pytest

from core.domain import Role, Viewer
from data.queries.outlines import STRUCTURES, outlines
from data.store.cohort import CohortStore
from data.verify import verify

SQUARE = json.dumps([[1.0, 1.0], [4.0, 1.0], [4.0, 4.0], [1.0, 4.0]])


@pytest.fixture
def store(tmp_path):
    cohort = CohortStore.open(tmp_path / "cohort.duckdb")
    rows = [
        ("s2", 0, "body", "L4", 1), ("s1", 0, "oedema", "", 2), ("s1", 0, "oedema", "", 1),
        ("s1", 0, "body", "L5", 1), ("s1", 1, "disc", "L4L5", 1), ("gone", 0, "body", "L4", 1),
    ]  # fmt: skip
    drawn = pd.DataFrame(rows, columns=["image", "frame", "structure", "name", "part"])
    with cohort.write("x", "fill") as transaction:
        transaction.insert("subject", pd.DataFrame({"subject": ["P1"]}))
        images = pd.DataFrame({"image": ["s1", "s2", "held"], "held": [None, None, "text"]})
        transaction.insert("image", images.assign(subject="P1", visit="BL", modality="MR"))
        transaction.insert("run", pd.DataFrame({"run": ["r"], "reader": "model:sparcc-demo"}))
        held = drawn.head(1).assign(image="held")
        transaction.insert("outline", pd.concat([drawn, held]).assign(run="r", polygon=SQUARE))
    return cohort


def test_they_come_in_order_with_their_reader(store):
    found = outlines(store, Viewer(), ["s1", "s2"])
    columns = ["image", "frame", "structure", "name"]
    assert found[columns].astype(str).agg("/".join, axis=1).tolist() == [
        "s1/0/body/L5", "s1/0/oedema/", "s1/0/oedema/", "s1/1/disc/L4L5", "s2/0/body/L4",
    ]  # fmt: skip
    assert set(found["structure"]) == set(STRUCTURES)
    assert set(found["reader"]) == {"model:sparcc-demo"}
    assert json.loads(found["polygon"][0])[2] == [4.0, 4.0]


@pytest.mark.parametrize("images", [["held"], ["gone"], []])
def test_nothing_of_an_image_that_is_not_shown(store, images):
    assert outlines(store, Viewer(), images).empty


@pytest.mark.parametrize("reader", ["R1", "model:sparcc-demo", None])
def test_readers_see_none(store, reader):
    assert outlines(store, Viewer(Role.READER, reader), ["s1", "s2"]).empty


def test_a_superseded_one_is_not_shown_and_stays_in_the_trail(store):
    with store.write("x", "again") as transaction:
        transaction.supersede("outline", pd.DataFrame({"run": ["r"], "image": ["s1"]}))
    assert outlines(store, Viewer(), ["s1"]).empty
    assert len(store.query("SELECT * FROM outline WHERE image = 's1'")) == 4
    assert verify(store).broken == []
