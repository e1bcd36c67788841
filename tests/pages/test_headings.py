"""Headings of pages: a title, sections (##) and their parts (###); no level is left out on the way down."""

import re

from tests.helpers.paths import ROOT

DEEP = re.compile(r"""["']#{4,} """)


def test_no_page_has_a_heading_below_the_third_level():
    files = [ROOT / "app.py", *(ROOT / "pages").rglob("*.py")]
    assert [str(file.relative_to(ROOT)) for file in files if DEEP.search(file.read_text())] == []
