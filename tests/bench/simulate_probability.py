"""Is a stated probability of true worsening true? Counted in simulated studies where the truth is known.

``python -m tests.bench.simulate_probability [--studies N] [--seed S] [--write FILE] [--processes P]``

Studies are drawn as in ``simulate_coverage``: true change is 0 in a share of the patients and has a long
right tail in the others; readers' error is constant, grows with change, or is absent in half of the patients.
The readings are with decimals or in whole points. Study i of a kind is drawn from (seed, kind, i) alone.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing import Pool
from pathlib import Path

import numpy as np

from core.progression.probability_of_change.model import WORSENED, Seen, fit
from core.progression.probability_of_change.posterior import MIN_PATIENTS, MIN_UNCHANGED, WITHIN
from tests.bench.simulate_coverage import ERRORS, SHARES_OF_ZEROS

SIZES = (60, 100, 150, 200, 1000)
BANDS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
FEW = 0.01  # of the patients: a band with fewer has no number
BEYOND = ("exponential tail", "a tenth improve", "half read by one", "shared error")
HEAD = """# Is the probability of true worsening true?

The Patient page and `progression` give a probability that a patient truly worsened: that the true change, the
mean of infinitely many readers, is above {limit} points. It comes from a model of the cohort: a share without
change, a long tail, and the readers' error from their disagreement. Here it is held against the truth in
simulated studies; the numbers are from

    {command}

A kind of study has {patients:,} patients in all or more. **Distance** is the mean distance of stated and true
shares over tenths of stated probability, in points; the other columns give, for each band of stated
probability, the mean stated and the true share in percent (– where fewer than 1 in 100 patients are).

The probability is given from {least} patients with two readers on: there the distance is at most {within}
points in every kind of study whose error the readers' disagreement shows. With fewer it is not where all
patients change and the error is constant; no probability is given then.

Where everybody changes, low probabilities are too low (22 for about 45): small changes cannot be told from
none. So none below a half is given where the model finds fewer than {few:.0%} of the patients without change.

**What cannot be seen.** An error that all readers share, as position or exposure make it, leaves no
disagreement: the last rows have half of the error's variance shared, and there the probability is too high.
Page and command say so beside the number.
"""


@dataclass(frozen=True)
class Kind:
    """One kind of study. beyond: what is not as in the model, of ``BEYOND``, or nothing."""

    zeros: float
    error: str
    whole: bool
    n: int
    beyond: str = ""

    def study(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """True changes (n,), and those that two readers see (n, 2), NaN where not read."""
        n = self.n
        size = rng.exponential(2, n) if self.beyond == "exponential tail" else rng.lognormal(0.3, 0.9, n)
        true = np.where(rng.random(n) < self.zeros, 0.0, size)
        if self.beyond == "a tenth improve":
            true *= np.where(rng.random(n) < 0.1, -1, 1)
        sd = np.ones(n)
        if self.error == "grows":
            sd = 0.3 + 0.4 * np.abs(true)
        elif self.error == "half":
            sd = (rng.random(n) < 0.5).astype(float)
        noise = rng.standard_normal((n, 2))
        if self.beyond == "shared error":
            noise = np.sqrt(0.5) * (noise + rng.standard_normal((n, 1)))
        seen = true[:, None] + noise * sd[:, None]
        seen = np.round(seen) if self.whole else seen
        if self.beyond == "half read by one":
            seen[rng.random(n) < 0.5, 1] = np.nan
        return true, seen

    @property
    def row(self) -> str:
        readings = "whole points" if self.whole else "decimals"
        return f"{self.beyond or 'as in the model'} | {self.zeros:.0%} | {self.error} | {readings} | {self.n}"


def kinds() -> list[Kind]:
    """The grid, then what goes beyond the model, with 200 patients."""
    grid = [
        Kind(zeros, error, whole, n)
        for n in SIZES
        for zeros in SHARES_OF_ZEROS
        for error in ERRORS
        for whole in (False, True)
    ]
    return grid + [Kind(zeros, "constant", True, 200, name) for name in BEYOND for zeros in (0.4, 0.65)]


def stated(kind: Kind, studies: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Stated probabilities and whether each patient truly worsened, of all studies of a kind."""
    said, truth = [], []
    place = [seed, kind.n, round(100 * kind.zeros), ERRORS.index(kind.error), int(kind.whole)]
    place.append(("", *BEYOND).index(kind.beyond))
    for number in range(studies):
        true, seen = kind.study(np.random.default_rng([*place, number]))
        known = Seen.of(seen)
        if known is not None:
            said.append(fit(known).worsened(known))
            truth.append(true > WORSENED)
    return np.concatenate(said), np.concatenate(truth)


def distance(said: np.ndarray, truth: np.ndarray) -> float:
    """Mean distance of stated and true shares over tenths of stated probability."""
    tenth = np.minimum((said * 10).astype(int), 9)
    parts = [np.abs((said - truth)[tenth == place].sum()) for place in range(10)]
    return float(sum(parts) / len(said))


def line(kind: Kind, studies: int, seed: int) -> tuple[float, str]:
    """Distance, and the row of the table."""
    said, truth = stated(kind, studies, seed)
    found = distance(said, truth)
    band = np.clip(np.digitize(said, BANDS) - 1, 0, len(BANDS) - 2)
    words = []
    for place in range(len(BANDS) - 1):
        here = band == place
        is_few = here.mean() < FEW
        words.append("–" if is_few else f"{100 * said[here].mean():.0f}: {100 * truth[here].mean():.0f}")
    return found, f"| {kind.row} | {100 * found:.1f} | {' | '.join(words)} |"


def _line(asked: tuple[Kind, int, int]) -> tuple[float, str]:
    return line(*asked)


def table(studies: int, seed: int, processes: int) -> tuple[list[float], str]:
    """Distances, and the table of all kinds; larger studies are drawn less often, 1,000 patients a tenth."""
    wanted = [(kind, max(10, studies * 100 // max(kind.n, 100)), seed) for kind in kinds()]
    with Pool(processes) as pool:
        rows = pool.map(_line, wanted, chunksize=1)
    bands = [f"{low:.0%} to {high:.0%}" for low, high in pairwise(BANDS)]
    head = ["study", "zeros", "error", "readings", "patients", "distance", *bands]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head), *(text for _, text in rows)]
    return [found for found, _ in rows], "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--seed", type=int, default=20261130)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--write", type=Path)
    asked = parser.parse_args()
    began = time.monotonic()
    found, rows = table(asked.studies, asked.seed, asked.processes)
    command = f"python -m tests.bench.simulate_probability --studies {asked.studies} --seed {asked.seed}"
    text = HEAD.format(
        limit=WORSENED,
        command=f"{command} --write FILE",
        least=MIN_PATIENTS,
        within=round(100 * WITHIN),
        few=MIN_UNCHANGED,
        patients=60 * asked.studies,
    )
    if asked.write:
        asked.write.write_text(f"{text}\n{rows}\n")
    print(rows)
    shown = [
        one for one, kind in zip(found, kinds(), strict=True) if kind.n >= MIN_PATIENTS and not kind.beyond
    ]
    print(f"largest distance where a probability is given: {100 * max(shown):.1f} points")
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
