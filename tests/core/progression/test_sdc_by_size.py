"""SDC by size of change, and new sites."""

import numpy as np
import pandas as pd
import pytest

from core.progression.lesions.erosions import new_erosions
from core.progression.sdc import smallest_detectable_change
from core.progression.sdc_by_size import sdc_by_size

RNG = np.random.default_rng(5)


def readings(n=300):
    """Changes of two readers whose error grows with the change."""
    truth = RNG.exponential(2.0, n)
    return truth[:, None] + RNG.normal(size=(n, 2)) * (0.2 + 0.5 * truth)[:, None]


def test_thirds_hold_a_third_of_the_patients_each_and_rise_with_the_error():
    found = sdc_by_size(readings())
    assert [band["n"] for band in found["bands"]] == [100, 100, 100]
    limits = [band["sdc95"]["mean_of_readers"] for band in found["bands"]]
    assert limits == sorted(limits)
    assert found["trend"]["spearman"] > 0.3
    assert found["trend"]["p"] < 0.001


def test_one_band_is_the_studys_sdc():
    change = readings(50)
    (band,) = sdc_by_size(change, edges=[])["bands"]
    whole = smallest_detectable_change(change)
    assert band["sdc95"] == {"one_reader": whole.limit(1), "mean_of_readers": whole.limit(2)}
    assert band["sdc95_ci"]["mean_of_readers"] == list(whole.interval(2))


def test_a_size_at_a_border_belongs_to_the_upper_band():
    change = np.array([[0.5, 0.5], [-0.5, -0.5], [0.2, 0.4], [0.0, 0.1], [2.0, 3.0], [-2.0, -2.0]])
    found = sdc_by_size(change, edges=[0.5, 2.0])
    assert [band["n"] for band in found["bands"]] == [2, 2, 2]
    assert [band["label"] for band in found["bands"]] == ["0 to below 0.5", "0.5 to below 2", "2 or more"]


def test_many_without_change_make_fewer_bands():
    change = np.vstack([np.zeros((20, 2)), RNG.normal(size=(5, 2))])
    found = sdc_by_size(change)
    assert sum(band["n"] for band in found["bands"]) == 25
    assert len(found["bands"]) < 3


def test_what_cannot_be_computed_is_said():
    assert sdc_by_size(np.zeros((1, 2)))["notes"] == {
        "bands": "1 subjects and 2 readers; 2 of each are needed"
    }
    found = sdc_by_size(np.array([[0, 0], [0, 1], [9, 9]]), edges=[5])
    assert found["bands"][1]["sdc95"] is None
    assert found["notes"] == {"5 or more": "1 subjects: an SDC needs 2"}
    assert sdc_by_size(np.zeros((6, 2)))["trend"] is None


def grades(*rows):
    columns = ["subject", "visit", "reader", "site", "feature", "grade"]
    return pd.DataFrame(rows, columns=columns)


def film(subject, reader, visit, **sites):
    return [(subject, visit, reader, f"LH.E.{site}", "erosion", grade) for site, grade in sites.items()]


def test_new_erosion_by_each_variant():
    frame = grades(
        *film("P1", "R1", "BL", MCP2=0, MCP3=1, RAD=0),
        *film("P1", "R2", "BL", MCP2=0, MCP3=0, RAD=np.nan),
        *film("P1", "R1", "W52", MCP2=1, MCP3=2, RAD=0),
        *film("P1", "R2", "W52", MCP2=0, MCP3=1, RAD=3),
        ("P1", "W52", "R1", "LH.J.MCP2", "jsn", 4),
    )
    row = new_erosions(frame, "BL", "W52").iloc[0]
    assert row["judged_sites"] == 3
    # MCP2: 0, 0 -> 1, 0 (mean 0.5); MCP3: 1, 0 (mean 0.5) -> 2, 1 (mean 1.5), new for R2 alone
    assert [row[name] for name in ("by_mean", "by_all_readers", "by_any_reader")] == [1, 0, 2]
    assert row["newly_eroded_by_mean"] == 1
    assert row["newly_eroded_by_all_readers"] == 0
    assert np.isnan(row["newly_eroded_by_any_reader"])  # R1 saw an erosion at baseline


def test_a_subject_without_a_pair_is_not_judged():
    frame = grades(
        *film("P1", "R1", "BL", MCP2=0), *film("P2", "R1", "BL", MCP2=0), *film("P2", "R1", "W52", MCP2=2)
    )
    found = new_erosions(frame, "BL", "W52").set_index("subject")
    assert found.loc["P1", "judged_sites"] == 0
    assert found.loc["P1", ["by_mean", "newly_eroded_by_mean"]].isna().all()
    assert found.loc["P2", "newly_eroded_by_any_reader"] == 1


def test_without_a_feature_the_site_says_what_it_is():
    frame = grades(*film("P1", "R1", "BL", MCP2=0), *film("P1", "R1", "W52", MCP2=1)).drop(columns="feature")
    assert new_erosions(frame, "BL", "W52")["by_mean"].tolist() == [1]
    assert pytest.approx(0) == new_erosions(frame.iloc[:1], "BL", "W52")["judged_sites"].sum()
