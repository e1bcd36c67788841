"""What a viewer may see does not depend on how a page asks."""

import pandas as pd
import pytest

from core import scores
from core.domain import CohortFilter, Role, Viewer
from core.errors import NotAllowed
from data.store import access
from data.store.cohort import CohortStore

READER = Viewer(Role.READER, "R1")
ANALYST = Viewer()
NOBODY = Viewer(Role.READER, None)
SITES = scores.get("msasss").codes


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = CohortStore.open(tmp_path_factory.mktemp("access") / "cohort.duckdb")
    visits = pd.DataFrame({"visit": ["BL", "W52", "W104"], "visit_order": [1, 2, 3], "day": [0, 364, 730]})
    with store.write("x", "fill") as transaction:
        transaction.insert(
            "subject",
            pd.DataFrame(
                {"subject": ["P1", "P2"], "arm": ["Placebo", "Active"], "sex": ["M", "F"], "centre": "7"}
            ),
        )
        transaction.insert("visit", visits.assign(subject="P1", planned_day=visits["day"]))
        transaction.insert(
            "covariate",
            pd.DataFrame({"subject": ["P1", "P2"], "name": "HLA-B27", "text": ["positive", "negative"]}),
        )
        transaction.insert(
            "reader", pd.DataFrame({"reader": ["R1", "R2", "m"], "kind": ["human", "human", "model"]})
        )
        transaction.insert("run", pd.DataFrame({"run": ["r"], "reader": "m"}))
        transaction.insert("finding", pd.DataFrame({"finding": ["f"], "run": "r", "image": "i1"}))
        transaction.insert(
            "image",
            pd.DataFrame(
                {
                    "image": ["i1"],
                    "subject": "P1",
                    "visit": "W52",
                    "film_date": [pd.Timestamp(2010, 1, 1)],
                    "study_uid": "2.25.1",
                }
            ),
        )
        transaction.refuse("a.csv", [{"row": 1, "reason": "no", "content": {"ARM": "Active"}}])
        for reader in ("R1", "R2", "m"):
            for visit in visits["visit"]:
                rows = pd.DataFrame({"site": list(SITES), "grade": 1, "subject": "P1", "visit": visit})
                rows = rows.assign(system="msasss", feature="corner", reader=reader, campaign="main", read=1)
                transaction.insert("site_score", rows)
    return store


@pytest.fixture(scope="module")
def unblinded(store, tmp_path_factory):
    import shutil

    other = CohortStore(shutil.copy(store.path, tmp_path_factory.mktemp("open") / "cohort.duckdb"))
    other.set_blinded(False, actor="chair", reason="lock")
    return other


def looked_up(store, viewer, sql):
    with store.look(viewer) as look:
        return look.query(sql)


def seen(store, viewer, table, column):
    values = looked_up(store, viewer, f"SELECT {column} FROM {table}")[column]
    return {None if pd.isna(value) else value for value in values}


def everything(store, viewer):
    """Every value of every table that this viewer can reach by its name."""
    with store.look(viewer) as look:
        frames = [look.query(f"SELECT * FROM {table}") for table in look.tables()]
    return {str(value) for frame in frames for _, values in frame.items() for value in values}


def test_arm_is_hidden_from_everyone_while_blinded(store):
    assert seen(store, Viewer(), "subject", "arm") == {None}
    assert seen(store, READER, "subject", "arm") == {None}
    assert seen(store, Viewer(), "refused", "content") == {None}


def test_analyst_sees_arms_once_unblinded_and_reader_does_not(unblinded):
    assert seen(unblinded, Viewer(), "subject", "arm") == {"Placebo", "Active"}
    assert seen(unblinded, READER, "subject", "arm") == {None}


def test_analyst_sees_all_readers_and_visits(store):
    assert seen(store, Viewer(), "site_score", "reader") == {"R1", "R2", "m"}
    assert seen(store, Viewer(), "total", "visit") == {"BL", "W52", "W104"}


def test_reader_sees_only_own_scores_and_no_model(store):
    for table in ("site_score", "total", "reader"):
        assert seen(store, READER, table, "reader") == {"R1"}
    for table in ("run", "finding", "event", "covariate", "refused"):
        assert looked_up(store, READER, f"SELECT * FROM {table}").empty


def test_reader_without_a_name_sees_no_score(store):
    assert looked_up(store, NOBODY, "SELECT * FROM site_score").empty
    assert looked_up(store, NOBODY, "SELECT * FROM total").empty


def test_nothing_that_shows_order_or_arm_reaches_a_reader(store, unblinded):
    for cohort in (store, unblinded):
        found = everything(cohort, READER)
        assert not found & {"BL", "W52", "W104", "364", "730", "Placebo", "Active", "R2", "m", "2.25.1"}
        assert not any(text.startswith("2010-01-01") for text in found)
        assert "R1" in found and "P1" in found


def test_visits_of_a_reader_are_told_apart_and_join_with_films(store):
    rows = looked_up(
        store,
        READER,
        "SELECT t.visit, i.image FROM total t LEFT JOIN image i USING (subject, visit) "
        "WHERE component = 'total'",
    )
    assert rows["visit"].nunique() == 3
    assert rows["visit"].str.fullmatch(r"film [0-9a-f]{6}").all()
    assert rows["image"].notna().sum() == 1


def test_visit_codes_differ_between_cohorts(store, tmp_path):
    codes = set()
    for path in (store.path, tmp_path / "other.duckdb"):
        cohort = CohortStore.open(path)
        if not cohort.query("SELECT 1 FROM visit").size:
            with cohort.write("x", "y") as transaction:
                transaction.insert("visit", pd.DataFrame({"subject": ["P1"], "visit": ["BL"]}))
        codes |= seen(cohort, READER, "visit", "visit")
    assert len(codes) == 4


def test_key_of_the_visit_codes_is_shown_to_nobody(store):
    key = store.meta()["mask_key"]
    assert len(key) == 32
    assert key not in everything(store, Viewer())
    assert key not in everything(store, READER)


def test_look_shows_current_rows_only(store, tmp_path):
    cohort = CohortStore.open(tmp_path / "cohort.duckdb")
    with cohort.write("x", "y") as transaction:
        transaction.insert("subject", pd.DataFrame({"subject": ["P1"], "sex": "M"}))
    with cohort.write("x", "y", "wrong") as transaction:
        transaction.supersede("subject", pd.DataFrame({"subject": ["P1"]}))
        transaction.insert("subject", pd.DataFrame({"subject": ["P1"], "sex": "F"}))
    assert looked_up(cohort, Viewer(), "SELECT sex FROM subject")["sex"].tolist() == ["F"]


def test_table_of_a_later_version_is_hidden_from_readers(store, tmp_path):
    import duckdb

    cohort = CohortStore.open(tmp_path / "cohort.duckdb")
    connection = duckdb.connect(str(cohort.path))
    connection.execute("CREATE TABLE diary (subject TEXT, visit TEXT, arm TEXT)")
    connection.execute("INSERT INTO diary VALUES ('P1', 'BL', 'Active')")
    connection.close()
    assert looked_up(cohort, READER, "SELECT * FROM diary").empty


# -- the filter ------------------------------------------------------------------------------------------


def chosen(store, chosen_filter, viewer=ANALYST):
    with store.look(viewer) as look:
        sql, values = access.selection(chosen_filter, look.allowed)
        return look.query(f"{sql} ORDER BY subject", values)["subject"].tolist()


@pytest.mark.parametrize(
    "wanted, subjects",
    [
        (CohortFilter(), ["P1", "P2"]),
        (CohortFilter(arms=("Active",)), ["P2"]),
        (CohortFilter(sexes=("M",)), ["P1"]),
        (CohortFilter(sexes=("M", "F")), ["P1", "P2"]),
        (CohortFilter(subjects=("P2",)), ["P2"]),
        (CohortFilter(covariates=(("HLA-B27", "positive"),)), ["P1"]),
        (CohortFilter(covariates=(("HLA-B27", "positive"),), sexes=("F",)), []),
        (CohortFilter(subjects=("P1'; DROP TABLE subject; --",)), []),
    ],
)
def test_filter_selects_patients(unblinded, wanted, subjects):
    assert chosen(unblinded, wanted) == subjects


def test_filter_by_a_number_takes_it_by_value(unblinded, tmp_path):
    import shutil

    cohort = CohortStore(shutil.copy(unblinded.path, tmp_path / "c.duckdb"))
    with cohort.write("x", "y") as transaction:
        transaction.insert(
            "covariate", pd.DataFrame({"subject": ["P1"], "name": ["smoker"], "number": [1.0]})
        )
    assert chosen(cohort, CohortFilter(covariates=(("smoker", "1"),))) == ["P1"]
    assert chosen(cohort, CohortFilter(covariates=(("smoker", "0"),))) == []


def test_filter_by_what_is_hidden_is_refused(store):
    with pytest.raises(NotAllowed, match="arms are not shown in a blinded study"):
        chosen(store, CohortFilter(arms=("Active",)))
    for hidden in (
        CohortFilter(visits=("BL",)),
        CohortFilter(sexes=("M",)),
        CohortFilter(covariates=(("HLA-B27", "positive"),)),
    ):
        with pytest.raises(NotAllowed):
            chosen(store, hidden, READER)


def test_a_covariate_that_is_the_arm_by_another_name_is_hidden_with_it(tmp_path):
    store = CohortStore.open(tmp_path / "c.duckdb")
    with store.write("x", "fill") as transaction:
        transaction.insert("subject", pd.DataFrame({"subject": ["P1"], "arm": ["Active"]}))
        names = ["TRT01P", " Treatment ", "therapy", "HLA-B27"]
        transaction.insert("covariate", pd.DataFrame({"subject": "P1", "name": names, "text": "Active"}))
    sql = "SELECT name FROM covariate ORDER BY name"
    assert looked_up(store, ANALYST, sql)["name"].tolist() == ["HLA-B27"]
    store.set_blinded(False, actor="x", reason="database locked")
    assert len(looked_up(store, ANALYST, sql)) == 4
