"""A filter is said above the answer, inside figures, and in the names of files."""

import plotly.graph_objects as go
import pytest

from core.domain import CohortFilter
from core.figures.style import LIGHT, apply, with_selection
from pages.common import charts, filters, provenance
from pages.common import session_keys as keys

PAGES = ["pages/3_Agreement.py", "pages/4_Progression.py"]
WORDS = "3 of 6 patients: sex F"


@pytest.mark.parametrize("page", PAGES)
def test_the_line_stands_above_the_answer_and_goes_with_the_filter(open_app, page):
    at = open_app(page, sex="F")
    assert f":material/filter_alt: **{WORDS}**" in [element.value for element in at.markdown]
    assert at.session_state[keys.SELECTION] == (WORDS, "3_of_6")
    at = at.switch_page("pages/5_Import.py").run()
    assert keys.SELECTION not in at.session_state
    everyone = open_app(page)
    assert not [element for element in everyone.markdown if "filter_alt" in element.value]
    assert keys.SELECTION not in everyone.session_state


def test_every_part_of_a_filter_is_in_the_words():
    chosen = CohortFilter(
        arms=("A", "B"), sexes=("F",), visits=("W52",), subjects=("P1",),
        covariates=(("HLA-B27", "positive"), ("smoker", "yes"), ("smoker", "former")),
    )  # fmt: skip
    assert filters.selection_words(chosen) == (
        "arm A or B; sex F; visit W52; patient P1; HLA-B27 positive; smoker yes or former"
    )
    assert filters.selection_words(CohortFilter(campaign="paired")) == ""


def test_a_figure_has_it_inside_and_the_kept_one_stays_as_it_was():
    kept = apply(go.Figure(go.Scatter(x=[1], y=[2])), LIGHT)
    shown = with_selection(kept, WORDS)
    assert shown.layout.title.text == WORDS
    assert shown.layout.margin.t > kept.layout.margin.t
    assert kept.layout.title.text is None


@pytest.mark.parametrize(
    ("state", "file"), [({}, "waterfall"), ({keys.SELECTION: (WORDS, "3_of_6")}, "waterfall_3_of_6")]
)
def test_files_are_named_for_it(monkeypatch, state, file):
    named = []
    for module in (charts, provenance):
        monkeypatch.setattr(module.st, "session_state", state)
    monkeypatch.setattr(provenance.st, "download_button", lambda *given, **_: named.append(given[2]))
    provenance.download(b"a,b", "waterfall")
    assert named == [f"{file}.csv"]
    assert charts._config("waterfall")["toImageButtonOptions"]["filename"] == f"sharpline_{file}"
