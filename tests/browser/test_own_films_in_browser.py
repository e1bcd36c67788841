"""The fourth journey: own films without trial tags, to results, with the pages alone."""

import re

import pytest

from core import scores
from tests.helpers.app_in_browser import PATIENCE, Server, Visitor
from tests.helpers.small_films import as_bytes, film, picture

pytestmark = pytest.mark.browser
PEOPLE = ("S-01", "S-02", "S-03")
VISITS = {"BL": "20210304", "W52": "20220303"}
SITES = scores.get("msasss").codes


@pytest.fixture
def own(chromium, tmp_path):
    """A visitor of an app without a cohort."""
    server = Server(tmp_path / "own.duckdb")
    context = chromium.new_context(viewport={"width": 1366, "height": 900})
    someone = Visitor(context.new_page(), server.url)
    yield someone
    context.close()
    server.stop()
    assert (someone.outside, someone.errors) == ([], [])


def films():
    """Two films of each of three people, as a hospital gives them."""
    found = []
    for number, person in enumerate(PEOPLE):
        for place, day in enumerate(VISITS.values()):
            tags = {"PatientID": f"H{number}", "PatientName": f"Secret{number}^X", "StudyDate": day}
            tags |= {"BodyPartExamined": "CSPINE", "ViewPosition": "LL"}
            content = as_bytes(film(picture(10 * number + place, rows=400, columns=300), bits=12, **tags))
            name = f"{person}_{place}.dcm"
            found.append({"name": name, "mimeType": "application/dicom", "buffer": content})
    return found


def grades():
    """Two readers' scores; one cell was left empty."""
    rows = [f"subject,visit,reader,{','.join(SITES)}"]
    for reader in range(2):
        for number, person in enumerate(PEOPLE):
            for place, visit in enumerate(VISITS):
                cells = [str(number * place)] * len(SITES)
                if (reader, number, place) == (1, 0, 1):
                    cells[0] = ""
                rows.append(f"{person},{visit},R{reader + 1},{','.join(cells)}")
    return "\n".join(rows).encode()


def choose(visitor, label, name, place=0):
    """Choose or type an option in the place-th box of this label."""
    box = visitor.page.get_by_label(re.compile(label)).nth(place)
    marks = box.locator("xpath=ancestor::*[@data-testid='stSelectbox']").locator("svg")
    box.scroll_into_view_if_needed(timeout=PATIENCE)
    for _ in range(4):
        box.click(timeout=PATIENCE)
        box.fill("", timeout=PATIENCE)
        box.press_sequentially(name, delay=20)
        visitor.redrawn(300)
        box.press("Enter")
        visitor.settle()
        if marks.count() > 1:  # the arrow, and the cross that takes a chosen name away
            return
    raise AssertionError(f"{name} was not chosen: {label} {place}")


def test_own_films_without_tags_come_to_results_with_pages_alone(own, tmp_path):
    page = own.page
    own.open("Import")
    own.wait_for("A new study in three steps")
    own.click(page.get_by_text("Not imported", exact=True))
    own.wait_for("Nothing was refused")
    own.click(page.get_by_text("1 Films", exact=True))
    page.locator("input[type=file]").first.set_input_files(films())
    own.settle()
    own.click(page.get_by_role("button", name="Import", exact=True))
    own.wait_for("Whose images are these? 6 images")
    own.wait_for("2021-03-04")
    assert "Secret" not in page.get_by_test_id("stMain").inner_text()
    page.screenshot(path=tmp_path / "waiting.png", full_page=True)
    for number, person in enumerate(PEOPLE):
        own.wait_for(f"{person}_0.dcm")
        choose(own, "^Person", person, number)
        choose(own, "^Visit", "BL", 2 * number)
        choose(own, "^Visit", "W52", 2 * number + 1)
    own.wait_for("New patients: S-01, S-02, S-03")
    page.screenshot(path=tmp_path / "chosen.png", full_page=True)
    own.click(page.get_by_role("button", name="Place 6 images"))
    own.wait_for("3 patients, 2 visits")
    own.click(page.get_by_text("3 Scores", exact=True))
    page.locator("input[type=file]").first.set_input_files(
        {"name": "scores.csv", "mimeType": "text/csv", "buffer": grades()}
    )
    own.wait_for("One cell has no grade")
    assert page.get_by_role("button", name="Import", exact=True).is_disabled()
    own.click(page.get_by_text("the reader could not score the site"))
    page.screenshot(path=tmp_path / "scores.png", full_page=True)
    own.click(page.get_by_role("button", name="Import", exact=True))
    own.wait_for("Scores (scores.csv): done")
    own.open("Progression")
    own.wait_for("progressed by")
    own.wait_for("n = 3")
    page.screenshot(path=tmp_path / "progression.png", full_page=True)
    own.open("Agreement")
    own.wait_for("Patient by patient")
    own.open("Patient?patient=S-02")
    own.wait_for("Patient S-02")
