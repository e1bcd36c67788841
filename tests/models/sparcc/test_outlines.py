"""Outlines of masks: where they lie, how many points they have, and that they give the mask back."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.sparcc.outlines import polygons_of


def filled(polygons, shape, fine=8):
    """The mask of pixels whose middle lies in one of the polygons."""
    canvas = np.zeros((shape[0] * fine, shape[1] * fine), np.uint8)
    for one in polygons:
        cv2.fillPoly(canvas, [np.rint(np.array(one) * fine - 0.5).astype(np.int32)], 1)
    return canvas[fine // 2 :: fine, fine // 2 :: fine].astype(bool)


def test_one_pixel_is_a_square_about_its_middle():
    mask = np.zeros((5, 6), bool)
    mask[2, 3] = True
    (found,) = polygons_of(mask)
    assert len(found) == 4
    assert np.mean(found, axis=0).tolist() == [3.5, 2.5]
    assert np.ptp(found, axis=0).tolist() == [0.75, 0.75]


def test_a_box_has_four_corners_wherever_it_lies():
    mask = np.zeros((40, 50), bool)
    mask[10:30, 0:25] = True
    (found,) = polygons_of(mask)
    assert len(found) == 4
    assert np.min(found, axis=0) == pytest.approx([0, 10], abs=0.2)
    assert np.max(found, axis=0) == pytest.approx([25, 30], abs=0.2)


def test_pieces_come_largest_first_and_nothing_of_nothing():
    mask = np.zeros((20, 20), bool)
    mask[1:3, 1:3], mask[8:16, 8:16] = True, True
    areas = [np.ptp(one, axis=0).prod() for one in polygons_of(mask)]
    assert areas == sorted(areas, reverse=True)
    assert len(areas) == 2
    assert polygons_of(np.zeros((4, 4), bool)) == []


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_a_filled_outline_is_the_mask_but_for_its_edge(seed):
    rng = np.random.default_rng(seed)
    smooth = cv2.GaussianBlur(rng.random((40, 40)).astype(np.float32), (0, 0), 4)
    mask = cv2.morphologyEx((smooth > np.median(smooth)).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5)))
    holes = cv2.floodFill(np.pad(mask, 1).copy(), None, (0, 0), 1)[1][1:-1, 1:-1] == 0
    whole = (mask > 0) | holes
    found = polygons_of(mask > 0)
    wrong = filled(found, mask.shape) ^ whole
    edge = cv2.dilate(whole.astype(np.uint8), np.ones((3, 3))) - cv2.erode(
        whole.astype(np.uint8), np.ones((3, 3)), borderType=cv2.BORDER_CONSTANT, borderValue=0
    )
    assert not (wrong & (edge == 0)).any()
    assert all(len(one) >= 3 for one in found)
