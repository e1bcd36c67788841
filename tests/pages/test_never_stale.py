"""Whatever is written, a page shows what an app that has just been started would show."""

import pandas as pd
import pytest
import streamlit as st
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from data.store.cohort import CohortStore
from pages.common import queries
from tests.helpers import small_cohort

PAGES = (
    "app.py",
    *(f"pages/{name}.py" for name in ("1_Cohort", "2_Patient", "3_Agreement", "4_Progression")),
)
READ = ["subject", "visit", "system", "site", "feature", "reader", "campaign", "read"]


def grade(store, number):
    """Another grade by any reader; none where there was one now and then."""
    rows = store.query("FROM main.site_score WHERE superseded_by IS NULL ORDER BY ALL")
    row = rows.iloc[[number * 37 % len(rows)]].drop(columns=["event", "superseded_by"])
    new = pd.array([None if number % 5 == 0 else number % 4], dtype="Int32")
    with store.write("anna", "reads") as tx:
        tx.supersede("site_score", row[READ])
        tx.insert("site_score", row.assign(grade=new, reason="hidden" if number % 5 == 0 else None))


def replaced(store, table, key, **new):
    """The row of a key with other values."""
    (name, value), *more = key.items()
    rows = store.query(f"FROM main.{table} WHERE superseded_by IS NULL AND {name} = ?", [value])
    for other, wanted in more:
        rows = rows[rows[other] == wanted]
    rows = rows.drop(columns=["event", "superseded_by"])
    with store.write("anna", table) as tx:
        tx.supersede(table, rows[list(key)])
        tx.insert(table, rows.assign(**new))


def day(store, number):
    key = {"subject": small_cohort.PATIENTS[number % 6], "visit": "W104"}
    replaced(store, "visit", key, day=600 + number)


def person(store, number):
    key = {"subject": small_cohort.PATIENTS[number % 6]}
    replaced(store, "subject", key, sex="MF"[number % 2], arm=("Active", "Placebo")[number // 2 % 2])


def covariate(store, number):
    added(store, "covariate", subject="P4", visit="W52", name=f"lab {number % 3}", number=float(number))


def film(store, number):
    """A film goes to another visit, or to none."""
    images = store.query("SELECT image FROM main.image WHERE superseded_by IS NULL ORDER BY image")["image"]
    visit = (*small_cohort.VISITS, None)[number % 4]
    replaced(store, "image", {"image": images[number % len(images)]}, visit=visit)


def run(store, number):
    replaced(store, "run", {"run": "run1"}, software=f"0.{number}", weights_hash=f"{number:016d}")


def refusal(store, number):
    with store.write("anna", "ingest") as tx:
        tx.refuse(f"file {number}", [{"row": None, "reason": "is no film", "content": None}])


def reader(store, number):
    added(store, "reader", reader=f"R{3 + number % 3}", kind="human")


def looked(store, number):
    """An event without rows."""
    with store.write("anna", "look", f"question {number}") as tx:
        tx.note(session=str(number), settings={"looked": number})


def setting(store, number):
    with store.write("anna", "study") as tx:
        tx.set_meta("study", f"Study {number}")
        tx.set_meta("reference_arm", ("Active", "Placebo")[number % 2])


def blinding(store, number):
    store.set_blinded(number % 2 == 0, actor="chair", reason="test")


def added(store, table, **columns):
    with store.write("anna", table) as tx:
        tx.insert(table, pd.DataFrame({name: [value] for name, value in columns.items()}))


WRITES = (grade, grade, grade, day, person, covariate, film, run, refusal, reader, looked, setting, blinding)


def shown(at):
    """Every element of the page: texts, widgets, figures, and tables by their values."""
    assert not at.exception
    return [
        node.value.to_csv() if node.type == "dataframe" else str(node.proto)
        for node in at._tree
        if getattr(node, "proto", None) is not None
    ]


def forget():
    """What a new process does not know."""
    queries.shelf().kept.clear()
    st.cache_data.clear()


@pytest.fixture
def store(tmp_path):
    return CohortStore(small_cohort.build(tmp_path / "cohort.duckdb").path)


@pytest.mark.parametrize("page", PAGES)
@settings(
    max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(
    writes=some.lists(some.tuples(some.sampled_from(WRITES), some.integers(0, 200)), min_size=1, max_size=3)
)
def test_a_page_shows_what_a_new_process_shows(open_app, store, page, writes):
    open_app(page, cohort=store.path)
    for write, number in writes:
        write(store, number)
        kept = shown(open_app(page, cohort=store.path))
    forget()
    assert shown(open_app(page, cohort=store.path)) == kept


def test_the_test_sees_a_stale_answer(open_app, store, monkeypatch):
    page = "pages/2_Patient.py"
    before = shown(open_app(page, cohort=store.path, patient="P4"))
    monkeypatch.setattr(queries.Kept, "holds", lambda self, last_writes: True)
    replaced(store, "visit", {"subject": "P4", "visit": "W104"}, day=900)
    kept = shown(open_app(page, cohort=store.path, patient="P4"))
    forget()
    assert kept != shown(open_app(page, cohort=store.path, patient="P4"))
    assert len(before) == len(kept)
