"""What the report's further sections are made from, out of a small cohort."""

import pytest

from core.errors import InputError
from core.report.trial.inputs import Asked
from data.queries.report_inputs import report_inputs
from tests.helpers import small_cohort


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("trial")


@pytest.fixture(scope="module")
def store(folder):
    return small_cohort.build(folder / "small.duckdb", films=False)


def inputs(store, asked=Asked()):  # noqa: B008
    return report_inputs(store, "msasss", "", 0, note=lambda _: None, asked=asked)


def test_readings_are_those_of_people_with_arms_and_properties(store):
    found = inputs(store, Asked(strata=("sex",))).trial
    assert set(found.readings.rows["reader"].astype(str)) == {"R1", "R2"}
    assert set(found.readings.rows["arm"].astype(str)) == {"Active", "Placebo"}
    assert found.days[0] == 0 and found.days[1] == pytest.approx(728, abs=10)
    assert "sex" in found.properties and found.campaigns is None


def test_a_property_that_nobody_has_is_refused_by_name(store):
    with pytest.raises(InputError, match="no property region"):
        inputs(store, Asked(covariates=("region",)))


def test_blinded_cohort_gives_no_arm(folder):
    hidden = small_cohort.build(folder / "blinded.duckdb", blinded=True, films=False)
    found = inputs(hidden).trial
    assert not found.readings.rows["arm"].notna().any()
