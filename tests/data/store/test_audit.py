"""The audit trail finds every change that was not made through the store."""

import json
import shutil

import duckdb
import pandas as pd
import pytest

from core import scores
from data.store import audit
from data.store.cohort import CohortStore
from data.store.heads import heads_file
from data.verify import verify

SITES = scores.get("msasss").codes


@pytest.fixture
def store(written_cohort, tmp_path):
    shutil.copy(heads_file(written_cohort), tmp_path / "cohort.heads")
    return CohortStore(shutil.copy(written_cohort, tmp_path / "cohort.duckdb"))


@pytest.fixture(scope="module")
def written_cohort(tmp_path_factory):
    store = CohortStore.open(tmp_path_factory.mktemp("audit") / "cohort.duckdb")
    with store.write("anna", "subjects") as transaction:
        transaction.insert("subject", pd.DataFrame({"subject": ["P1", "P2"], "arm": ["A", "B"]}))
        transaction.insert("visit", pd.DataFrame({"subject": ["P1", "P2"], "visit": "BL", "day": 0}))
        transaction.insert("covariate", pd.DataFrame({"subject": ["P1"], "name": "CRP", "number": 3.5}))
        transaction.insert("image", pd.DataFrame({"image": ["ab12"], "subject": "P1", "visit": "BL"}))
        transaction.insert("reader", pd.DataFrame({"reader": ["R1"], "kind": "human"}))
        transaction.insert(
            "campaign", pd.DataFrame({"campaign": ["main"], "system": "msasss", "read_mode": "paired"})
        )
        transaction.insert("run", pd.DataFrame({"run": ["r1"], "system": "msasss"}))
        transaction.insert(
            "finding",
            pd.DataFrame({"finding": ["f1"], "run": "r1", "grade": 1, "grade_probabilities": [[0.25, 0.75]]}),
        )
        transaction.refuse("a.csv", [{"row": 3, "reason": "no subject", "content": "x"}])
    with store.write("anna", "reads") as transaction:
        transaction.insert("site_score", grades())
    with store.write("bert", "reads", "typing error") as transaction:
        transaction.supersede("site_score", pd.DataFrame({"subject": ["P1"], "site": ["C2I"]}))
        transaction.insert("site_score", grades().head(1).assign(grade=3))
    store.set_blinded(False, actor="chair", reason="lock")
    return store.path


def grades():
    return pd.DataFrame(
        {
            "subject": "P1", "visit": "BL", "system": "msasss", "site": list(SITES), "feature": "corner",
            "reader": "R1", "campaign": "main", "read": 1, "grade": [n % 4 for n in range(24)],
        }
    )  # fmt: skip


def tamper(store, sql):
    connection = duckdb.connect(str(store.path))
    connection.execute(sql)
    connection.close()


def reasons(store, **options):
    return [(item["event"], item["reason"]) for item in verify(store, **options).broken]


def test_untouched_cohort_is_intact(store):
    verdict = verify(store)
    assert verdict.broken == []
    assert verdict.events == 5
    assert verdict.rows == 2 + 2 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 24 + 1


EDITS = {
    "edited grade": ("UPDATE site_score SET grade = 2 WHERE site = 'C3S'", 3),
    "edited arm": ("UPDATE subject SET arm = 'A' WHERE subject = 'P2'", 2),
    "swapped arms": ("UPDATE subject SET arm = CASE arm WHEN 'A' THEN 'B' ELSE 'A' END", 2),
    "deleted score": ("DELETE FROM site_score WHERE site = 'C3S'", 3),
    "deleted old row": ("DELETE FROM site_score WHERE superseded_by IS NOT NULL", 3),
    "added score": ("INSERT INTO site_score SELECT * REPLACE ('P9' AS subject) FROM site_score LIMIT 1", 3),
    "doubled covariate": ("INSERT INTO covariate SELECT * FROM covariate", 2),
    "edited covariate": ("UPDATE covariate SET number = 3.5000000001", 2),
    "edited visit": ("UPDATE visit SET day = 1 WHERE subject = 'P1'", 2),
    "moved film": ("UPDATE image SET subject = 'P2'", 2),
    "edited reader": ("UPDATE reader SET kind = 'consensus'", 2),
    "edited read mode": ("UPDATE campaign SET read_mode = 'single'", 2),
    "edited run": ("UPDATE run SET weights_hash = 'x'", 2),
    "edited probability": ("UPDATE finding SET grade_probabilities = [0.3, 0.7]", 2),
    "edited refused row": ("UPDATE refused SET reason = 'fine'", 2),
    "deleted refused row": ("DELETE FROM refused", 2),
    "old row revived": ("UPDATE site_score SET superseded_by = NULL WHERE superseded_by IS NOT NULL", 4),
    "row hidden": ("UPDATE site_score SET superseded_by = 4 WHERE site = 'T1S'", 4),
    "row given to another event": ("UPDATE covariate SET event = 3", 2),
    "row without an event": (
        "INSERT INTO subject (subject, arm) VALUES ('P3', 'A')", None),
    "changed reason of an event": ("UPDATE event SET reason = 'none' WHERE event = 4", 4),
    "changed author": ("UPDATE event SET actor = 'carl' WHERE event = 3", 3),
    "changed time": ("UPDATE event SET happened_at = happened_at + INTERVAL 1 DAY WHERE event = 2", 2),
    "emptied details": ("UPDATE event SET details = NULL WHERE event = 5", 5),
    "deleted event": ("DELETE FROM event WHERE event = 3", 4),
    "blinded behind its back": ("UPDATE meta SET value = 'true' WHERE key = 'blinded'", 5),
    "added setting": ("INSERT INTO meta VALUES ('margin', '2')", 5),
    "older version": ("UPDATE meta SET value = '4' WHERE key = 'cohort_version'", 5),
    "edited total": ("UPDATE total SET total = total + 1 WHERE component = 'total'", None),
    "edited imputed sites": ("UPDATE total SET imputed_sites = 2 WHERE component = 'lumbar'", None),
    "deleted total": ("DELETE FROM total WHERE component = 'cervical'", None),
    "added total": ("INSERT INTO total SELECT * REPLACE ('P2' AS subject) FROM total", None),
}  # fmt: skip


@pytest.mark.parametrize("change", EDITS)
def test_change_behind_the_stores_back_is_found(store, change):
    sql, event = EDITS[change]
    tamper(store, sql)
    assert event in [number for number, _ in reasons(store)]


def test_change_is_named_with_table_and_number_of_rows(store):
    tamper(store, EDITS["deleted score"][0])
    assert (3, "site_score: rows that it wrote were 24, are 23") in reasons(store)


def test_edit_that_leaves_the_number_of_rows_is_named(store):
    tamper(store, EDITS["edited arm"][0])
    assert (2, "subject: rows that it wrote were changed (2 rows)") in reasons(store)


def test_event_rewritten_with_a_fresh_hash_breaks_the_next_one(store):
    events = store.query("SELECT * FROM event ORDER BY event").astype(object).to_dict("records")
    forged = events[2] | {"actor": "carl"}
    fresh = audit.event_hash(forged["previous"], forged)
    tamper(store, f"UPDATE event SET actor = 'carl', hash = '{fresh}' WHERE event = 3")
    assert reasons(store)[-1] == (4, "it does not follow the event before it")
    assert "history was rewritten" in reasons(store)[0][1]


def test_rewritten_history_is_found_by_an_earlier_head(store):
    head = verify(store).head
    assert reasons(store, head=head) == []
    heads_file(store.path).unlink(missing_ok=True)
    tamper(store, "DELETE FROM event WHERE event = 5")
    tamper(store, "UPDATE meta SET value = '4' WHERE key IN ('cohort_version', 'last_event')")
    tamper(store, "UPDATE meta SET value = 'true' WHERE key = 'blinded'")
    assert reasons(store) == []
    assert "history was rewritten" in reasons(store, head=head)[0][1]


def test_missing_table_is_named(store):
    tamper(store, "DROP TABLE covariate")
    assert reasons(store) == [(None, "the table covariate is missing")]


def test_column_added_by_a_later_version_changes_no_digest(store):
    before = digests(store)
    tamper(store, "ALTER TABLE subject ADD COLUMN country TEXT")
    assert digests(store) == before
    tamper(store, "UPDATE subject SET country = 'US' WHERE subject = 'P1'")
    assert (2, "subject: rows that it wrote were changed (2 rows)") in reasons(store)


def digests(store):
    with store.reading() as session:
        return session.digests()


SWAPPED = "CASE WHEN current_query() LIKE '%sha256%' THEN arm WHEN arm = 'A' THEN 'B' ELSE 'A' END AS arm"
FOREIGN = {
    "a view in place of a table": (
        "CREATE SCHEMA hidden; CREATE TABLE hidden.subject AS FROM main.subject; DROP TABLE main.subject; "
        f"CREATE VIEW main.subject AS SELECT * REPLACE ({SWAPPED}) FROM hidden.subject",
        ("the schema hidden", "the view main.subject"),
    ),
    "a view in the way of a table": (
        "ALTER TABLE subject RENAME TO subject_2; CREATE VIEW subject AS FROM subject_2",
        ("the view main.subject", "the table main.subject_2"),
    ),
    "a macro that answers for a hash": ("CREATE MACRO sha256(x) AS 'same'", ("the macro main.sha256",)),
    "a macro that hides the catalogue": (
        "CREATE MACRO duckdb_views() AS TABLE SELECT 1 WHERE false; CREATE VIEW v AS SELECT 1",
        ("the macro main.duckdb_views", "the view main.v"),
    ),
    "a table macro": ("CREATE MACRO subject() AS TABLE SELECT 1", ("the macro main.subject",)),
    "a computed column": (
        "CREATE TABLE copy AS FROM covariate; DROP TABLE covariate; CREATE TABLE covariate (subject TEXT, "
        "visit TEXT, name TEXT, number DOUBLE AS (3.5), text TEXT, unit TEXT, event BIGINT, "
        "superseded_by BIGINT); INSERT INTO covariate (subject, name, event) SELECT subject, name, event "
        "FROM copy; DROP TABLE copy",
        ("the table main.covariate",),
    ),
    "another type": ("ALTER TABLE subject ALTER birth_year TYPE TEXT", ("the table main.subject",)),
    "a default": ("ALTER TABLE subject ALTER arm SET DEFAULT 'A'", ("the table main.subject",)),
    "a column more": ("ALTER TABLE subject ADD COLUMN country TEXT", ("the table main.subject",)),
    "a table more": ("CREATE TABLE notes (a TEXT)", ("the table main.notes",)),
    "a schema": ("CREATE SCHEMA other", ("the schema other",)),
    "a type": ("CREATE TYPE text2 AS ENUM ('a')", ("the type main.text2",)),
    "a sequence": ("CREATE SEQUENCE s", ("the sequence main.s",)),
    "an index": ("CREATE INDEX i ON visit (day)", ("the index main.i",)),
}  # fmt: skip


@pytest.mark.parametrize("change", FOREIGN)
def test_what_could_stand_in_the_place_of_a_table_is_named(store, change):
    sql, names = FOREIGN[change]
    tamper(store, sql)
    said = [reason for _, reason in reasons(store)]
    assert [name for name in names if not any(reason.startswith(name) for reason in said)] == []


def test_a_view_that_answers_digests_truly_changes_no_digest(store):
    """The attack that only the shape of the file shows."""
    before = digests(store)
    tamper(store, FOREIGN["a view in place of a table"][0])
    with store.reading() as session:
        assert session.query("SELECT arm FROM subject ORDER BY subject")["arm"].tolist() == ["B", "A"]
    tables = digests(store)
    assert {event: {k: v for k, v in found.items() if k != "subject"} for event, found in tables.items()} == {
        event: {k: v for k, v in found.items() if k != "subject"} for event, found in before.items()
    }


def test_digests_of_older_versions_are_still_checked(store):
    """Events of versions before 0.3 have sums; new ones beside them have hashes."""
    as_before(store)
    assert reasons(store) == []
    with store.write("anna", "subjects") as transaction:
        transaction.insert("subject", pd.DataFrame({"subject": ["P3"], "arm": ["A"]}))
    assert reasons(store) == []
    tamper(store, "UPDATE subject SET arm = 'B' WHERE subject = 'P1'")
    tamper(store, "UPDATE subject SET arm = 'B' WHERE subject = 'P3'")
    assert [event for event, _ in reasons(store)] == [2, 6]


def as_before(store):
    """The events as a version before 0.3 wrote them: sums in place of hashes, chained anew; no heads."""
    heads_file(store.path).unlink()
    connection = duckdb.connect(str(store.path))
    events = connection.execute("FROM event ORDER BY event").df().astype(object).to_dict("records")
    sums = audit.digests(connection, older=[row["event"] for row in events])
    previous = audit.NO_HASH
    for row in events:
        row["digest"] = json.dumps(sums.get(row["event"], {}), sort_keys=True, separators=(",", ":"))
        closed = audit.event_hash(previous, row)
        connection.execute(
            "UPDATE event SET digest = ?, previous = ?, hash = ? WHERE event = ?",
            [row["digest"], previous, closed, row["event"]],
        )
        previous = closed
    connection.close()


def test_digest_does_not_depend_on_the_order_of_rows(tmp_path):
    found = []
    for name, rows in (("a", grades()), ("b", grades().iloc[::-1])):
        store = CohortStore.open(tmp_path / f"{name}.duckdb")
        with store.write("x", "y") as transaction:
            transaction.insert("site_score", rows)
        found.append(store.query("SELECT digest FROM event WHERE event = 2")["digest"][0])
    assert found[0] == found[1]


def test_text_cannot_be_moved_between_columns_unseen(tmp_path):
    digests = set()
    pairs = [
        ("a", "b"),
        ("ab", None),
        (None, "ab"),
        ("a\x1ftext=b", None),
        ("a\x1f", "b"),
        ("", "b"),
        (None, "b"),
    ]
    for number, (unit, text) in enumerate(pairs):
        store = CohortStore.open(tmp_path / f"{number}.duckdb")
        with store.write("x", "y") as transaction:
            frame = pd.DataFrame({"subject": ["P"], "name": ["n"]}).assign(text=[text], unit=[unit])
            transaction.insert("covariate", frame)
        digests.add(store.query("SELECT digest FROM event WHERE event = 2")["digest"][0])
    assert len(digests) == len(pairs)
