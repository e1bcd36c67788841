"""Phantom stacks: the same bytes again, masks on the grid of the pictures, levels in order."""

from functools import cache

import numpy as np
import pytest

from core.imaging.spine import LEVELS
from core.imaging.stacks import along_normal, slice_spacing
from data.phantom.mri.anatomy import BODY_LABEL, DISC_LABEL, DRAWN, UNITS, lying
from data.phantom.mri.conditions import SPACING_MM, draw_scan
from data.phantom.mri.patients import make_patient
from data.phantom.seeds import StudyRole, StudySeed
from data.phantom.spine.body import make_body

STUDY = StudySeed(StudyRole.TEST, 5)


@cache
def lumbar():
    return make_patient(STUDY, 2).stack(0, "lumbar")


def test_masks_lie_on_the_grid_of_the_pictures():
    stack = lumbar()
    assert 17 <= len(stack.stir) <= 19
    assert stack.t1.shape == stack.oedema.shape == stack.structures.shape == stack.stir.shape
    assert stack.stir.max() < 4096
    assert set(np.unique(stack.oedema)) <= {0, 1}


def test_frames_are_in_order_along_the_normal_at_one_distance():
    plan = lumbar().plan
    places = along_normal(plan.positions_mm, plan.orientation)
    assert (np.diff(places) > 0).all()
    assert slice_spacing(places) == pytest.approx(SPACING_MM, abs=1e-3)
    row, column = np.array(plan.orientation)
    assert row[1] > 0.99  # a row runs to the back, a column to the feet: sagittal
    assert column[2] < -0.99


def test_lumbar_levels_follow_one_another_downwards_with_their_discs_between():
    labels = lumbar().structures
    rows = np.arange(labels.shape[1])[None, :, None]
    heights = {
        number: (rows * (labels == number)).sum() / (labels == number).sum()
        for number in np.unique(labels)
        if number
    }
    for upper, lower in zip(("T12", "L1", "L2", "L3", "L4"), ("L1", "L2", "L3", "L4", "L5"), strict=True):
        disc = heights[DISC_LABEL[upper + lower]]
        assert heights[BODY_LABEL[upper]] < disc < heights[BODY_LABEL[lower]]


@pytest.mark.parametrize("seed", range(6))
def test_every_spine_has_all_levels_from_c2_to_s3_in_order(seed):
    spine = lying(make_body(seed, domain="second" if seed % 2 else "first"))
    assert tuple(spine.placed) == DRAWN
    below = np.diff(spine.centres()[:, 1])
    assert (below > 8).all()
    assert (below < 55).all()
    assert min(spine.gaps[level] for level in LEVELS[:-1]) > 1.0


def test_each_unit_and_level_has_a_label_of_its_own():
    labels = [*BODY_LABEL.values(), *DISC_LABEL.values()]
    assert len(set(labels)) == len(LEVELS) + len(UNITS) == 47
    assert max(labels) < 256


def test_an_unknown_view_or_domain_is_refused():
    with pytest.raises(ValueError, match="view 'axial' is not one of cervical"):
        draw_scan(np.random.default_rng(1), "axial")
    with pytest.raises(ValueError, match="domain 'third' is not one of first, second"):
        draw_scan(np.random.default_rng(1), "lumbar", "third")
