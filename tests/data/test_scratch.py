"""What a process leaves behind when it is killed goes when the next one starts."""

import os
import stat
import subprocess
import sys

import pytest

from core.errors import StoreError
from data.scratch import area, is_alive, mark_used, new_folder, remove_left_behind


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def dead():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def left_by(process, name="x"):
    folder = area() / f"{process}-delivery-{name}"
    folder.mkdir()
    (folder / "film.dcm").write_bytes(b"Hans Miller")
    return folder


def test_only_this_account_can_look_inside():
    for folder in (area(), new_folder("delivery")):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_what_a_dead_process_left_is_removed_and_what_lives_stays(dead):
    mine, theirs = new_folder("delivery"), left_by(dead)
    remove_left_behind()
    assert (mine.exists(), theirs.exists()) == (True, False)


def test_uploads_stay_while_a_job_still_reads_them(dead):
    used, unused = left_by(dead, "a"), left_by(dead, "b")
    mark_used(used, os.getpid())
    mark_used(unused, dead)
    remove_left_behind()
    assert (used.exists(), unused.exists()) == (True, False)


@pytest.mark.parametrize("name", ["", "x", "99999999999999999999", "-"])
def test_a_name_without_a_process_is_of_nobody(name):
    assert not is_alive(name)


def test_a_place_that_another_account_has_taken_is_refused(place):
    (place / "elsewhere").mkdir()
    (place / f"sharpline_{os.getuid()}").symlink_to(place / "elsewhere")
    with pytest.raises(StoreError, match="another account"):
        new_folder("delivery")
