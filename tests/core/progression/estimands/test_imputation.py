"""Reference-based imputation against R, and against truth in simulation."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.progression.estimands.draws import draw_changes, pooled
from core.progression.estimands.imputation import effects
from core.progression.estimands.normal_model import fit
from core.progression.estimands.panel import Panel
from core.progression.estimands.tipping import tipping_grid, tipping_point
from core.progression.estimands.weighted import weighted_effects
from tests.helpers.paths import REFERENCE

ALL = ["mar", "j2r", "cr", "cir"]


def panel(y, arm, baseline, arms=("Placebo", "Active")):
    columns = [np.ones(len(arm)), *[(arm == n).astype(float) for n in range(1, len(arms))]]
    x = np.column_stack([*columns, baseline - baseline.mean()])
    subjects = [f"P{n}" for n in range(len(arm))]
    return Panel(subjects, list(arms), arm, y, x, y.shape[1] - 1, list(range(y.shape[1])), [])


@pytest.fixture(scope="module")
def trial():
    rows = pd.read_csv(REFERENCE / "mmrm_trial.csv", comment="#")
    wide = rows.pivot(index="subject", columns="visit", values="change")[["W26", "W52", "W78", "W104"]]
    people = rows.drop_duplicates("subject").set_index("subject").loc[wide.index]
    arm = (people["arm"] == "Active").to_numpy(int)
    return panel(wide.to_numpy(float), arm, people["baseline"].to_numpy(float))


def test_every_assumption_and_its_jackknife_equal_r(trial):
    expected = pd.read_csv(REFERENCE / "reference_based.csv", comment="#", skipinitialspace=True).set_index(
        "assumption"
    )
    found = effects(trial, ALL)
    for name in ALL:
        row = found[name].difference(1, 0)
        assert [row.estimate, row.se] == pytest.approx(
            expected.loc[name, ["estimate", "se"]].tolist(), abs=2e-6
        )
        assert found[name].converged
    assert found["mar"].difference(1, 0).estimate == pytest.approx(expected.loc["gls", "estimate"], abs=2e-6)


def test_without_gaps_every_assumption_is_the_ancova(trial):
    whole = replace(trial, y=np.where(np.isnan(trial.y), 1.0, trial.y))
    theta = np.linalg.lstsq(whole.x, whole.y[:, -1], rcond=None)[0][1]
    for row in effects(whole, ALL).values():
        assert row.difference(1, 0).estimate == pytest.approx(theta, abs=1e-7)
    assert weighted_effects(whole).difference(1, 0).estimate == pytest.approx(theta, abs=1e-9)


def test_imputations_agree_with_conditional_means_and_are_the_same_for_a_seed(trial):
    found = effects(trial, ALL)
    drawn = draw_changes(trial, ALL, 60, 3)
    again = draw_changes(trial, ALL, 60, 3)
    for name in ALL:
        assert np.array_equal(drawn[name], again[name])
        row = pooled(trial, drawn[name])[1][1, 0]
        assert row.estimate == pytest.approx(found[name].difference(1, 0).estimate, abs=0.2)
    seen = ~trial.is_missing
    assert np.array_equal(drawn["j2r"][:, seen], np.tile(trial.y[seen, -1], (60, 1)))


def test_patients_of_the_reference_arm_are_missing_at_random_under_every_assumption(trial):
    found = effects(trial, ALL)
    means = [found[name].means[0, 0] for name in ALL]
    # the slope on baseline is that of both arms, so that they differ a little
    assert means == pytest.approx([means[0]] * 4, abs=0.05)


def simulated(rng, n=100, leave=0.4, effect=-1.0):
    """Two visits after baseline; patients of both arms leave after the first one at random."""
    arm = np.arange(n) % 2
    y = np.cumsum(rng.normal(1.0, 1.0, (n, 2)), axis=1) + np.outer(arm, [effect / 2, effect])
    y[rng.random(n) < leave, 1] = np.nan
    return panel(y, arm, rng.normal(10, 3, n))


def test_jackknife_holds_under_jump_to_reference_and_rubin_overstates():
    rng = np.random.default_rng(20)
    truth = {
        "mar": -1.0,
        "j2r": -0.6,
        "cr": -0.8,
        "cir": -0.8,
    }  # all but MAR: 0.6 stayed; the rest keep 0, half
    held = dict.fromkeys(truth, 0)
    by_rubin = dict.fromkeys(truth, 0)
    se, rubin_se, spread = [], [], []
    for study in range(150):
        one = simulated(rng)
        found = effects(one, ALL)
        drawn = draw_changes(one, ALL, 10, study) if study < 40 else None
        for name, value in truth.items():
            row = found[name].difference(1, 0)
            held[name] += row.low <= value <= row.high
            if drawn is not None:
                pool = pooled(one, drawn[name])[1][1, 0]
                by_rubin[name] += pool.low <= value <= pool.high
                if name == "j2r":
                    rubin_se.append(pool.se)
        se.append(found["j2r"].difference(1, 0).se)
        spread.append(found["j2r"].difference(1, 0).estimate)
    assert all(137 <= count <= 149 for count in held.values()), held  # 0.91 to 0.99
    assert np.mean(se) == pytest.approx(np.std(spread), rel=0.15)
    assert np.mean(rubin_se) > 1.25 * np.std(spread)
    assert by_rubin["j2r"] >= 39


def test_weights_take_out_the_bias_of_leaving_after_a_large_change():
    rng = np.random.default_rng(4)
    gaps = {"mar": [], "weighted": []}
    for _ in range(40):
        n = 200
        rate = np.where(rng.random(n) < 0.5, 0.0, rng.lognormal(0.3, 0.6, n))
        y = np.outer(rate, [1.0, 2.0]) + rng.normal(0, 0.7, (n, 2))
        truth = y[:, 1].mean()
        y[rng.random(n) < np.where(y[:, 0] > 2, 0.7, 0.1), 1] = np.nan
        one = panel(y, np.zeros(n, int), rng.normal(size=n), ("all",))
        gaps["mar"].append(effects(one, ["mar"])["mar"].means[0, 0] - truth)
        gaps["weighted"].append(weighted_effects(one).means[0, 0] - truth)
    assert np.mean(gaps["mar"]) < -0.06
    assert abs(np.mean(gaps["weighted"])) < 0.5 * abs(np.mean(gaps["mar"]))


def test_at_the_tipping_point_the_interval_touches_zero(trial):
    moved = replace(trial, y=trial.y - 1.5 * trial.x[:, [1]])  # so that arms differ
    found = effects(moved, ["mar"])["mar"]
    missing = tuple(int((moved.is_missing & (moved.arm == arm)).sum()) for arm in (1, 0))
    point = tipping_point(found, 1, 0, missing)
    assert point.is_different and point.up > 0
    assert found.difference(1, 0, point.up).high == pytest.approx(0, abs=1e-9)
    assert found.difference(1, 0, point.up * 0.99).high < 0
    grid = tipping_grid(found, 1, 0, 2.0)
    assert grid["estimate"][6][6] == pytest.approx(found.difference(1, 0).estimate)
    assert grid["estimate"][7][6] - grid["estimate"][6][6] == pytest.approx(2 / 6 * found.slope(1, 0, 1)[0])


def test_a_shift_is_the_same_as_shifting_the_filled_changes(trial):
    from core.progression.estimands.imputation import filled

    everyone = np.ones((1, len(trial.y)))
    change = filled(trial, fit(trial.y, trial.x, everyone), "mar")[0]
    shifted = change + 2.5 * (trial.is_missing & (trial.arm == 1))
    theta = np.linalg.lstsq(trial.x, shifted, rcond=None)[0][1]
    assert effects(trial, ["mar"])["mar"].difference(1, 0, 2.5).estimate == pytest.approx(theta, abs=1e-7)


def test_nothing_missing_has_no_tipping_point(trial):
    whole = replace(trial, y=np.where(np.isnan(trial.y), 1.0, trial.y))
    point = tipping_point(effects(whole, ["mar"])["mar"], 1, 0, (0, 0))
    assert point.delta is None
