"""Fixtures of all tests: the shared real data, one thread for each process, a main module that stays."""

import os
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

from tests.helpers.paths import ROOT

sys.dont_write_bytecode = False  # or every command that a test starts compiles torch and streamlit anew
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
for library in ("OMP", "OPENBLAS", "MKL", "NUMBA"):  # read at import; commands inherit it
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")
os.environ.setdefault("OPENCV_FOR_THREADS_NUM", "1")
os.environ["SHARPLINE_SIGNING_KEY"] = str(Path(tempfile.mkdtemp()) / "signing.key")  # not the account's own
# A busy machine is slow: examples have no time limit. They are the same every time, so that a change is
# judged by what it does; SHARPLINE_HYPOTHESIS=search looks for new ones.
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None)
settings.load_profile(os.environ.get("SHARPLINE_HYPOTHESIS", "same"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real images and tables beside the project; tests are skipped where it is absent."""
    folder = ROOT.parent / "shared"
    if not (folder / "real").is_dir():
        pytest.skip("../shared/real is not here: these tests need its images and tables")
    return folder


@pytest.fixture(autouse=True)
def own_umask():
    """Put the umask back: commands that run in this process close it, and files of later tests with it."""
    before = os.umask(0)
    os.umask(before)
    yield
    os.umask(before)


@pytest.fixture(autouse=True)
def own_main_module():
    """Put the main module back: a page under test takes its place, and a worker process would run it."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main
