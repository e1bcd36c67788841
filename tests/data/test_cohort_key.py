"""Another key in the place of the cohort's own is refused before it makes doubles."""

import shutil

import pytest

from core.errors import StoreError
from data.cohort_key import cohort_key
from data.dicom.pseudonyms import key_file
from data.ingest.run import ingest
from data.store.cohort import CohortStore
from data.verify import verify
from tests.helpers.small_films import film, picture, save


@pytest.fixture
def store(tmp_path):
    store = CohortStore.open(tmp_path / "trial.duckdb")
    save(film(picture(1), bits=12), tmp_path / "delivery" / "a.dcm")
    assert ingest(store, [tmp_path / "delivery"], workers=1).ingested == 1
    return store


def other_key(store, tmp_path):
    other = CohortStore.open(tmp_path / "other.duckdb")
    cohort_key(other)
    shutil.copy(key_file(other.path), key_file(store.path))


def test_the_own_key_is_taken(store, tmp_path):
    assert ingest(store, [tmp_path / "delivery"], workers=1).already_there == 1
    assert verify(store, films=True).broken == []


def test_another_key_is_refused_and_found(store, tmp_path):
    other_key(store, tmp_path)
    with pytest.raises(StoreError, match="is not the one that this cohort was filled with"):
        ingest(store, [tmp_path / "delivery"], workers=1)
    assert store.query("SELECT count(*) AS n FROM main.image")["n"][0] == 1
    (fault,) = verify(store).broken
    assert "is not the one that this cohort was filled with" in fault["reason"]


def test_a_cohort_handed_over_without_its_key_is_intact(store, tmp_path):
    key_file(store.path).unlink()
    assert verify(store).broken == []
    with pytest.raises(StoreError, match="is missing"):
        ingest(store, [tmp_path / "delivery"], workers=1)
    assert not key_file(store.path).exists()
