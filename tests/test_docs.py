"""The README describes every command and every page, and names no registry."""

import re
from importlib.util import find_spec

import pytest

from core.cli import COMMANDS
from tests.helpers.paths import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted((ROOT / "pages").glob("[0-9]_*.py"))


@pytest.mark.parametrize("name", COMMANDS)
def test_command_is_in_the_readme(name):
    assert re.search(rf"^\| `{name}\b", README, re.MULTILINE), f"README's command table lacks {name}"


@pytest.mark.parametrize("name", COMMANDS)
def test_command_has_its_module(name):
    assert find_spec(f"core.cli.{name}"), f"core/cli/{name}.py is missing"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_page_is_in_the_readme(page):
    assert f"**{page.stem.split('_', 1)[1].replace('_', ' ')}**" in README


def test_images_of_the_readme_exist():
    for image in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README):
        assert (ROOT / image).is_file(), f"README shows {image}"


def test_lock_file_has_no_addresses():
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in lock
    assert all("==" in line for line in lock.splitlines() if line and not line.startswith("#"))
