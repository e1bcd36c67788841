"""How often are verdicts wrong, and do intervals hold, where patients have one or several rows?

``python -m tests.bench.simulate_verdicts [--only STATISTIC] [--studies N] [--seed S] [--write FILE]``

Further sections of docs/statistics-coverage.md, on the studies of ``simulate_coverage``: verdicts whose truth
lies at the margin, the interchangeability index, concordance and quadratic kappa, false change, and SD with
several rows of each patient.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special

from core.agreement.bootstrap import draw_counts
from core.agreement.correlation import concordance
from core.agreement.grades.kappa import kappas
from core.agreement.intervals.change_error import change_intervals
from core.agreement.intervals.pairwise import CONCORDANCE, ICC, Pairwise
from core.agreement.intervals.status import concordance_limits, spread_factors
from core.agreement.proportion import wilson
from core.agreement.reader_model import Bootstrap, interchangeability, ratios
from core.agreement.verdicts.bias import tost
from core.agreement.verdicts.non_inferiority import non_inferiority
from tests.bench.counted import count_and_write
from tests.bench.simulate_coverage import TAILS, Cell, _holds, _table, cells

DRAWS = 500
MORE = math.sqrt(2)  # the model's error over the readers'
SHIFT, LESS = 0.5, 0.3
BIAS, INFERIOR_ICC, INFERIOR_KAPPA = (
    "Equivalence of biases",
    "Non-inferior ICC",
    "Non-inferior quadratic kappa",
)
INDEX, CCC, KAPPA, FALSE, CLUSTER = (
    "Interchangeability index, both sides",
    "Concordance (CCC)",
    "Quadratic kappa",
    "False change",
    "SD and MDC, several rows a patient",
)
WRONG = (BIAS, INFERIOR_ICC, INFERIOR_KAPPA)
STATISTICS = {
    BIAS: ("percentile", "default"),
    INFERIOR_ICC: ("percentile", "default"),
    INFERIOR_KAPPA: ("percentile", "default"),
    INDEX: ("percentile", "t", "default"),
    CCC: ("Lin", "t, patients", "default"),
    KAPPA: ("asymptotic", "default"),
    FALSE: ("Wilson", "default"),
    CLUSTER: ("percentile", "default"),
}
WORDS = {
    BIAS: """Share of verdicts "equivalent" with the bias at the margin (a shift; a model that sees 30% less
of a change); right is at most 0.025. The default is two t tests, from 12 patients on.""",
    INFERIOR_ICC: """Share of verdicts "not inferior" with the loss of ICC(A,1) at the margin; right is at
most 0.025. A verdict is given from 24 patients on.""",
    INFERIOR_KAPPA: "The same for quadratic kappa of changes cut to grades 0 to 3.",
    INDEX: """Share of 95% intervals that hold the true index, which is the readers' mean error variance.""",
    CCC: """Share of 95% intervals that hold the true concordance of two readers' changes. Before: Lin's z.
The default is that of the ICC of change, which has the same limit in large samples.""",
    KAPPA: "Share of 95% intervals that hold the true quadratic kappa of changes cut to grades 0 to 3.",
    FALSE: """Share of 95% intervals that hold the true share of false change, cases being the patients
without true change. The default is percentiles, at 0 and 1 Wilson's.""",
    CLUSTER: """Share of 95% intervals that hold the true SD: 10, 20 and 50 patients with ten rows, errors as
large in all patients, lognormal between them, or absent in half. Readers are held fixed.""",
}
BIG = 200_000


@dataclass(frozen=True)
class Clustered:
    """Patients with ten rows each, read twice. error: constant, varies or half."""

    error: str
    n: int
    tail: str = "-"
    zeros: float = 0.0
    readers: int = 2

    @property
    def truth(self) -> float:
        """SD of the differences of two readers."""
        return math.sqrt(2 * {"constant": 1.0, "varies": math.exp(0.5), "half": 0.5}[self.error])

    def study(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        size = {
            "constant": np.ones(self.n),
            "varies": rng.lognormal(0, 0.5, self.n),
            "half": (rng.random(self.n) < 0.5).astype(float),
        }[self.error]
        patient = np.repeat(np.arange(self.n), 10)
        return patient, rng.standard_normal((len(patient), 2)) * size[patient][:, None]


def tasks() -> list[Cell | Clustered]:
    return [
        *cells(),
        *(Clustered(error, n) for error in ("constant", "varies", "half") for n in (10, 20, 50)),
    ]


def study(cell: Cell, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(true change, changes seen by the readers and, in the last column, by the model)."""
    size = rng.lognormal(0.3, 0.9, cell.n) if cell.tail == "lognormal" else rng.exponential(2, cell.n)
    true = np.where(rng.random(cell.n) < cell.zeros, 0.0, size)
    sd = np.ones(cell.n)
    if cell.error == "grows":
        sd = 0.3 + 0.4 * true
    elif cell.error == "half":
        sd = (rng.random(cell.n) < 0.5).astype(float)
    noise = rng.standard_normal((cell.n, cell.readers + 1)) * sd[:, None]
    noise[:, -1] *= MORE
    return true, true[:, None] + noise


def grades(seen: np.ndarray) -> np.ndarray:
    return np.clip(np.round(seen), 0, 3)


@cache
def of_grades(tail: str, zeros: float, error: str, readers: int) -> tuple[float, float]:
    """(quadratic kappa of two readers, loss of the model's with them) in a large sample."""
    _, seen = study(Cell(tail, zeros, error, readers, BIG), np.random.default_rng(5))
    sums = Pairwise.of(grades(seen), np.zeros(BIG, dtype=int))
    values, _ = sums.values(np.ones((1, 1)))
    with_model = np.array([second == readers for _, second in sums.pairs])
    between = float(values[0, ~with_model].mean())
    return between, between - float(values[0, with_model].mean())


def judged(
    cell: Cell | Clustered, rng: np.random.Generator, wanted: tuple[str, ...]
) -> Iterator[tuple[str, str, bool]]:
    """(statistic, candidate, whether its interval holds or its verdict is wrong) of one study."""
    if isinstance(cell, Clustered):
        if CLUSTER in wanted:
            yield from _clustered(cell, rng)
        return
    true, seen = study(cell, rng)
    seed = int(rng.integers(2**31))
    if BIAS in wanted:
        yield from _biases(cell, true, seen, seed)
    if INDEX in wanted:
        yield from _indices(cell, seen, seed)
    between, noise = cell.truth
    own = between / (between + noise)
    loss = own - between / (between + noise * (1 + MORE**2) / 2)
    if INFERIOR_ICC in wanted:
        yield from _inferior(INFERIOR_ICC, seen, ICC, loss, seed)
    if INFERIOR_KAPPA in wanted:
        _, loss = of_grades(cell.tail, cell.zeros, cell.error, cell.readers)
        yield from _inferior(INFERIOR_KAPPA, grades(seen), "kappa.quadratic", loss, seed)
    if CCC in wanted and cell.readers == 2:
        yield from _concordances(seen[:, :2], own, seed)
    if KAPPA in wanted and cell.readers == 2:
        kappa, _ = of_grades(cell.tail, cell.zeros, cell.error, cell.readers)
        yield from _kappas(grades(seen[:, :2]), kappa, seed)
    if FALSE in wanted and cell.readers == 2:
        yield from _false(true, rng, seed)


def _biases(cell: Cell, true: np.ndarray, seen: np.ndarray, seed: int) -> Iterator[tuple[str, str, bool]]:
    gap = seen[:, -1] - seen[:, :-1].mean(axis=1)
    first = (1 - cell.zeros) * TAILS[cell.tail][0]
    which = seed % 2
    gap, margin = (gap + SHIFT, SHIFT) if which else (gap - LESS * true, LESS * first)
    low, high = np.quantile(draw_counts(len(gap), draws=DRAWS, seed=seed) @ gap / len(gap), [0.025, 0.975])
    yield BIAS, "percentile", low > -margin and high < margin
    yield BIAS, "default", bool(tost(gap, margin=margin)["equivalent"])


def _indices(cell: Cell, seen: np.ndarray, seed: int) -> Iterator[tuple[str, str, bool]]:
    """The model's error variance is twice the readers', so that the index is theirs once."""
    how, true = Bootstrap(None, DRAWS, seed), cell.truth[1]
    readers, model = seen[:, :-1], seen[:, -1]
    gap = ((model[:, None] - readers) ** 2).mean(axis=1) - 2 * readers.var(axis=1, ddof=1)
    n = len(gap)
    drawn = ratios(gap[:, None], np.ones((n, 1)), None, how)[0]["ci"]
    half = float(special.stdtrit(n - 1, 0.975)) * gap.std(ddof=1) / math.sqrt(n)
    yield INDEX, "percentile", _holds(tuple(drawn), true)
    yield INDEX, "t", _holds((gap.mean() - half, gap.mean() + half), true)
    found = interchangeability(readers, model, bootstrap=how)["index"]["ci"]
    yield INDEX, "default", found[0] is None or _holds(tuple(found), true)


def _inferior(
    name: str, seen: np.ndarray, statistic: str, loss: float, seed: int
) -> Iterator[tuple[str, str, bool]]:
    n, sums = len(seen), Pairwise.of(seen)
    values, _ = sums.values(
        draw_counts(n, draws=DRAWS, seed=seed).astype(float), ICC if statistic == ICC else CONCORDANCE
    )
    with_model = np.array([second == sums.raters - 1 for _, second in sums.pairs])
    drawn = values[:, with_model].mean(axis=1) - values[:, ~with_model].mean(axis=1)
    yield name, "percentile", bool(np.nanquantile(drawn, 0.025) > -loss)
    found = non_inferiority(
        seen[:, :-1], seen[:, -1], margin=loss, statistic=statistic, bootstrap=Bootstrap(None, DRAWS, seed)
    )
    low = found["difference"]["ci"][0]
    yield name, "default", low is not None and low > -loss


def _concordances(seen: np.ndarray, concordant: float, seed: int) -> Iterator[tuple[str, str, bool]]:
    yield CCC, "Lin", _holds(tuple(concordance(seen[:, 0], seen[:, 1])["ci"]), concordant)
    yield CCC, "t, patients", _holds(concordance_limits(seen, draws=DRAWS, seed=seed), concordant)
    held = change_intervals(seen, draws=DRAWS, seed=seed)
    yield CCC, "default", held is None or _holds(held.icc[ICC], concordant)


def _kappas(graded: np.ndarray, kappa: float, seed: int) -> Iterator[tuple[str, str, bool]]:
    found = kappas(graded[:, 0], graded[:, 1])
    textbook = found["quadratic"]["ci"] if found else [None, None]
    yield KAPPA, "asymptotic", _holds(tuple(textbook), kappa)
    yield KAPPA, "default", _holds(concordance_limits(graded, draws=DRAWS, seed=seed), kappa)


def _false(true: np.ndarray, rng: np.random.Generator, seed: int) -> Iterator[tuple[str, str, bool]]:
    still = int((true == 0).sum())
    if not still:
        return
    share = (0.02, 0.1, 0.3)[seed % 3]
    hits = rng.random(still) < share
    drawn = draw_counts(still, draws=DRAWS, seed=seed) @ hits / still
    low, high = np.quantile(drawn, [0.025, 0.975]) if 0 < hits.sum() < still else wilson(hits.sum(), still)
    yield FALSE, "Wilson", _holds(wilson(hits.sum(), still), share)
    yield FALSE, "default", _holds((low, high), share)


def _clustered(cell: Clustered, rng: np.random.Generator) -> Iterator[tuple[str, str, bool]]:
    patient, seen = cell.study(rng)
    seed, gap = int(rng.integers(2**31)), seen[:, 0] - seen[:, 1]
    sums = np.zeros((cell.n, 3))
    np.add.at(sums, patient, np.column_stack([np.ones(len(gap)), gap, gap**2]))
    n, one, two = (draw_counts(cell.n, draws=DRAWS, seed=seed) @ sums).T
    low, high = np.quantile(np.sqrt((two - one**2 / n) / (n - 1)), [0.025, 0.975])
    yield CLUSTER, "percentile", _holds((low, high), cell.truth)
    low, high = spread_factors(seen, patient, draws=DRAWS, seed=seed)
    sd = gap.std(ddof=1)
    yield CLUSTER, "default", _holds((sd * low, sd * high), cell.truth)


def count(
    task: tuple[int, Cell | Clustered, int, int, tuple[str, ...]],
) -> tuple[Any, dict[tuple[str, str], list[int]]]:
    """(cell, how often each candidate held or was wrong, and of how many)."""
    place, cell, studies, seed, wanted = task
    found: dict[tuple[str, str], list[int]] = {}
    with np.errstate(all="ignore"):
        for number in range(studies):
            rng = np.random.default_rng([seed, place, number])
            for statistic, candidate, hit in judged(cell, rng, wanted):
                one = found.setdefault((statistic, candidate), [0, 0])
                one[0] += bool(hit)
                one[1] += 1
    return cell, found


def page(
    counted: list[tuple[Any, dict[tuple[str, str], list[int]]]], studies: int, wanted: tuple[str, ...]
) -> str:
    """The sections as Markdown: mean over the kinds of studies, the worst kind in brackets."""
    lines = []
    for statistic in wanted:
        candidates = STATISTICS[statistic]
        half = "" if statistic == CLUSTER else ", half of those with 200 patients"
        lines += [f"## {statistic}", "", WORDS[statistic], ""]
        lines += [f"{studies} studies of each kind{half}; {DRAWS} draws.", ""]
        lines += [*_table(("patients", *candidates), _rows(counted, statistic, candidates)), ""]
    return "\n".join(lines).rstrip() + "\n"


def _rows(counted: Any, statistic: str, candidates: tuple[str, ...]) -> Iterator[list[str]]:
    worst = max if statistic in WRONG else min
    known = [(cell, found) for cell, found in counted if (statistic, candidates[0]) in found]
    for n in sorted({cell.n for cell, _ in known}):
        row = [str(n)]
        for candidate in candidates:
            pairs = [found[statistic, candidate] for cell, found in known if cell.n == n]
            shares = [hits / all_ for hits, all_ in pairs]
            row.append(f"{sum(shares) / len(shares):.3f} ({worst(shares):.3f})")
        yield row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", choices=list(STATISTICS), help="may be given again")
    parser.add_argument("--studies", type=int, default=200, help="of each cell; half with 200 patients")
    parser.add_argument("--seed", type=int, default=20261130)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--write", type=Path, help="file for the tables; printed if left out")
    chosen = parser.parse_args()
    wanted = tuple(chosen.only or STATISTICS)
    work = [
        (place, cell, chosen.studies // (2 if cell.n == 200 else 1), chosen.seed, wanted)
        for place, cell in enumerate(tasks())
    ]
    count_and_write(
        count, work, chosen.processes, lambda counted: page(counted, chosen.studies, wanted), chosen.write
    )


if __name__ == "__main__":
    main()
