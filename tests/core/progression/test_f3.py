"""Two readers, two visits: every number of domain.md F3, and the change rules of F8."""

import numpy as np
import pandas as pd
import pytest

from core.agreement.icc import icc
from core.progression.analysis import progression
from core.progression.annualise import change_per_year
from core.progression.change import changes
from core.progression.missing.extrapolation import extrapolate_linearly
from core.progression.pairing import interval_of
from core.progression.sdc import smallest_detectable_change
from core.progression.totals_table import collect

R1_BASE = [0, 4, 12, 22, 2, 35, 0, 8, 16, 5]
R1_FOLLOW = [0, 6, 13, 22, 2, 41, 2, 8, 19, 5]
R2_BASE = [0, 5, 10, 24, 2, 33, 1, 7, 15, 6]
R2_FOLLOW = [1, 6, 13, 23, 2, 37, 1, 8, 16, 6]


def table():
    rows = [
        (f"P{number + 1}", "A", reader, day, totals[number])
        for reader, base, follow in (("R1", R1_BASE, R1_FOLLOW), ("R2", R2_BASE, R2_FOLLOW))
        for day, totals in ((0, base), (730, follow))
        for number in range(10)
    ]
    return pd.DataFrame(rows, columns=["subject", "arm", "reader", "days", "total"])


@pytest.fixture(scope="module")
def result():
    return progression(collect(table()))


@pytest.fixture(scope="module")
def change():
    readings = collect(table())
    return changes(readings, interval_of(readings.rows))


def test_change_by_reader_and_mean(change):
    assert change.per_reader[:, 0].tolist() == [0, 2, 1, 0, 0, 6, 2, 0, 3, 0]
    assert change.per_reader[:, 1].tolist() == [1, 1, 3, -1, 0, 4, 0, 1, 1, 0]
    assert change.mean.tolist() == [0.5, 1.5, 2, -0.5, 0, 5, 1, 0.5, 2, 0]


def test_summary(result):
    row = result["summary"]["all"]
    assert (row["n"], row["median"], row["q1"], row["q3"]) == (10, 0.75, 0.125, 1.875)
    assert row["mean"] == pytest.approx(1.2, abs=1e-12)
    assert row["sd"] == pytest.approx(1.584649, abs=5e-7)
    assert row["srm"] == pytest.approx(0.757266, abs=5e-7)
    assert row["ci"] == pytest.approx([0.066407, 2.333593], abs=5e-6)
    assert result["summary"]["A"] == row


def test_smallest_detectable_change(result, change):
    assert smallest_detectable_change(change.complete).sd_of_difference == pytest.approx(1.429841, abs=5e-7)
    assert result["sdc95"]["one_reader"] == pytest.approx(1.981658, abs=5e-7)
    assert result["sdc95"]["mean_of_readers"] == pytest.approx(1.401244, abs=5e-7)
    assert result["sdc80"]["mean_of_readers"] == pytest.approx(0.916242, abs=5e-7)
    assert result["bias"]["estimate"] == pytest.approx(0.4)


def test_agreement_on_change(result):
    form = result["change_icc"]["ICC(A,1)"]
    assert [form["estimate"], *form["ci"]] == pytest.approx([0.6667, 0.1288, 0.9044], abs=5e-5)
    form = result["change_icc"]["ICC(A,k)"]
    assert [form["estimate"], *form["ci"]] == pytest.approx([0.8, 0.2282, 0.9498], abs=5e-5)


def test_agreement_on_status():
    forms = [icc(np.column_stack(pair))["forms"] for pair in ((R1_BASE, R2_BASE), (R1_FOLLOW, R2_FOLLOW))]
    assert forms[0]["ICC(A,1)"]["estimate"] == pytest.approx(0.9930, abs=5e-5)
    assert forms[0]["ICC(C,1)"]["estimate"] == pytest.approx(0.9922, abs=5e-5)
    assert forms[1]["ICC(A,1)"]["estimate"] == pytest.approx(0.9901, abs=5e-5)


def test_progressors_and_net(result):
    counts = result["progressors"]
    assert {name: counts[name] for name in (">0", ">0.5", ">=2", ">SDC")} == {
        ">0": 7,
        ">0.5": 5,
        ">=2": 3,
        ">SDC": 4,
    }
    assert result["net_progression"] == 6
    share = result["progressor_shares"][">0"]["all"]["share"]
    assert [share["estimate"], *share["ci"]] == pytest.approx([0.7, 0.396778, 0.892209], abs=5e-7)


def test_cumulative_probability(result):
    points = [(point["x"], point["y"]) for point in result["cumulative_probability"]]
    y = [-0.5, 0, 0, 0.5, 0.5, 1, 1.5, 2, 2, 5]
    assert points == [(pytest.approx(0.05 + 0.1 * place), y[place]) for place in range(10)]
    assert [point["subject"] for point in result["cumulative_probability"]][:3] == ["P4", "P5", "P10"]


def test_cases_for_adjudication(change):
    apart = np.abs(change.per_reader[:, 0] - change.per_reader[:, 1])
    assert not (apart > 2).any()
    assert (np.flatnonzero(apart >= 2) + 1).tolist() == [3, 6, 7, 9]


def test_annualised(result):
    assert result["change"][0]["annualised"] == pytest.approx(0.250171, abs=5e-7)
    assert change_per_year(2.0, 730) == pytest.approx(1.0007, abs=5e-5)


def test_linear_extrapolation():
    assert extrapolate_linearly(1.2, 16, 52) == pytest.approx(3.9)
    assert extrapolate_linearly(-0.5, 12, 24) == pytest.approx(-1.0)
