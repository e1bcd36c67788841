"""Standardised response means: by hand, by R, and how often intervals hold."""

import json

import numpy as np
import pandas as pd
import pytest

from core.cli import main
from core.progression.responsiveness.srm import responses, srm

CHANGES = np.array([0, 0, 0, 1, 0, 2, 0.5, 3, 0, 7, 0, 1, -1, 0, 2, 4])


def test_mean_over_sd():
    assert srm(CHANGES) == pytest.approx(0.6019741981)  # R: mean(x) / sd(x)


def test_the_same_seed_gives_the_same_limits_and_others_lie_near():
    table = CHANGES[:, None]
    first, again, other = (responses(table, ["a"], seed=seed)["srm"][0] for seed in (1, 1, 2))
    assert first == again
    assert first["ci"] == pytest.approx(other["ci"], abs=0.08)
    low, high = first["ci"]
    assert low < first["estimate"] < high


def test_a_score_minus_itself_is_exactly_nothing():
    found = responses(np.column_stack([CHANGES, CHANGES * 3]), ["a", "b"])["differences"][0]
    assert found["estimate"] == pytest.approx(0)
    assert found["ci"] == pytest.approx([0, 0])


def test_a_difference_is_of_patients_who_have_both():
    table = np.column_stack([CHANGES, CHANGES + np.arange(16) % 3])
    table[:4, 1] = np.nan
    found = responses(table, ["a", "b"])
    assert [row["n"] for row in found["srm"]] == [16, 12]
    pair = found["differences"][0]
    assert pair["n"] == 12
    assert pair["estimate"] == pytest.approx(srm(table[4:, 0]) - srm(table[4:, 1]))
    assert pair["ci"][0] < pair["estimate"] < pair["ci"][1]


@pytest.mark.parametrize("few", [0, 2, 5])
def test_few_patients_have_no_interval(few):
    row = responses(CHANGES[4 : 4 + few, None], ["a"])["srm"][0]
    assert row["ci"] == [None, None]
    assert (row["estimate"] is None) == (few < 3)


def test_no_change_at_all_has_no_srm():
    assert responses(np.zeros((20, 1)), ["a"])["srm"][0]["estimate"] is None


def test_intervals_of_a_paired_difference_hold():
    rng = np.random.default_rng(6)

    def study(n):
        true = np.where(rng.random(n) < 0.4, 0, rng.lognormal(0, 0.8, n))
        return np.column_stack([true + rng.normal(0, 0.3, n), true + rng.normal(0, 1, n)])

    many = study(1_000_000)
    ratio = many.mean(axis=0) / many.std(axis=0)
    hits = 0
    for _ in range(60):
        low, high = responses(study(30), ["a", "b"], draws=300)["differences"][0]["ci"]
        hits += low <= ratio[0] - ratio[1] <= high
    assert hits / 60 >= 0.85


def test_command_compares_readers_and_scores(tmp_path, capsys):
    rng = np.random.default_rng(1)
    rows = []
    for number in range(20):
        change = rng.exponential(2)
        for reader, error in (("R1", 0.2), ("R2", 2.0)):
            for part in ("erosion", "jsn"):
                for day in (0, 365):
                    total = 10 + (change if day else 0) + rng.normal(0, error)
                    rows.append((f"P{number:02}", reader, day, part, total))
    path = tmp_path / "totals.csv"
    pd.DataFrame(rows, columns=["subject", "reader", "days", "component", "total"]).to_csv(path, index=False)

    def run(*arguments):
        with pytest.raises(SystemExit) as end:
            main(["srm", str(path), *arguments])
        out, err = capsys.readouterr()
        return end.value.code, out, err

    found = json.loads(run("--where", "component=jsn", "--json")[1])
    assert [row["name"] for row in found["srm"]] == ["R1", "R2"]
    assert found["srm"][0]["estimate"] > found["srm"][1]["estimate"]
    by_part = json.loads(run("--by", "component", "--json")[1])
    assert [row["name"] for row in by_part["srm"]] == ["erosion", "jsn"]
    assert "erosion minus jsn" in run("--by", "component")[1]
    status, _, err = run("--by", "nothing")
    assert status == 2
    assert "--by nothing" in err
