"""Reads and figures of merit: missing ones, several sites a patient, kappa and error, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from core.agreement.mrmc.analysis import analyse
from core.agreement.mrmc.figures_of_merit import (
    METRICS,
    delong,
    figure_of_merit,
    jackknife,
    unbiased,
)
from core.agreement.mrmc.study import COMPLETE, REFUSE, collect
from core.errors import InputError


def made(patients=30, readers=3, sites=1, gain=0.5, seed=1):
    """Grades 0 to 4 of a truth; the second modality has smaller errors."""
    rng = np.random.default_rng(seed)
    rows = []
    for patient in range(patients):
        level = rng.normal(1.5, 1)
        for site in range(sites):
            truth = np.clip(round(level + rng.normal(0, 0.7)), 0, 4)
            for reader in range(readers):
                for modality, spread in (("alone", 1.2), ("with model", 1.2 - gain)):
                    rating = np.clip(round(truth + rng.normal(0, spread)), 0, 4)
                    rows.append((f"P{patient:02}", f"S{site}", f"R{reader}", modality, rating, truth))
    names = ["subject", "site", "reader", "modality", "rating", "truth"]
    table = pd.DataFrame(rows, columns=names)
    return table if sites > 1 else table.drop(columns="site")


def test_figures_of_merit_are_those_of_scikit_learn():
    rng = np.random.default_rng(2)
    rating, truth = rng.integers(0, 5, 60).astype(float), rng.integers(0, 4, 60).astype(float)
    kappa = cohen_kappa_score(rating.astype(int), truth.astype(int), weights="quadratic", labels=range(5))
    assert figure_of_merit("kappa", rating, truth) == pytest.approx(kappa)
    assert figure_of_merit("error", rating, truth) == pytest.approx(np.abs(rating - truth).mean())
    high = (truth >= 2).astype(float)
    assert figure_of_merit("auc", rating, high) == pytest.approx(roc_auc_score(high, rating))


@pytest.mark.parametrize("metric", METRICS)
def test_jackknife_leaves_out_one_patient_after_the_other(metric):
    rng = np.random.default_rng(3)
    patient = np.repeat(np.arange(15), 3)
    truth = (rng.random(45) < 0.5).astype(float)
    cells = np.round(truth + rng.normal(0, 1, (4, 45)), 1)
    cells[2, 5] = np.nan
    estimates, covariance = jackknife(metric, cells, truth, patient)
    left = np.array(
        [
            [figure_of_merit(metric, row[patient != p], truth[patient != p]) for p in range(15)]
            for row in cells
        ]
    )
    by_hand = 14 / 15 * (left - left.mean(axis=1)[:, None]) @ (left - left.mean(axis=1)[:, None]).T
    assert covariance == pytest.approx(by_hand, abs=1e-12)
    assert estimates == pytest.approx([figure_of_merit(metric, row, truth) for row in cells])


def test_one_shot_covariances_are_unbiased_also_with_missing_reads():
    rng = np.random.default_rng(4)
    positive = np.arange(16) < 7
    found, estimated = [], []
    for _ in range(1500):
        case = rng.normal(0, 1, 16) + positive
        cells = np.round(case + rng.normal(0, 0.8, (2, 16)), 1)
        cells[1, [0, 9, 10]] = np.nan
        theta, covariance = unbiased(cells, positive)
        found.append(theta)
        estimated.append(covariance)
    true = np.cov(np.array(found).T)
    assert np.mean(estimated, axis=0) == pytest.approx(true, rel=0.12)


def test_delong_takes_the_cases_that_two_readings_share():
    rng = np.random.default_rng(5)
    positive = np.arange(40) < 18
    cells = rng.normal(0, 1, (2, 40)) + positive
    cells[0, positive & (np.arange(40) % 2 == 0)] = np.nan
    cells[1, positive & (np.arange(40) % 2 == 1)] = np.nan
    cells[0, ~positive & (np.arange(40) % 2 == 0)] = np.nan
    cells[1, ~positive & (np.arange(40) % 2 == 1)] = np.nan
    assert delong(cells, positive)[1][0, 1] == 0  # they share none


@pytest.mark.parametrize("metric", METRICS)
def test_a_better_modality_is_found(metric):
    study = collect(made(patients=60, readers=5))
    result = analyse(study, metric, positive=2)
    row = result["analyses"][0]["differences"][0]
    assert (row["a"], row["b"]) == ("with model", "alone")
    assert row["p"] < 0.05
    assert (row["estimate"] < 0) == (result["better"] == "smaller")
    assert [one["analysis"] for one in result["analyses"]] == ["random", "fixed readers", "fixed cases"]


def test_sites_of_a_patient_count_together():
    table = made(patients=25, sites=6)
    by_site = analyse(collect(table), "error")
    assert (by_site["cases"], by_site["patients"]) == (150, 25)
    assert by_site["covariance"] == "jackknife"
    apart = table.assign(subject=table["subject"] + table["site"]).drop(columns="site")
    as_if = analyse(collect(apart), "error")
    assert by_site["cells"][0]["estimate"] == pytest.approx(as_if["cells"][0]["estimate"])
    assert by_site["cells"][0]["se"] != pytest.approx(as_if["cells"][0]["se"])
    with pytest.raises(InputError, match="several cases a patient"):
        analyse(collect(table), "auc", covariance="delong", positive=2)


def test_missing_reads_are_named_allowed_or_left_out():
    table = made()
    gaps = table.drop(index=[0, 40]).reset_index(drop=True)
    study = collect(gaps)
    assert len(study.missing) == 2
    assert "P00 by R0, alone" in analyse(study, "error")["notes"]["missing"]
    assert len(collect(gaps, policy=COMPLETE).cases) == 28
    with pytest.raises(InputError, match="2 reads are missing: P00 by R0, alone"):
        collect(gaps, policy=REFUSE)
    empty = table.astype({"rating": object})
    empty.loc[0, "rating"] = None
    assert len(collect(empty).missing) == 1
    assert len(collect(empty).refused) == 0


def test_rows_that_cannot_be_used_are_refused_by_their_reason():
    table = made().astype({"rating": object, "truth": object, "reader": object})
    table.loc[0, "rating"] = "bad"
    table.loc[1, "reader"] = None
    table.loc[2, "truth"] = None
    table.loc[len(table)] = table.loc[5]
    other = table.loc[12].copy()
    other["truth"] = float(other["truth"]) + 1
    other["modality"] = "third"
    table.loc[len(table)] = other
    reasons = " ".join(collect(table).refused["reason"])
    for words in ("rating is no number", "reader is empty", "truth is empty", "two reads", "two truths"):
        assert words in reasons


def test_what_cannot_be_analysed_is_said():
    with pytest.raises(InputError, match="different values"):
        analyse(collect(made()), "auc")
    with pytest.raises(InputError, match="AUC alone"):
        analyse(collect(made()), "kappa", covariance="delong")
    with pytest.raises(InputError, match="1 modalities"):
        collect(made()[lambda table: table["modality"] == "alone"])
    with pytest.raises(InputError, match="--reference"):
        collect(made(), reference="nothing")
    one = analyse(collect(made(readers=1)), "error")
    assert [row["analysis"] for row in one["analyses"]] == ["fixed readers"]
    assert "one reader" in one["notes"]["readers"]


def test_an_error_that_is_smaller_by_chance_is_said():
    said = set()
    for seed in range(8):
        result = analyse(collect(made(seed=seed)), "error")
        random, fixed = (one["differences"][0]["se"] for one in result["analyses"][:2])
        assert ("random" in result["notes"]) == (random < fixed)
        said.add("random" in result["notes"])
    assert said == {True, False}


def test_one_reader_is_the_paired_comparison():
    study = collect(made(readers=1))
    result = analyse(study, "error")
    errors = np.abs(study.ratings[:, 0] - study.truth)
    gap = errors[1] - errors[0]
    row = result["analyses"][0]["differences"][0]
    assert row["estimate"] == pytest.approx(gap.mean())
    assert row["se"] == pytest.approx(gap.std(ddof=1) / np.sqrt(len(gap)))


@pytest.mark.parametrize("metric", ["auc", "error"])
def test_level_and_coverage_hold_for_new_readers_and_cases(metric):
    """No difference on average; readers differ in skill and in what a modality does for them."""
    rng = np.random.default_rng(11)
    hits, trials, n, readers = 0, 120, 60, 5
    for _ in range(trials):
        truth = (np.arange(n) < 25).astype(float)
        skill = rng.normal(1.3, 0.25, readers)[None, :, None] + rng.normal(0, 0.15, (2, readers, 1))
        case = rng.normal(0, 0.5, n)[None, None, :] + rng.normal(0, 0.3, (2, 1, n))
        ratings = skill * truth + case + rng.normal(0, 0.8, (2, readers, n))
        table = pd.DataFrame(
            {
                "subject": np.tile(np.arange(n), 2 * readers),
                "reader": np.tile(np.repeat(np.arange(readers), n), 2),
                "modality": np.repeat(["a", "b"], readers * n),
                "rating": ratings.ravel(),
                "truth": np.tile(truth, 2 * readers),
            }
        )
        row = analyse(collect(table), metric)["analyses"][0]["differences"][0]
        hits += row["p"] < 0.05
    assert hits / trials <= 0.1


def test_reads_without_a_fault_are_no_certainty():
    """All positive cases stand above all others for every reader: no interval is [1, 1], none [0, 0]."""
    table = made(patients=20).assign(truth=lambda rows: (rows["subject"] > "P09").astype(float))
    study = collect(table.assign(rating=table["truth"]))
    found = analyse(study, "auc")
    cell = found["cells"][0]
    assert cell["estimate"] == 1 and cell["ci"][1] == 1 and 0.6 < cell["ci"][0] < 0.95
    assert found["means"][0]["ci"] == [None, None]
    assert analyse(study, "error")["cells"][0]["ci"] == [None, None]
