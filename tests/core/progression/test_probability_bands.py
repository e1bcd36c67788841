"""Bands of the cumulative probability plot: exact limits, and how often they hold."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from core.figures.progression.probability_bands import with_bands
from core.progression.probability import (
    POINTWISE,
    SIMULTANEOUS,
    cumulative_probability,
    probability_bands,
)


def points(changes, arm="A"):
    n = len(changes)
    return cumulative_probability(pd.Series(range(n)), pd.Series([arm] * n, dtype=object), np.array(changes))


def test_simultaneous_band_is_kolmogorovs():
    band = probability_bands(points(range(20)), SIMULTANEOUS)
    assert (band["x"] - band["low"]).max() == pytest.approx(0.29408, abs=1e-5)  # Kolmogorov, n = 20, 5%


def test_pointwise_band_is_that_of_clopper_and_pearson():
    band = probability_bands(points([0] * 6 + list(range(1, 5))), POINTWISE)
    first = band.iloc[0]
    assert first["x"] == 0.6
    assert (first["low"], first["high"]) == pytest.approx(
        (0.2623781, 0.8784477), abs=1e-6
    )  # binom.test(6, 10)
    assert tuple(band.iloc[-1][["x", "high"]]) == (1.0, 1.0)


@pytest.mark.parametrize(("kind", "least", "most"), [(SIMULTANEOUS, 0.92, 0.98), (POINTWISE, 0.4, 0.9)])
def test_the_whole_curve_lies_in_a_simultaneous_band(kind, least, most):
    studies, n = 400, 25
    values = np.random.default_rng(4).uniform(0, 1, (studies, n))  # the population's share at y is y itself
    arms = pd.Series(np.repeat([f"{number:03}" for number in range(studies)], n), dtype=object)
    band = probability_bands(
        cumulative_probability(pd.Series(range(studies * n)), arms, values.ravel()), kind
    )
    at_none = 1 - 0.025 ** (1 / n) if kind == POINTWISE else band["high"].iloc[0] - 1 / n
    before = band.groupby("arm")["high"].shift(1).fillna(at_none)  # the limit just before each step
    held = ((band["low"] <= band["y"]) & (band["y"] <= before)).groupby(band["arm"]).all()
    assert least <= held.mean() <= most


def test_every_arm_has_its_band_and_ties_are_one_step():
    both = pd.concat([points([0, 0, 1, 2]), points([0, 3], "B")], ignore_index=True)
    band = probability_bands(both)
    assert band.groupby("arm").size().to_dict() == {"A": 3, "B": 2}
    assert band.iloc[0][["y", "x"]].tolist() == [0.0, 0.5]
    alone = probability_bands(both.assign(arm=None))
    assert alone["arm"].isna().all()
    assert len(alone) == 4


def test_bands_lie_under_the_curves():
    curve = points([0, 1, 2, 5])
    figure = with_bands(go.Figure(go.Scatter(name="A")), curve, SIMULTANEOUS, arms=["A"])
    assert [trace.name for trace in figure.data] == ["band of A", "A"]
    assert len(with_bands(go.Figure(go.Scatter(name="A")), curve, "no band", arms=["A"]).data) == 1
