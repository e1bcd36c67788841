"""Maps and points move alike; sharpening, contrast and noise do what their names say."""

import cv2
import numpy as np
import pytest

from models.training import augment


def test_about_takes_the_centre_to_the_target_and_keeps_lengths():
    affine = augment.about(augment.turn(np.radians(30), 2.0), np.array([10.0, 20.0]), np.array([5.0, 7.0]))
    points = augment.moved(np.array([[10.0, 20.0], [13.0, 24.0]]), affine)
    assert points[0] == pytest.approx([5, 7])
    assert np.hypot(*(points[1] - points[0])) == pytest.approx(10)


def test_points_move_with_the_pixels():
    image = np.zeros((60, 60), np.float32)
    image[28:33, 18:23] = 1
    affine = augment.about(augment.turn(0.2), np.array([30.0, 30.0]), np.array([25.0, 35.0]))
    seen = cv2.warpAffine(image, affine, (60, 60))
    y, x = np.indices(seen.shape)
    middle = [(seen * x).sum() / seen.sum(), (seen * y).sum() / seen.sum()]
    assert augment.moved(np.array([[20.0, 30.0]]), affine)[0] == pytest.approx(middle, abs=0.1)


def test_a_negative_amount_blurs_and_a_positive_one_sharpens():
    grey = np.random.default_rng(0).random((40, 40), dtype=np.float32)
    soft = cv2.GaussianBlur(grey, (0, 0), 1.0)
    assert augment.sharpened(grey, 1.0, -1.0) == pytest.approx(soft, abs=1e-6)
    assert augment.sharpened(grey, 1.0, 1.0).std() > grey.std() > soft.std()


def test_exposure_stays_within_its_limits():
    grey, rng = np.full((20, 20), 0.5, np.float32), np.random.default_rng(1)
    assert (augment.gamma(grey, 0.0, rng) == grey).all()
    for _ in range(20):
        assert 0.5 * 0.8 - 0.1 <= augment.contrast(grey, (0.8, 1.2), 0.1, rng)[0, 0] <= 0.5 * 1.2 + 0.1
        assert augment.noisy(grey, 0.05, rng).std() < 0.06
