"""Device drift on the Agreement page."""

import pytest

from pages.common.agreement.drift import GROUPS
from tests.helpers import drifting_cohort, small_cohort

PAGE = "pages/3_Agreement.py"


@pytest.fixture(scope="module")
def drifting(tmp_path_factory):
    path = tmp_path_factory.mktemp("drifting") / "cohort.duckdb"
    drifting_cohort.build(path, planted=1)
    return path


def opened(open_app, cohort, **more):
    at = open_app(PAGE, cohort=cohort, **more)
    return at.button_group(key="agreement_section").set_value("Device drift").run()


def words(at):
    kinds = ("warning", "info", "success", "caption", "markdown")
    return " ".join(element.value for kind in kinds for element in getattr(at, kind))


def test_device_that_differs_is_named_and_its_numbers_shown(open_app, drifting):
    at = opened(open_app, drifting)
    assert not at.exception
    assert "The model differs by more than the limit: Rays Ray One; Rays Ray Two" in words(at).replace(
        "\\", ""
    )
    assert "36 images of 18 patients" in words(at)
    assert "months in which images were taken" in words(at)
    assert any("Rays Ray Two" in shown.value.to_string() for shown in at.dataframe)
    assert len(at.get("plotly_chart")) == 2
    for group in GROUPS:
        at = at.button_group(key="agreement_drift_what").set_value(group).run()
        assert not at.exception


def test_cohort_of_one_device_without_dates_says_so(open_app, cohort_file):
    at = opened(open_app, cohort_file)
    assert not at.exception
    assert "fewer than two devices" in words(at).lower()
    assert "Nothing can be compared" in words(at) and not at.success
    assert "None of these differs" not in words(at)  # nobody looked


def test_blinded_reader_does_not_get_to_the_section(open_app, drifting):
    at = open_app(PAGE, cohort=drifting, viewer="R1")
    assert not at.button_group
    assert small_cohort.MODEL not in words(at) and "Ray Two" not in words(at)
