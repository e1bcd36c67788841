"""Answers are kept until something is written to a table that they were made from."""

import threading
import time
from dataclasses import replace

import pandas as pd
import pytest

from core.domain import Viewer
from core.figures.style import look
from data.queries import cohort
from data.queries.answer import answer
from data.store.cohort import CohortStore
from pages.common import queries
from pages.common.page import Page, _is_old
from pages.common.queries import Shelf, ask, computed
from tests.helpers import small_cohort


@pytest.fixture
def page(tmp_path, monkeypatch):
    shelf = Shelf()
    monkeypatch.setattr(queries, "shelf", lambda: shelf)
    store = small_cohort.build(tmp_path / "cohort.duckdb", films=False)
    return Page(str(store.path), cohort.state(store), Viewer(), look(dark=False))


def today(page):
    return replace(page, state=cohort.state(page.store))


def write(page, table, **columns):
    with page.store.write("anna", "test") as transaction:
        transaction.insert(table, pd.DataFrame({name: [value] for name, value in columns.items()}))
    return today(page)


asked: list[str] = []


def subjects(store, viewer):
    asked.append("subjects")
    return answer(store, viewer, "SELECT count(*) AS n FROM subject")


def grades(store, viewer):
    asked.append("grades")
    return answer(store, viewer, "SELECT count(*) AS n FROM total JOIN visit USING (subject, visit)")


def patients(page):
    asked.append("patients")
    return int(ask(page, subjects)["n"][0])


@pytest.fixture(autouse=True)
def nothing_asked():
    asked.clear()


def test_an_answer_is_kept_while_its_tables_stay(page):
    ask(page, subjects)
    ask(page, grades)
    page = write(page, "covariate", subject="P1", name="CRP", number=1.5)
    page = write(page, "reader", reader="R9", kind="human")
    assert ask(page, subjects)["n"][0] == 6
    ask(page, grades)
    assert asked == ["subjects", "grades"]


def test_an_answer_is_asked_again_once_its_table_changed(page):
    assert ask(page, subjects)["n"][0] == 6
    ask(page, grades)
    page = write(page, "subject", subject="P7")
    assert ask(page, subjects)["n"][0] == 7
    ask(page, grades)
    assert asked == ["subjects", "grades", "subjects"]


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("visit", {"subject": "P1", "visit": "W200", "day": 1400}),
        (
            "site_score",
            {"subject": "P1", "visit": "BL", "system": "msasss", "site": "C2I", "feature": "corner",
             "reader": "R9", "campaign": "main", "read": 1, "grade": 1},
        ),
    ],
)  # fmt: skip
def test_totals_are_old_once_scores_or_visits_changed(page, table, row):
    ask(page, grades)
    page = write(page, table, **row)
    ask(page, grades)
    assert asked == ["grades", "grades"]


def runs(store, viewer):
    asked.append("runs")
    sql = "SELECT run, happened_at FROM run LEFT JOIN event USING (event)"
    return answer(store, viewer, sql, own_events=True)


def test_events_of_other_rows_make_no_answer_old_that_shows_its_own(page):
    ask(page, runs)
    page = write(page, "covariate", subject="P1", name="CRP", number=1.5)
    assert ask(page, runs).empty
    page = write(page, "run", run="run1", system="msasss", reader="R1")
    found = ask(page, runs)
    assert asked == ["runs", "runs"]
    assert found["happened_at"].notna().all()


def events(store, viewer):
    asked.append("events")
    return answer(store, viewer, "SELECT count(*) AS n FROM event")


def test_an_answer_made_from_all_events_is_old_after_every_write(page):
    before = ask(page, events)["n"][0]
    page = write(page, "covariate", subject="P1", name="CRP", number=1.5)
    assert ask(page, events)["n"][0] == before + 1


def test_settings_make_every_answer_old(page):
    ask(page, subjects)
    page.store.set_blinded(True, actor="chair", reason="test")
    ask(today(page), subjects)
    assert asked == ["subjects", "subjects"]


def test_what_is_computed_is_as_old_as_what_it_is_made_from(page):
    assert computed(page, patients) == 6
    page = write(page, "covariate", subject="P1", name="CRP", number=1.5)
    assert computed(page, patients) == 6
    page = write(page, "subject", subject="P7")
    assert computed(page, patients) == 7
    assert asked == ["patients", "subjects", "patients", "subjects"]


def test_what_is_computed_from_a_kept_answer_knows_what_that_was_made_from(page):
    ask(page, subjects)
    computed(page, patients)
    page = write(page, "subject", subject="P7")
    assert computed(page, patients) == 7


def test_a_session_that_still_shows_the_old_state_asks_for_itself(page):
    """Its rows are those of the file, as ever; what it keeps is not taken for an answer of today."""
    new = write(page, "subject", subject="P7")
    assert ask(page, subjects)["n"][0] == 7
    assert ask(new, subjects)["n"][0] == 7
    assert asked == ["subjects", "subjects"]


def slow(page):
    asked.append("slow")
    time.sleep(0.3)
    return int(ask(page, subjects)["n"][0])


def test_what_many_ask_at_once_is_worked_out_once(page):
    found = []
    threads = [threading.Thread(target=lambda: found.append(computed(page, slow))) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [6] * 5
    assert asked.count("slow") == 1


def failing(page):
    asked.append("failing")
    raise ZeroDivisionError


def test_an_error_is_not_kept_and_stops_nobody_else(page):
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            computed(page, failing)
    assert asked == ["failing", "failing"]


def test_a_page_is_old_once_something_that_it_shows_changed():
    shown = {"subject": 2, "meta": 1, "frozen": 0}
    assert not _is_old(shown, {"subject": 2, "meta": 1, "visit": 9})
    assert _is_old(shown, {"subject": 3, "meta": 1})
    assert _is_old(shown, {"subject": 2, "meta": 1, "frozen": 4})
    assert _is_old({}, {"subject": 2})


def test_every_table_has_its_last_write(tmp_path):
    store = CohortStore.open(tmp_path / "cohort.duckdb")
    with store.write("anna", "subjects") as transaction:
        transaction.insert("subject", pd.DataFrame({"subject": ["P1"]}))
    with store.write("anna", "visits") as transaction:
        transaction.insert("visit", pd.DataFrame({"subject": ["P1"], "visit": ["BL"]}))
    with store.write("anna", "look") as transaction:
        transaction.note(looked=True)
    with store.reading() as session:
        assert session.last_writes() == {"meta": 1, "subject": 2, "visit": 3, "total": 3, "event": 4}
