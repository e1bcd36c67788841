"""Names of files and people are data: they do not steer the terminal."""

import json
import os
import unicodedata

from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from core.cli import cli
from core.cli.output import printable, writable

TURNS = "\u202e\u2066\u200f"


@given(st.text())
def test_nothing_printed_steers_the_terminal(text):
    shown = printable(text)
    assert len(shown) == len(text)
    assert not any(unicodedata.category(one) in ("Cc", "Zl", "Zp") for one in shown if one not in "\n\t")
    assert not set(shown) & set(TURNS)


@given(st.text(st.characters(exclude_categories=("Cc", "Cf", "Zl", "Zp", "Cs"))))
def test_letters_of_every_script_stay(text):
    assert printable(text) == text


def test_bytes_that_are_no_text_can_be_printed():
    name = os.fsdecode(b"M\xfcller\xff")
    assert writable(name) == "M?ller?"
    assert printable(f"{name}\x1b[2J") == "M?ller?\ufffd[2J"


def test_refused_files_are_named_without_their_control_characters(tmp_path):
    names = [b"a\x1b]0;title\x07.txt", b"b\xff.txt", "c\u202etxt.mcd".encode(), b"d\nof two lines.txt"]
    delivery = tmp_path / "delivery"
    delivery.mkdir()
    for name in names:
        (delivery / os.fsdecode(name)).write_text("hello")
    run = ["--cohort", str(tmp_path / "c.duckdb"), "ingest", str(delivery)]
    text = CliRunner().invoke(cli, run, standalone_mode=False)
    assert text.exception is None
    assert "4 refused" in text.output
    assert not set(text.output) & set("\x1b\x07\u202e")
    found = json.loads(CliRunner().invoke(cli, [*run, "--json"], standalone_mode=False).stdout)
    assert found["found"] == len(found["refused"]) == 4
