"""A cohort written before images had series and frames: read as it is, brought up to date, intact."""

import shutil

import duckdb
import pandas as pd
import pytest

from core.domain import CohortFilter, Viewer
from data.queries.outlines import outlines
from data.queries.series import series
from data.store.cohort import CohortStore
from data.store.migrate import FOLDER, migrate
from data.verify import verify


@pytest.fixture
def older(tmp_path):
    """The path of a cohort with one film, one cine and an earlier version of a row, in the old layout."""
    folder = tmp_path / "migrations"
    shutil.copytree(
        FOLDER, folder, ignore=shutil.ignore_patterns(*(f"{number:04}*" for number in range(5, 100)))
    )
    path = tmp_path / "old.duckdb"
    with duckdb.connect(str(path)) as connection:
        migrate(connection, folder)
    store = CohortStore(path)
    rows = pd.DataFrame({
        "image": ["a", "b"], "series_uid": ["2.25.7", None], "subject": "P1", "visit": ["BL", None],
        "modality": ["DX", "US"], "frame_count": [1, 5], "row_count": 9, "column_count": 9,
    })  # fmt: skip
    with store.write("sharpline", "create") as transaction:
        transaction.insert("subject", pd.DataFrame({"subject": ["P1"]}))
        transaction.insert("image", rows)
    with store.write("test", "assign") as transaction:
        transaction.supersede("image", rows[["image"]])
        transaction.insert("image", rows.assign(visit="BL"))
    return path


def kinds(store):
    found = series(store, Viewer(), CohortFilter())
    return list(found[["series", "frames", "kind"]].itertuples(index=False, name=None))


def test_series_are_listed_before_and_after(older):
    expected = [("2.25.7", 1, "film"), ("b", 5, "frames")]
    assert kinds(CohortStore(older)) == expected
    assert kinds(CohortStore.open(older)) == expected


def test_it_is_intact_before_and_once_it_is_brought_up_to_date(older):
    assert verify(CohortStore(older)).broken == []
    head = CohortStore(older).query("SELECT hash FROM event ORDER BY event DESC")["hash"][0]
    store = CohortStore.open(older)
    verdict = verify(store, head=head)
    assert verdict.broken == []
    assert verdict.head == head
    row = store.query("SELECT * FROM image WHERE image = 'b' AND superseded_by IS NULL").iloc[0]
    assert row["frame_count"] == 5
    assert pd.isna(row["instance_number"])
    assert row["positions_mm"] is None


def test_a_table_of_a_later_version_is_empty_and_not_missing(older):
    with CohortStore(older).look(Viewer()) as look:
        assert look.query("SELECT * FROM outline").empty
        assert "outline" in look.named
    assert outlines(CohortStore(older), Viewer(), ["a"]).empty
    assert outlines(CohortStore.open(older), Viewer(), ["a"]).empty


def test_a_table_that_was_there_and_is_gone_is_missing(older):
    CohortStore.open(older)
    with duckdb.connect(str(older)) as connection:
        connection.execute("DROP TABLE outline")
    assert [fault["reason"] for fault in verify(CohortStore(older)).broken] == [
        "the table outline is missing"
    ]


def test_an_edit_of_a_new_column_behind_the_trail_is_found(older):
    CohortStore.open(older)
    with duckdb.connect(str(older)) as connection:
        connection.execute("UPDATE image SET positions_mm = [0, 0, 4] WHERE image = 'a'")
    assert any("image" in fault["reason"] for fault in verify(CohortStore(older)).broken)
