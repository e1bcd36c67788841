"""Grids and groups: the same numbers as the tidy tables they are made of."""

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError
from core.patient.standing import rank_among
from core.progression.analysis import Options, progression
from core.progression.arms.by_group import by_site, by_subgroup, by_visit, masks
from core.progression.grid import site_grid, total_grid
from core.progression.summary import difference_of_means, summary
from core.progression.totals_table import collect
from core.progression.without_p_values import without_p

VISITS = ["SCR", "BL", "W52", "W104"]
DAYS = {"SCR": -20.0, "BL": 0.0, "W52": 364.0, "W104": 728.0}


@pytest.fixture
def long():
    rng = np.random.default_rng(4)
    rows = [
        {"subject": f"P{p:02d}", "arm": "AB"[p % 2], "visit": visit, "day": DAYS[visit], "label": reader,
         "total": float(rng.integers(0, 30)) if rng.random() > 0.1 else None,
         "imputed_sites": int(rng.random() > 0.8)}
        for p in range(20) for visit in VISITS for reader in ("R1", "R2") if rng.random() > 0.1
    ]  # fmt: skip
    return pd.DataFrame(rows).sample(frac=1, random_state=1, ignore_index=True)


def tidy(long):
    names = ["subject", "arm", "reader", "days", "total"]
    return long[["subject", "arm", "label", "day", "total"]].set_axis(names, axis=1)


@pytest.mark.parametrize("days", [(0.0, 728.0), (0.0, 364.0), (-20.0, 728.0)])
def test_progression_of_a_grid_is_that_of_the_table(long, days):
    grid = total_grid(long, VISITS)
    given = tidy(long).sort_values(["subject", "days", "reader"], ignore_index=True)
    expected = progression(collect(given), Options(*days, window=10))
    for frame in (grid.frame(), grid.frame(near=(*days, 10.0))):
        found = progression(collect(frame), Options(*days, window=10))
        assert found["summary"] == expected["summary"]
        assert found["sdc95"] == expected["sdc95"]
        assert {row["subject"] for row in found["left_out"]} == {
            row["subject"] for row in expected["left_out"]
        }


def test_readings_of_a_grid_are_those_of_its_table(long):
    grid = total_grid(long, VISITS)
    for near in (None, (0.0, 364.0, 10.0)):
        made, expected = grid.readings(near), collect(grid.frame(near))
        assert made.has_arm == expected.has_arm
        assert set(made.subjects) == set(expected.subjects)
        texts = {"subject": str, "reader": str, "arm": str}
        left, right = (one.rows.astype(texts) for one in (made, expected))
        pd.testing.assert_frame_equal(left, right[left.columns])
        first, second = (progression(one, Options(0.0, 364.0, 10.0)) for one in (made, expected))
        assert first == {**second, "refused": first["refused"]}
        assert second["refused"] == []


def test_two_visits_of_one_day_are_refused_as_in_a_table(long):
    again = long[long["visit"] == "BL"].assign(visit="BL2")
    grid = total_grid(pd.concat([long, again]), ["SCR", "BL", "BL2", "W52", "W104"])
    assert "two rows for one subject, reader and day" in set(grid.readings().refused["reason"])


def test_a_mask_is_a_filter(long):
    grid = total_grid(long, VISITS)
    some = ["P03", "P10", "P11"]
    only = grid.only(some, ["R2"])
    rows = long[long["subject"].isin(some) & (long["label"] == "R2")]
    again = total_grid(rows, VISITS)
    assert only.subjects.tolist() == again.subjects.tolist() == some
    np.testing.assert_array_equal(only.totals, again.totals)
    assert only.of_visits(["W104", "BL"]).visits == ["BL", "W104"]


def test_without_imputed_sites_no_imputed_total_is_left(long):
    grid = total_grid(long, VISITS).complete_only()
    assert np.isnan(grid.totals[grid.imputed > 0]).all()
    kept = long[(long["imputed_sites"] == 0) & long["total"].notna()]
    assert (~np.isnan(grid.totals)).sum() == len(kept)


def test_mean_by_visit_is_formed_within_readers(long):
    grid = total_grid(long, VISITS)
    found = by_visit(grid.change_from("BL"), grid.arm, VISITS).set_index(["arm", "visit"])
    wide = long.pivot(index="subject", columns=["label", "visit"], values="total").astype(float)
    change = pd.concat([wide[(r, "W104")] - wide[(r, "BL")] for r in ("R1", "R2")], axis=1).mean(axis=1)
    arm = long.drop_duplicates("subject").set_index("subject")["arm"]
    for name in "AB":
        expected = summary(change[arm == name].dropna().to_numpy())
        assert found.loc[(name, "W104"), "n"] == expected["n"]
        assert found.loc[(name, "W104"), "mean"] == pytest.approx(expected["mean"])
        assert found.loc[(name, "W104"), "low"] == pytest.approx(expected["ci"][0])


def test_sites_are_counted_by_the_mean_of_readers():
    rows = [
        ("P1", "BL", "R1", 0), ("P1", "BL", "R2", 0), ("P1", "W52", "R1", 2), ("P1", "W52", "R2", 0),
        ("P2", "BL", "R1", 1), ("P2", "W52", "R1", 0), ("P3", "BL", "R1", 1), ("P3", "W52", "R1", None),
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["subject", "visit", "label", "grade"]).assign(site="C3S", arm=None)
    grid = site_grid(frame, VISITS, ["C2I", "C3S"])
    cells = by_site(grid.change("BL", "W52"), masks(grid.arm), grid.sites).set_index("site")
    row = cells.loc["C3S"]
    assert (row["group"], row["n"], row["worse"], row["better"], row["mean"]) == ("all", 2, 1, 1, 0.0)
    assert cells.loc["C2I", "n"] == 0
    assert cells.loc["C2I", "share"] is None or np.isnan(cells.loc["C2I", "share"])


def test_a_subgroup_is_the_difference_of_its_own_patients():
    change = np.array([1.0, 2.0, 4.0, 0.0, 1.0, 7.0])
    arm = np.array(["A", "B", "A", "B", "A", "B"], object)
    young = np.array([True, True, True, True, False, False])
    rows = by_subgroup(change, arm, {"all": np.ones(6, bool), "young": young, "old": ~young}, "A", "B")
    expected = difference_of_means(change[[0, 2]], change[[1, 3]])
    assert rows.loc[1, "estimate"] == expected["estimate"]
    assert [rows.loc[1, "low"], rows.loc[1, "high"]] == expected["ci"]
    assert rows.loc[2, ["n_second", "n_first"]].tolist() == [1, 1]
    assert rows.loc[2, "estimate"] == -6
    assert np.isnan(rows.loc[2, "low"])


def test_rank_among_others_counts_ties_half():
    rank = rank_among(2.0, [0, 0, 2, 5, np.nan])
    assert (rank.below, rank.equal, rank.above) == (2, 1, 1)
    assert rank.percentile == 62.5
    assert rank_among(1, []).percentile is None


def test_p_values_are_taken_out_at_any_depth():
    result = {"p": 0.01, "rows": [{"p": 0.2, "estimate": 1.0, "ci": [0, 2]}], "notes": {}}
    assert without_p(result) == {
        "p": None,
        "rows": [{"p": None, "estimate": 1.0, "ci": [0, 2]}],
        "notes": {},
    }
    assert result["p"] == 0.01


def test_a_visit_that_is_not_listed_is_refused_and_never_counted_as_the_last(long):
    with pytest.raises(InputError, match="visit W104"):
        total_grid(long, VISITS[:-1])
    sites = long.rename(columns={"total": "grade"}).assign(site="C3")
    with pytest.raises(InputError, match="visit W104"):
        site_grid(sites, VISITS[:-1], ["C3"])
