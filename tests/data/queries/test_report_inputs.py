"""The readings that an agreement analysis compares, and the inputs of a report, from a small cohort."""

import pytest

from core import scores as systems
from core.agreement.comparison import Interval
from core.domain import CohortFilter, Viewer
from core.errors import InputError
from data.queries import scores
from data.queries.readings import read_modes, readings, visits_in_order
from data.queries.report_inputs import TRIES, report_inputs
from tests.helpers import small_cohort


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return small_cohort.build(tmp_path_factory.mktemp("inputs") / "small.duckdb", films=False)


@pytest.fixture(scope="module")
def rows(store):
    chosen = CohortFilter(system="msasss", campaign="paired")
    return scores.totals(store, Viewer(), chosen), scores.readers(store, Viewer(), "msasss")


def test_readings_have_one_label_a_reader_and_the_model(rows):
    found = readings(*rows, systems.get("msasss"), "paired")
    assert found.people == ["R1", "R2"] and found.models == ["model:msasss-demo"]
    assert found.visits == visits_in_order(rows[0]) and found.components[0] == "total"
    assert found.modes["R1"] == read_modes(rows[1])["paired"] == "paired"


def test_interval_that_is_asked_for_is_among_the_intervals(rows):
    first, *_, last = visits_in_order(rows[0])
    asked = Interval(last, first)
    assert asked in readings(*rows, systems.get("msasss"), "paired", asked=asked).intervals


def test_report_inputs_name_every_query_and_keep_to_the_number_of_cases(store):
    told = []
    found = report_inputs(store, "msasss", "", 1, note=told.append)
    assert found.campaign == "paired" and len(found.cases) == 1 and told == ["checking the audit trail"]
    assert found.origin.version == store.version()
    assert all("SELECT" in sql for sql in found.origin.queries.values())
    assert "data.queries.patient.films" in found.origin.queries


def test_cohort_that_is_written_to_all_the_time_gives_no_report(store, monkeypatch):
    told, versions = [], iter(range(1000))
    monkeypatch.setattr(type(store), "version", lambda _: next(versions))
    with pytest.raises(InputError, match="a report stands for one version of it"):
        report_inputs(store, "msasss", "", 0, note=told.append)
    assert told.count("the cohort was written to meanwhile; beginning again") == TRIES
