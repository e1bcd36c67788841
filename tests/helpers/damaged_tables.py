"""Damaged files of tables through every command that reads one: only ever an answer or one line.

``python -m tests.helpers.damaged_tables --minutes 5`` tries what goes into that time; the suite tries a few.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import random
import tempfile
import time
import zipfile
from collections import Counter
from pathlib import Path

import pandas as pd

from core.cli import main
from core.scores import systems
from tests.helpers.paths import REFERENCE
from tests.helpers.table_files import long_table, write_sheets, write_transport

ODD = (
    "", "=1+1", "1e2", "1e999", "-9", "999", "NA", "nan", "inf", "None", "½", "4294967296", "9999-12-31",
    "%s%n", "../../x", '"', "'", '"x', "1,5", "1.234,5", "\u200b7", "٣", "−1", "\x1b[31m", "𝒳", "1_000",
    "0x1F", "#N/A", "true", "A" * 300, ";", ",", "\t",
)  # fmt: skip
ENDINGS = (".csv", ".xlsx", ".parquet", ".xpt", ".sas7bdat")


def long_reads() -> pd.DataFrame:
    """Site scores of two readers."""
    system = next(iter(systems().values()))
    rows = [
        (f"P{number}", visit, reader, code, number % 2)
        for number in range(2)
        for visit in ("BL", "W52")
        for reader in ("R1", "R2")
        for code in system.codes
    ]
    return pd.DataFrame(rows, columns=["subject", "visit", "reader", "site", "grade"])


def subjects() -> pd.DataFrame:
    """Subjects with a few properties."""
    return pd.DataFrame(
        {
            "subject": [f"P{number}" for number in range(8)],
            "arm": ["A", "B"] * 4,
            "sex": ["M", "F"] * 4,
            "birth_year": range(1950, 1958),
            "baseline_date": "2014-01-02",
            "CRP": [1.5, 2, 3, 4, 5, 6, 7, 8],
        }
    )


COMMANDS = {
    "progression": (long_table, ()),
    "agreement": (long_table, ("--subject", "subject,days", "--rater", "reader", "--rating", "total")),
    "mmrm": (long_table, ("--formula", "total ~ reader", "--subject", "subject", "--visit", "days")),
    "totals": (long_reads, ("--system", next(iter(systems())))),
    "reads": (long_reads, ("--system", next(iter(systems())), "--dry-run")),
    "subjects": (subjects, ("--dry-run",)),
}


def write(table: pd.DataFrame, path: Path) -> None:
    """The table in the format of the file's ending; of SAS7BDAT, which nothing here writes, any file."""
    if path.suffix == ".csv":
        table.to_csv(path, index=False)
    elif path.suffix == ".xlsx":
        values = table.astype(object).to_numpy().tolist()
        write_sheets(path, {"Info": [["made 2024"]], "Scores": [list(table.columns), *values]})
    elif path.suffix == ".parquet":
        table.to_parquet(path, index=False)
    elif path.suffix == ".xpt":
        write_transport(path, {name[:8]: table[name].tolist() for name in table})
    else:
        path.write_bytes((REFERENCE / "sas" / "datetime.sas7bdat").read_bytes())


def with_odd_cells(table: pd.DataFrame, chance: random.Random) -> pd.DataFrame:
    """The table with some cells, and perhaps a header, replaced by what tables hold in practice."""
    table = table.astype(object)
    for _ in range(chance.choice([0, 1, 3, 10])):
        table.iat[chance.randrange(len(table)), chance.randrange(len(table.columns))] = chance.choice(ODD)
    if chance.random() < 0.1:
        table = table.rename(columns={chance.choice(list(table.columns)): chance.choice(ODD)})
    return table


def damaged(content: bytes, chance: random.Random) -> bytes:
    """The bytes with flips, cuts, repeats, or lengths of another size."""
    body = bytearray(content)
    for _ in range(chance.choice([1, 1, 2, 5, 20])):
        at = chance.randrange(len(body)) if body else 0
        kind = chance.randrange(6)
        if kind == 0 and body:
            body[at] ^= 1 << chance.randrange(8)
        elif kind == 1 and body:
            body[at] = chance.choice([0, 0x22, 0x0A, 0x2C, 0x7F, 0xFF])
        elif kind == 2:
            del body[at : at + chance.choice([1, 4, 50])]
        elif kind == 3:
            body[at:at] = body[at : at + chance.choice([1, 8, 80])]
        elif kind == 4:
            body[at : at + 4] = chance.choice([b"\xff\xff\xff\x7f", b"\0\0\0\0", b"\x01\0\0\0"])
        elif chance.random() < 0.3:
            del body[at:]
    return bytes(body)


def damaged_parts(path: Path, chance: random.Random) -> None:
    """A zip file with one of its parts damaged and everything else whole, so that the part is reached."""
    with zipfile.ZipFile(path) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    name = chance.choice(list(parts))
    parts[name] = damaged(parts[name], chance)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for part, content in parts.items():
            target.writestr(part, content)


def status_of(arguments: list[str]) -> int | str:
    """The status that the command ends with, or what it raised."""
    out, err = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main(arguments)
    except SystemExit as end:
        one_line = end.code != 2 or len(err.getvalue().strip().splitlines()[-1:]) == 1
        return int(end.code or 0) if one_line else "no line says why"
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    return "it did not end"


def try_one(folder: Path, seed: int) -> tuple[str, int | str]:
    """One damaged file through one command: what it was, and how it ended (0, 1, 2 or an error)."""
    chance = random.Random(seed)
    name = chance.choice(list(COMMANDS))
    make, options = COMMANDS[name]
    ending = chance.choice(ENDINGS)
    path = folder / f"t{ending}"
    table = with_odd_cells(make(), chance)
    try:
        write(table, path)
    except (ValueError, TypeError, UnicodeError, OverflowError, OSError, ArithmeticError):
        write(make(), path)  # the format has no place for such a cell
    except Exception as error:
        if type(error).__module__.split(".")[0] not in ("pyarrow", "openpyxl"):
            raise
        write(make(), path)
    if chance.random() < 0.7:
        if ending == ".xlsx" and chance.random() < 0.7:
            damaged_parts(path, chance)
        else:
            path.write_bytes(damaged(path.read_bytes(), chance))
    cohort = str(folder / "cohort.duckdb")
    return f"{name} {ending} seed {seed}", status_of(
        ["--cohort", cohort, name, str(path), *options, "--json"]
    )


def try_many(seeds: range | None = None, minutes: float = 0) -> tuple[Counter[str], list[str]]:
    """How many ended with which status, and those that ended otherwise; by seeds, or for some minutes."""
    ends: Counter[str] = Counter()
    bad = []
    stop = time.monotonic() + 60 * minutes
    with tempfile.TemporaryDirectory() as folder:
        for seed in seeds if seeds is not None else iter(int, 1):
            if seeds is None:
                if time.monotonic() > stop:
                    break
                seed = sum(ends.values())
            what, end = try_one(Path(folder), seed)
            ends[str(end) if end in (0, 1, 2) else "error"] += 1
            if end not in (0, 1, 2):
                bad.append(f"{what}: {end}")
    return ends, bad


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1)
    counts, wrong = try_many(minutes=parser.parse_args().minutes)
    print(dict(counts), *wrong, sep="\n")
    raise SystemExit(bool(wrong))
