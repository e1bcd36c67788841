"""SDC by size of change."""

import numpy as np

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
