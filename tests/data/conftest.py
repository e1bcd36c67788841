"""An empty cohort and a folder for a delivery."""

import pytest

from data.store.cohort import CohortStore


@pytest.fixture
def store(tmp_path):
    return CohortStore.open(tmp_path / "trial.duckdb")


@pytest.fixture
def delivery(tmp_path):
    return tmp_path / "delivery"
