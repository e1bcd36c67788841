"""Tiles of places: turned and mirrored alike, from the places alone."""

import numpy as np
import pytest

from models.mtss.grader import tiles
from models.mtss.places import Place, Places
from tests.models.mtss.grader.toys import layout


def places(view, turn=0.0, scale=1.0):
    """The toy layout as places, turned about the middle of the film (radians), 1 mm a pixel unless scaled."""
    cos, sin = np.cos(turn), np.sin(turn)
    found = {}
    for unit, (x, y) in layout(view).items():
        dx, dy = x - 150, y - 100
        found[unit] = Place((150 + cos * dx - sin * dy) / scale, (100 + sin * dx + cos * dy) / scale, 1.0)
    return Places(view, found, {}, scale)


def test_every_graded_unit_has_a_tile():
    for view, count in (("hands", 44), ("feet", 12)):
        assert len(tiles.frames(places(view))) == count
    assert len(tiles.KINDS) == 28


@pytest.mark.parametrize("turn", [-0.4, 0.0, 0.5])
@pytest.mark.parametrize("view", ["hands", "feet"])
def test_frames_turn_with_the_limb(view, turn):
    straight, turned = tiles.frames(places(view)), tiles.frames(places(view, turn))
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    for unit, frame in straight.items():
        np.testing.assert_allclose(rotation @ frame.along_y, turned[unit].along_y, atol=1e-9)
        np.testing.assert_allclose(rotation @ frame.along_x, turned[unit].along_x, atol=1e-9)


def on_tile(where, frames, at, unit):
    """(x, y) of a unit on the tile of another."""
    place = where.units[unit]
    return frames[at].to_tile(np.array([[place.x, place.y]]) * where.mm_per_pixel)[0]


@pytest.mark.parametrize("side", ["L", "R"])
def test_distal_bone_is_up_and_thumb_side_left_on_both_sides(side):
    hands, feet = places("hands"), places("feet")
    frames, of_feet = tiles.frames(hands), tiles.frames(feet)
    joint = f"{side}H.MCP3"
    middle, distal, thumb = (
        on_tile(hands, frames, joint, f"{side}H.{name}") for name in ("MCP3", "PIP3", "MCP2")
    )
    np.testing.assert_allclose(middle, tiles.TILE / 2, atol=1e-6)
    assert distal[1] < middle[1]
    assert distal[0] == pytest.approx(middle[0], abs=1e-6)
    assert thumb[0] < middle[0]
    big, little = (on_tile(feet, of_feet, f"{side}F.MTP3", f"{side}F.MTP{i}") for i in (1, 5))
    assert big[0] < tiles.TILE / 2 < little[0]


def test_tiles_have_the_same_millimetres_whatever_the_pixel_size():
    fine, coarse = tiles.frames(places("hands", scale=0.2)), tiles.frames(places("hands"))
    for unit, frame in coarse.items():
        np.testing.assert_allclose(fine[unit].origin, frame.origin, atol=1e-6)
        wide = tiles.WIDE.get(unit[1:], 1.0)
        assert frame.mm_per_pixel == pytest.approx(tiles.MM * wide)


def test_missing_neighbours_leave_a_direction():
    whole = places("hands")
    alone = Places("hands", {unit: whole.units[unit] for unit in ("LH.PIP3", "RH.RAD", "RH.MCP2")}, {}, 1.0)
    frames = tiles.frames(alone)
    assert set(frames) == {"LH.PIP3", "RH.RAD", "RH.MCP2"}
    np.testing.assert_allclose(frames["LH.PIP3"].along_y, [0, tiles.MM], atol=1e-12)


def test_cut_shows_what_lies_under_the_frame():
    where = places("hands", turn=0.3, scale=0.2)
    frame = tiles.frames(where)["LH.MCP3"]
    film = np.zeros((1200, 1600), np.float32)
    distal = frame.to_film(np.array([[64.0, 24.0]]))[0] / 0.2
    film[int(distal[1]) - 3 : int(distal[1]) + 4, int(distal[0]) - 3 : int(distal[0]) + 4] = 900
    (tile,) = tiles.cut(film, [frame], 0.2)
    row, column = np.unravel_index(int(tile.argmax()), tile.shape)
    assert abs(row - 24) < 8
    assert abs(column - 64) < 8
    box = tiles.outline(frame, 0.2)
    assert box.centre == pytest.approx((where.units["LH.MCP3"].x, where.units["LH.MCP3"].y))
