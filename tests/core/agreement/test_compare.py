"""Every pair in every group from one long frame, changes, and the worklist."""

import numpy as np
import pandas as pd
import pytest

from core.agreement import compare as module
from core.agreement.compare import STATISTICS, Columns, change_between, compare, worklist
from core.agreement.icc import icc

SITES = Columns(subject="subject", rater="reader", rating="grade")


def totals() -> pd.DataFrame:
    """Three readers, 20 patients, two visits, two components; R2 lacks patient P3 at W52."""
    rng = np.random.default_rng(0)
    rows = []
    for patient in range(20):
        for visit in ("BL", "W52"):
            truth = rng.gamma(1, 8)
            for reader in ("R1", "R2", "model"):
                for component in ("cervical", "total"):
                    rows.append((f"P{patient}", visit, component, reader, truth + rng.normal()))
    frame = pd.DataFrame(rows, columns=["subject", "visit", "component", "reader", "total"])
    return frame[~((frame.subject == "P3") & (frame.visit == "W52") & (frame.reader == "R2"))]


def grades() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    truth = np.clip(rng.poisson(0.7, (25, 4)), 0, 3)
    rows = [
        (f"P{p}", f"C{s}", reader, float(np.clip(truth[p, s] + rng.choice([-1, 0, 0, 0, 1]), 0, 3)))
        for p in range(25)
        for s in range(4)
        for reader in ("R1", "R2", "model")
    ]
    return pd.DataFrame(rows, columns=["subject", "site", "reader", "grade"])


def one(found: pd.DataFrame, **where) -> pd.Series:
    for column, value in where.items():
        found = found[found[column] == value]
    assert len(found) == 1
    return found.iloc[0]


def test_every_group_and_pair_has_every_statistic():
    found = compare(totals(), ["component", "visit"])
    assert len(found) == 2 * 2 * 3 * len(STATISTICS)
    pairs = found[["first", "second"]].drop_duplicates().apply(tuple, axis=1).tolist()
    assert pairs == [("R1", "R2"), ("R1", "model"), ("R2", "model")]


def test_a_row_equals_the_single_function():
    frame = totals()
    here = frame[(frame.component == "total") & (frame.visit == "BL")]
    table = here.pivot(index="subject", columns="reader", values="total")[["R2", "model"]]
    expected = icc(table.to_numpy())["forms"]["ICC(A,1)"]
    found = one(
        compare(frame, ["component", "visit"]), component="total", visit="BL", first="R2", second="model",
        statistic="ICC(A,1)",
    )  # fmt: skip
    assert found["estimate"] == pytest.approx(expected["estimate"])
    assert [found["low"], found["high"]] == pytest.approx(expected["ci"])
    assert (found["n"], found["interval"]) == (20, "formula")


def test_left_out_counts_who_was_read_by_one_of_the_two():
    found = compare(totals(), ["component", "visit"], pairs=[("R1", "R2"), ("R1", "model")])
    gap = one(found, component="total", visit="W52", first="R1", second="R2", statistic="ccc")
    assert (gap["n"], gap["left_out"]) == (19, 1)
    full = one(found, component="total", visit="W52", first="R1", second="model", statistic="ccc")
    assert (full["n"], full["left_out"]) == (20, 0)


def test_patients_are_resampled_where_a_cluster_is_named():
    frame = grades()
    unit = frame.assign(unit=frame.subject + frame.site)
    found = compare(unit, columns=Columns("unit", "reader", "grade"), cluster="subject", draws=400)
    row = one(found, first="R1", second="R2", statistic="kappa.quadratic")
    assert row["low"] < row["estimate"] < row["high"]
    assert (row["n"], row["patients"], row["interval"]) == (100, 25, "patient bootstrap")
    alone = compare(unit, columns=Columns("unit", "reader", "grade"))
    same = one(alone, first="R1", second="R2", statistic="kappa.quadratic")
    assert same["estimate"] == pytest.approx(row["estimate"], abs=1e-9)


def test_formula_and_bootstrap_give_the_same_estimates_by_site():
    frame = grades()
    plain = compare(frame, ["site"], columns=SITES)
    drawn = compare(frame, ["site"], columns=SITES, cluster="subject", draws=100)
    assert plain["statistic"].tolist() == drawn["statistic"].tolist()
    np.testing.assert_allclose(plain["estimate"], drawn["estimate"], atol=1e-9)


def test_layout_in_parts_changes_nothing(monkeypatch):
    whole = compare(grades(), ["site"], columns=SITES, cluster="subject", draws=60)
    monkeypatch.setattr(module, "LARGEST", 60)
    parts = compare(grades(), ["site"], columns=SITES, cluster="subject", draws=60)
    pd.testing.assert_frame_equal(whole, parts, rtol=1e-9)


def test_two_ratings_of_one_thing_are_an_error():
    with pytest.raises(ValueError, match="name more columns in `by`"):
        compare(totals(), ["visit"])


def test_nothing_to_compare_is_an_empty_table():
    found = compare(totals().head(0), ["visit"])
    assert found.empty and "estimate" in found
    assert compare(totals(), ["component", "visit"], pairs=[("R1", "nobody")]).empty


def test_change_is_formed_within_reader_where_both_visits_are_there():
    frame = totals()
    change = change_between(frame, "BL", "W52", keys=["subject", "component", "reader"], rating="total")
    assert len(change) == 20 * 2 * 3 - 2
    row = one(change, subject="P5", component="total", reader="R1")
    here = frame[(frame.subject == "P5") & (frame.component == "total") & (frame.reader == "R1")]
    assert row["total"] == pytest.approx(np.diff(here["total"])[0])


def test_worklist_is_sorted_by_size_and_leaves_out_agreement():
    frame = pd.DataFrame(
        [("A", "R1", 1), ("A", "R2", 1), ("B", "R1", 0), ("B", "R2", 3), ("C", "R1", 2), ("C", "R2", 1)],
        columns=["subject", "reader", "grade"],
    )
    found = worklist(frame, "R1", "R2", keys=["subject"], columns=SITES)
    assert found[["subject", "difference", "size"]].values.tolist() == [["B", -3, 3], ["C", 1, 1]]
