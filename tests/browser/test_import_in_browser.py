"""Import in the running app: a preview is read beside it, and nothing of an upload stays."""

import pytest

from tests.helpers.small_films import as_bytes, picture, trial_film

pytestmark = pytest.mark.browser


def test_uploads_are_previewed_beside_the_app_and_leave_nothing(visitor, scratch, tmp_path):
    before = set(scratch.rglob("*"))
    visitor.open("Import")
    visitor.wait_for("Up to 256 MB at a time")
    files = [
        {"name": "film.dcm", "mimeType": "application/dicom", "buffer": as_bytes(trial_film(1, "P1", "BL"))},
        {"name": "cut.dcm", "mimeType": "application/dicom", "buffer": picture(1).tobytes()},
    ]
    visitor.page.locator("input[type=file]").first.set_input_files(files)
    visitor.settle()
    visitor.click(visitor.page.get_by_role("button", name="Preview"))
    visitor.wait_for("2 files: 1 would be imported, 1 refused")
    visitor.page.screenshot(path=tmp_path / "import.png", full_page=True)
    assert [*scratch.iterdir()], "the server works elsewhere"
    left = set(scratch.rglob("*")) - before
    assert [path.name for path in left if not path.name.startswith("sharpline_")] == []
