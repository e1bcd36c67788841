"""Words that must not stand on a screen, wherever a page, a figure or a report writes them."""

import ast
import re
from pathlib import Path

import pandas as pd
import pytest

from tests.helpers.paths import ROOT

PLACES = ("pages", "core/figures", "core/report", "core/agreement/plain_words.py")
NOT_ON_SCREEN = (
    r"\btak(e|en|es|ing) in\b", r"\blook first\b", r"\bwere not taken\b",
    r"no change that could be formed", r"the further left", r"looks and frozen", r"frozen sets",
    r"says nothing in either", r"among \d+ others", r"change above that of", r"\bseen by \d",
    r"no pair (read|scored)", r"\bfilms together\b", r"\bread together\b", r"\bto; status\b",
    r"\bbelongs? into\b", r"before looking", r"is good when", r"chance does not give", r"more than chance",
    r"95 in 100", r"what speaks for", r"could be theirs", r"\bthey refuse\b", r"nobody is in",
    r"\badds? (nothing|anything)\b", r"\bworked out\b", r"\bbeforehand\b", r"\bnought\b", r"\bfolks?\b",
    r"without a word", r"stays in the trail", r"asked why", r"\bdomain\.md\b", r"\bdocs/[a-z-]+\.md\b",
    r"streamlit run", r"\d %", r"\} %(?!\{)", r"(?<![\w`])[<>]=\s?\d",
)  # fmt: skip
INTERNALS = (
    r"\bmodel:\w",
    r"\bNone\b",
    r"\bnan\b",
    r"(?<![\w−])-\d",
    r"\b[a-z]+_[a-z_]+\b",
    r"\w+\.seg_mean",
)


def sentences(file):
    """(line, text) of every string with a space in it that is no docstring; parts of an f-string as one."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body and isinstance(node.body[0], ast.Expr)
    }  # fmt: skip
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [one.value if isinstance(one, ast.Constant) else "{1}" for one in node.values]
            yield node.lineno, "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.lineno, node.value


def files():
    for place in PLACES:
        path = ROOT / place
        yield from [path] if path.suffix else sorted(path.rglob("*.py"))


def test_no_sentence_has_a_word_that_users_stumbled_over():
    wrong = [
        f"{file.relative_to(ROOT)}:{line}: {word}: {text[:80]}"
        for file in files()
        for line, text in sentences(file)
        if " " in text.strip()
        for word in NOT_ON_SCREEN
        if re.search(word, text, re.IGNORECASE)
    ]
    assert wrong == []


def test_every_table_is_shown_in_one_way():
    """``show_table`` gives the names of columns and models, and a dash for what is missing."""
    own = Path("pages/common/shown_table.py")
    shown = [
        str(file.relative_to(ROOT)) for file in sorted((ROOT / "pages").rglob("*.py"))
        if file.relative_to(ROOT) != own and re.search(r"\bst\.(dataframe|table)\(", file.read_text("utf-8"))
    ]  # fmt: skip
    assert shown == []


def said(at):
    """What the page says in words, and what stands in its tables as text."""
    for kind in ("title", "markdown", "caption", "info", "warning", "metric", "button"):
        for one in at.get(kind):
            yield f"{getattr(one, 'label', '') or ''} {getattr(one, 'value', '') or ''}"
    for one in [*at.selectbox, *at.button_group, *at.multiselect]:
        yield " ".join([one.label or "", *map(str, one.options)])
    for table in at.dataframe:
        for name in table.value.columns:
            cells = table.value[name]
            yield from (str(cell) for cell in cells[cells.map(lambda cell: isinstance(cell, str))].unique())


PAGES = [
    ("app.py", {}),
    ("pages/1_Cohort.py", {}),
    ("pages/2_Patient.py", {"patient": "P4", "section": "From total to pixels"}),
    ("pages/3_Agreement.py", {"section": "Largest disagreements"}),
    ("pages/3_Agreement.py", {"section": "Site by site"}),
    ("pages/4_Progression.py", {"section": "Access log and frozen analyses"}),
    ("pages/4_Progression.py", {"section": "Plan a trial"}),
]


@pytest.mark.parametrize(("page", "asked"), PAGES, ids=str)
def test_no_page_shows_what_is_inside_the_program(open_app, page, asked):
    at = open_app(page)
    for name, value in asked.items():
        at.query_params[name] = value
    at = at.run() if asked else at
    assert not at.exception
    texts = [
        re.sub(r"`[^`]*`|https?://\S+|:material/\w+:|:\w+\[|</?\w+[^>]*>", "", text) for text in said(at)
    ]
    wrong = {f"{word}: {text[:90]}" for text in texts for word in INTERNALS if re.search(word, text)}
    assert not wrong
    held = [table.proto.placeholder for table in at.dataframe if isinstance(table.value, pd.DataFrame)]
    assert set(held) <= {"–"}, "what is missing is a dash"
