"""Charts of drift: a planted drift is found, none is found where there is none."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from core.agreement.drift import charts
from core.agreement.drift.charts import MIN_PATIENTS, Pictures, by_device, over_time, periods_of

MEASURES = ["error", "grade"]


def study(seed, patients=30, visits=3, kinds=2, device=0.0, late=0.0, nested=False):
    """Pictures of patients who enter over two years; the measures of a patient hang together, and fall by
    visit. device: what device C adds to errors. late: what is added to them from 2023 on.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(patients):
        start, own, person = rng.integers(0, 24), rng.integers(0, 3), rng.normal(size=2)
        for visit in range(visits):
            month = pd.Period("2021-01", "M") + int(start + 6 * visit)
            for kind in range(kinds):
                which = own if nested else rng.integers(0, 3)
                value = person + rng.normal(size=2) - 0.4 * visit + kind
                value[0] += device * (which == 2) + late * (month >= pd.Period("2023-01", "M"))
                rows.append((f"P{number}", visit, kind, "ABC"[which], month, *value))
    return pd.DataFrame(rows, columns=["subject", "visit", "kind", "device", "month", *MEASURES])


def flags(chart):
    return {
        (name, point["level"])
        for name, points in chart["measures"].items()
        for point in points
        if point["flag"]
    }


def test_planted_device_is_flagged_and_nothing_else():
    found = by_device(Pictures(study(1, device=1.5), MEASURES))
    assert ("error", "C") in flags(found)
    assert {name for name, _ in flags(found)} == {"error"}
    point = {one["level"]: one for one in found["measures"]["error"]}["C"]
    assert point["difference"] == pytest.approx(1.5, abs=0.5)
    assert point["difference"] > point["limit"]


def test_planted_change_over_time_is_flagged_after_it_began():
    found = over_time(
        Pictures(study(2, patients=60, late=1.5), MEASURES), reference=pd.Period("2022-06", "M")
    )
    late = {level for name, level in flags(found) if name == "error"}
    assert late
    begins = {one["level"]: one["first"] for one in found["periods"]}
    assert min(begins[level] for level in late) >= "2022-12"
    assert all(name == "error" for name, _ in flags(found))
    inside = [one for one, head in zip(found["measures"]["error"], found["periods"], strict=True)
              if head["is_reference"]]  # fmt: skip
    assert inside and all(one["difference"] is None and not one["flag"] for one in inside)


@pytest.mark.parametrize("nested", [False, True], ids=["devices shared", "a device a patient"])
def test_few_charts_have_a_flag_where_nothing_differs(nested):
    """The chance is 5% a chart of two measures; 5 of 20 or more happen once in 390 such tests."""
    raised = [0, 0]
    for seed in range(20):
        given = Pictures(study([7, seed], nested=nested), MEASURES)
        raised[0] += bool(flags(by_device(given, flips=199)))
        raised[1] += bool(flags(over_time(given, flips=199)))
    assert max(raised) <= 4


def test_falling_with_treatment_is_no_drift_of_devices_or_time():
    """Everybody falls by visit; without strata later periods, which hold later visits, would be flagged."""
    rows = study(3, patients=80)
    rows["grade"] -= 3.0 * rows["visit"]
    assert not flags(over_time(Pictures(rows, MEASURES)))
    assert flags(over_time(Pictures(rows, MEASURES, strata=("kind",))))


def test_moving_average_is_that_of_a_plain_loop():
    n, average, rows = np.array([4, 2, 3, 3]), 0.0, []
    means, base = np.array([1.0, 2.0, 4.0, 3.0]), np.average([1.0, 2.0], weights=[4, 2])
    for mean in means[2:]:
        average = 0.3 * (mean - base) + 0.7 * average
        rows.append(average)
    found = charts.moving_average(n, np.array([True, True, False, False]), 0.3)
    assert np.isnan(found[:2]).all()
    assert found[2:] @ means == pytest.approx(rows)


def test_few_patients_are_not_compared_but_listed():
    rows = study(4)
    rows.loc[rows["subject"].isin(["P1", "P2"]), "device"] = "rare"
    rows.loc[rows["subject"] == "P3", "device"] = ""
    found = by_device(Pictures(rows, MEASURES))
    assert [one["level"] for one in found["levels"]] == ["A", "B", "C"]
    assert [(one["level"], one["patients"]) for one in found["left_out"]] == [("rare", 2), ("not stated", 1)]


def test_no_period_has_few_patients_or_crosses_the_reference():
    rows = study(5)
    edge = pd.Period("2022-03", "M")
    for reference in (None, edge):
        found = periods_of(rows, reference)
        for first, last in found:
            inside = rows[(rows["month"] >= first) & (rows["month"] <= last)]
            assert inside["subject"].nunique() >= MIN_PATIENTS
            assert reference is None or not first <= reference < last
        assert all(before[1] < after[0] for before, after in pairwise(found))
    assert periods_of(rows.head(3)) == []


def test_one_device_gives_no_chart():
    rows = study(6).assign(device="A")
    found = by_device(Pictures(rows, MEASURES))
    assert found["measures"] == {} and found["limit"] is None
