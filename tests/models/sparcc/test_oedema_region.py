"""Where oedema is looked for: at the bodies and behind them, however the stack was taken."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain import Abstained
from core.errors import InputError
from models.sparcc.anatomy.levels import Found
from models.sparcc.anatomy.segment import Segmented
from models.sparcc.oedema.evaluate import rows_of
from models.sparcc.oedema.finder import OedemaFinder, Point
from models.sparcc.oedema.operating import choose, see
from models.sparcc.oedema.region import BEHIND_MM, BESIDE, IN_FRONT_MM, ColumnFinder, around_column, region_of
from tests.helpers.small_stacks import small_stack


def column(shape=(9, 120, 140), slices=(3, 6), front=50, depth=30, lean=0.0):
    """Three bodies in a column that leans, with gaps between them."""
    bodies = np.zeros(shape, bool)
    for row in range(15, 105):
        if row % 30 < 22:
            start = round(front + lean * row)
            bodies[slices[0] : slices[1], row, start : start + depth] = True
    return bodies


@given(st.floats(0.6, 1.6), st.floats(-0.2, 0.2), st.integers(2, 6))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_bodies_and_what_lies_behind_them_are_looked_at_and_nothing_in_front(mm, lean, first):
    bodies = column(slices=(first, first + 2), lean=lean)
    region = around_column(bodies, (mm, mm))
    assert region[bodies].all()
    shown = region.any(axis=(1, 2)).nonzero()[0]
    assert (shown[0], shown[-1]) == (max(first - BESIDE, 0), min(first + 1 + BESIDE, 8))
    for row in range(20, 100):
        at = np.flatnonzero(region[first, row])
        own = np.flatnonzero(bodies[first, row])
        if len(own):
            assert own[0] - at[0] <= IN_FRONT_MM / mm + 0.5
            assert at[-1] - own[-1] == pytest.approx(min(BEHIND_MM / mm, 139 - own[-1]), abs=1)
        else:
            assert len(at)  # a disc is between two bodies
    assert not region[:, :5].any()


def test_without_bodies_nothing_is_looked_at():
    assert not around_column(np.zeros((4, 20, 20), bool), (1.0, 1.0)).any()


@pytest.mark.parametrize("columns", [1, -1])
@pytest.mark.parametrize("rows", [1, -1])
def test_behind_is_behind_however_the_stack_was_taken(rows, columns):
    bodies = column()
    image = replace(
        small_stack().image(),
        frames=np.zeros(bodies.shape, np.uint16),
        orientation=((0.0, float(columns), 0.0), (0.0, 0.0, float(-rows))),
        positions_mm=tuple((-3.5 * place * rows * columns, 0.0, 0.0) for place in range(len(bodies))),
    )
    region = region_of(image, bodies[:, ::rows, ::columns])
    assert np.array_equal(region[:, ::rows, ::columns], around_column(bodies, (1.0, 1.0)))


class Bright(torch.nn.Module):
    """Calls bright pixels oedema."""

    multiple = 8

    def forward(self, pixels):
        return (pixels[:, 1:2] - 0.7) * 20


class Knows:
    """A segmenter that finds the body of a small stack, as so many bodies in a row."""

    def __init__(self, bodies):
        self.bodies = bodies

    def segment(self, image):
        if image.image.startswith("P3"):
            return Abstained("its slices are not sagittal")
        labels = np.zeros(image.frames.shape, np.uint16)
        for label in range(1, self.bodies + 1):
            labels[1:4, 8 + 3 * label : 11 + 3 * label, 6:24] = label
        found = tuple(Found(label, (0.0, -30.0 * label), 25.0, 0.0) for label in range(1, self.bodies + 1))
        return Segmented(labels, found, Abstained("no names"), {}, labels[None])


def finder(bodies=4):
    return ColumnFinder(Knows(bodies), OedemaFinder(Bright(), Point(0.5, 0.5)))


def test_what_is_bright_in_front_of_the_column_is_no_oedema():
    stack = small_stack()
    stack.stir[2, 5:35, 0:1] = 300  # in front, by more than the margin
    assert OedemaFinder(Bright(), Point(0.5, 0.5)).masks(stack.image())[2, 12:30, 0].any()
    found = finder().masks(stack.image())
    assert not found[:, :, 0].any()
    assert found[stack.oedema > 0].mean() > 0.9


def test_a_stack_without_a_row_of_bodies_is_abstained_on_and_left_out_of_figures():
    with pytest.raises(InputError, match="no row of vertebral bodies was found"):
        finder(bodies=3).chances(small_stack().image())
    with pytest.raises(InputError, match="not sagittal"):
        finder().chances(small_stack("P3").image())
    stacks = [small_stack("P1"), small_stack("P2", patch=()), small_stack("P3")]
    assert [one.patient for one in see(finder(), stacks)] == ["P1", "P2"]
    assert set(rows_of(stacks, finder())["patient"]) == {"P1", "P2"}
    with pytest.raises(InputError, match="a row of bodies must be found on some"):
        choose(see(finder(bodies=3), stacks))
