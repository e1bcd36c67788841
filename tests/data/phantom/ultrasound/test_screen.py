"""The screen around a scan: picture, mask and mark belong together, whichever way round it is shown."""

import numpy as np
import pytest

from data.phantom.ultrasound.body import CODE
from data.phantom.ultrasound.machines import MACHINES
from data.phantom.ultrasound.screen import Words, colour_table, place, show

WIDTH, DEPTH = 30.0, 20.0
GREY = np.linspace(0.1, 0.9, 300)[None].repeat(200, axis=0)  # bright at the right
TISSUES = np.full((200, 300), CODE["soft tissue"], np.uint8)
TISSUES[80:120, 200:280] = CODE["synovium"]
FLOW = np.zeros((200, 300))
FLOW[90:110, 220:260] = 0.8
COLOUR_BOX = (0.6, 0.3, 0.95, 0.7)


def shown(machine, *, mirrored=False, flow=True):
    words = Words("PD" if flow else "B", "MCP2 R", 0.0, DEPTH, mirrored)
    parts = ([FLOW], TISSUES, COLOUR_BOX) if flow else ([None], TISSUES, None)
    return show(machine, words, (WIDTH, DEPTH), [GREY], *parts)


def inside(screen, picture):
    x0, y0, x1, y1 = screen.box
    return picture[y0:y1, x0:x1]


@pytest.mark.parametrize("machine", MACHINES, ids=lambda one: one.name)
def test_picture_keeps_its_millimetres(machine):
    box, mm = place(machine, WIDTH, DEPTH)
    x0, y0, x1, y1 = machine.area
    assert x0 <= box[0] < box[2] <= x1 and y0 <= box[1] < box[3] <= y1
    assert (box[2] - box[0]) * mm == pytest.approx(WIDTH, abs=mm)
    assert (box[3] - box[1]) * mm == pytest.approx(DEPTH, abs=mm)


@pytest.mark.parametrize("machine", MACHINES, ids=lambda one: one.name)
def test_mirrored_scan_is_turned_with_its_mask_and_its_mark(machine):
    usual, turned = shown(machine, flow=False), shown(machine, mirrored=True, flow=False)
    free = ~(inside(usual, usual.tissue) == CODE["furniture"])
    free &= ~(inside(turned, turned.tissue) == CODE["furniture"])[:, ::-1]
    pictures = inside(usual, usual.colour[0]), inside(turned, turned.colour[0])[:, ::-1]
    assert np.array_equal(pictures[0][free], pictures[1][free])
    masks = inside(usual, usual.tissue), inside(turned, turned.tissue)[:, ::-1]
    assert np.array_equal(masks[0][free], masks[1][free])
    above = slice(usual.box[1] - 16, usual.box[1] - 2)
    left, right = slice(usual.box[0], usual.box[0] + 24), slice(usual.box[2] - 24, usual.box[2])
    for screen, here, there in ((usual, left, right), (turned, right, left)):
        assert screen.colour[0][above, here].any()
        assert (screen.colour[0][above, here] != screen.colour[0][above, there]).any()


@pytest.mark.parametrize("machine", MACHINES, ids=lambda one: one.name)
def test_flow_lies_on_the_synovium_in_colours_of_its_bar(machine):
    screen = shown(machine)
    codes, picture = inside(screen, screen.tissue), inside(screen, screen.colour[0]).astype(int)
    coloured = (np.ptp(picture, axis=2) > 40) & (codes != CODE["furniture"])
    assert coloured.any()
    assert set(np.unique(codes[coloured])) == {CODE["synovium"]}
    known = {tuple(colour) for colour in colour_table(machine).tolist()}
    assert {tuple(colour) for colour in picture[coloured].tolist()} <= known
    x0, y0, x1, y1 = screen.colour_box
    assert screen.box[0] <= x0 < x1 <= screen.box[2] and screen.box[1] <= y0 < y1 <= screen.box[3]


@pytest.mark.parametrize("machine", MACHINES, ids=lambda one: one.name)
def test_all_ink_outside_the_picture_is_furniture(machine):
    screen = shown(machine)
    outside = np.ones(screen.tissue.shape, bool)
    inside(screen, outside)[:] = False
    lit = screen.colour[0].any(axis=2) & outside
    assert (screen.tissue[lit] == CODE["furniture"]).all()
    assert lit.sum() > 1000
    words = Words("PD", "", 0.0, DEPTH, mirrored=False)
    without = show(machine, words, (WIDTH, DEPTH), [GREY], [FLOW], TISSUES, COLOUR_BOX)
    assert (without.colour[0] != screen.colour[0]).any()  # the joint's name is not on every screen
