"""Simulated studies with dropout: how often do intervals of the mean change and of the arm difference hold?

    python -m tests.bench.simulate_dropout --studies 200 --seed 20261130 --write FILE

Two arms, two visits after baseline; the second film is missing by chance, after a large change at the first
visit (what is missing can be known from the films there are), or before a large change that nobody sees.
Study i of a kind is drawn from (seed, kind, i) alone. The true values are those of the population.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from core.progression.courses import Courses, courses
from core.progression.estimands.draws import draw_changes, pooled
from core.progression.estimands.imputation import effects
from core.progression.estimands.panel import panel_of
from core.progression.estimands.weighted import weighted_effects
from core.progression.missing.methods import fill_change
from core.progression.missing.multiple_imputation import fill_multiply, rubin
from core.progression.pairing import Interval
from core.progression.summary import difference_of_means, summary
from core.progression.totals_table import collect

TAILS = ("normal", "half zero, lognormal")
DROPOUTS = ("by chance", "after a large change", "before a large change")
METHODS = {
    "whole": "no film missing",
    "observed": "observed films only",
    "linear": "linear extrapolation",
    "locf": "last observation carried forward",
    "multiple": "multiple imputation (matching)",
    "rubin": "normal model, Rubin's rules",
    "mar": "normal model, jackknife",
    "weighted": "weighted, jackknife",
}
Limits = tuple[float, float]


@dataclass
class Tally:
    """How often the intervals of the mean and of the difference held, and the sum of errors of the mean."""

    mean: int = 0
    gap: int = 0
    error: float = 0.0
    studies: int = field(default=0)


def draw(rng: np.random.Generator, n: int, tail: str, dropout: str) -> tuple[np.ndarray, ...]:
    """arm, change seen at both visits (n, 2), true change at the second, and who lacks the second film."""
    arm = np.arange(n) % 2
    if tail == "normal":
        rate = rng.normal(1.5, 1.5, n) * np.where(arm == 1, 0.5, 1.0)
        step = rate[:, None] + rng.normal(0, 0.7, (n, 2))
    else:
        rate = np.where(rng.random(n) < 0.5, 0.0, rng.lognormal(0.3, 0.7, n)) * np.where(arm == 1, 0.5, 1.0)
        step = rate[:, None] * rng.gamma(4, 0.25, (n, 2))
    true = np.cumsum(step, axis=1)
    seen = true + rng.normal(0, 0.7, (n, 2))
    leaves = {
        "by chance": np.full(n, 0.25),
        "after a large change": np.where(seen[:, 0] > 2, 0.7, 0.1),
        "before a large change": np.where(step[:, 1] > 2, 0.7, 0.1),
    }[dropout]
    return arm, seen, true[:, 1], rng.random(n) < leaves


def study(arm: np.ndarray, seen: np.ndarray, is_gone: np.ndarray, baseline: np.ndarray) -> Courses:
    """The study as the commands see it."""
    n = len(arm)
    frame = pd.DataFrame(
        {
            "subject": np.repeat([f"P{number}" for number in range(n)], 3),
            "arm": np.repeat(np.where(arm == 1, "Active", "Placebo"), 3),
            "reader": "R1",
            "days": np.tile([0, 365, 730], n),
            "total": np.column_stack([baseline, baseline[:, None] + seen]).ravel(),
        }
    )
    keep = ~(np.repeat(is_gone, 3) & (frame["days"] == 730))
    return courses(collect(frame[keep]), Interval(0, 730))


def intervals(course: Courses, seed: int) -> dict[str, tuple[Limits, Limits]]:
    """Method -> limits of the mean change on placebo, and of active minus placebo."""
    on_placebo = (course.patients["arm"] == "Placebo").to_numpy()
    found: dict[str, tuple[Limits, Limits]] = {}
    for name in ("observed", "linear", "locf"):
        change = fill_change(course, name).change[0]
        a, b = (change[mask & ~np.isnan(change)] for mask in (on_placebo, ~on_placebo))
        found[name] = tuple(summary(a)["ci"]), tuple(difference_of_means(b, a)["ci"])  # type: ignore[assignment]
    drawn = fill_multiply(course, [365, 730], imputations=10, seed=seed).change
    a, b = drawn[:, on_placebo], drawn[:, ~on_placebo]
    parts = [one.var(axis=1, ddof=1) / one.shape[1] for one in (a, b)]
    mean = rubin(a.mean(axis=1), parts[0], a.shape[1] - 1)
    gap = rubin(b.mean(axis=1) - a.mean(axis=1), parts[0] + parts[1], drawn.shape[1] - 2)
    found["multiple"] = (mean.low, mean.high), (gap.low, gap.high)
    panel = panel_of(course, [365, 730])
    means, gaps = pooled(panel, draw_changes(panel, ["mar"], 10, seed)["mar"])
    found["rubin"] = (means[0].low, means[0].high), (gaps[1, 0].low, gaps[1, 0].high)
    for name, one in (("mar", effects(panel, ["mar"])["mar"]), ("weighted", weighted_effects(panel))):
        level, difference = one.mean(0), one.difference(1, 0)
        found[name] = (level.low, level.high), (difference.low, difference.high)
    return found


def simulate(seed: int, studies: int, n: int, tail: str, dropout: str) -> dict[str, Tally]:
    """All methods on the same studies of one kind."""
    kind = TAILS.index(tail) * len(DROPOUTS) + DROPOUTS.index(dropout)
    arm, _, true, _ = draw(np.random.default_rng(seed), 2_000_000, tail, dropout)
    truth = true[arm == 0].mean(), true[arm == 1].mean() - true[arm == 0].mean()
    tallies = {name: Tally() for name in METHODS}
    for number in range(studies):
        rng = np.random.default_rng([seed, kind, number])
        arm, seen, _, is_gone = draw(rng, n, tail, dropout)
        baseline = rng.gamma(0.55, 21.0, n).round()
        found = intervals(study(arm, seen, is_gone, baseline), number)
        whole = study(arm, seen, np.zeros(n, bool), baseline)
        full = effects(panel_of(whole, [365, 730]), ["mar"])["mar"]
        mean, gap = full.mean(0), full.difference(1, 0)
        found["whole"] = (mean.low, mean.high), (gap.low, gap.high)
        for name, (of_mean, of_gap) in found.items():
            tally = tallies[name]
            tally.mean += of_mean[0] <= truth[0] <= of_mean[1]
            tally.gap += of_gap[0] <= truth[1] <= of_gap[1]
            tally.error += sum(of_mean) / 2 - truth[0]
            tally.studies += 1
    return tallies


def kinds() -> list[str]:
    """Every kind of study by name: its change, then its dropout."""
    return [f"{tail}, {dropout}" for tail in TAILS for dropout in DROPOUTS]


def table(seed: int, studies: int, n: int, wanted: list[str]) -> str:
    """Markdown: one row per kind of study and method; printed as they come. wanted: of ``kinds``."""
    lines = [
        "| change | dropout | method | mean held | difference held | bias of the mean |",
        "|---|---|---|---|---|---|",
    ]
    for tail in TAILS:
        for dropout in DROPOUTS:
            if f"{tail}, {dropout}" not in wanted:
                continue
            for name, row in simulate(seed, studies, n, tail, dropout).items():
                shares = f"{row.mean / row.studies:.2f} | {row.gap / row.studies:.2f}"
                bias = f"{row.error / row.studies:+.2f}"
                lines.append(f"| {tail} | {dropout} | {METHODS[name]} | {shares} | {bias} |")
                print(lines[-1], flush=True)
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--patients", type=int, default=120)
    parser.add_argument("--seed", type=int, default=20261130)
    parser.add_argument("--only", action="append", choices=kinds(), help="may be given again")
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    text = table(given.seed, given.studies, given.patients, given.only or kinds())
    if given.write:
        given.write.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
