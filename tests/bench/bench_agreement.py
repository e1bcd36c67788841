"""The batch engine beside a loop over pingouin: 24 sites x 3 reader pairs x 2 000 draws of patients.

The loop runs on a share of the draws and its time is scaled up, which the printed lines say. Both sides see
the same resamples; their estimates are compared on that share.
"""

from __future__ import annotations

import time
import warnings
from itertools import combinations

import numpy as np
import pandas as pd

from core.agreement.batch.comparisons import agree, draw_values
from core.agreement.bootstrap import draw_counts

SITES, PATIENTS, DRAWS, SEED = 24, 200, 2000, 1
SHARE = 5  # draws of the loop, each over all sites and pairs


def grades() -> np.ndarray:
    """Simulated corner grades, shape (pairs x sites, patients, 2): three readers, mostly zeros."""
    rng = np.random.default_rng(SEED)
    truth = np.clip(np.round(rng.exponential(0.7, (SITES, PATIENTS))), 0, 3)
    reads = [np.clip(truth + rng.choice([-1, 0, 0, 0, 0, 1], truth.shape), 0, 3) for _ in range(3)]
    return np.concatenate([np.stack(pair, axis=2) for pair in combinations(reads, 2)])


def engine(ratings: np.ndarray) -> tuple[float, float]:
    """(seconds, of processor time) for every statistic with bootstrap intervals, best of three each.

    Processor time does not depend on what else the machine does.
    """
    seconds, busy = [], []
    for _ in range(3):
        start, work = time.perf_counter(), time.process_time()
        agree(ratings, draws=DRAWS, seed=SEED)
        seconds.append(time.perf_counter() - start)
        busy.append(time.process_time() - work)
    return min(seconds), min(busy)


def loop(ratings: np.ndarray) -> tuple[float, np.ndarray]:
    """(seconds, ICC(A,1)) of a loop over pingouin's ICC on the first draws, shape (SHARE, cells)."""
    import pingouin

    counts = draw_counts(PATIENTS, draws=DRAWS, seed=SEED)[:SHARE]
    found = np.empty((SHARE, len(ratings)))
    start = time.perf_counter()
    for draw in range(SHARE):
        rows = np.repeat(np.arange(PATIENTS), counts[draw])
        for cell, table in enumerate(ratings):
            long = (
                pd.DataFrame(table[rows])
                .melt(ignore_index=False, var_name="r")
                .assign(s=np.tile(np.arange(len(rows)), 2))
            )
            icc = pingouin.intraclass_corr(long, "s", "r", "value").set_index("Type")["ICC"]
            found[draw, cell] = icc["ICC(A,1)"]
    return time.perf_counter() - start, found


def main() -> None:
    ratings = grades()
    agree(ratings[:2], draws=10)
    ours, busy = engine(ratings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        seconds, found = loop(ratings)
    theirs = seconds * DRAWS / SHARE
    gap = np.abs(draw_values(ratings, draws=DRAWS, seed=SEED)["ICC(A,1)"][:SHARE] - found).max()
    statistics = len(agree(ratings[:1], draws=0).estimate)
    print(f"cells {len(ratings)} ({SITES} sites x 3 pairs), {PATIENTS} patients, {DRAWS} draws")
    print(f"batch engine, {statistics} statistics with intervals: {ours:.2f} s (target under 1 s)")
    print(f"of processor time {busy:.2f} s")
    print(f"pingouin loop, ICC only: {seconds:.1f} s for {SHARE} of {DRAWS} draws, scaled to {theirs:.0f} s")
    print(f"ratio {theirs / ours:,.0f} x (target 1,000 x); largest difference of ICC(A,1): {gap:.1e}")
