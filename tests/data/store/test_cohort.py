"""The store: what goes in comes out, writes are whole or nothing, and say who did them."""

import json
import math
import shutil

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain import Viewer
from core.errors import StoreError
from data.store.cohort import CohortStore
from data.store.migrate import available, migrate, pending
from data.store.transaction import KEYS


@pytest.fixture(scope="module")
def new_cohort(tmp_path_factory):
    return CohortStore.open(tmp_path_factory.mktemp("new") / "cohort.duckdb").path


@pytest.fixture
def store(new_cohort, tmp_path):
    shutil.copy(new_cohort, tmp_path / "cohort.duckdb")
    return CohortStore(tmp_path / "cohort.duckdb", wait_seconds=10)


def grades(count=2, **columns):
    base = {
        "subject": "P1", "visit": "BL", "system": "msasss", "site": [f"S{n}" for n in range(count)],
        "feature": "corner", "reader": "R1", "campaign": "main", "read": 1, "grade": 0,
    }  # fmt: skip
    return pd.DataFrame({**base, **columns})


def test_new_cohort_is_blinded_not_phantom_and_has_one_event(store):
    assert (store.is_blinded, store.is_phantom, store.version()) == (True, False, 1)
    assert store.query("SELECT action FROM event")["action"].tolist() == ["create"]


def test_opening_again_changes_nothing(store):
    before = store.path.read_bytes()
    assert CohortStore.open(store.path).version() == 1
    assert store.path.read_bytes() == before


def test_folder_of_films_stands_beside_the_cohort(store):
    assert store.folder == store.path.parent / "cohort.films"


def test_missing_cohort_is_said_in_a_sentence(tmp_path):
    store = CohortStore(tmp_path / "none.duckdb")
    assert store.version() == 0
    with pytest.raises(StoreError, match="there is no such file; make one with"):
        store.query("SELECT 1")


def test_file_that_is_no_cohort_is_said_in_a_sentence(tmp_path):
    (tmp_path / "text.duckdb").write_text("hello" * 1000)
    with pytest.raises(StoreError, match=r"text\.duckdb .* a cohort file made by Sharpline"):
        CohortStore.open(tmp_path / "text.duckdb")


def test_address_of_a_server_is_refused():
    with pytest.raises(StoreError, match="a file is needed"):
        CohortStore("ducklake://host/db")


# -- writing -------------------------------------------------------------------------------------------


def test_write_bumps_version_and_records_who_what_why(store):
    with store.write("anna", "subjects", "first list", {"source": "a.csv"}) as transaction:
        transaction.insert("subject", pd.DataFrame({"subject": ["P1", "P2"]}))
    event = store.query("SELECT * FROM event WHERE event = 2").iloc[0]
    assert store.version() == 2
    assert (event["actor"], event["action"], event["reason"]) == ("anna", "subjects", "first list")
    assert event["row_count"] == 2
    assert json.loads(event["details"])["source"] == "a.csv"


def test_failed_write_leaves_no_trace(store):
    with pytest.raises(ZeroDivisionError), store.write("anna", "x") as transaction:
        transaction.insert("subject", pd.DataFrame({"subject": ["P1"]}))
        transaction.set_meta("study", "gone")
        raise ZeroDivisionError
    assert store.version() == 1
    assert store.query("SELECT * FROM subject").empty
    assert "study" not in store.meta()


def test_write_without_change_leaves_no_event(store):
    with store.write("anna", "x") as transaction:
        transaction.insert("subject", pd.DataFrame({"subject": []}))
        transaction.set_meta("blinded", "true")
    assert store.version() == 1


@pytest.mark.parametrize("table", sorted(KEYS))
def test_two_current_rows_of_one_key_are_refused(store, table):
    columns = store.query(f"DESCRIBE {table}").set_index("column_name")["column_type"]
    row = {key: 1 if "INT" in columns[key] else "x" for key in KEYS[table]}
    if table == "site_score":
        row["system"] = "msasss"
    for rows in ([row, row], [row]):
        with pytest.raises(StoreError, match=f"2 rows of {table} .*one current row"):
            with store.write("a", "first") as transaction:
                transaction.insert(table, pd.DataFrame(rows))
            with store.write("a", "again") as transaction:
                transaction.insert(table, pd.DataFrame([row]))


@pytest.mark.parametrize("table", ["subject", "site_score", "finding"])
def test_row_without_its_key_is_refused(store, table):
    needed = [key for key in KEYS[table] if key not in ("subject", "visit") or table == "subject"]
    with pytest.raises(StoreError, match=f"a row of {table} without"), store.write("a", "x") as transaction:
        transaction.insert(table, pd.DataFrame({key: [None] for key in needed}, dtype=object))


def test_score_of_an_unassigned_film_has_no_subject(store):
    rows = grades(1, subject=None, visit=None, image="f1")
    with store.write("a", "x") as transaction:
        transaction.insert("site_score", pd.concat([rows, rows.assign(image="f2")]))
    assert store.query("SELECT image FROM site_score ORDER BY image")["image"].tolist() == ["f1", "f2"]
    with pytest.raises(StoreError, match="one current row"), store.write("a", "again") as transaction:
        transaction.insert("site_score", rows)
    assert store.query("SELECT * FROM total").empty


def test_unknown_table_and_column_are_named(store):
    with pytest.raises(StoreError, match="rows for the table event"), store.write("a", "x") as transaction:
        transaction.insert("event", pd.DataFrame({"event": [1]}))
    rows = pd.DataFrame({"subject": ["P"], "colour": ["red"]})
    with pytest.raises(StoreError, match="column colour for"), store.write("a", "x") as transaction:
        transaction.insert("subject", rows)


@pytest.mark.parametrize(
    "frame",
    [
        grades(1, grade=1.5),
        grades(1, grade="severe"),
        grades(1, subject=1.5),
        grades(1, grade=2**40),
        grades(1, subject=pd.Series(["\ud800"], dtype=object)),
    ],
)
def test_value_that_does_not_fit_its_column_is_refused(store, frame):
    with pytest.raises(StoreError, match="values of type"), store.write("a", "x") as transaction:
        transaction.insert("site_score", frame)


def test_correction_keeps_the_old_row_and_says_which_event_wrote_it(store):
    with store.write("a", "reads") as transaction:
        transaction.insert("site_score", grades())
    with store.write("b", "reads", "typing error") as transaction:
        assert transaction.supersede("site_score", grades().head(1)[["subject", "visit", "site"]]) == 1
        transaction.insert("site_score", grades(1, grade=3))
    rows = store.query("SELECT site, grade, event, superseded_by FROM site_score ORDER BY event, site")
    assert rows.astype(object).where(rows.notna(), None).to_numpy().tolist() == [
        ["S0", 0, 2, 3],
        ["S1", 0, 2, None],
        ["S0", 3, 3, None],
    ]
    details = json.loads(store.query("SELECT details FROM event WHERE event = 3")["details"][0])
    assert details["superseded"] == {"site_score": {"rows": 1, "of_events": [2]}}


def test_superseding_matches_missing_values(store):
    with store.write("a", "x") as transaction:
        names = pd.DataFrame({"subject": "P1", "visit": [None, "BL"], "name": "CRP", "number": [1.0, 2.0]})
        transaction.insert("covariate", names)
    with store.write("a", "x") as transaction:
        keys = pd.DataFrame({"subject": ["P1"], "visit": [None], "name": ["CRP"]})
        assert transaction.supersede("covariate", keys) == 1
    assert store.query("SELECT number FROM covariate WHERE superseded_by IS NULL")["number"].tolist() == [2.0]


def test_unblinding_is_an_event_with_its_reason(store):
    store.set_blinded(False, actor="chair", reason="data base lock")
    assert store.is_blinded is False
    event = store.query("SELECT * FROM event ORDER BY event DESC LIMIT 1").iloc[0]
    assert (event["actor"], event["action"], event["reason"]) == ("chair", "unblind", "data base lock")
    assert json.loads(event["details"])["meta"] == {"blinded": "false"}
    assert json.loads(event["details"])["meta_before"] == {"blinded": "true"}


def test_phantom_cohort_says_so(store):
    assert not store.is_phantom
    with store.write("sharpline demo", "phantom study") as transaction:
        transaction.set_meta("phantom", "true")
    assert store.is_phantom


def test_refused_rows_are_kept_with_their_content(store):
    with store.write("a", "reads") as transaction:
        transaction.refuse(
            "r.csv", [{"row": 7, "reason": "no such site", "content": {"site": "C9I"}}, {"reason": "empty"}]
        )
    rows = store.query("SELECT source, row_number, reason, content FROM refused ORDER BY row_number")
    assert rows["reason"].tolist() == ["no such site", "empty"]
    assert json.loads(rows["content"][0]) == {"site": "C9I"}


# -- one access at a time --------------------------------------------------------------------------------


def test_reading_inside_a_write_sees_its_rows(store):
    with store.write("a", "x") as transaction:
        transaction.insert("subject", pd.DataFrame({"subject": ["P1"]}))
        assert store.query("SELECT subject FROM subject")["subject"].tolist() == ["P1"]


ONE = "one access at a time"


def test_write_inside_another_access_is_refused_at_once(store):
    with store.write("a", "x"), pytest.raises(StoreError, match=ONE), store.write("b", "y"):
        pass
    with store.reading(), pytest.raises(StoreError, match=ONE), store.write("b", "y"):
        pass
    with store.write("a", "x"), pytest.raises(StoreError, match=ONE), store.look(Viewer()):
        pass


def test_another_name_of_the_file_is_the_same_cohort(store, tmp_path):
    (tmp_path / "link.duckdb").symlink_to(store.path)
    other = CohortStore(tmp_path / "link.duckdb")
    with store.write("a", "x"), pytest.raises(StoreError, match=ONE), other.write("b", "y"):
        pass


def test_the_store_fetches_nothing_from_a_network(store):
    sql = "SELECT current_setting('autoinstall_known_extensions') AS x"
    assert not store.query(sql)["x"][0]


def test_a_name_in_a_statement_is_no_variable_of_the_program(store):
    secret = pd.DataFrame({"x": [1]})
    with pytest.raises(Exception, match="secret does not exist"):
        store.query("SELECT * FROM secret")
    assert len(secret) == 1


# -- migrations --------------------------------------------------------------------------------------------


def test_all_migrations_are_applied_and_recorded(store):
    names = store.query("SELECT name FROM migration ORDER BY name")["name"].tolist()
    assert names == available()


def test_failed_migration_leaves_no_trace_and_earlier_ones_stay(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    (tmp_path / "0001_good.sql").write_text("CREATE TABLE a (x INTEGER);")
    (tmp_path / "0002_bad.sql").write_text("CREATE TABLE b (x INTEGER); CREATE TABLE b (x INTEGER);")
    connection = duckdb.connect()
    with pytest.raises(duckdb.CatalogException):
        migrate(connection, tmp_path)
    tables = {name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    assert tables == {"a", "migration"}
    assert pending(connection, tmp_path) == ["0002_bad"]


def test_cohort_of_a_newer_version_is_refused(store):
    import duckdb

    connection = duckdb.connect(str(store.path))
    connection.execute("INSERT INTO migration VALUES ('9999_future', now()::TIMESTAMP)")
    connection.close()
    with pytest.raises(StoreError, match="install the newer version"):
        CohortStore.open(store.path)


# -- round trips ------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)


@settings(max_examples=12, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.none() | TEXT,
            st.none() | st.integers(-(2**31), 2**31 - 1),
            st.none() | st.floats(allow_nan=False),
            st.none() | TEXT,
        ),
        min_size=1,
        max_size=8,
    )
)
def test_values_come_back_as_they_went_in(new_cohort, tmp_path_factory, rows):
    store = CohortStore(shutil.copy(new_cohort, tmp_path_factory.mktemp("round") / "cohort.duckdb"))
    frame = pd.DataFrame(rows, columns=["reason", "grade", "number", "text"], dtype=object)
    scores = grades(len(rows), grade=frame["grade"], reason=frame["reason"])
    covariates = pd.DataFrame({"subject": "P1", "name": scores["site"]}).assign(
        number=frame["number"], text=frame["text"]
    )
    with store.write("a", "round trip") as transaction:
        transaction.insert("site_score", scores)
        transaction.insert("covariate", covariates)
    back = store.query(
        "SELECT reason, grade, number, text FROM site_score s JOIN covariate c ON c.name = s.site "
        "ORDER BY string_split(s.site, 'S')[2]::INTEGER"
    )
    returned = [
        tuple(None if pd.isna(value) else value for value in row)
        for row in back.astype(object).itertuples(index=False, name=None)
    ]
    assert returned == rows
    assert math.isclose(store.query("SELECT count(*) AS n FROM covariate")["n"][0], len(rows))


@settings(max_examples=30, deadline=None)
@given(numbers=st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=6))
def test_big_integers_with_gaps_lose_no_digit(numbers):
    import duckdb

    from data.store.arrow import to_arrow
    from data.store.session import Session

    connection = duckdb.connect()
    frame = pd.DataFrame({"n": pd.Series(numbers, dtype=object)})
    connection.register("rows", to_arrow(frame, {"n": "BIGINT"}, "rows"))
    back = Session(connection).query("SELECT n FROM rows")["n"]
    assert [None if pd.isna(value) else int(value) for value in back] == numbers
