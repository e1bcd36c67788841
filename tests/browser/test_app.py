"""The app as a whole: filter and address, new rows from elsewhere, start."""

import subprocess
import sys

import pytest

from tests.helpers.paths import ROOT

pytestmark = pytest.mark.browser

ADD = """
import sys; sys.path.insert(0, {root!r})
import pandas as pd
from data.store.cohort import CohortStore
store = CohortStore({path!r})
for number in range({count}):
    with store.write("test", "add", "a row from elsewhere") as tx:
        row = {{"subject": "P1", "name": {name!r} + str(number), "number": 1.0}}
        tx.insert("covariate", pd.DataFrame([row]))
"""


def write_elsewhere(path, name, count):
    """Start a process that writes into the cohort."""
    code = ADD.format(root=str(ROOT), path=str(path), name=name, count=count)
    return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.PIPE, text=True)


def version(visitor):
    text = visitor.page.get_by_text("Cohort version").first.inner_text()
    return int(text.split()[-1])


def test_filter_survives_the_menu_and_sits_in_the_address(visitor):
    visitor.open("Cohort?sex=F")
    visitor.wait_for("3 of 6 patients")
    visitor.click(visitor.page.get_by_test_id("stSidebar").get_by_role("link", name="Agreement"))
    visitor.wait_for("3 of 6 patients")
    assert "sex=F" in visitor.page.url
    visitor.page.go_back()
    visitor.settle()
    visitor.wait_for("3 of 6 patients")


def test_reload_keeps_what_was_chosen(visitor):
    visitor.open("Patient?patient=P3&first=W52")
    visitor.wait_for("Patient P3")
    visitor.page.reload()
    visitor.settle()
    visitor.wait_for("Patient P3")
    assert "first=W52" in visitor.page.url


def test_rows_from_another_process_appear_without_a_reload(visitor, server):
    visitor.open("Patient?patient=P1")
    before = version(visitor)
    writer = write_elsewhere(server.cohort, "appears", 1)
    assert writer.wait(60) == 0, writer.stderr.read()
    is_newer = f"() => Number(document.body.innerText.match(/Cohort version (\\d+)/)?.[1]) > {before}"
    visitor.page.wait_for_function(is_newer, timeout=2 * visitor.patience)


def test_a_page_asks_for_nothing_by_itself_between_a_key_and_its_answer(visitor):
    sent = []
    visitor.page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    visitor.open("Cohort")
    before = len(sent)
    visitor.until(lambda: len(sent) > before)
    visitor.settle()
    visitor.page.keyboard.press("Shift")
    before = len(sent)
    visitor.page.wait_for_timeout(6000)
    assert len(sent) == before


def test_clicking_while_another_process_writes_gives_no_error(visitor, server):
    visitor.open("Cohort")
    writer = write_elsewhere(server.cohort, "busy", 12)
    for name in ("Agreement", "Progression", "Patient", "Cohort"):
        visitor.click(visitor.page.get_by_test_id("stSidebar").get_by_role("link", name=name))
        assert visitor.page.get_by_test_id("stException").count() == 0
        assert visitor.page.get_by_test_id("stAlertContentError").count() == 0
    assert writer.wait(120) == 0, writer.stderr.read()


def test_server_says_its_address_and_stays_on_this_machine(server):
    assert server.said.startswith(f"Sharpline is open on http://localhost:{server.port}")


def test_import_shows_what_would_be_refused(visitor, tmp_path):
    file = tmp_path / "holiday.txt"
    file.write_text("no film at all")
    visitor.open("Import")
    visitor.page.locator("input[type=file]").first.set_input_files(str(file))
    visitor.settle()
    visitor.click(visitor.page.get_by_role("button", name="Preview"))
    visitor.wait_for("0 would be imported, 1 refused")
