"""Does the MMRM keep its promises? Coverage and type I error over simulated trials with a known answer.

``python -m tests.bench.simulate_mmrm [--trials N] [--seed S] [--scenario NAME]``

Every trial has 300 patients in two arms and four visits after baseline, with change that drifts apart and
dropout that depends on the last change seen (missing at random). Each is analysed as a user would, formula
and table in, by both degrees of freedom; asked is the difference between arms at the last visit.
Trial i of a scenario is drawn from (seed, scenario, i) alone, so that any single one can be drawn again.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.agreement.proportion import wilson
from core.progression.mmrm.model import Options, mmrm

PATIENTS, VISITS = 300, ("W26", "W52", "W78", "W104")
FORMULA = "change ~ baseline * visit + arm * visit"
METHODS = ("satterthwaite", "kenward-roger")
YEARS = np.array([0.5, 1.0, 1.5, 2.0])
EVERY = 500  # trials between two lines of progress


@dataclass(frozen=True)
class Scenario:
    """effect: true difference of the second arm at week 104, growing with time. is_skewed: errors with the
    long right tail of radiographic change instead of normal ones, same mean and covariance."""

    name: str
    effect: float
    is_skewed: bool = False


SCENARIOS = (
    Scenario("difference", -0.8),
    Scenario("no-difference", 0.0),
    Scenario("no-difference-skewed", 0.0, is_skewed=True),
)


def covariance() -> np.ndarray:
    """Of change over visits: a slope per patient (SD 0.9 a year), and reading error (SD 1.0) per visit."""
    return 0.81 * np.outer(YEARS, YEARS) + 0.5 * np.ones((4, 4)) + 0.5 * np.eye(4)


def trial(scenario: Scenario, rng: np.random.Generator) -> pd.DataFrame:
    """One trial as a table ``subject, arm, visit, baseline, change``; change missing after dropout."""
    second = np.arange(PATIENTS) % 2
    baseline = rng.gamma(0.55, 21.0, PATIENTS)  # mean 11.6, SD 15.6
    noise = rng.normal(size=(PATIENTS, 4))
    if scenario.is_skewed:
        noise = (rng.gamma(0.5, 1.0, (PATIENTS, 4)) - 0.5) / math.sqrt(0.5)
    change = noise @ np.linalg.cholesky(covariance()).T
    change += np.outer(0.9 + 0.02 * (baseline - 11.6), YEARS) + scenario.effect / 2 * np.outer(second, YEARS)
    change[rng.random(change.shape) < 0.02] = np.nan  # a film that was not taken
    gone = np.zeros(PATIENTS, bool)
    for visit in range(1, 4):
        last = np.nan_to_num(change[:, visit - 1])
        gone |= rng.random(PATIENTS) < 1 / (1 + np.exp(3.0 - 0.35 * last))
        change[gone, visit] = np.nan
    rows = {
        "subject": np.repeat(np.arange(PATIENTS), 4),
        "arm": np.repeat(np.where(second, "B", "A"), 4),
        "visit": np.tile(VISITS, PATIENTS),
        "baseline": np.repeat(baseline, 4),
        "change": change.ravel(),
    }
    return pd.DataFrame(rows)


@dataclass
class Tally:
    """What one method did so far. width: sum of half widths; error: sum of estimate minus truth."""

    trials: int = 0
    covered: int = 0
    rejected: int = 0
    error: float = 0.0
    squared: float = 0.0
    se: float = 0.0

    def add(self, row: dict, truth: float) -> None:
        low, high = row["ci"]
        gap = row["estimate"] - truth
        self.trials += 1
        self.covered += low <= truth <= high
        self.rejected += row["p"] < 0.05
        self.error, self.squared, self.se = self.error + gap, self.squared + gap**2, self.se + row["se"]

    def lines(self) -> list[str]:
        n = self.trials
        spread = math.sqrt(max(self.squared / n - (self.error / n) ** 2, 0))
        return [
            f"coverage {_share(self.covered, n)}",
            f"rejected at 0.05 {_share(self.rejected, n)}",
            f"bias {self.error / n:+.4f} (Monte Carlo SE {spread / math.sqrt(n):.4f})",
            f"SD of estimates {spread:.4f}, mean standard error {self.se / n:.4f}",
        ]


def _share(count: int, n: int) -> str:
    low, high = wilson(count, n)
    return f"{count / n:.2%} ({low:.2%} to {high:.2%})"


def simulate(scenario: Scenario, trials: int, seed: int) -> None:
    """Run the scenario and print its tallies."""
    tallies = {method: Tally() for method in METHODS}
    lost, missing, begun = 0, 0.0, time.perf_counter()
    for number in range(trials):
        table = trial(scenario, np.random.default_rng([seed, SCENARIOS.index(scenario), number]))
        missing += table.loc[table["visit"] == "W104", "change"].isna().mean() / trials
        for method in METHODS:
            found = mmrm(table, FORMULA, "subject", "visit", Options(df=method))
            lost += not found["converged"]
            tallies[method].add(found["contrasts"][-1], scenario.effect)
        if (number + 1) % EVERY == 0:
            print(f"{scenario.name}: {number + 1} of {trials}", file=sys.stderr, flush=True)
    print(f"\n{scenario.name}: true difference at W104 {scenario.effect:g}, {trials} trials, seed {seed}")
    print(f"  missing at W104 {missing:.1%}, fits that did not converge {lost}")
    for method, tally in tallies.items():
        print(f"  {method}: " + "; ".join(tally.lines()))
    print(f"  {time.perf_counter() - begun:.0f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("--scenario", choices=[scenario.name for scenario in SCENARIOS])
    chosen = parser.parse_args()
    for scenario in SCENARIOS:
        if chosen.scenario in (None, scenario.name):
            simulate(scenario, chosen.trials, chosen.seed)


if __name__ == "__main__":
    main()
