"""Naming of units and corners: from loose points, with gaps, strangers, tilt and without an end to count
from.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.scores import get
from models.common.frames import Frame, TileShape
from models.msasss.geometry import (
    Candidates,
    Chain,
    Unnamed,
    name_chain,
    name_corners,
    tile_frames,
    unit_boxes,
)
from models.msasss.sites import ALL_UNITS, CORNERS, REGIONS, SITES, UNITS

SHAPE = TileShape(rows=160, columns=128, mm_per_pixel=0.28, midpoint_x=0.4)


def spine(region="lumbar", spacing=40.0, lean=0.1, start=(120.0, 60.0)):
    """(6, 2) centres of a gently curved spine, mm."""
    k = np.arange(6)
    return np.stack([start[0] + spacing * (lean * k + 0.05 * (k - 2.5) ** 2), start[1] + spacing * k], axis=1)


def finder_view(xy, region="lumbar", right=0.8, neighbour=0.15):
    """Candidates with the right class on top and a little on its neighbours."""
    first = ALL_UNITS.index(UNITS[region][0])
    scores = np.full((6, 12), 0.01)
    for k in range(6):
        scores[k, first + k] = right
        for other in (k - 1, k + 1):
            if 0 <= other < 6:
                scores[k, first + other] = neighbour
    return Candidates(xy, unit_boxes(xy)[:, 2], scores)


def only(found, keep):
    return Candidates(found.xy[keep], found.size[keep], found.scores[keep])


def test_sites_are_those_of_the_score_system():
    ours = [site for region in REGIONS for site in SITES[region]]
    assert ours == [site.code for site in get("msasss").sites]


@pytest.mark.parametrize("region", REGIONS)
def test_complete_spine_is_named_from_head_to_foot(region):
    xy = spine(spacing=40.0 if region == "lumbar" else 25.0)
    chain = name_chain(finder_view(xy, region))
    assert isinstance(chain, Chain)
    assert chain.region == region
    assert chain.xy == pytest.approx(xy)
    assert chain.seen.all()


@settings(max_examples=40, deadline=None)
@given(
    order=st.permutations(range(6)),
    lean=st.floats(-0.5, 0.5),
    shift=st.tuples(st.floats(-30, 200), st.floats(-30, 200)),
    scale=st.floats(0.7, 1.4),
)
def test_naming_does_not_depend_on_order_place_tilt_or_size(order, lean, shift, scale):
    xy = spine(spacing=40 * scale, lean=lean, start=shift)
    found = finder_view(xy)
    chain = name_chain(Candidates(found.xy[list(order)], found.size[list(order)], found.scores[list(order)]))
    assert isinstance(chain, Chain)
    assert chain.xy == pytest.approx(xy)


@pytest.mark.parametrize("lost", [[0], [5], [2], [0, 5], [2, 3], [4, 5], [1, 3]])
def test_missing_units_leave_the_names_of_the_others(lost):
    xy = spine()
    keep = [k for k in range(6) if k not in lost]
    chain = name_chain(only(finder_view(xy), keep))
    assert isinstance(chain, Chain)
    assert chain.xy[keep] == pytest.approx(xy[keep])
    assert not chain.seen[lost].any()
    assert np.linalg.norm(chain.xy - xy, axis=1).max() < 8  # placed by the curve, within a tile


def test_strangers_are_left_out():
    xy = spine()
    found = finder_view(xy)
    strangers = np.array([[10.0, 90.0], [xy[2, 0] + 4, xy[2, 1] + 15], [230.0, 300.0]])
    scores = np.full((3, 12), 0.02)
    scores[:, 8] = [0.5, 0.2, 0.6]
    chain = name_chain(
        Candidates(
            np.vstack([strangers, found.xy]),
            np.concatenate([[40, 40, 40], found.size]),
            np.vstack([scores, found.scores]),
        )
    )
    assert isinstance(chain, Chain)
    assert chain.xy == pytest.approx(xy)


def test_one_wrong_class_is_outvoted_by_its_neighbours():
    found = finder_view(spine())
    found.scores[3, 6:] = 0.02
    found.scores[3, 6 + 1] = 0.7  # L3L4 looks like L1L2
    chain = name_chain(found)
    assert isinstance(chain, Chain)
    assert chain.xy == pytest.approx(spine())


def test_nothing_found_and_too_few_found_say_so():
    empty = name_chain(Candidates(np.zeros((0, 2)), np.zeros(0), np.zeros((0, 12))))
    assert isinstance(empty, Unnamed)
    assert "no vertebral unit" in empty.reason
    few = name_chain(only(finder_view(spine()), [1, 2, 3]))
    assert isinstance(few, Unnamed)
    assert "only 3 of 6" in few.reason


def test_units_without_an_end_to_count_from_are_not_named():
    found = finder_view(spine())
    found.scores[:, 6:] = 0.4  # every unit might be any: a stretch of spine without sacrum or rib
    found = only(found, [1, 2, 3, 4])
    result = name_chain(found)
    assert isinstance(result, Unnamed)
    assert "levels cannot be named" in result.reason


def test_points_side_by_side_are_no_spine():
    xy = np.stack([np.arange(6) * 40.0, np.full(6, 100.0)], axis=1)
    result = name_chain(finder_view(xy))
    assert isinstance(result, Unnamed)


def test_unit_box_is_as_large_as_the_distance_to_its_neighbours():
    xy = np.array([[0.0, 0], [0, 10], [0, 30], [0, 60]])
    assert unit_boxes(xy)[:, 2].tolist() == [10, 15, 25, 30]


def test_frame_takes_points_there_and_back():
    for frame in tile_frames(spine(lean=0.4), SHAPE):
        points = np.array([[0.0, 0], [128, 160], [40, 90]])
        assert frame.to_tile(frame.to_film(points)) == pytest.approx(points)
        assert frame.mm_per_pixel == pytest.approx(0.28)


def test_tile_looks_down_the_spine_with_the_midpoint_in_its_place():
    xy = spine(lean=0.5)
    for centre, frame in zip(xy, tile_frames(xy, SHAPE), strict=True):
        assert frame.to_tile(centre[None])[0] == pytest.approx([128 * 0.4, 80])
        assert frame.along_y[1] > 0  # down stays down
        assert frame.along_x[0] > 0  # posterior to the right
        assert abs(frame.along_x @ frame.along_y) < 1e-9


def test_corners_of_a_unit_are_named_by_their_order():
    points = np.array([[50.0, 110], [52, 55], [110, 20]])
    named = name_corners("L3L4", points, np.array([0.8, 0.7, 0.2]), SHAPE, 2.0)
    assert named == {"L3I": 1, "L4S": 0}


@pytest.mark.parametrize(("y", "site"), [(50.0, "C5I"), (110.0, "C6S")])
def test_lone_corner_is_named_by_its_half(y, site):
    assert name_corners("C5C6", np.array([[50.0, y]]), np.array([0.9]), SHAPE, 1.5) == {site: 0}


def test_two_boxes_on_one_corner_are_not_two_corners():
    points = np.array([[50.0, 60], [53, 64]])
    named = name_corners("L1L2", points, np.array([0.9, 0.8]), SHAPE, 3.0)
    assert named == {"L1I": 0}


def test_no_detection_names_nothing():
    assert name_corners("L1L2", np.zeros((0, 2)), np.zeros(0), SHAPE, 2.0) == {}


def test_every_unit_has_an_upper_and_a_lower_corner():
    for unit, (upper, lower) in CORNERS.items():
        assert (upper[-1], lower[-1]) == ("I", "S")
        assert upper[:-1] + lower[:-1] == unit


def test_frame_is_a_plain_value():
    frame = Frame(np.zeros(2), np.array([0.5, 0.0]), np.array([0.0, 0.5]))
    assert frame.to_film(np.array([[2.0, 4.0]]))[0].tolist() == [1, 2]
