"""Cohort files that are damaged, half made, of another program or newer: one clear error each."""

import errno
import random
import shutil
import subprocess
import sys

import duckdb
import pytest
from click.testing import CliRunner

from core.cli import cli, main
from core.errors import CohortError, StoreError, in_words
from data.store.cohort import CohortStore
from data.store.faults import cannot_use
from data.store.migrate import available
from tests.helpers.paths import ROOT


@pytest.fixture
def whole(tmp_path):
    """The path of a cohort that was made and closed."""
    return CohortStore.open(tmp_path / "whole.duckdb").path


COMMANDS = {
    "ingest": ["ingest", "{folder}"],
    "subjects": ["subjects", "{folder}/t.csv"],
    "reads": ["reads", "{folder}/t.csv", "--system", "msasss", "--reader", "R1"],
    "score": ["score"],
    "export": ["export", "--table", "subjects", "--out", "{folder}/o.csv"],
    "report": ["report", "--out", "{folder}/o.html"],
    "study": ["study", "--name", "Trial"],
    "verify": ["verify"],
    "dicom": ["dicom", "--subject", "P1", "--out", "{folder}/o"],
}


def last_line(cohort, command, folder, capsys) -> str:
    (folder / "t.csv").write_text("subject,visit,site,grade,arm\nP1,BL,C3S,1,A\n")
    with pytest.raises(SystemExit) as ended:
        main(["--cohort", str(cohort), *(part.format(folder=folder) for part in COMMANDS[command])])
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return f"{ended.value.code} {said.err.strip().splitlines()[-1] if said.err else said.out.strip()}"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_newer_cohort_is_refused_by_every_command(whole, command, tmp_path, capsys):
    with duckdb.connect(str(whole)) as connection:
        connection.execute("INSERT INTO migration VALUES ('9999_future', now()::TIMESTAMP)")
    line = last_line(whole, command, tmp_path, capsys)
    assert line.startswith("2 sharpline: the cohort has the table version 9999_future;")
    assert line.endswith("install the newer version of Sharpline")


def test_a_cohort_that_becomes_newer_while_it_is_in_use_is_refused(whole):
    store = CohortStore(whole)
    assert store.version() == 1
    with duckdb.connect(str(whole)) as connection:
        connection.execute("INSERT INTO migration VALUES ('9999_future', now()::TIMESTAMP)")
    with pytest.raises(StoreError, match="install the newer version"):
        store.version()


@pytest.mark.parametrize("command", ["export", "report", "verify", "score"])
def test_a_cohort_stopped_while_it_was_made_says_so(tmp_path, command, capsys):
    duckdb.connect(str(tmp_path / "half.duckdb")).close()
    line = last_line(tmp_path / "half.duckdb", command, tmp_path, capsys)
    assert "not finished when it was made" in line
    assert "run the command that made it again" in line
    assert CohortStore.open(tmp_path / "half.duckdb").version() == 1


def test_another_duckdb_file_is_no_cohort(tmp_path, capsys):
    with duckdb.connect(str(tmp_path / "other.duckdb")) as connection:
        connection.execute("CREATE TABLE subject (x INTEGER)")
    assert "a cohort made by Sharpline is needed" in last_line(
        tmp_path / "other.duckdb", "export", tmp_path, capsys
    )


def test_tables_and_first_event_come_together_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "c.duckdb"
    monkeypatch.setattr("data.store.cohort.secrets.token_hex", _fail)
    with pytest.raises(ZeroDivisionError):
        CohortStore.open(path)
    with duckdb.connect(str(path)) as connection:
        assert connection.execute("SELECT count(*) FROM duckdb_tables()").fetchone() == (0,)
    monkeypatch.undo()
    store = CohortStore.open(path)
    assert store.query("SELECT name FROM migration ORDER BY name")["name"].tolist() == available()
    assert (store.version(), store.is_blinded) == (1, True)


def _fail(*_):
    raise ZeroDivisionError


def test_damaged_files_end_in_one_line(whole, tmp_path):
    """Cuts and flipped bytes, in processes of their own: DuckDB may give up in any way."""
    content, dice = whole.read_bytes(), random.Random(4)
    for number in range(24):
        damaged = bytearray(content)
        if number % 3 == 0:
            damaged = damaged[: len(content) - dice.choice((1, 4096, len(content) // 2, 8192))]
        else:
            for _ in range(40):
                damaged[dice.randrange(12288, len(content))] ^= 1 << dice.randrange(8)
        (tmp_path / f"d{number}.duckdb").write_bytes(damaged)
    code = (
        "import sys; from click.testing import CliRunner; from core.cli import main\n"
        "for path in sys.argv[1:]:\n"
        "    for command in (['export', '--table', 'subjects', '--out', path + '.csv'], ['verify'], "
        "['study', '--name', 'T'], ['subjects', path + '.none']):\n"
        "        try: main(['--cohort', path, *command])\n"
        "        except SystemExit as ended: print('status', ended.code)\n"
    )
    paths = sorted(str(path) for path in tmp_path.glob("d*.duckdb"))
    done = subprocess.run([sys.executable, "-c", code, *paths], cwd=ROOT, capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    assert done.stdout.count("status") == 4 * len(paths), done.stderr[-400:]
    assert "damaged" in done.stderr or "cohort file made by Sharpline" in done.stderr


# -- what goes wrong elsewhere ---------------------------------------------------------------------


def test_the_cause_of_a_failed_write_is_not_hidden_by_the_end_of_its_transaction(whole):
    store = CohortStore(whole)
    with pytest.raises(ValueError, match="the cause"), store.write("a", "b") as transaction:
        transaction._connection.execute("ROLLBACK")  # as a full disk does
        raise ValueError("the cause")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (duckdb.IOException("Could not write file: No space left on device"), "the disk of the cohort"),
        (duckdb.FatalException("database has been invalidated"), "is damaged"),
        (duckdb.OutOfMemoryException("failed to allocate"), "more memory is needed"),
        (duckdb.CatalogException("no table x\nmore"), r"\(no table x\)"),
    ],
)
def test_every_error_of_the_database_is_one_line(whole, error, words):
    with pytest.raises(StoreError, match=words), CohortStore(whole).reading():
        raise error
    assert "\n" not in str(cannot_use(whole, error))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/x/y"), "the disk is full at /x/y"),
        (OSError(errno.EROFS, "Read-only file system", "/x"), "no access at /x"),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), "no access at /x"),
        (OSError(errno.EIO, "Input/output error"), "Input/output error"),
        (MemoryError(), "the memory is used up"),
        (RecursionError("deep"), "RecursionError: deep"),
        (KeyError("a\nb"), "report what it shows"),
        (StoreError("a", "b", "c"), "a; b; c"),
    ],
)
def test_an_unforeseen_error_is_one_line_of_three_parts(error, words, monkeypatch, capsys, tmp_path):
    assert words in in_words(error)
    monkeypatch.setattr("core.cli.LazyGroup.get_command", _raise(error))
    monkeypatch.delenv("SHARPLINE_DEBUG", raising=False)
    with pytest.raises(SystemExit, match="2"):
        main(["verify"])
    said = capsys.readouterr().err
    assert said.startswith("sharpline: ")
    assert (said.count("\n"), said.count("; ") >= 2) == (1, True)


def test_debugging_shows_the_traceback(monkeypatch, capsys):
    monkeypatch.setattr("core.cli.LazyGroup.get_command", _raise(ZeroDivisionError("x")))
    with pytest.raises(ZeroDivisionError):
        main(["--debug", "verify"])
    monkeypatch.setenv("SHARPLINE_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        main(["verify"])


def _raise(error):
    def raising(*_):
        raise error

    return raising


def test_errors_go_from_process_to_process():
    import pickle

    copy = pickle.loads(pickle.dumps(StoreError("given", "needed", "todo")))
    assert isinstance(copy, CohortError)
    assert str(copy) == "given; needed; todo"


def test_what_is_made_again_over_a_damaged_copy_is_whole(whole, tmp_path):
    shutil.copy(whole, tmp_path / "backup.duckdb")
    assert CohortStore(tmp_path / "backup.duckdb").version() == 1
    assert CliRunner().invoke(cli, ["--cohort", str(whole), "verify"]).exit_code == 0
