"""Which quadrant oedema lies in, however the body is tilted, pixels are shaped and the stack was taken."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.sparcc.rule.bodies import body_of
from models.sparcc.rule.score import score_stack
from models.sparcc.rule.stack import Anatomy
from tests.helpers.drawn_spine import DrawnSpine

CORNER = {
    "UA": ("L4", "lower anterior"),
    "UP": ("L4", "lower posterior"),
    "LA": ("L5", "upper anterior"),
    "LP": ("L5", "upper posterior"),
}
SPACINGS = [(1.0, 1.0), (0.6, 0.6), (0.5, 1.2), (1.2, 0.5)]


def positive(score):
    """Sites with a point."""
    return sorted(finding.site for finding in score.scored().findings if finding.grade)


def read(spine):
    return score_stack(spine.image, spine.anatomy, spine.oedema)


@pytest.mark.parametrize("spacing", SPACINGS, ids=str)
@pytest.mark.parametrize("tilt", [-35, 0, 20])
@pytest.mark.parametrize("quadrant", CORNER)
def test_a_corner_gives_a_point_to_its_quadrant_alone(quadrant, tilt, spacing):
    spine = DrawnSpine(top="L4", bottom="L5", tilt=tilt, spacing=spacing, slices=5)
    spine.corner(*CORNER[quadrant], (2,), signal=250.0)
    assert positive(read(spine)) == [f"L4L5.s2.{quadrant}"]


@settings(max_examples=25, deadline=None)
@given(
    quadrants=st.sets(st.sampled_from(sorted(CORNER)), min_size=1),
    tilt=st.floats(-40, 40),
    upper=st.floats(-12, 12),
    lower=st.floats(-12, 12),
    spacing=st.sampled_from(SPACINGS),
)
def test_quadrants_follow_each_body_of_its_own_tilt(quadrants, tilt, upper, lower, spacing):
    spine = DrawnSpine(
        top="L4", bottom="L5", tilt=tilt, tilts={"L4": upper, "L5": lower}, spacing=spacing, slices=3, gap=12
    )
    for name in quadrants:
        spine.corner(*CORNER[name], (1,), signal=250.0)
    assert positive(read(spine)) == sorted(f"L4L5.s2.{name}" for name in quadrants)


def test_tilt_and_height_of_a_body_are_those_it_was_drawn_with():
    spine = DrawnSpine(top="L3", bottom="L5", tilt=15, tilts={"L4": 8}, spacing=(0.8, 0.5), slices=3)
    mask = spine.labels[1] == spine.label_of["L4"]
    up, ahead = np.array([0.0, -1.0]), np.array([-1.0, 0.0])
    body = body_of(mask, (0.5, 0.8), up, ahead)
    assert np.degrees(np.arctan2(-body.cranial[0], -body.cranial[1])) == pytest.approx(23, abs=1.0)
    middle = float(body.forward.mean())
    assert float(body.top(middle) - body.bottom(middle)) == pytest.approx(26, abs=1.0)
    height = float(body.upward.mean())
    assert float(body.front(height) - body.back(height)) == pytest.approx(34, abs=1.0)


def test_halves_of_a_wedge_are_divided_between_its_end_plates():
    rows, columns = np.mgrid[:60, :60]
    top, bottom = 10 + (columns - 10) * 0.3, 50
    mask = (rows >= top) & (rows <= bottom) & (columns >= 10) & (columns <= 49)
    body = body_of(mask, (1.0, 1.0), np.array([0.0, -1.0]), np.array([-1.0, 0.0]))
    upper = body.is_upper()
    for column in (12, 30, 47):
        here = body.pixels[:, 1] == column
        divide = body.pixels[here & upper][:, 0].max() + 0.5
        assert divide == pytest.approx((10 + (column - 10) * 0.3 + 50) / 2, abs=1.6)


def test_a_mask_of_a_few_pixels_is_no_body():
    mask = np.zeros((40, 40), bool)
    mask[10:14, 10:16] = True
    assert body_of(mask, (1.0, 1.0), np.array([0.0, -1.0]), np.array([-1.0, 0.0])) is None
    mask[10:12, 5:35] = True
    assert body_of(mask, (1.0, 1.0), np.array([0.0, -1.0]), np.array([-1.0, 0.0])) is None


@pytest.fixture(scope="module")
def spine():
    drawn = DrawnSpine(top="L2", bottom="S1", tilt=12, slices=7)
    drawn.corner("L4", "lower anterior", (1, 2), signal=250.0)
    drawn.corner("L5", "upper posterior", (2,), signal=600.0)
    drawn.lesion("L3", (-17, 17), (-13, -1), (2, 3, 4))
    return drawn


def test_the_order_of_the_frames_does_not_matter(spine):
    order = np.random.default_rng(3).permutation(7)
    image = spine.image
    shuffled = replace(
        image,
        frames=image.frames[order],
        positions_mm=tuple(image.positions_mm[frame] for frame in order),
    )
    anatomy = Anatomy(spine.labels[order], spine.anatomy.levels)
    assert positive(score_stack(shuffled, anatomy, spine.oedema[order])) == positive(read(spine))


def test_a_stack_taken_from_left_to_right_and_seen_from_the_other_side_scores_the_same(spine):
    image = spine.image
    turned = replace(
        image,
        frames=image.frames[:, :, ::-1],
        orientation=((0.0, -1.0, 0.0), (0.0, 0.0, -1.0)),
        positions_mm=tuple((x, 200.0, 0.0) for x, _, _ in image.positions_mm),
    )
    anatomy = Anatomy(spine.labels[:, :, ::-1], spine.anatomy.levels)
    assert positive(score_stack(turned, anatomy, spine.oedema[:, :, ::-1])) == positive(read(spine))
    backwards = replace(image, frames=image.frames[::-1], positions_mm=image.positions_mm[::-1])
    anatomy = Anatomy(spine.labels[::-1], spine.anatomy.levels)
    assert positive(score_stack(backwards, anatomy, spine.oedema[::-1])) == positive(read(spine))


def test_the_numbers_of_labels_do_not_matter(spine):
    names = list(spine.label_of)
    numbers = dict(zip(names, (9, 3, 7, 200, 1), strict=True))
    labels = np.zeros_like(spine.labels)
    for name, number in numbers.items():
        labels[spine.labels == spine.label_of[name]] = number
    anatomy = Anatomy(labels, {number: name for name, number in numbers.items()})
    assert positive(score_stack(spine.image, anatomy, spine.oedema)) == positive(read(spine))


def test_other_names_move_the_points_to_other_units(spine):
    one_up = {"L2": "L1", "L3": "L2", "L4": "L3", "L5": "L4", "S1": "L5"}
    moved = {spine.label_of[name]: new for name, new in one_up.items()}
    found = positive(score_stack(spine.image, Anatomy(spine.labels, moved), spine.oedema))
    up = {"L3L4": "L2L3", "L4L5": "L3L4"}
    assert found == sorted(up[site[:4]] + site[4:] for site in positive(read(spine)))


def test_discs_and_other_labels_are_no_bodies(spine):
    labels = spine.labels.copy()
    labels[:, :6, :6] = 77
    anatomy = Anatomy(labels, spine.anatomy.levels | {77: "L4L5"})
    assert positive(score_stack(spine.image, anatomy, spine.oedema)) == positive(read(spine))
