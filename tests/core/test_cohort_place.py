"""The default cohort is study/cohort.duckdb; one at the place of version 0.1 is found and named."""

import pytest

from core import cohort_place
from core.cli import main
from data.store.cohort import CohortStore


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(cohort_place.VARIABLE, raising=False)
    return tmp_path


def test_new_place_is_the_default(here):
    assert cohort_place.default_cohort() == "study/cohort.duckdb"
    CohortStore.open(cohort_place.default_cohort())
    assert (here / "study" / "cohort.duckdb").is_file()


def test_environment_comes_first(here, monkeypatch):
    monkeypatch.setenv(cohort_place.VARIABLE, "mine.duckdb")
    assert cohort_place.default_cohort() == "mine.duckdb"


def test_cohort_at_the_old_place_is_used_and_named(here, capsys):
    (here / "data").mkdir()
    CohortStore.open(here / "data" / "cohort.duckdb")
    with pytest.raises(SystemExit) as end:
        main(["verify"])
    said = capsys.readouterr().err
    assert end.value.code == 0
    assert "the cohort data/cohort.duckdb is used" in said
    assert "mkdir -p study && mv data/cohort.* study/" in said


def test_old_place_is_nothing_where_the_new_one_has_a_cohort(here, capsys):
    (here / "data").mkdir()
    CohortStore.open(here / "data" / "cohort.duckdb")
    CohortStore.open(here / "study" / "cohort.duckdb")
    with pytest.raises(SystemExit):
        main(["verify"])
    assert "is used" not in capsys.readouterr().err


def test_a_cohort_that_was_named_is_not_remarked_on(here, capsys):
    (here / "data").mkdir()
    CohortStore.open(here / "data" / "cohort.duckdb")
    with pytest.raises(SystemExit):
        main(["--cohort", "data/cohort.duckdb", "verify"])
    assert "is used" not in capsys.readouterr().err
