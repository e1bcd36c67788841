"""Patient: the rule that totals are made by is chosen, kept in the address, and every figure goes by it."""

import pytest

from core import scores
from core.domain import CohortFilter, Role, Viewer
from core.errors import NotAllowed
from data.queries import scores as queries
from data.store.cohort import CohortStore
from pages.common.patient.stacks import pair
from tests.helpers import mri_cohort

SYSTEM = scores.get("sparcc")
SIX, ALL, SAME = (rule.name for rule in SYSTEM.rules)
NEW = "L3L4.s2.UA"  # a unit that only the later visit has, outside the six of baseline
PATIENT = {"patient": "P2", "system": "sparcc", "site": NEW, "first": "BL", "last": "W24"}


@pytest.fixture(scope="module")
def moved(tmp_path_factory):
    """The MRI cohort with a unit that R1 and R2 see inflamed at the later visit alone."""
    path = tmp_path_factory.mktemp("rules") / "mri.duckdb"
    mri_cohort.build(path)
    rows = mri_cohort.site_grades()
    own = (rows["subject"] == "P2") & (rows["visit"] == "W24") & rows["reader"].isin(["R1", "R2"])
    rows = rows[own]
    rows["grade"] = rows["grade"].mask(rows["site"] == NEW, 1)
    keys = ["subject", "visit", "system", "reader", "campaign", "read"]
    with CohortStore(path).write("test", "reads") as tx:
        tx.supersede("site_score", rows[keys].drop_duplicates())
        tx.insert("site_score", rows)
    return path


@pytest.fixture(autouse=True)
def no_viewer(monkeypatch):
    monkeypatch.setattr(pair, "film_viewer", lambda films, **more: None)


def opened(open_app, path, **changed):
    at = open_app("pages/2_Patient.py", cohort=path, **(PATIENT | changed))
    assert not at.exception
    return at


def total(path, rule, reader="R1", visit="W24"):
    frame = queries.totals_under(CohortStore(path), Viewer(), CohortFilter(system="sparcc"), rule)
    rows = frame[(frame["component"] == "total") & (frame["subject"] == "P2")]
    return float(rows[(rows["reader"] == reader) & (rows["visit"] == visit)]["total"].iloc[0])


def test_the_query_makes_totals_by_the_rule_and_the_stored_ones_by_the_default(moved):
    store, chosen = CohortStore(moved), CohortFilter(system="sparcc")
    stored = queries.totals(store, Viewer(), chosen)
    made = queries.totals_under(store, Viewer(), chosen, SIX)
    assert made.columns.tolist() == stored.columns.tolist()
    assert made["total"].tolist() == stored["total"].tolist() and len(made)
    assert total(moved, SIX) == total(moved, ALL) == total(moved, SAME) + 1
    only = queries.totals_under(store, Viewer(), CohortFilter(system="sparcc", subjects=("P1",)), SAME)
    assert set(only["subject"]) == {"P1"} and set(only["rule"]) == {SAME}


def test_a_blinded_reader_has_no_other_rule(tmp_path):
    store = mri_cohort.build(tmp_path / "blinded.duckdb", blinded=True, pictures=False)
    with pytest.raises(NotAllowed, match="default rule"):
        queries.totals_under(store, Viewer(Role.READER, "R1"), CohortFilter(system="sparcc"), SAME)


def shows(at, path, rule):
    """Whether totals, what is taken apart, and the words of the page go by the rule."""
    title = SYSTEM.rule(rule).title
    table = next(one.value for one in at.dataframe if "reading" in one.value)
    assert float(table.set_index("reading").loc["R1"]["W24"]) == total(path, rule)
    units = next(one.value for one in at.dataframe if "unit" in one.value).set_index("unit")["adds"]
    assert units["L3L4"] == ("not counted" if rule == SAME else "1")
    said = [one.value for one in at.markdown]
    assert any(f"**Rule**: {title}" in text for text in said)
    assert not any("please report this" in text for text in said)
    assert any(f"made by the rule “{title}”" in one.value for one in at.code)
    return True


def test_totals_breakdown_and_words_go_by_the_rule_that_is_chosen_and_the_address_keeps(open_app, moved):
    at = opened(open_app, moved, section="From total to pixels")
    assert shows(at, moved, SIX) and "rule" not in at.query_params
    at.selectbox("patient_rule").set_value(SAME).run()
    assert not at.exception and shows(at, moved, SAME)
    assert at.query_params["rule"] == SAME
    at.query_params["rule"] = "sparcc.best"
    at.run()
    assert any("sparcc.best is not known here" in one.value for one in at.warning)
    assert at.selectbox("patient_rule").value == SIX


def test_the_course_says_the_rule_and_the_range_that_it_gives(open_app, moved):
    at = opened(open_app, moved, section="Course and sites")
    at.selectbox("patient_rule").set_value(ALL).run()
    said = [one.value for one in at.caption]
    assert any("totals by the rule “All 23 units”" in text for text in said)
    assert any("counts in the total (All 23 units)" in text for text in said)
    assert "total (0-414)" in str(at.get("plotly_chart")[0].proto)


def test_a_reader_has_no_rule_to_choose(open_app, moved):
    at = open_app("pages/2_Patient.py", cohort=moved, viewer="reader:R1", patient="P2", system="sparcc")
    assert not at.exception and not any(one.label == "Rule" for one in at.selectbox)


def test_a_score_without_a_rule_that_chooses_has_no_such_choice(open_app, cohort_file):
    at = open_app("pages/2_Patient.py", cohort=cohort_file)
    assert not at.exception and not any(one.label == "Rule" for one in at.selectbox)
    assert at.selectbox
