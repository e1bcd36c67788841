"""Power Doppler is graded by measurement of the vessels drawn inside the synovium."""

import numpy as np
import pytest

from data.phantom.ultrasound.body import CODE
from data.phantom.ultrasound.doppler import CELL, FlowSettings, colour_power, draw_blood, measure_flow
from data.phantom.ultrasound.machines import MACHINES

SYNOVIUM = np.zeros((60, 120), bool)
SYNOVIUM[20:45, 10:110] = True  # 12 mm2


def spots(*sides_mm: float) -> np.ndarray:
    """Square spots side by side in the synovium."""
    blood, left = np.zeros(SYNOVIUM.shape, bool), 12
    for side in sides_mm:
        cells = round(side / CELL)
        blood[22 : 22 + cells, left : left + cells] = True
        left += cells + 3
    return blood


@pytest.mark.parametrize(
    ("sides", "grade"),
    [
        ((), 0),
        ((0.07,), 0),  # a speck
        ((0.28,), 1),
        ((0.28, 0.28, 0.28), 1),
        ((0.28, 0.28, 0.28, 0.28), 2),  # four single spots
        ((0.84,), 1),  # a confluent one
        ((0.84, 0.28, 0.28), 1),
        ((0.84, 0.28, 0.28, 0.28), 2),
        ((0.84, 0.84), 1),
        ((0.84, 0.84, 0.28), 2),
        ((1.4,), 2),  # larger than a spot
    ],
)
def test_grade_counts_spots(sides, grade):
    assert measure_flow(spots(*sides), SYNOVIUM).grade == grade


@pytest.mark.parametrize(("share", "grade"), [(0.4, 2), (0.49, 2), (0.52, 3), (1.0, 3)])
def test_grade_3_is_more_than_half_of_the_area(share, grade):
    blood = np.zeros(SYNOVIUM.shape, bool)
    blood[:, : 10 + round(100 * share)] = True
    assert measure_flow(blood, SYNOVIUM).grade == grade


def test_flow_outside_the_synovium_does_not_count():
    blood = ~SYNOVIUM
    assert measure_flow(blood, SYNOVIUM).grade == 0


@pytest.mark.parametrize("severity", [0.5, 1.5, 2.2, 2.7, 3.5])
def test_vessels_are_drawn_in_the_synovium(severity):
    for seed in range(10):
        blood = draw_blood(np.random.default_rng(seed), SYNOVIUM, severity)
        assert not (blood & ~SYNOVIUM).any()
        assert blood.any() == (severity >= 1)


def test_colour_blooms_beyond_vessels_and_stays_in_its_box():
    tissues = np.where(SYNOVIUM, CODE["synovium"], CODE["soft tissue"]).astype(np.uint8)
    settings = FlowSettings(6.0, (0.1, 0.2, 0.9, 0.9), flash=0.0, vessels=0, mirror=False, seed=1)
    blood = np.zeros(SYNOVIUM.shape, bool)
    blood[26:38, 40:80] = True
    shown = colour_power(MACHINES[0], settings, blood, tissues) > 0
    assert shown[blood].mean() > 0.9
    assert (shown & ~blood).any()
    assert not shown[:, :12].any()
    assert not shown[:12].any()


def test_flash_is_colour_without_flow():
    tissues = np.full(SYNOVIUM.shape, CODE["soft tissue"], np.uint8)
    quiet, moved = (
        colour_power(
            MACHINES[0],
            FlowSettings(0.0, (0, 0, 1, 1), flash=flash, vessels=0, mirror=False, seed=1),
            np.zeros(SYNOVIUM.shape, bool),
            tissues,
        )
        for flash in (0.0, 1.6)
    )
    assert (quiet > 0).mean() < 0.05
    assert (moved > 0).sum() > (quiet > 0).sum() + 100
