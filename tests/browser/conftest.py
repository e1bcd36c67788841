"""A real Chromium over a running app. Skipped with a reason where there is none, unless it is required."""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "pages"))

import small_cohort  # noqa: E402

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DONE = "[data-testid=stApp][data-test-script-state=notRunning]"
PATIENCE = 60_000  # milliseconds; a busy machine is slow, and a test must not be


def chromium_path():
    named = os.environ.get("SHARPLINE_CHROMIUM")
    return named or next((path for path in map(shutil.which, NAMES) if path), None)


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


def free_port():
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


class Server:
    """``sharpline serve`` over a cohort."""

    def __init__(self, cohort):
        self.cohort, self.port = cohort, free_port()
        command = [sys.executable, "-c", "from core.cli import main; main()", "--cohort", str(cohort)]
        began = time.monotonic()
        self.process = subprocess.Popen(
            [*command, "serve", "--port", str(self.port), "--no-open"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.said = self.process.stdout.readline()
        self.seconds = time.monotonic() - began

    @property
    def url(self):
        return f"http://localhost:{self.port}"

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture(scope="session")
def server(chromium, tmp_path_factory):
    path = tmp_path_factory.mktemp("browser") / "small.duckdb"
    small_cohort.build(path)
    running = Server(path)
    yield running
    running.stop()


class Visitor:
    """A person at the screen who counts clicks."""

    patience = PATIENCE

    def __init__(self, page, url):
        self.page, self.url, self.clicks, self.outside, self.errors = page, url, 0, [], []
        page.on("request", self._note)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _note(self, request):
        if not request.url.startswith((self.url, "data:", "blob:", self.url.replace("http", "ws"))):
            self.outside.append(request.url)

    def open(self, path=""):
        self.page.goto(f"{self.url}/{path}")
        self.settle()

    def settle(self):
        """Wait until the page has run, and stays so for a moment."""
        calm = 0
        end = time.monotonic() + PATIENCE / 1000
        while calm < 3 and time.monotonic() < end:
            self.page.wait_for_timeout(200)
            calm = calm + 1 if self.page.locator(DONE).count() else 0

    def click(self, place, **options):
        self.clicks += 1
        place.click(timeout=PATIENCE, **options)
        self.settle()

    def link(self, label):
        self.click(self.page.get_by_test_id("stMain").get_by_role("link", name=label))

    def wait_for(self, text):
        """Wait for a text, and for the rest of the page that comes after it."""
        self.page.get_by_text(text).first.wait_for(timeout=PATIENCE)
        self.settle()

    def films_drawn(self, count=2):
        self.page.wait_for_function(
            f"() => {FILMS}.length === {count} && {FILMS}.every(film => film.dataset.drawn)", timeout=PATIENCE
        )
        self.page.wait_for_timeout(200)

    def views(self):
        """(scale, x, y) of every film: how it lies on its canvas."""
        return self.page.evaluate(f"() => {FILMS}.map(film => film.dataset.view.split(' ').map(Number))")

    def state(self, place=0):
        return self.page.locator(".film .state").nth(place).inner_text()

    def click_cell(self, table, row, column=0):
        """A cell of a table, rows from 0 under the head."""
        canvas = table.locator("canvas").first
        canvas.scroll_into_view_if_needed(timeout=PATIENCE)
        frame = canvas.bounding_box()
        self.clicks += 1
        x, y = frame["x"] + 30 + 60 * column, frame["y"] + 35 + 35 * row + 17
        self.page.mouse.move(x - 8, y - 4)
        self.page.mouse.move(x, y)
        self.page.wait_for_timeout(300)
        self.page.mouse.click(x, y, delay=60)
        self.settle()

    def table_under(self, heading):
        return self.page.locator(
            f"xpath=//*[normalize-space(.)='{heading}']/following::*[@data-testid='stDataFrame'][1]"
        ).first


FILMS = (
    "[...document.querySelectorAll('[data-testid=stBidiComponentRegular], [data-testid^=stBidi], div')]"
    ".flatMap(host => host.shadowRoot ? [...host.shadowRoot.querySelectorAll('.film')] : [])"
)


@pytest.fixture
def visitor(chromium, server):
    context = chromium.new_context(viewport={"width": 1366, "height": 768})
    someone = Visitor(context.new_page(), server.url)
    yield someone
    context.close()
    assert someone.outside == [], "something was fetched from outside"
    assert someone.errors == []
