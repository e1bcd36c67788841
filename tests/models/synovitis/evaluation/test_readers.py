"""Readers beside the model: combined grades by the table, kappas, and sums over the same joints."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score

from core.scores.synovitis import SYNOVITIS
from models.evaluation.agreement import totals
from models.synovitis.evaluation import readers

COMBINED = ((0, None, None, None), (1, 1, 2, 3), (2, 2, 2, 3), (3, 3, 3, 3))


def graded(who=("truth", "model", "R1", "R2"), patients=12, seed=0):
    """Grades of two joints on both scales by several readers, who now and then differ by one."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(patients):
        for joint in ("R.MCP2", "L.WR"):
            true = [int(rng.integers(0, 4)), int(rng.integers(0, 4))]
            true[1] = true[1] if true[0] else 0
            for reader in who:
                shift = rng.choice([-1, 0, 1], 2, p=[0.15, 0.7, 0.15]) * (reader != "truth")
                for scale, value, by in zip(("GS", "PD"), true, shift, strict=True):
                    grade = int(np.clip(value + by, 0, 3))
                    rows.append((f"P{number:02d}", "BL", reader, f"{joint}.{scale}", scale.lower(), grade))
    columns = ["subject", "visit", "reader", "site", "feature", "grade"]
    return pd.DataFrame(rows, columns=columns)


def test_combined_grade_is_the_cell_of_the_table():
    cells = [(gs, pd_) for gs in range(4) for pd_ in range(4)]
    rows = [
        (f"P{place}", "BL", "R1", f"R.MCP2.{scale}", grade)
        for place, cell in enumerate(cells)
        for scale, grade in zip(("GS", "PD"), cell, strict=True)
    ]
    grades = pd.DataFrame(rows, columns=["subject", "visit", "reader", "site", "grade"])
    found = readers.with_combined(grades)
    own = found[found["scale"] == "combined"].set_index("subject")["grade"]
    for place, (gs, pd_) in enumerate(cells):
        expected = COMBINED[gs][pd_]
        assert own.get(f"P{place}") == expected


def test_kappas_of_pairs_are_those_of_scikit_learn():
    grades = graded()
    found = readers.pairs(grades, draws=20)
    wide = grades[grades["feature"] == "gs"].pivot(
        index=["subject", "site"], columns="reader", values="grade"
    )
    expected = cohen_kappa_score(wide["R1"], wide["R2"], weights="quadratic")
    assert found["gs"]["readers"]["kappa"] == pytest.approx(expected)
    with_model = [cohen_kappa_score(wide["model"], wide[name], weights="quadratic") for name in ("R1", "R2")]
    assert found["gs"]["model with readers"]["kappa"] == pytest.approx(np.mean(with_model))
    linear = cohen_kappa_score(wide["R1"], wide["R2"], weights="linear")
    assert found["gs"]["readers"]["kappa_linear"] == pytest.approx(linear)
    assert found["gs"]["readers"]["pairs"]["R1 and R2"]["kappa_linear"]["ci"][0] < linear
    assert found["gs"]["readers"]["n"] == 24


def test_sums_are_over_joints_that_everybody_graded():
    grades = graded(seed=3)
    lost = (grades["subject"] == "P03") & (grades["site"] == "R.MCP2.PD") & (grades["reader"] == "model")
    same = readers.alike(grades[~lost])
    joints = same[same["subject"] == "P03"].groupby("reader")["site"].apply(set)
    assert all("R.MCP2.GS" not in sites and "R.MCP2.PD" not in sites for sites in joints)
    sums = totals(same, SYNOVITIS)
    asks = (grades["feature"] == "gs") & (grades["grade"] == 0)
    assert asks.any() and sums["total"].notna().all()
    counted = same.groupby(["subject", "reader"])["site"].nunique().unstack("reader")
    assert (counted.nunique(axis=1) == 1).all()


def test_figures_against_truth_have_an_area_for_the_model_alone():
    grades = graded(seed=5)
    own = grades[grades["reader"] == "model"]
    chances = {
        (row.subject, row.visit, row.site): np.eye(4)[row.grade] * 0.7 + 0.075 for row in own.itertuples()
    }
    found = readers.against_truth(grades, chances, draws=20)
    assert list(found["all"]) == ["model", "R1", "R2"]
    assert found["all"]["model"]["auc"]["estimate"] > 0.5
    assert found["all"]["R1"]["auc"]["estimate"] is None
    both = grades.pivot(index=["subject", "site"], columns="reader", values="grade")
    assert found["all"]["R1"]["accuracy"]["estimate"] == pytest.approx((both["R1"] == both["truth"]).mean())
