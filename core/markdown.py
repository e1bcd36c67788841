"""Data inside Markdown: shown letter by letter, never read as links, pictures or formulas.

Names of patients, visits, readers, arms, columns and files come from whoever sends a table. One may be
``![x](http://...)``, ``S$1$``, ``W*52*`` or ``:material/delete:``.
"""

from __future__ import annotations

import re

SIGNS = re.compile(r"([\\`*_\[\]<>~$&|])")  # what Markdown reads anywhere in a line
AT_START = re.compile(r"^(\d*)([#+\-=.)])")  # what it reads at the start of one: headings, lists, rules
JOINER = "\u2060"  # takes no room; Streamlit looks for addresses, icons and colours after escapes were read
COLOURS = "red|orange|yellow|green|blue|violet|gr[ae]y|rainbow|primary|small"
BEFORE_ADDRESS = re.compile(
    rf"(:(?=//|[\w+\-/]*:|(?:{COLOURS})(?:-\w+)?(?![\w-]))|@(?=\S)|\bwww(?=\.))", re.IGNORECASE
)


def md(text: object) -> str:
    """The text for Streamlit's Markdown (labels, captions and titles too): shown as it is, in one line."""
    line = SIGNS.sub(r"\\\1", " ".join(str(text).split()))
    return BEFORE_ADDRESS.sub(rf"\1{JOINER}", AT_START.sub(r"\1\\\2", line))
