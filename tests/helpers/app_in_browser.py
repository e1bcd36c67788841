"""The app in a real browser: the server, and a visitor who counts clicks."""

import os
import shutil
import socket
import subprocess
import sys
import time

from tests.helpers.paths import ROOT

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
DONE = "[data-testid=stApp][data-test-connection-state=CONNECTED][data-test-script-state=notRunning]"
DRAWN = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
PATIENCE = 60_000  # milliseconds; a busy machine is slow, and a test must not be


def chromium_path():
    named = os.environ.get("SHARPLINE_CHROMIUM")
    return named or next((path for path in map(shutil.which, NAMES) if path), None)


def free_port():
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


class Server:
    """``sharpline serve`` over a cohort, with more options where given. scratch: its temporary folder."""

    def __init__(self, cohort, *options, port=None, scratch=None):
        self.cohort, self.port = cohort, port or free_port()
        command = [sys.executable, "-c", "from core.cli import main; main()", "--cohort", str(cohort)]
        began = time.monotonic()
        self.process = subprocess.Popen(
            [*command, "serve", "--port", str(self.port), "--no-open", *options],
            cwd=ROOT,
            env=os.environ | ({} if scratch is None else {"TMPDIR": str(scratch)}),
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

    def redrawn(self, milliseconds=0):
        """Wait so long at least, and until the page has drawn what it was told last."""
        self.page.wait_for_timeout(milliseconds)
        self.page.evaluate(DRAWN)

    def until(self, what):
        """Wait until a function gives something true, or fail with what it gave last."""
        end = time.monotonic() + PATIENCE / 1000
        while not (found := what()) and time.monotonic() < end:
            self.page.wait_for_timeout(100)
        assert found
        return found

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
        before = None
        for _ in range(40):  # what stands above and in the bar may still move them
            self.page.wait_for_timeout(250)
            before, last = self.views(), before
            if before == last:
                return

    def tool(self, name, kind="do"):
        """A tool of the film viewer; the menu that holds it is opened first."""
        place = self.page.locator(f'[data-{kind}="{name}"]')
        menu = self.page.locator(".bar .menu").filter(has=place)
        if menu.count() and not place.is_visible():
            menu.locator("[data-menu]").click(timeout=PATIENCE)
        return place

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
        self.redrawn(300)
        self.page.mouse.click(x, y, delay=60)
        self.settle()

    def click_point(self, point):
        """A mark of a figure: plotly answers a click once its hover has found the mark under the mouse."""
        point.scroll_into_view_if_needed(timeout=PATIENCE)
        self.redrawn(300)
        box = point.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.clicks += 1
        self.page.mouse.move(x - 6, y - 3)
        self.page.mouse.move(x, y)
        self.redrawn(300)
        self.page.mouse.click(x, y, delay=60)

    def table_under(self, heading):
        return self.page.locator(
            f"xpath=//*[normalize-space(.)='{heading}']/following::*[@data-testid='stDataFrame'][1]"
        ).first


FILMS = (
    "[...document.querySelectorAll('[data-testid=stBidiComponentRegular], [data-testid^=stBidi], div')]"
    ".flatMap(host => host.shadowRoot ? [...host.shadowRoot.querySelectorAll('.film')] : [])"
)
