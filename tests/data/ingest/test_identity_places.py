"""A film with identity in a hundred places: nothing of it is left in what is stored or given out."""

import pytest

from data.ingest.run import ingest
from data.store.cohort import CohortStore
from data.tables.export import TABLES, export
from tests.helpers.identity_places import SECRETS, all_bytes, as_bytes, film_with_identity, left_in


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    place = tmp_path_factory.mktemp("identity")
    dataset, names = film_with_identity()
    delivery = place / "delivery" / "film.dcm"
    delivery.parent.mkdir()
    delivery.write_bytes(as_bytes(dataset))
    store = CohortStore.open(place / "cohort" / "trial.duckdb")
    result = ingest(store, [delivery.parent], workers=0)
    assert result.ingested == 1, result.refused
    return store, names, delivery


def test_there_are_at_least_a_hundred_places(imported):
    _, names, delivery = imported
    assert len(set(names)) >= 100
    assert set(left_in(delivery.read_bytes())) == set(SECRETS)


def test_nothing_is_left_beside_the_cohort(imported):
    store, _, _ = imported
    assert left_in(all_bytes(store.path.parent)) == []


def test_nothing_is_left_in_exports(imported, tmp_path):
    store, _, _ = imported
    for table in TABLES:
        export(store, table, tmp_path / f"{table}.csv")
    assert left_in(all_bytes(tmp_path)) == []
