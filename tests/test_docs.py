"""The documents describe every command and page, and point to files that exist."""

import re
import tomllib
from importlib.util import find_spec

import pytest

from core.cli import COMMANDS
from models.registry import models
from tests.helpers.architecture import INTERNAL, name_of
from tests.helpers.paths import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS_PAGE = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = sorted((ROOT / "pages").glob("[0-9]_*.py"))
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
MAX_ROWS = 6  # of a table in the README


def rows_of_commands() -> list[str]:
    """The first table of docs/commands.md: the commands that it describes."""
    table = COMMANDS_PAGE[COMMANDS_PAGE.index("| command |") :].split("\n\n")[0]
    return re.findall(r"^\| `(\w+)\b", table, re.MULTILINE)


def tables(text: str) -> list[list[str]]:
    """Body rows of every table."""
    found = re.findall(r"^\|.*\n\|[ :|-]+\|\n((?:\|.*\n?)*)", text, re.MULTILINE)
    return [body.splitlines() for body in found]


def targets(text: str) -> list[str]:
    """Files that links and images point to, without addresses and places within a page."""
    links = [target.partition("#")[0] for target in LINK.findall(text)]
    return [target for target in links if target and "://" not in target and not target.startswith("mailto:")]


@pytest.mark.parametrize("name", COMMANDS)
def test_command_is_in_the_table_of_commands(name):
    assert re.search(rf"^\| `{name}\b", COMMANDS_PAGE, re.MULTILINE), f"docs/commands.md lacks {name}"


def test_table_of_commands_names_only_commands_that_exist():
    assert sorted(rows_of_commands()) == sorted(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_command_has_its_module(name):
    assert find_spec(f"core.cli.{name}"), f"core/cli/{name}.py is missing"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_page_is_in_the_readme(page):
    assert f"**{page.stem.split('_', 1)[1].replace('_', ' ')}**" in README


@pytest.mark.parametrize("page", ["docs/commands.md", "docs/glossary.md"])
def test_readme_links_the_page(page):
    assert page in targets(README)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_links_and_images_exist(document):
    text = document.read_text(encoding="utf-8")
    assert [target for target in targets(text) if not (document.parent / target).exists()] == []


def test_tables_of_the_readme_are_short():
    assert tables(README), "no table was recognised"
    assert [rows[0] for rows in tables(README) if len(rows) > MAX_ROWS] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_no_document_points_to_an_internal_one(document):
    assert INTERNAL.findall(document.read_text(encoding="utf-8")) == []


def test_first_version_of_the_changelog_is_unreleased_or_that_of_the_package():
    heading = re.search(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    package = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert heading[1].endswith("(unreleased)") or heading[1].split()[0] == package


def test_lock_file_has_no_addresses():
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in lock
    assert all("==" in line for line in lock.splitlines() if line and not line.startswith("#"))


def test_every_interval_of_the_readme_stands_on_the_page_of_a_model():
    pages = "".join((ROOT / "docs" / f"{name}-model.md").read_text(encoding="utf-8") for name in models())
    found = re.findall(r"0\.\d{2,} \(-?[\d.]+ to [\d.]+\)", README)
    assert len(found) > 10
    assert [one for one in found if one not in pages] == []
