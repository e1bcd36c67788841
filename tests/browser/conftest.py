"""A real Chromium over a running app. Skipped with a reason where there is none, unless it is required."""

import os

import pytest

from tests.helpers import small_cohort
from tests.helpers.app_in_browser import FLAGS, Server, Visitor, chromium_path


def give_up(reason):
    if os.environ.get("SHARPLINE_REQUIRE_BROWSER") == "1":
        pytest.fail(f"{reason}, and SHARPLINE_REQUIRE_BROWSER=1")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def chromium():
    path = chromium_path()
    if path is None:
        give_up("no chromium here: browser tests need one (or SHARPLINE_CHROMIUM)")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        give_up("playwright is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def scratch(tmp_path_factory):
    """The temporary folder of the server, and of nobody else."""
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="session")
def server(chromium, scratch, tmp_path_factory):
    path = tmp_path_factory.mktemp("browser") / "small.duckdb"
    small_cohort.build(path)
    running = Server(path, scratch=scratch)
    yield running
    running.stop()


@pytest.fixture
def visitor(chromium, server):
    context = chromium.new_context(viewport={"width": 1366, "height": 768})
    page = context.new_page()
    slowdown = float(os.environ.get("SHARPLINE_BROWSER_SLOWDOWN", "1"))  # to look for what depends on speed
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
    someone = Visitor(page, server.url)
    yield someone
    context.close()
    assert someone.outside == [], "something was fetched from outside"
    assert someone.errors == []
