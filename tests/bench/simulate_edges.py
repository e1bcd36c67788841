"""Do intervals hold where almost everything agrees: AUC near 1, and kappas near 1?

``python -m tests.bench.simulate_edges [--studies N] [--seed S] [--write FILE]``

AUC of binormal scores and of grades 0 to 4, whose true value is 0.86, 0.96 or 0.995. Kappas of grades 0 to 3,
mostly 0, where the second reader sees another grade in 5, 2 or 0.5% of the patients.
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

from core.agreement.diagnostics.auc import auc, rank_limits
from core.agreement.grades.confusion import confusion
from core.agreement.grades.kappa import WEIGHTS, kappa, shrunk_limits
from core.agreement.intervals.kappas import kappa_limits
from core.agreement.intervals.status import concordance_limits
from tests.bench.counted import count_and_write
from tests.bench.simulate_coverage import _holds, _table

AUC, KAPPA = "AUC", "Kappas near 1"
SIZES = ((5, 20), (10, 10), (10, 50), (50, 50))
TRUE = (0.86, 0.96, 0.995)
PATIENTS = (12, 24, 60, 200)
OTHER = (0.05, 0.02, 0.005)
BIG, DRAWS = 400_000, 500
CANDIDATES = {
    AUC: ("DeLong", "DeLong, at 1 ranks", "logit DeLong", "ranks"),
    KAPPA: ("asymptotic", "bootstrap-t", "shrunk table", "default"),
}
WORDS = {
    AUC: """Share of 95% intervals that hold the true area; right is 0.95, in brackets the worst kind.
An area of exactly 1 has no spread, and DeLong's interval is [1, 1] there. **ranks**: the score-like interval
of the Mann-Whitney statistic (Newcombe 2006, method 5).""",
    KAPPA: """Share of 95% intervals that hold the true kappa. **shrunk table**: as asymptotic, after four
patients were added who agree by chance, as Agresti and Coull add four to a proportion. Bootstrap-t is for
quadratic kappa alone and has no limits where all agree. **default** is the shrunk table for unweighted and
linear kappa; for quadratic kappa bootstrap-t, below ten patients who disagree the wider of both.""",
}


@dataclass(frozen=True)
class Kind:
    """statistic: of ``CANDIDATES``. size: cases with and without, or patients. level: of TRUE or OTHER."""

    statistic: str
    size: tuple[int, ...]
    level: float
    graded: bool = False
    zeros: float = 0.0

    @property
    def row(self) -> str:
        return " + ".join(map(str, self.size))


def kinds() -> list[Kind]:
    """The grid of both statistics."""
    areas = [Kind(AUC, size, true, graded) for size in SIZES for true in TRUE for graded in (False, True)]
    return areas + [
        Kind(KAPPA, (n,), other, zeros=zeros) for n in PATIENTS for other in OTHER for zeros in (0.4, 0.65)
    ]


def scores(kind: Kind, m: int, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Labels and scores; grades cut the scores at fixed places."""
    gap = math.sqrt(2) * float(special.ndtri(kind.level))
    labels = np.repeat([True, False], [m, n])
    seen = rng.standard_normal(m + n) + gap * labels
    return labels, np.digitize(seen, np.linspace(0, gap, 4)).astype(float) if kind.graded else seen


def grades(kind: Kind, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Grades of two readers; a grade that differs is a neighbour."""
    first = np.where(rng.random(n) < kind.zeros, 0, rng.integers(0, 4, n))
    step = np.where(first == 0, 1, np.where(first == 3, -1, rng.choice([-1, 1], n)))
    return first.astype(float), (first + step * (rng.random(n) < kind.level)).astype(float)


@cache
def truth(kind: Kind) -> dict[str, float]:
    """In a large sample: the area, or the three kappas."""
    rng = np.random.default_rng(5)
    if kind.statistic == AUC:
        return {AUC: float(auc(*scores(kind, BIG, BIG, rng))["estimate"] or 0)}
    table, levels = confusion(*grades(kind, BIG, rng))
    return {name: float(kappa(table, levels, name)["estimate"] or 0) for name in WEIGHTS}


def areas(kind: Kind, rng: np.random.Generator) -> Iterator[tuple[str, bool]]:
    true = truth(Kind(kind.statistic, (), kind.level, kind.graded))[AUC]
    m, n = kind.size
    labels, seen = scores(kind, m, n, rng)
    found = auc(labels, seen)
    value, se = found["estimate"], found["se"] or 0.0
    delong = max(value - 1.959964 * se, 0.0), min(value + 1.959964 * se, 1.0)
    ranks = rank_limits(value, m, n)
    yield "DeLong", _holds(delong, true)
    yield "DeLong, at 1 ranks", _holds(tuple(found["ci"]), true)
    yield "ranks", _holds(ranks, true)
    if not 0 < value < 1 or not se:
        yield "logit DeLong", _holds(ranks, true)
        return
    half = 1.959964 * se / (value * (1 - value))
    middle = float(special.logit(value))
    yield "logit DeLong", _holds((special.expit(middle - half), special.expit(middle + half)), true)


def near_one(kind: Kind, rng: np.random.Generator) -> Iterator[tuple[str, bool]]:
    true = truth(Kind(kind.statistic, (), kind.level, zeros=kind.zeros))
    first, second = grades(kind, kind.size[0], rng)
    table, levels = confusion(first, second)
    if len(levels) < 2:
        return
    both, seed = np.column_stack([first, second]), int(rng.integers(2**31))
    drawn = concordance_limits(both, draws=DRAWS, seed=seed)
    yield "bootstrap-t", not math.isnan(drawn[0]) and _holds(drawn, true["quadratic"])
    for name, limits in kappa_limits(both, draws=DRAWS, seed=seed).items():
        yield "asymptotic", _holds(tuple(kappa(table, levels, name)["ci"]), true[name])
        yield "shrunk table", _holds(shrunk_limits(table, levels, name), true[name])
        yield "default", _holds(limits, true[name])


def count(task: tuple[int, Kind, int, int]) -> tuple[Kind, dict[str, list[int]]]:
    """(kind, how often each candidate held, and of how many)."""
    place, kind, studies, seed = task
    found: dict[str, list[int]] = {}
    of = areas if kind.statistic == AUC else near_one
    with np.errstate(all="ignore"):
        for number in range(studies):
            for candidate, hit in of(kind, np.random.default_rng([seed, place, number])):
                one = found.setdefault(candidate, [0, 0])
                one[0] += bool(hit)
                one[1] += 1
    return kind, found


def page(counted: list[tuple[Kind, dict[str, list[int]]]], studies: int) -> str:
    """Both sections as Markdown."""
    lines = []
    for statistic, candidates in CANDIDATES.items():
        rows = [(kind, found) for kind, found in counted if kind.statistic == statistic]
        size = "cases with + without" if statistic == AUC else "patients"
        lines += [f"## {statistic}", "", WORDS[statistic], "", f"{studies} studies of each kind.", ""]
        lines += [*_table((size, *candidates), _rows(rows, candidates)), ""]
    return "\n".join(lines).rstrip() + "\n"


def _rows(rows: Any, candidates: tuple[str, ...]) -> Iterator[list[str]]:
    for name in dict.fromkeys(kind.row for kind, _ in rows):
        cells = [name]
        for candidate in candidates:
            shares = [
                hits / of for kind, found in rows if kind.row == name for hits, of in [found[candidate]]
            ]
            cells.append(f"{sum(shares) / len(shares):.3f} ({min(shares):.3f})")
        yield cells


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=400, help="of each kind")
    parser.add_argument("--seed", type=int, default=20261130)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--write", type=Path, help="file for the tables; printed if left out")
    chosen = parser.parse_args()
    work = [(place, kind, chosen.studies, chosen.seed) for place, kind in enumerate(kinds())]
    count_and_write(
        count, work, chosen.processes, lambda counted: page(counted, chosen.studies), chosen.write
    )


if __name__ == "__main__":
    main()
