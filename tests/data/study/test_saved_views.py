"""Saved views: a question by name in the audit trail, no version, no row; what shows arms stays with arms."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as hs

from core.domain import Role, Viewer
from core.errors import InputError, NotAllowed
from data.store.cohort import CohortStore
from data.study.saved_views import LONGEST_NAME, delete_view, rename_view, save_view, saved_views
from data.study.settings import decide
from data.verify import verify

ANALYST, READER = Viewer(), Viewer(Role.READER, "R1")
PAGE, ASKED = "pages/4_Progression.py", {"to": ["W52"], "arm": ["A", "B"]}
WHO = {"actor": "ada", "viewer": ANALYST}


@pytest.fixture
def store(tmp_path):
    made = CohortStore.open(tmp_path / "c.duckdb")
    with made.write("test", "fill") as tx:
        tx.set_meta("blinded", "false")
    return made


def names(store, viewer=ANALYST):
    return [one.name for one in saved_views(store, viewer)]


def save(store, name, **changed):
    save_view(store, name, **{**WHO, "page": PAGE, "parameters": ASKED, **changed})


def test_a_view_is_kept_renamed_and_deleted_with_its_trail_and_no_version(store):
    before = store.version()
    save(store, "  Week 52,\n women ")
    save(store, "all")
    (view,) = [one for one in saved_views(store, ANALYST) if one.name != "all"]
    assert (view.name, view.page, view.parameters, view.by) == ("Week 52, women", PAGE, ASKED, "ada")
    rename_view(store, "Week 52, women", "WEEK 52, women", **WHO)
    rename_view(store, "all", "Everybody", **WHO)
    assert names(store) == ["Everybody", "WEEK 52, women"]
    delete_view(store, "Everybody", **WHO)
    assert names(store) == ["WEEK 52, women"]
    save(store, "Everybody")
    assert names(store) == ["Everybody", "WEEK 52, women"]
    assert store.version() == before
    assert len(store.query("SELECT 1 FROM main.event WHERE action = 'view'")) == 6
    assert verify(store).broken == []


@pytest.mark.parametrize("name", ["", "  ", "x" * (LONGEST_NAME + 1), "a\u202eb", "ALL"])
def test_a_name_that_cannot_be_is_refused_and_keeps_nothing(store, name):
    save(store, "all")
    with pytest.raises(InputError, match="name"):
        save(store, name)
    assert names(store) == ["all"]


def test_of_an_unknown_view_nothing_is_kept(store):
    for act in (lambda: rename_view(store, "x", "y", **WHO), lambda: delete_view(store, "x", **WHO)):
        with pytest.raises(InputError, match="no such saved view"):
            act()
    assert store.query("SELECT 1 FROM main.event WHERE action = 'view'").empty


def test_a_blinded_reader_neither_saves_nor_sees_any(store):
    save(store, "all")
    assert names(store, READER) == []
    for act in (
        lambda: save(store, "mine", viewer=READER),
        lambda: rename_view(store, "all", "y", actor="r", viewer=READER),
        lambda: delete_view(store, "all", actor="r", viewer=READER),
    ):
        with pytest.raises(NotAllowed, match="saved views"):
            act()
    with store.look(READER) as look:
        assert "all" not in " ".join(map(str, look.query("SELECT * FROM event").to_numpy().ravel()))


def test_what_was_saved_with_arms_in_sight_goes_while_the_study_is_blinded(store):
    save(store, "Active, worst")
    decide(store, actor="ada", reason="again", blinded=True)
    save(store, "blind")
    assert names(store) == ["blind"]
    with pytest.raises(InputError, match="no such"):
        delete_view(store, "Active, worst", **WHO)
    decide(store, actor="ada", reason="locked", blinded=False)
    assert names(store) == ["Active, worst", "blind"]


@settings(max_examples=5, deadline=None)
@given(hs.dictionaries(hs.text(max_size=8), hs.lists(hs.text(max_size=12), max_size=3), max_size=4))
def test_every_question_comes_back_as_it_was(tmp_path_factory, asked):
    store = CohortStore.open(tmp_path_factory.getbasetemp() / "views.duckdb")
    for one in names(store):
        delete_view(store, one, **WHO)
    save(store, "x", parameters=asked)
    assert saved_views(store, ANALYST)[0].parameters == asked
