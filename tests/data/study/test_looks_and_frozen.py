"""Looks at arms and frozen sets: kept in the trail, and the trail stays whole."""

import pandas as pd
import pytest

from core.digests import differences, digest_of
from core.domain import Role, Viewer
from core.errors import InputError, NotAllowed
from data.store.cohort import CohortStore
from data.study.frozen_analyses import freeze, frozen_sets, moved_on
from data.study.settings import decide
from data.study.unblinded_looks import looks, record_look
from data.verify import verify

SETTINGS = {"from": "BL", "to": "W104", "scored by": ["R1", "R2"]}


@pytest.fixture
def store(tmp_path):
    made = CohortStore.open(tmp_path / "c.duckdb")
    with made.write("test", "fill") as tx:
        tx.set_meta("blinded", "false")
        tx.insert("subject", pd.DataFrame({"subject": ["P1", "P2"], "arm": ["A", "B"]}))
        tx.insert("visit", pd.DataFrame({"subject": ["P1", "P2"], "visit": "BL", "visit_order": 0, "day": 0}))
        tx.insert("reader", pd.DataFrame({"reader": ["R1"], "kind": "human"}))
        tx.insert("site_score", _grades("P1", 1))
        tx.insert("site_score", _grades("P2", 0))
    return made


def _grades(subject, grade):
    from core import scores

    rows = pd.DataFrame({"site": scores.get("msasss").codes})
    return rows.assign(
        subject=subject, visit="BL", system="msasss", feature="corner", reader="R1", campaign="c",
        read=1, grade=grade,
    )  # fmt: skip


def _freeze(store, name="primary", results=None, **changed):
    given = {
        "actor": "ada", "reason": "database locked", "system": "msasss", "version": store.version(),
        "settings": SETTINGS, "results": results or {"n": 2, "mean": 1 / 3},
    }  # fmt: skip
    return freeze(store, name, **{**given, **changed})


def _total(store, subject, **options):
    with store.look(Viewer(), **options) as look:
        return look.value(
            "SELECT total FROM total WHERE component = 'total' AND subject = $one", {"one": subject}
        )


def _correct(store, subject, grade):
    with store.write("test", "reads", "correction") as tx:
        tx.supersede("site_score", _grades(subject, 0)[["subject", "visit", "reader", "site"]])
        tx.insert("site_score", _grades(subject, grade))


def test_a_look_is_kept_once_a_session_and_settings(store):
    asked = [("s1", SETTINGS), ("s1", SETTINGS), ("s2", SETTINGS), ("s1", {**SETTINGS, "to": "W52"})]
    seen = [record_look(store, actor="ada", session=name, settings=what) for name, what in asked]
    assert seen == [True, False, True, True]
    kept = looks(store)
    assert kept["session"].tolist() == ["s1", "s2", "s1"]
    assert kept["actor"].unique().tolist() == ["ada"]


def test_a_look_leaves_the_version_and_the_trail_whole(store):
    before = store.version()
    record_look(store, actor="ada", session="s1", settings=SETTINGS)
    assert store.version() == before
    assert verify(store).broken == []
    _correct(store, "P1", 2)
    assert store.version() == before + 2, "an event's number is never used twice"
    assert verify(store).broken == []


def test_a_look_taken_out_of_the_trail_is_found(store):
    import duckdb

    record_look(store, actor="ada", session="s1", settings=SETTINGS)
    connection = duckdb.connect(str(store.path))
    connection.execute("DELETE FROM event WHERE action = 'look'")
    connection.close()
    assert any("last_event" in fault["reason"] for fault in verify(store).broken)


def test_a_blinded_study_has_no_looks(store):
    store.set_blinded(True, actor="test", reason="again")
    with pytest.raises(InputError, match="the study is blinded"):
        record_look(store, actor="ada", session="s1", settings=SETTINGS)


def test_unblinding_is_an_act_with_a_reason_that_stays(store):
    store.set_blinded(True, actor="test", reason="again")
    with pytest.raises(InputError, match="without a reason"):
        decide(store, actor="ada", blinded=False)
    decide(store, actor="ada", reason="database locked on 2 May", blinded=False)
    event = store.query("SELECT actor, reason, details FROM main.event ORDER BY event DESC LIMIT 1").iloc[0]
    assert (event["actor"], event["reason"]) == ("ada", "database locked on 2 May")
    assert '"blinded": "false"' in event["details"]


def test_a_frozen_set_comes_back_as_it_was(store):
    kept = _freeze(store)
    assert frozen_sets(store) == [kept]
    assert (kept.results, kept.settings, kept.reason) == (
        {"n": 2, "mean": 1 / 3},
        SETTINGS,
        "database locked",
    )
    assert kept.is_intact
    assert kept.arms_shown
    assert verify(store).broken == []


def test_changed_numbers_of_a_frozen_set_are_found_twice(store):
    import duckdb

    _freeze(store)
    connection = duckdb.connect(str(store.path))
    connection.execute('UPDATE frozen SET results = \'{"mean": 0.4, "n": 2}\'')
    connection.close()
    assert not frozen_sets(store)[0].is_intact
    assert any("frozen" in fault["reason"] for fault in verify(store).broken)


@pytest.mark.parametrize(
    ("changed", "message"),
    [({"reason": " "}, "without a reason"), ({"name": " "}, "1 to 100"), ({"version": 1}, "by now")],
)
def test_a_set_that_cannot_be_frozen_is_told(store, changed, message):
    with pytest.raises(InputError, match=message):
        _freeze(store, **changed)
    assert frozen_sets(store) == []


def test_a_name_is_taken_once(store):
    _freeze(store)
    with pytest.raises(InputError, match="another frozen set has it"):
        _freeze(store)


def test_sets_made_with_arms_in_sight_are_hidden_while_blinded(store):
    _freeze(store)
    store.set_blinded(True, actor="test", reason="again")
    assert frozen_sets(store) == []
    with store.look(Viewer()) as look:
        assert look.query("SELECT results FROM frozen")["results"].isna().all()


def test_what_was_written_since_is_told(store):
    kept = _freeze(store)
    record_look(store, actor="ada", session="s1", settings=SETTINGS)
    assert moved_on(store, kept.version).empty
    _correct(store, "P1", 2)
    assert moved_on(store, kept.version)["reason"].tolist() == ["correction"]


def test_an_earlier_version_gives_its_own_totals(store):
    before = store.version()
    assert _total(store, "P1") == 24
    _correct(store, "P1", 3)
    assert (_total(store, "P1"), _total(store, "P1", as_of=before)) == (72, 24)
    assert _total(store, "P1", as_of=store.version()) == 72


def test_an_earlier_version_hides_later_patients(store):
    before = store.version()
    with store.write("test", "subjects") as tx:
        tx.insert("subject", pd.DataFrame({"subject": ["P3"], "arm": ["A"]}))
    with store.look(Viewer(), as_of=before) as look:
        assert look.query("SELECT subject FROM subject")["subject"].tolist() == ["P1", "P2"]


def test_a_blinded_reader_gets_no_earlier_version(store):
    with pytest.raises(NotAllowed), store.look(Viewer(Role.READER, "R1"), as_of=2):
        pass


def test_digest_forgives_the_sixteenth_digit_and_nothing_more():
    assert digest_of({"a": 0.1 + 0.2, "b": [1, None]}) == digest_of({"b": [1.0, None], "a": 0.3})
    assert digest_of(1.000000001) != digest_of(1.0)
    assert digest_of(True) != digest_of(1)
    assert differences({"a": [1, 2]}, {"a": [1, 3], "b": 0}) == [("a 2", 2, 3), ("b", None, 0)]
