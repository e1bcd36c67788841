"""The waterfall: no arm paints over another, whatever the number of patients."""

import numpy as np
import pandas as pd
import pytest

from core.figures.drawn_values import drawn_values
from core.figures.progression.waterfall import MAX_TOGETHER, waterfall

ARMS = ["Active", "Placebo"]


def points(count):
    rng = np.random.default_rng(count)
    arm = [ARMS[number % 2] for number in range(count)]
    y = rng.normal(size=count).round(1)
    return pd.DataFrame({"subject": [f"P{number:04}" for number in range(count)], "arm": arm, "y": y})


def bars(figure):
    return [trace for trace in figure.data if trace.type == "bar"]


@pytest.mark.parametrize("count", [4, MAX_TOGETHER, MAX_TOGETHER + 2, 3000])
def test_no_two_bars_stand_in_one_place(count):
    figure = waterfall(points(count), unit="score", sdc=1.5, arms=ARMS)
    places = [(trace.xaxis or "x", place) for trace in bars(figure) for place in trace.x]
    assert len(places) == len(set(places)) == count
    assert len({axis for axis, _ in places}) == (1 if count <= MAX_TOGETHER else 2)
    for trace in bars(figure):
        assert (np.diff(trace.y) <= 0).all()


def test_many_patients_of_one_arm_need_one_panel():
    rows = points(1000).assign(arm=None)
    figure = waterfall(rows, unit="score", sdc=None, arms=[])
    assert {trace.xaxis for trace in bars(figure)} <= {None, "x"}


def test_the_table_of_a_figure_holds_every_patient_once():
    rows = points(300)
    table = drawn_values(waterfall(rows, unit="score", sdc=1.5, arms=ARMS))
    bars_of = table[~table["series"].str.endswith("no change")]
    assert sorted(bars_of["point 1"]) == sorted(rows["subject"])
    values = dict(zip(bars_of["point 1"], bars_of["change (score)"], strict=True))
    assert values == dict(zip(rows["subject"], rows["y"], strict=True))
