"""Slices put together to a stack."""

import numpy as np
import pytest

from core.domain import Image
from core.errors import InputError
from core.imaging.stacks import (
    along_normal,
    beside_middle,
    corners_on,
    on_axis,
    places_on_axis,
    slice_spacing,
    stack_of,
)

AXIAL = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
OBLIQUE = ((1.0, 0.0, 0.0), (0.0, 0.8, 0.6))


def at(z, value=0, **about):
    options = {"orientation": AXIAL, "positions_mm": ((0.0, 0.0, z),), **about}
    return Image(f"z{z}", np.full((2, 3), value, np.uint16), (0.5, 0.5), "MR", **options)


def test_slices_are_sorted_by_their_place_whatever_the_order_given():
    stack = stack_of("s", [at(8, 3), at(0, 1), at(4, 2)])
    assert stack.image == "s"
    assert stack.modality == "MR"
    assert stack.frames[:, 0, 0].tolist() == [1, 2, 3]
    assert [position[2] for position in stack.positions_mm] == [0, 4, 8]
    assert stack.slice_spacing_mm == 4


def test_place_is_measured_along_the_normal_of_oblique_slices():
    normal = np.cross(*OBLIQUE)
    positions = [tuple(3 * n * normal + np.array([5.0, 8.0 * n, 6.0 * n])) for n in range(3)]
    assert along_normal(positions, OBLIQUE) == pytest.approx([0, 3, 6])


@pytest.mark.parametrize(
    ("places", "spacing"), [((0, 4, 8), 4), ((8, 4, 0), 4), ((0, 4, 9), None), ((1,), None)]
)
def test_uneven_distances_are_not_one_spacing(places, spacing):
    assert slice_spacing(np.array(places, float)) == spacing


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (at(4, positions_mm=None), "do not say where its slices lie"),
        (at(4, orientation=None), "do not say where its slices lie"),
        (at(4, orientation=OBLIQUE), "not parallel"),
        (at(0), "two slices lie at one place"),
        (
            Image("i", np.zeros((3, 3)), (0.5, 0.5), orientation=AXIAL, positions_mm=((0, 0, 4),)),
            "differ in size",
        ),
        (Image("i", np.zeros((2, 3)), (1, 1), orientation=AXIAL, positions_mm=((0, 0, 4),)), "pixel spacing"),
    ],
)
def test_what_is_no_stack_is_refused_with_the_reason(other, reason):
    with pytest.raises(InputError, match=reason):
        stack_of("s", [at(0), other])


SAGITTAL = ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0))  # the normal points to the patient's right
FROM_RIGHT = ((0.0, -1.0, 0.0), (0.0, 0.0, -1.0))  # rows run to the front: the normal points to the left


@pytest.mark.parametrize("orientation", [SAGITTAL, FROM_RIGHT])
@pytest.mark.parametrize("chosen", [[0, 1, 2], [2, 1, 0], [1, 2, 0]])
def test_slices_run_from_left_to_right_whichever_way_they_were_taken(orientation, chosen):
    lefts = (10.0, 6.5, 3.0)  # x grows to the patient's left
    frames = np.arange(3, dtype=np.uint16)[:, None, None] * np.ones((3, 2, 2), np.uint16)
    positions = tuple((lefts[place], 0.0, 0.0) for place in chosen)
    image = Image("s", frames[chosen], orientation=orientation, positions_mm=positions)
    stack, places, order = on_axis(image)
    assert stack.frames[:, 0, 0].tolist() == [0, 1, 2]
    assert places.tolist() == [-10.0, -6.5, -3.0]
    assert [chosen[place] for place in order] == [0, 1, 2]
    assert beside_middle(places, orientation) == (
        "3.5 mm left of the middle",
        "at the middle",
        "3.5 mm right of the middle",
    )


@pytest.mark.parametrize(
    "orientation, ends",
    [
        (((1.0, 0, 0), (0, 1.0, 0)), ("above", "below")),
        (((-1.0, 0, 0), (0, 1.0, 0)), ("above", "below")),
        (((1.0, 0, 0), (0, 0, -1.0)), ("in front of", "behind")),
        (((1.0, 0, 0), (0, 0, 1.0)), ("in front of", "behind")),
    ],
)
def test_axial_stacks_run_from_head_to_foot_and_coronal_ones_to_the_back(orientation, ends):
    positions = ((0.0, -5.0, 5.0), (0.0, 5.0, -5.0))  # in front and above, behind and below
    image = Image("s", np.zeros((2, 2, 2)), orientation=orientation, positions_mm=positions)
    stack, places, _ = on_axis(image)
    assert stack.positions_mm == positions
    assert beside_middle(places, orientation) == tuple(f"5.0 mm {end} the middle" for end in ends)


def test_a_stack_without_places_stays_as_it_is():
    image = Image("s", np.zeros((2, 2, 2)))
    assert places_on_axis(image) is None
    assert on_axis(image)[0] is image and not len(on_axis(image)[1])


def test_corners_of_a_slice_lie_at_one_place_of_the_patient_on_both_stacks():
    frames = np.zeros((3, 100, 80))
    places = tuple((x, 20.0, 30.0) for x in (4.0, 0.0, -4.0))
    one = Image("a", frames, spacing_mm=(1.0, 1.0), orientation=SAGITTAL, positions_mm=places)
    moved = tuple((x, 25.0, 40.0) for x in (4.0, 0.0, -4.0))
    two = Image("b", frames, spacing_mm=(0.5, 0.5), orientation=SAGITTAL, positions_mm=moved)
    here, there = corners_on(one, two)
    assert dict(here)["lower right"] == (80, 100)
    assert dict(there)["upper left"] == (-10, 20) and dict(there)["lower right"] == (150, 220)
    assert corners_on(one, Image("c", frames)) is None
