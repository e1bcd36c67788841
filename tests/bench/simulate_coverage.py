"""How often does an interval hold that calls itself 95%? Counted on change scores as this field has them.

``python -m tests.bench.simulate_coverage [--studies N] [--seed S] [--write FILE] [--processes P]``

A simulated study has 12, 24, 60 or 200 patients and two or three readers. True change is 0 in a share of the
patients and has a long right tail in the others; the readers' error is constant, grows with change, or is
absent in half of the patients. Every candidate interval is asked whether it holds the true value, which is
known in closed form, and every verdict on interchangeability whether it is right at the margin itself.
Study i of a cell is drawn from (seed, cell, i) alone, so that any single one can be drawn again.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special

from core.agreement.icc import icc
from core.agreement.intervals.change_error import RESIDUAL, ChangeIntervals, change_intervals
from core.agreement.intervals.parts import Parts
from core.agreement.reader_model import Bootstrap, interchangeability, ratios
from core.agreement.sem import chi_square_limits
from tests.bench.counted import count_and_write

SIZES, SHARES_OF_ZEROS, ERRORS, READERS = (
    (12, 24, 60, 200),
    (0.0, 0.4, 0.65),
    ("constant", "grows", "half"),
    (2, 3),
)
TAILS = {"lognormal": (math.exp(0.705), math.exp(2.22)), "exponential": (2.0, 8.0)}  # two moments each
MARGIN = 0.5
DRAWS = 500
FORM = "ICC(A,1)"
ICC, SPREAD, VERDICT = "ICC of change", "SDC, MDC, SD", "Interchangeability"
STATISTICS = {
    ICC: ("F, Satterthwaite", "BCa", "t, patients", "t, model", "default"),
    SPREAD: ("chi-square", "BCa", "Bonett", "t, patients", "t, model", "default"),
    VERDICT: ("percentile", "t", "default"),
}
WORDS = {
    ICC: "Share of 95% intervals that hold the true ICC(A,1) of change; right is 0.95. In brackets\n"
    "the worst kind of study. Before: F, Satterthwaite.",
    SPREAD: "Share of 95% intervals that hold the true value; all three are multiples of one\n"
    "standard deviation. Before: chi-square.",
    VERDICT: "Share of studies called equivalent although the index lies at the margin; right is at most\n"
    "0.025. In brackets the worst kind of study. Before: percentile.",
}
HEAD = """# How often do the intervals hold?

Simulated studies of change scores as this field has them: no true change in 0, 40 or 65% of the patients, a
long right tail in the others (lognormal; exponential for comparison), the readers' error constant, growing
with change, or absent in half of the patients. The numbers below are from

    {command}

with {studies} studies of each kind ({less} of those with 200 patients) and {draws} draws; a share of 0.95
in one kind is known to about 0.03. An open limit counts as holding. The true values are those of the
population that was drawn from.

- **F, Satterthwaite**, **chi-square**: the textbook forms, which take scores to be normal.
- **BCa**: patients drawn with replacement, bias-corrected and accelerated. **percentile**: the same, plainly.
- **Bonett**: the chi-square interval with the kurtosis of the sample (Bonett 2006).
- **t, patients**: bootstrap-t on a log scale, patients drawn with replacement.
- **t, model**: bootstrap-t, samples drawn from a model that was fitted to the study: a share without change,
  lognormal change in the others, error that grows with change, a share of patients without error.
- **default**: the wider of the last two; for the interchangeability index the wider of a symmetric
  bootstrap-t and Fieller's limits.

What is not reached: 0.93 for the SDC with 12 patients, and in single kinds of studies, most where error grows
with change: the largest errors of the population are not in such a sample. The commands and pages say beside
the number how often such intervals held. The verdict on interchangeability is given from 24 patients on; at
the margin it is wrong in 0.027 of all studies, in 0.039 (worst kind 0.09) where error grows with change.
"""
Limits = tuple[float, float]


@dataclass(frozen=True)
class Cell:
    """One kind of study. error: of ``ERRORS``."""

    tail: str
    zeros: float
    error: str
    readers: int
    n: int

    @property
    def truth(self) -> tuple[float, float]:
        """(variance of true change, mean error variance of one reader)."""
        share = 1 - self.zeros
        first, second = (share * moment for moment in TAILS[self.tail])
        noise = {"constant": 1.0, "half": 0.5, "grows": 0.09 + 0.24 * first + 0.16 * second}
        return second - first**2, noise[self.error]

    def study(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Changes seen by the readers (n, readers), and by a model whose index is the margin (n,).

        The model's error variance is 1 + margin / E times the readers', so that the index is the margin.
        """
        size = rng.lognormal(0.3, 0.9, self.n) if self.tail == "lognormal" else rng.exponential(2, self.n)
        true = np.where(rng.random(self.n) < self.zeros, 0.0, size)
        sd = np.ones(self.n)
        if self.error == "grows":
            sd = 0.3 + 0.4 * true
        elif self.error == "half":
            sd = (rng.random(self.n) < 0.5).astype(float)
        noise = rng.standard_normal((self.n, self.readers)) * sd[:, None]
        more = math.sqrt(1 + MARGIN)
        return true[:, None] + noise, true + more * sd * rng.standard_normal(self.n)


def cells() -> list[Cell]:
    """The grid, and an exponential tail at two thirds of zeros."""
    found = [
        Cell("lognormal", zeros, error, readers, n)
        for readers in READERS
        for zeros in SHARES_OF_ZEROS
        for error in ERRORS
        for n in SIZES
    ]
    return found + [Cell("exponential", 0.65, error, 2, n) for error in ERRORS for n in SIZES]


def judged(cell: Cell, changes: np.ndarray, model: np.ndarray, seed: int) -> Iterator[tuple[str, str, bool]]:
    """(statistic, candidate, whether its interval holds or its verdict is wrong) of one study."""
    found = change_intervals(changes, draws=DRAWS, seed=seed)
    own = Parts.of(changes.mean(axis=1), changes - changes.mean(axis=1, keepdims=True))
    if found is not None:
        yield from _reliability(cell, changes, own, found)
        yield from _spreads(cell, own, found)
    yield from _verdicts(changes, model, MARGIN * cell.truth[1], seed)


def _reliability(
    cell: Cell, changes: np.ndarray, own: Parts, found: ChangeIntervals
) -> Iterator[tuple[str, str, bool]]:
    between, noise = cell.truth
    value, ratio = between / (between + noise), math.log((cell.readers * between + noise) / noise)
    low, high = icc(changes)["forms"][FORM]["ci"]
    yield ICC, "F, Satterthwaite", _holds((low, high), value)
    yield ICC, "BCa", _holds(bca(own, "A", found.seed), ratio)
    yield ICC, "t, patients", _holds(found.by_patients["A"], ratio)
    yield ICC, "t, model", _holds(found.by_model["A"], ratio)
    yield ICC, "default", _holds(found.icc[FORM], value)


def _spreads(cell: Cell, own: Parts, found: ChangeIntervals) -> Iterator[tuple[str, str, bool]]:
    noise = cell.truth[1]
    sd, variance = math.sqrt(own.residual.sum() / (cell.n - 1)), math.log(noise)
    yield (
        SPREAD,
        "chi-square",
        _holds(chi_square_limits(sd, (cell.n - 1) * (cell.readers - 1)), math.sqrt(noise)),
    )
    yield SPREAD, "BCa", _holds(bca(own, RESIDUAL, found.seed), variance)
    yield SPREAD, "Bonett", _holds(bonett(own.residual, cell.readers), variance)
    yield SPREAD, "t, patients", _holds(found.by_patients[RESIDUAL], variance)
    yield SPREAD, "t, model", _holds(found.by_model[RESIDUAL], variance)
    yield SPREAD, "default", _holds((sd * found.spread[0], sd * found.spread[1]), math.sqrt(noise))


def _verdicts(
    changes: np.ndarray, model: np.ndarray, margin: float, seed: int
) -> Iterator[tuple[str, str, bool]]:
    how = Bootstrap(None, DRAWS, seed)
    gap = ((model[:, None] - changes) ** 2).mean(axis=1) - 2 * changes.var(axis=1, ddof=1)
    n = len(gap)
    percentile = ratios(gap[:, None], np.ones((n, 1)), None, how)[0]["ci"][1]
    half = float(special.stdtrit(n - 1, 0.975)) * gap.std(ddof=1) / math.sqrt(n)
    high = interchangeability(changes, model, bootstrap=how)["index"]["ci"][1]
    yield VERDICT, "percentile", percentile < margin
    yield VERDICT, "t", gap.mean() + half < margin
    yield VERDICT, "default", high is not None and high < margin


def _holds(limits: tuple[Any, Any], truth: float) -> bool:
    """Whether the truth lies between the limits; an open limit holds everything on its side."""
    low, high = (math.nan if limit is None else limit for limit in limits)
    return not low > truth and not high < truth


def bca(own: Parts, name: str, seed: int) -> Limits:
    """BCa limits of a log statistic: patients drawn with replacement, acceleration from their influence.

    Source: Efron 1987 (doi:10.1080/01621459.1987.10478410).
    """
    n = len(own.between)
    drawn = np.random.default_rng([seed, 1]).integers(0, n, (DRAWS, n))
    value, influence = _of(own, name)
    values = np.nan_to_num(
        _of(Parts(own.between[drawn], own.within[drawn], own.residual[drawn]), name)[0], nan=np.inf
    )
    below = np.clip((values < value).mean() + (values == value).mean() / 2, 1 / DRAWS, 1 - 1 / DRAWS)
    shift, skew = special.ndtri(below), (influence**3).sum() / (6 * (influence**2).sum() ** 1.5 + 1e-300)
    places = [special.ndtr(shift + (shift + z) / (1 - skew * (shift + z))) for z in (-1.96, 1.96)]
    low, high = np.quantile(np.clip(values, -1e9, 1e9), np.clip(places, 0, 1))
    return float(low), float(high)


def _of(parts: Parts, name: str) -> tuple[Any, np.ndarray]:
    """(log statistic, influence of each patient), patients' deviations as they are in the sample."""
    with np.errstate(divide="ignore", invalid="ignore"):
        n = parts.residual.shape[-1]
        noise = parts.residual if name == RESIDUAL else parts.within
        bottom = noise.mean(axis=-1, keepdims=True)
        if name == RESIDUAL:
            return np.log(bottom[..., 0] * n / (n - 1)), noise / bottom
        top = parts.between * n / (n - 1) + parts.within - parts.residual * n / (n - 1)
        mean = top.mean(axis=-1, keepdims=True)
        return np.log(mean / bottom)[..., 0], top / mean - noise / bottom


def bonett(residual: np.ndarray, readers: int) -> Limits:
    """Limits of a log variance with its kurtosis (Bonett 2006, doi:10.1016/j.csda.2004.10.003).

    residual: of each patient, as variances. For more than two readers the kurtosis is that of the patients'
    mean squares; the paper has two.
    """
    n = len(residual)
    mean = residual.sum() / (n - 1)
    if mean == 0 or n < 5:
        return math.nan, math.nan
    kurtosis = n * (residual**2).sum() / residual.sum() ** 2
    scale = n / (n - 1.96)
    half = 1.96 * scale * math.sqrt(max(kurtosis - (n - 3) / n, 0) / (n - 1))
    return math.log(scale * mean) - half, math.log(scale * mean) + half


def count(task: tuple[int, Cell, int, int]) -> tuple[Cell, int, dict[tuple[str, str], int]]:
    """(cell, studies, how often each candidate held or was wrong)."""
    place, cell, studies, seed = task
    found: dict[tuple[str, str], int] = {}
    with np.errstate(all="ignore"):
        for number in range(studies):
            rng = np.random.default_rng([seed, place, number])
            changes, model = cell.study(rng)
            for statistic, candidate, hit in judged(cell, changes, model, int(rng.integers(2**31))):
                found[statistic, candidate] = found.get((statistic, candidate), 0) + bool(hit)
    return cell, studies, found


Counted = list[tuple[Cell, int, dict[tuple[str, str], int]]]


def page(counted: Counted, studies: int, seed: int) -> str:
    """The result as Markdown: a summary by number of patients, then every cell."""
    command = f"python -m tests.bench.simulate_coverage --studies {studies} --seed {seed} --write FILE"
    lines = [HEAD.format(command=command, studies=studies, less=studies // 2, draws=DRAWS)]
    for statistic, candidates in STATISTICS.items():
        lines += [f"## {statistic}", "", WORDS[statistic], ""]
        lines += [*_table(("patients", *candidates), _by_size(counted, statistic, candidates)), ""]
    for statistic, candidates in STATISTICS.items():
        lines += [f"## {statistic}, every kind of study", ""]
        lines += _table(
            ("tail", "zeros", "error", "readers", "patients", *candidates),
            _all(counted, statistic, candidates),
        )
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _by_size(counted: Counted, statistic: str, candidates: tuple[str, ...]) -> Iterator[list[str]]:
    """Mean over the kinds of studies and the worst of them, by number of patients."""
    worst = max if statistic == VERDICT else min
    for n in SIZES:
        row = [str(n)]
        for candidate in candidates:
            shares = [
                found[statistic, candidate] / studies for cell, studies, found in counted if cell.n == n
            ]
            row.append(f"{sum(shares) / len(shares):.3f} ({worst(shares):.3f})")
        yield row


def _all(counted: Counted, statistic: str, candidates: tuple[str, ...]) -> Iterator[list[str]]:
    for cell, studies, found in counted:
        shares = [f"{found[statistic, candidate] / studies:.3f}" for candidate in candidates]
        yield [cell.tail, f"{cell.zeros:.0%}", cell.error, str(cell.readers), str(cell.n), *shares]


def _table(head: tuple[str, ...], rows: Iterator[list[str]]) -> list[str]:
    return [_row(list(head)), "|" + "---|" * len(head), *map(_row, rows)]


def _row(values: list[str]) -> str:
    return f"| {' | '.join(values)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=300, help="of each cell; half with 200 patients")
    parser.add_argument("--seed", type=int, default=20261130)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--write", type=Path, help="file for the tables; printed if left out")
    chosen = parser.parse_args()
    tasks = [
        (place, cell, chosen.studies if cell.n < SIZES[-1] else chosen.studies // 2, chosen.seed)
        for place, cell in enumerate(cells())
    ]
    count_and_write(
        count,
        tasks,
        chosen.processes,
        lambda counted: page(counted, chosen.studies, chosen.seed),
        chosen.write,
    )


if __name__ == "__main__":
    main()
