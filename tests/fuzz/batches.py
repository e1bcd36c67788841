"""One batch of damaged input of one kind, with what came of it; run in a process of its own."""

from __future__ import annotations

import random
import resource
import shutil
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from data.dicom.read import quiet
from data.ingest import batch as writing
from data.ingest.preview import look_at
from data.ingest.run import ingest
from data.ingest.worker import CRASHED, NO_MEMORY, TOO_LONG
from data.store.cohort import CohortStore
from data.verify import verify
from tests.fuzz import seeds
from tests.fuzz.mutations import ANY, DICOM, mutated

SLOW_SECONDS = 45.0  # for one small table
PREVIEWED = 5  # one in so many batches of films is previewed and verified too
WORKERS = 1


@dataclass
class Batch:
    """What a batch did.

    files: damaged files given. found, taken, there, refused: as ingest counts them. wrong: batches in which
    these do not add up. crashes, hangs, memory: files that cost their process, each refused by name.
    tracebacks: errors that came through. unforeseen: last lines of commands that begin with "unexpected".
    peak_mb: the largest process. alarms: films that verify calls changed right after they came in.
    """

    kind: str
    seed: int
    files: int = 0
    found: int = 0
    taken: int = 0
    there: int = 0
    refused: int = 0
    wrong: int = 0
    crashes: int = 0
    hangs: int = 0
    memory: int = 0
    tracebacks: int = 0
    unforeseen: int = 0
    alarms: int = 0
    peak_mb: int = 0
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)

    def fail(self, where: str) -> None:
        """Count an error that came through, with its traceback."""
        self.tracebacks += 1
        self.notes.append(f"{where}: {traceback.format_exc()[-1500:]}")


def run(kind: str, seed: int, count: int) -> dict[str, Any]:
    """One batch as plain values. The same kind, seed and count give the same files."""
    batch, began = Batch(kind, seed), time.monotonic()
    place = Path(tempfile.mkdtemp(prefix="sharpline_fuzz_"))
    try:
        KINDS[kind](batch, random.Random(f"{kind}{seed}"), place, count)
    except Exception:
        batch.fail("batch")
    finally:
        shutil.rmtree(place, ignore_errors=True)
    peaks = (_own_peak_kb(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
    batch.peak_mb, batch.seconds = max(peaks) // 1024, round(time.monotonic() - began, 2)
    return asdict(batch)


def _own_peak_kb() -> int:
    """What this program held at most. A process starts with the peak of the one that started it as its own
    (``ru_maxrss`` goes with it through exec), so where the system tells the peak of the program, that is it.
    """
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    peaks = [int(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
    return peaks[0] if peaks else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def films(batch: Batch, dice: random.Random, place: Path, count: int) -> None:
    """Damaged DICOM files in one folder."""
    folder = _folder(place, "films")
    for number in range(count):
        (folder / f"{number:05}.dcm").write_bytes(mutated(dice, dice.choice(seeds.films()), DICOM))
    batch.files = count
    store = _import(batch, place, folder, expected=count, at_once=count)
    if store is not None and batch.seed % PREVIEWED == 0:
        _preview(batch, folder, count)
        broken = verify(store, films=True).broken
        batch.alarms += len(broken)
        batch.notes += [str(one) for one in broken[:5]]


def archives(batch: Batch, dice: random.Random, place: Path, count: int) -> None:
    """Damaged zip archives."""
    folder = _folder(place, "archives")
    for number in range(count):
        kinds = ANY if number % 3 else DICOM
        (folder / f"{number:04}.zip").write_bytes(mutated(dice, dice.choice(seeds.archives()), kinds))
    batch.files = count
    _import(batch, place, folder)
    if batch.seed % PREVIEWED == 0:
        _preview(batch, folder)


def discs(batch: Batch, dice: random.Random, place: Path, count: int) -> None:
    """Discs with a damaged DICOMDIR, given as the index and as the folder."""
    with quiet():
        whole = seeds.disc(_folder(place, "whole"))
    given: list[Path] = []
    for number in range(count):
        disc = place / "discs" / f"{number:03}"
        shutil.copytree(place / "whole", disc)
        (disc / "DICOMDIR").write_bytes(mutated(dice, whole, DICOM))
        given.append(disc / "DICOMDIR" if number % 2 else disc)
    batch.files = count
    _import(batch, place, *given)


def tables(batch: Batch, dice: random.Random, place: Path, count: int) -> None:
    """Damaged CSV, XLSX and Parquet tables through every command that reads one."""
    store = CohortStore.open(place / "c.duckdb")
    for number in range(count):
        command = dice.choice(list(seeds.tables()))
        ending, content = dice.choice(seeds.tables()[command])
        file = place / f"{number:04}{ending}"
        damaged = _damaged_table(dice, ending, content)
        file.write_bytes(damaged)
        _command(batch, ["--cohort", str(store.path), command, str(file), *OPTIONS[command]], file)
        file.unlink()
    batch.files = count


OPTIONS = {
    "reads": ["--system", "msasss", "--reader", "R7", "--json"],
    "subjects": ["--json"],
    "totals": ["--system", "msasss", "--json"],
    "agreement": ["--subject", "subject", "--rater", "reader", "--rating", "total", "--json"],
    "progression": ["--json"],
    "mmrm": ["--formula", "total ~ arm * visit", "--subject", "subject", "--visit", "visit", "--json"],
}
CELLS = (
    "1e2",
    "1e400",
    "-9",
    "999",
    "NaN",
    "=1+1",
    "",
    "9" * 400,
    "1,5",
    "2020-02-30",
    "ä\u202e",
    '"',
    "\x00",
    "inf",
)


def _damaged_table(dice: random.Random, ending: str, content: bytes) -> bytes:
    """Bytes anywhere; of a text, as often its cells; of a workbook, as often what is packed in it."""
    if ending == ".csv" and dice.random() < 0.6:
        rows = [line.split(",") for line in content.decode().split("\n")]
        for _ in range(dice.choice((1, 2, 10))):
            row = dice.choice(rows)
            row[dice.randrange(len(row))] = dice.choice(CELLS)
        return "\n".join(map(",".join, rows)).encode()
    if ending == ".xlsx" and dice.random() < 0.6:
        return seeds.repacked(content, lambda part: mutated(dice, part, ANY) if dice.random() < 0.3 else part)
    return mutated(dice, content, ANY)


def _command(batch: Batch, arguments: list[str], file: Path) -> None:
    from click.testing import CliRunner

    from core.cli import main

    began, kept = time.monotonic(), file.read_bytes()
    done = CliRunner().invoke(_as_command(main), arguments)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        batch.tracebacks += 1
        batch.notes.append(f"{arguments[2:]}: {done.exception!r}")
    if "sharpline: unexpected" in done.output or "Traceback" in done.output:
        batch.unforeseen += 1
        batch.notes.append(f"{arguments[2]} {file.suffix}: {done.output.strip()[-300:]} | {kept[:80]!r}")
    batch.refused += done.exit_code != 0
    batch.taken += done.exit_code == 0
    batch.hangs += time.monotonic() - began > SLOW_SECONDS


def _as_command(main: Callable[[list[str]], None]) -> Any:
    """The whole of ``sharpline``, its last line included, as click's runner takes a command."""

    class Whole:
        name = "sharpline"

        def main(self, args: Any, prog_name: str, **_: Any) -> None:
            main(list(args))

    return Whole()


def _import(
    batch: Batch,
    place: Path,
    *given: Path,
    expected: int | None = None,
    at_once: int = writing.BATCH,
) -> CohortStore | None:
    """Import, and check that every file is taken, there or refused.

    expected: how many, where known. at_once: films in one transaction; most of the time goes into these.
    """
    writing.BATCH = at_once
    store = CohortStore.open(place / "cohort.duckdb")
    try:
        result = ingest(store, list(given), workers=WORKERS)
    except Exception:
        batch.fail("ingest")
        return None
    reasons = Counter(row["reason"] for row in result.refused)
    batch.found += result.found
    batch.taken += result.ingested
    batch.there += result.already_there
    batch.refused += len(result.refused)
    batch.crashes, batch.hangs, batch.memory = (reasons[one] for one in (CRASHED, TOO_LONG, NO_MEMORY))
    named = [row["file"] for row in result.refused if row["reason"] in (CRASHED, TOO_LONG, NO_MEMORY)]
    batch.notes += [f"costs its process: {name}" for name in named]
    rows = store.query("SELECT count(*) AS n FROM image WHERE superseded_by IS NULL")["n"][0]
    adds_up = result.found == result.ingested + result.already_there + len(result.refused)
    batch.wrong += not (adds_up and rows == result.ingested and expected in (None, result.found))
    return store


def _preview(batch: Batch, folder: Path, expected: int | None = None) -> None:
    try:
        rows, count = look_at([folder], most=200)
    except Exception:
        batch.fail("preview")
        return
    batch.wrong += expected not in (None, count) or len(rows) != min(count, 200)


def _folder(place: Path, name: str) -> Path:
    folder = place / name
    folder.mkdir()
    return folder


KINDS: dict[str, Callable[[Batch, random.Random, Path, int], None]] = {
    "films": films,
    "archives": archives,
    "discs": discs,
    "tables": tables,
}
