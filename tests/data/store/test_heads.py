"""Signed heads outside the cohort file show a history that was written anew, cut off or replaced."""

import json
import shutil
import stat

import duckdb
import pandas as pd
import pytest

from core.cli import main
from core.errors import StoreError
from data.store import audit, heads
from data.store.cohort import CohortStore
from data.verify import verify


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("SHARPLINE_SIGNING_KEY", str(tmp_path / "account" / "signing.key"))
    return written(tmp_path / "cohort.duckdb", arms=["A", "B"])


def written(path, arms):
    store = CohortStore.open(path)
    with store.write("anna", "subjects") as transaction:
        transaction.insert("subject", pd.DataFrame({"subject": ["P1", "P2"], "arm": arms}))
    with store.write("anna", "subjects") as transaction:
        transaction.insert("covariate", pd.DataFrame({"subject": ["P1"], "name": "CRP", "number": 3.5}))
    return store


def reasons(store, **options):
    return [item["reason"] for item in verify(store, **options).broken]


def rewritten(store, sql):
    """Change rows, then write digests and chain anew, as someone who knows the program would."""
    connection = duckdb.connect(str(store.path))
    connection.execute(sql)
    stored, previous = audit.digests(connection), audit.NO_HASH
    for row in connection.execute("FROM event ORDER BY event").df().astype(object).to_dict("records"):
        row["digest"] = json.dumps(stored.get(row["event"], {}), sort_keys=True, separators=(",", ":"))
        closed = audit.event_hash(previous, row)
        connection.execute(
            "UPDATE event SET actor = ?, digest = ?, previous = ?, hash = ? WHERE event = ?",
            [row["actor"], row["digest"], previous, closed, row["event"]],
        )
        previous = closed
    connection.close()


def test_every_write_leaves_a_signed_head(store):
    verdict = verify(store)
    assert verdict.broken == []
    assert (verdict.heads.kept, verdict.heads.signed, verdict.heads.last) == (3, 3, 3)
    assert verdict.heads.file.endswith("cohort.heads")


def test_rewritten_history_is_found_without_a_noted_head(store):
    rewritten(store, "UPDATE subject SET arm = CASE arm WHEN 'A' THEN 'B' ELSE 'A' END")
    found = reasons(store)
    assert len(found) == 2  # events 2 and 3
    assert "history was rewritten" in found[0]


def test_writes_cut_off_are_found(store):
    connection = duckdb.connect(str(store.path))
    connection.execute("DELETE FROM covariate; DELETE FROM event WHERE event = 3")
    connection.execute("UPDATE meta SET value = '2' WHERE key IN ('cohort_version', 'last_event')")
    connection.close()
    assert [reason for reason in reasons(store) if "cut off" in reason] == reasons(store) != []


def test_heads_signed_by_somebody_else_are_named(store, tmp_path, monkeypatch):
    rewritten(store, "UPDATE subject SET arm = 'A'")
    own = heads.public_key()
    heads.heads_file(store.path).unlink()
    monkeypatch.setenv("SHARPLINE_SIGNING_KEY", str(tmp_path / "insider" / "signing.key"))
    events = store.query("SELECT event, hash FROM event ORDER BY event")
    for event, digest in zip(events["event"], events["hash"], strict=True):
        heads.keep(store.path, heads.Head(int(event), digest, events["hash"][0]))
    insider = heads.public_key()
    monkeypatch.setenv("SHARPLINE_SIGNING_KEY", str(tmp_path / "account" / "signing.key"))
    assert own == heads.public_key() != insider
    assert len(reasons(store)) == 3
    assert f"signed by {insider}, which is not trusted here" in reasons(store)[0]
    assert reasons(store, public_keys=[insider]) == []
    (tmp_path / "account" / "trusted.keys").write_text(f"{insider}\n")
    assert reasons(store) == []


def test_a_copy_of_the_heads_elsewhere_is_enough(store, tmp_path):
    copy = tmp_path / "vault.heads"
    copy.write_bytes(heads.heads_file(store.path).read_bytes())
    rewritten(store, "UPDATE subject SET arm = 'A'")
    heads.heads_file(store.path).unlink()
    assert reasons(store) == []
    assert verify(store).heads.kept == 0
    assert reasons(store, kept_heads=copy) != []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda line: line | {"event": 7}, "its signature does not fit what it says"),
        (lambda line: line | {"hash": "0" * 64}, "its signature does not fit what it says"),
        (lambda line: line | {"cohort": "0" * 64}, "its signature does not fit what it says"),
        (lambda line: line | {"signature": ""}, "its signature does not fit what it says"),
        (lambda line: line | {"key": "xyz"}, "it cannot be read"),
        (lambda line: {}, "it cannot be read"),
        (lambda line: [line], "it cannot be read"),
    ],
)
def test_an_edited_line_is_named(store, change, reason):
    file = heads.heads_file(store.path)
    lines = file.read_text().splitlines()
    lines[1] = json.dumps(change(json.loads(lines[1])))
    file.write_text("\n".join(lines) + "\n")
    assert reasons(store) == [f"line 2 of cohort.heads: {reason}"]


def test_another_cohort_in_its_place_is_found(store, tmp_path):
    other = written(tmp_path / "other.duckdb", arms=["B", "A"])
    other.path.replace(store.path)
    assert "began otherwise" in reasons(store)[0]


def test_a_new_cohort_sets_older_heads_aside(store, tmp_path):
    store.path.unlink()
    fresh = written(store.path, arms=["A", "B"])
    assert reasons(fresh) == []
    assert (tmp_path / "cohort.heads.1").is_file()


def test_heads_go_to_the_folder_that_is_named(store, tmp_path, monkeypatch):
    monkeypatch.setenv("SHARPLINE_HEADS", str(tmp_path / "vault"))
    store.set_blinded(False, actor="chair", reason="lock")
    verdict = verify(store)
    assert (verdict.heads.kept, verdict.broken) == (1, [])
    assert verdict.heads.file == str(tmp_path / "vault" / "cohort.heads")


def test_a_write_stands_even_where_no_head_can_be_kept(store, tmp_path, monkeypatch, caplog):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SHARPLINE_HEADS", str(tmp_path / "file" / "folder"))
    store.set_blinded(False, actor="chair", reason="lock")
    assert not store.is_blinded
    assert "no head was kept for event 4 of cohort.duckdb" in caplog.text


def test_key_and_heads_are_readable_by_their_owner_only(store):
    for path in (heads.key_file(), heads.heads_file(store.path)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_public_keys_come_as_text_or_file(tmp_path):
    key = "ab" * 32
    (tmp_path / "keys").write_text(f"{key}\n{key.upper()}\n")
    assert heads.read_keys(key) == [key]
    assert heads.read_keys(str(tmp_path / "keys")) == [key, key]
    for wrong in ("ab", "xy" * 32, str(tmp_path / "none")):
        with pytest.raises(StoreError, match="64 hex digits"):
            heads.read_keys(wrong)


def test_the_command_says_how_many_heads_were_compared(store, capsys):
    with pytest.raises(SystemExit) as end:
        main(["--cohort", str(store.path), "verify", "--rows-only"])
    said = capsys.readouterr().out
    assert end.value.code == 0
    assert "heads: 3 kept in " in said
    assert f"key of this account: {heads.public_key()}" in said


def test_nothing_is_written_to_a_backup_put_in_its_place(store, tmp_path):
    backup = shutil.copy(store.path, tmp_path / "backup.duckdb")
    store.set_blinded(False, actor="chair", reason="lock")
    shutil.copy(backup, store.path)
    with (
        pytest.raises(StoreError, match="another file than before"),
        store.write("anna", "subjects") as transaction,
    ):
        transaction.insert("subject", pd.DataFrame({"subject": ["P3"]}))
    assert CohortStore(store.path).query("SELECT count(*) AS n FROM subject")["n"][0] == 2
