"""Damaged files against the program, for so many minutes; or kills of its commands.

    python -m tests.fuzz --minutes 10 [--seed 1] [--kinds films,archives,discs,tables]
    python -m tests.fuzz --kills 200 [--commands ingest,reads,report,score]

Each batch is a process of its own, so that whatever ends it is counted. Prints one line a batch, then the
sums as JSON; status 1 where anything went wrong. ``--batch KIND --seed N --count M`` makes one batch again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from typing import Any

from tests.fuzz import kills
from tests.helpers.paths import ROOT

COUNTS = {"films": 1500, "archives": 150, "discs": 100, "tables": 150}
BATCH_SECONDS = 900
FAULTS = ("wrong", "tracebacks", "alarms", "hangs", "aborts", "over_2_gb")
NOT_SUMMED = ("kind", "seed", "peak_mb")


def main() -> int:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--minutes", type=float, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", default=",".join(COUNTS))
    parser.add_argument("--count", type=int, default=0, help="files of a batch [default: by kind]")
    parser.add_argument("--batch", choices=COUNTS, help="one batch in this process")
    parser.add_argument("--kills", type=int, default=0, help="kills of each command")
    parser.add_argument("--commands", default=",".join(kills.COMMANDS))
    given = parser.parse_args()
    if given.batch:
        from tests.fuzz.batches import run

        print(json.dumps(run(given.batch, given.seed, given.count or COUNTS[given.batch])))
        return 0
    if given.kills:
        return kills.run(given.commands.split(","), given.kills, given.seed)
    return fuzz(given.minutes, given.seed, given.kinds.split(","), given.count)


def fuzz(minutes: float, seed: int, kinds: list[str], count: int = 0) -> int:
    """Batches of each kind in turn until the time is up."""
    until, sums, notes = time.monotonic() + 60 * minutes, Counter[str](), []
    number = seed
    while time.monotonic() < until:
        for kind in kinds:
            batch = one_batch(kind, number, count or COUNTS[kind])
            notes += [f"{kind} {number}: {note}" for note in batch.pop("notes")]
            sums.update(
                {name: value for name, value in batch.items() if name not in ("kind", "seed", "peak_mb")}
            )
            sums["over_2_gb"] += batch["peak_mb"] > 2048
            sums["batches"] += 1
            sums[f"files_{kind}"] += batch["files"]
            sums["peak_mb"] = max(sums["peak_mb"], batch["peak_mb"])
            print(json.dumps(batch), file=sys.stderr, flush=True)
            if time.monotonic() > until:
                break
        number += 1
    print(json.dumps(dict(sums)))
    for note in notes:
        print(note, file=sys.stderr)
    return 1 if any(sums[name] for name in FAULTS) else 0


def one_batch(kind: str, seed: int, count: int) -> dict[str, Any]:
    """One batch in a process of its own; one that ends without a word is an abort, or a hang."""
    command = [
        sys.executable,
        "-m",
        "tests.fuzz",
        "--batch",
        kind,
        "--seed",
        str(seed),
        "--count",
        str(count),
    ]
    empty: dict[str, Any] = {"kind": kind, "seed": seed, "files": count, "peak_mb": 0, "notes": []}
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=BATCH_SECONDS)
    except subprocess.TimeoutExpired:
        return empty | {"hangs": 1}
    if done.returncode != 0:
        return empty | {"aborts": 1, "notes": [f"status {done.returncode}: {done.stderr[-1500:]}"]}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    sys.exit(main())
