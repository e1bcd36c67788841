"""Simulated studies counted in several processes, and the page of what came out."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from multiprocessing import Pool
from pathlib import Path
from typing import Any


def count_and_write(
    count: Callable[[Any], Any],
    work: Sequence[Any],
    processes: int,
    page: Callable[[list[Any]], str],
    file: Path | None,
) -> None:
    """Count every piece of the work, in its order, and write the page; printed where no file is given."""
    begun, counted = time.perf_counter(), []
    with Pool(processes) as pool:
        for done in pool.imap(count, work):
            counted.append(done)
            print(f"{len(counted)} of {len(work)}", file=sys.stderr, flush=True)
    text = page(counted)
    if file:
        file.write_text(text)
    else:
        print(text)
    print(f"{time.perf_counter() - begun:.0f} s", file=sys.stderr)
