"""How often do comparisons of arms keep their promises? Intervals within strata, tests, several arms.

``OMP_NUM_THREADS=1 python -m tests.bench.simulate_arms --studies 1000`` prints the tables of
docs/decisions/arms.md. Change is 0 in half of the patients, lognormal in the others; strata differ.
"""

import argparse

import numpy as np
from scipy import special

from core.progression.arms.joint_ancova import joint_ancova
from core.progression.arms.mantel_haenszel import cmh_test, common_risk_difference, tables
from core.progression.arms.multiplicity import adjusted_p, dunnett_p
from core.progression.arms.rank_ancova import rank_ancova
from core.progression.arms.standardised_risk import standardised_risk
from core.progression.arms.van_elteren import van_elteren

SEED = 20261130
SIZES = (24, 40, 80, 200)
EFFECTS = (0.0, -1.0)  # log odds of progression


def shares(rng, n, effect):
    """Coverage of both risk differences and rejections of both tests in one study."""
    x, stratum, second = rng.normal(size=n), rng.integers(0, 2, n), rng.permutation(n) < n // 2
    odds = -1 + x + 0.7 * stratum
    flag = rng.random(n) < special.expit(odds + effect * second)
    counts = tables(flag, second, stratum)
    many = np.random.default_rng(1).normal(size=20_000)
    of_stratum = [
        (special.expit(-1 + 0.7 * one + many + effect) - special.expit(-1 + 0.7 * one + many)).mean()
        for one in (0, 1)
    ]
    truth = float(np.mean(of_stratum))
    low, high = common_risk_difference(counts)["ci"]
    model = standardised_risk(flag, second.astype(int), np.column_stack([x, stratum]))
    one = model.differences[0] if model else None
    return {
        "Mantel-Haenszel holds": float(low <= truth <= high),
        "adjusted holds": float(one.low <= truth <= one.high) if one else np.nan,
        "CMH rejects": float(cmh_test(counts).p < 0.05),
        "adjusted rejects": float(one.p < 0.05) if one else np.nan,
    }


def change(rng, n, stratum):
    return (rng.random(n) < 0.5) * rng.lognormal(0.3 * stratum, 1.0, n)


def ranks(rng, n):
    """Rejections of tests of change, without a difference."""
    stratum, second, base = rng.integers(0, 2, n), rng.permutation(n) < n // 2, rng.gamma(2, 6, n)
    value = change(rng, n, stratum)
    found = joint_ancova(value, second.astype(int), np.column_stack([base, stratum]))
    t = found.differences / found.errors
    return {
        "van Elteren rejects": float(van_elteren(value, second, stratum).p < 0.05),
        "rank ANCOVA rejects": float(rank_ancova(value, base, second, stratum).p < 0.05),
        "ANCOVA rejects": float(2 * special.stdtr(found.df, -abs(t[0])) < 0.05),
    }


def several(rng, n):
    """Rejections of any of three arms against the reference, without a difference (ANCOVA)."""
    arm, base = rng.permutation(n) % 4, rng.gamma(2, 6, n)
    found = joint_ancova(change(rng, n, np.zeros(n)), arm, base[:, None])
    t = found.differences / found.errors
    raw = 2 * special.stdtr(found.df, -np.abs(t))
    p = {"raw": raw, "Dunnett": dunnett_p(t, found.correlation, found.df)}
    p |= {name: adjusted_p(list(raw), name) for name in ("holm", "hochberg", "fixed")}
    return {name: float(min(values) < 0.05) for name, values in p.items()}


def table(title, rows):
    names = list(rows[0][1][0])
    print(f"\n{title}\n\n| patients | {' | '.join(names)} |\n|---|{'---|' * len(names)}")
    for label, found in rows:
        means = [np.nanmean([one[name] for one in found]) for name in names]
        print(f"| {label} | {' | '.join(f'{value:.3f}' for value in means)} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=1000)
    studies = parser.parse_args().studies
    rng = np.random.default_rng(SEED)
    for effect in EFFECTS:
        rows = [(n, [shares(rng, n, effect) for _ in range(studies)]) for n in SIZES]
        table(f"Progressors, log odds ratio {effect:g}", rows)
    table("Change, no difference", [(n, [ranks(rng, n) for _ in range(studies)]) for n in SIZES])
    table("Three arms against a reference, no difference: any arm", [
        (n, [several(rng, n) for _ in range(studies // 2)]) for n in SIZES
    ])  # fmt: skip


if __name__ == "__main__":
    main()
