"""Fixtures of all tests: where the shared real data lies."""

from pathlib import Path

import pytest

from tests.helpers.paths import ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real images and tables beside the project; tests are skipped where it is absent."""
    folder = ROOT.parent / "shared"
    if not (folder / "real").is_dir():
        pytest.skip("../shared/real is not here: these tests need its images and tables")
    return folder
