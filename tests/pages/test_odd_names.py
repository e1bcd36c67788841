"""Names that mean something to Markdown are shown as they are, in every text of every page."""

import re

import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.figures.foreign_tags import without_foreign_tags
from core.markdown import JOINER, md
from pages.common.agreement import sections as agreement
from tests.helpers import odd_names

PAGES = (
    "app.py", "pages/1_Cohort.py", "pages/2_Patient.py", "pages/3_Agreement.py", "pages/4_Progression.py",
    "pages/5_Import.py",
)  # fmt: skip
OF_PROGRESSION = (
    "Patient by patient", "Over time", "Where", "Parts of the score", "Subgroups", "Models and tests",
    "Missing data", "Access log and frozen analyses",
)  # fmt: skip
AGREEMENT, PROGRESSION = "agreement_section", "progression_section"


@pytest.fixture(scope="module")
def odd_file(tmp_path_factory):
    return odd_names.build(tmp_path_factory.mktemp("odd") / "odd.duckdb").path


def protos(block):
    """Every element below, also those without a class of their own."""
    for child in block.children.values():
        if hasattr(child, "children"):
            yield getattr(child, "proto", None)
            yield from protos(child)
        else:
            yield child.proto


def strings(message, at=""):
    """(where, text) of every text in a message; those that a browser shows as they are left out."""
    for field, value in message.ListFields() if hasattr(message, "ListFields") else ():
        if field.type == field.TYPE_MESSAGE:
            many = field.is_repeated and not hasattr(value, "keys")
            for one in value if many else [value]:
                yield from strings(one, f"{at}.{field.name}")
        elif field.type == field.TYPE_STRING:
            for one in value if field.is_repeated else [value]:
                yield f"{message.DESCRIPTOR.name}.{field.name}", one


# what a browser shows letter by letter, or what no person reads: options of a list, keys, addresses, cells
PLAIN = (
    "Selectbox.", "MultiSelect.", "Arrow", "PlotlyChart.", "LinkButton.url", "PageLink.query", ".id",
    "PageLink.page", ".form_id", "DownloadButton.url", "Metric.body", "TextInput.", "BidiComponent.", "Html.",
    "Code", "StringArray", "Dataframe.columns", "KeyValue", ".raw_values",
)  # fmt: skip
MARKDOWN_OF_LISTS = ("Selectbox.label", "MultiSelect.label", "Selectbox.help", "TextInput.label")


def raw(text):
    return [name for name in odd_names.ODD if name in text]


def texts_with_raw_names(at):
    """(where, text) of what a browser would read as Markdown and that holds an odd name as it came."""
    return {
        (where, text[:200])
        for root in (at.main, at.sidebar)
        for proto in protos(root)
        if proto is not None
        for where, text in strings(proto)
        if raw(text) and (where in MARKDOWN_OF_LISTS or not any(part in where for part in PLAIN))
    }


@pytest.mark.parametrize("page", PAGES)
def test_no_text_of_a_page_holds_an_odd_name_as_it_came(open_app, odd_file, page):
    at = open_app(page, cohort=odd_file)
    assert not at.exception
    assert texts_with_raw_names(at) == set()


@pytest.mark.parametrize(
    ("page", "key", "name"),
    [
        *(("pages/3_Agreement.py", AGREEMENT, name) for name in agreement.SECTIONS),
        *(("pages/4_Progression.py", PROGRESSION, name) for name in OF_PROGRESSION),
    ],
)
def test_no_text_of_a_section_does(open_app, odd_file, page, key, name):
    at = open_app(page, cohort=odd_file)
    at.session_state[key] = name
    at.run()
    assert not at.exception
    assert texts_with_raw_names(at) == set()


SIGNS = "![]()<>*_~`$:{}#+-.|&@/\\ abwW1"


@given(st.text(alphabet=SIGNS, max_size=30))
def test_escapes_read_back_are_the_text_in_one_line(text):
    assert re.sub(r"\\(.)", r"\1", md(text).replace(JOINER, "")) == " ".join(text.split())


@given(st.text(alphabet=SIGNS, max_size=30))
def test_every_sign_of_markdown_is_escaped(text):
    bare = re.sub(r"\\.", "", md(text))
    assert not set("\\`*_[]<>~$&|") & set(bare)
    assert not re.match(r"\d*[#+\-=.)]", bare) or md(text).startswith("\\") or re.match(r"\d*\\", md(text))


@given(st.text(alphabet=SIGNS, max_size=30))
def test_no_shortcode_address_or_formula_is_left(text):
    escaped = md(text)
    assert not re.search(r":[\w/+\-]*:|://", escaped) and not re.search(r"(?<!\\)\$", escaped)
    assert "www." not in escaped.casefold()


@pytest.mark.parametrize(
    "tag", ["<a href='http://x'>y</a>", "<img src=x>", "<script>", "<b onclick=x>", "<svg>"]
)
def test_a_figure_shows_foreign_tags_as_text(tag):
    figure = go.Figure(go.Bar(x=["a", tag], y=[1, 2], name=tag, customdata=[tag, tag]))
    figure.update_layout(title=f"<b>{tag}</b><br>", xaxis={"ticktext": [tag]})
    shown = without_foreign_tags(figure)
    texts = [shown.data[0].name, shown.data[0].x[1], shown.layout.title.text, shown.layout.xaxis.ticktext[0]]
    assert not any(tag in text for text in texts) and all("&lt;" in text for text in texts)
    assert shown.layout.title.text.startswith("<b>") and shown.layout.title.text.endswith("</b><br>")
    assert shown.data[0].customdata[0] == tag, "what a click gives back stays"


def test_a_figure_of_our_own_tags_stays_the_same_object():
    figure = go.Figure(go.Bar(x=["a"], y=[1], hovertemplate="<b>%{x}</b><br>n<extra></extra>"))
    assert without_foreign_tags(figure) is figure
