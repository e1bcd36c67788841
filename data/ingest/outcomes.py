"""What becomes of each delivered file: read in a process of its own, in the order of the list."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from data.ingest.read_file import Outcome, Reading, read_film
from data.ingest.sources import Source
from data.ingest.workers import answers, seconds_for


def outcomes(sources: Sequence[Source], reading: Reading, workers: int) -> Iterator[tuple[Source, Outcome]]:
    """Each source with what became of it, in order. workers: processes; 0 reads in this one."""
    for source, said in answers(read_apart, reading, sources, workers, seconds=_seconds):
        if said.reason:
            fingerprint = reading.key.fingerprint(source.name.encode("utf-8", "surrogateescape"))
            yield source, Outcome("refused", said.reason, fingerprint)
        else:
            yield source, said.value


def read_apart(source: Source, reading: Reading) -> Outcome:
    """Read a film into a folder of its own, then move its files to the others: whole, or not at all.

    A process may end in the middle of a file, and another one may read the same film.
    """
    own = Path(tempfile.mkdtemp(dir=reading.staging))
    try:
        outcome = read_film(source, replace(reading, staging=own))
        if outcome.kind == "film":
            for file in own.iterdir():
                os.replace(file, reading.staging / file.name)
        return outcome
    finally:
        shutil.rmtree(own, ignore_errors=True)


def _seconds(source: Source) -> float:
    try:
        return seconds_for(source.size or os.stat(source.path).st_size)
    except OSError:
        return seconds_for(0)
