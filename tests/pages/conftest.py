"""Cohorts for page tests, built once; the app is pointed at one by SHARPLINE_COHORT."""

from functools import cache

import pytest

from pages.common import session_keys as keys
from pages.common.views.choices import Choices
from tests.helpers import hands_cohort, small_cohort
from tests.helpers.paths import ROOT


@pytest.fixture(scope="session", autouse=True)
def packages_scanned_once():
    """Every AppTest would look through all installed packages for components of streamlit: half a second."""
    from streamlit.components.v2 import manifest_scanner

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests)
        )
        yield


@pytest.fixture(scope="session")
def cohort_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("pages") / "small.duckdb"
    small_cohort.build(path)
    return path


@pytest.fixture(scope="session")
def blinded_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("pages_blinded") / "blinded.duckdb"
    small_cohort.build(path, blinded=True)
    return path


@pytest.fixture(scope="session")
def hands_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("pages_hands") / "hands.duckdb"
    hands_cohort.build(path)
    return path


@pytest.fixture
def open_app(monkeypatch, cohort_file):
    """Opens a page of the app over a cohort as an AppTest that has run once; section: of the Patient page."""
    from streamlit.testing.v1 import AppTest

    def opened(page="app.py", cohort=cohort_file, viewer="analyst", section="", **params):
        monkeypatch.chdir(ROOT)
        monkeypatch.setenv("SHARPLINE_COHORT", str(cohort))
        monkeypatch.setenv("SHARPLINE_VIEWER", viewer)
        at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=240)
        for name, value in params.items():
            at.query_params[name] = value
        if section:
            at.session_state[keys.CHOICES] = Choices(kept={keys.PATIENT_SECTION: (section,)})
        at.run()
        return at if page == "app.py" else at.switch_page(page).run()

    return opened
