"""Intensity against CSF, depth in mm, references, and what every point keeps of how it was made."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.sparcc.rule.references import brighter_class
from models.sparcc.rule.score import score_stack
from models.sparcc.rule.settings import Settings
from tests.helpers.drawn_spine import CSF, ELSEWHERE, MARROW, DrawnSpine


def point(score, site):
    unit, number, item = site.split(".")
    return score.units[unit].slices[int(number[1]) - 1][item]


def read(spine, **more):
    return score_stack(spine.image, spine.anatomy, spine.oedema, **more)


@pytest.fixture
def spine():
    return DrawnSpine(top="L3", bottom="S1", tilt=10, slices=5)


@pytest.mark.parametrize(("share", "grade"), [(0.5, 0), (0.85, 0), (0.95, 1), (1.3, 1)])
def test_intense_is_a_signal_as_bright_as_csf(spine, share, grade):
    spine.corner("L4", "lower anterior", (2,), signal=MARROW + share * (CSF - MARROW))
    found = point(read(spine), "L4L5.s2.INT")
    assert (found.grade, found.value) == (grade, pytest.approx(share, abs=0.01))
    assert found.compared["CSF behind"] == "L4"
    assert found.compared["marrow of"] == "L4"


def test_brightness_is_compared_nearby_under_a_coil_that_shades(spine):
    spine.corner("L3", "lower anterior", (2,), signal=CSF)
    spine.corner("L5", "lower anterior", (2,), signal=MARROW + 0.6 * (CSF - MARROW))
    rows = spine.frames.shape[1]
    spine.frames *= np.linspace(0.4, 2.0, rows, dtype=np.float32)[:, None]
    score = read(spine)
    assert point(score, "L3L4.s2.INT").grade == 1
    assert point(score, "L5S1.s2.INT").grade == 0
    assert spine.frames[spine.oedema][-1] > spine.frames[spine.oedema][0]


def test_csf_is_told_from_the_cord_beside_it(spine):
    for name in spine.levels:
        forward, _ = spine.own(name)
        spine.frames[:, (spine.frames[2] == CSF) & (forward < -24)] = 180.0
    spine.corner("L4", "lower anterior", (2,), signal=0.95 * CSF)
    found = point(read(spine), "L4L5.s2.INT")
    assert (found.grade, found.compared["CSF"]) == (1, CSF)


def test_otsu_parts_two_classes_and_keeps_equal_values_together():
    assert brighter_class(np.array([9.0, 1, 2, 8, 1, 9])).tolist() == [8, 9, 9]
    assert brighter_class(np.array([5.0, 5, 5])).tolist() == [5, 5, 5]
    assert brighter_class(np.array([5.0])).tolist() == [5]


def test_a_few_bright_pixels_do_not_make_a_lesion_intense(spine):
    spine.corner("L4", "lower anterior", (2,), signal=220.0)
    bright = np.argwhere(spine.oedema[2])[:2]
    spine.frames[2, bright[:, 0], bright[:, 1]] = CSF
    assert point(read(spine), "L4L5.s2.INT").grade == 0


def test_without_csf_intensity_is_missing_and_the_rest_is_read(spine):
    spine.frames[spine.frames == CSF] = ELSEWHERE
    spine.corner("L4", "lower anterior", (2,), signal=300.0)
    score = read(spine)
    scored = score.scored()
    assert list(scored.unscorable) == [
        *(
            f"L2L3.s{number}.{item}"
            for number in (1, 2, 3)
            for item in ("UA", "UP", "LA", "LP", "INT", "DEP")
        ),
        "L4L5.s2.INT",
    ]
    assert scored.unscorable["L4L5.s2.INT"] == "no CSF brighter than marrow shows behind the bodies"
    assert score.units["L4L5"].total is None
    assert point(score, "L4L5.s2.UA").grade == 1
    assert score.units["L3L4"].total == 0


def test_csf_off_the_image_is_taken_behind_the_nearest_body():
    spine = DrawnSpine(top="L3", bottom="S1", tilt=35, slices=5)
    spine.corner("S1", "upper anterior", (2,), signal=CSF)
    edge = np.argwhere(spine.labels == spine.label_of["S1"])[:, 2].max() + 3
    image = replace(spine.image, frames=spine.frames[:, :, :edge])
    anatomy = replace(spine.anatomy, labels=spine.labels[:, :, :edge])
    found = point(score_stack(image, anatomy, spine.oedema[:, :, :edge]), "L5S1.s2.INT")
    assert (found.grade, found.compared["body"], found.compared["CSF behind"]) == (1, "S1", "L5")


def test_marrow_of_a_body_whose_centre_is_ill_comes_from_the_nearest_normal_one(spine):
    spine.lesion("L4", (-17, 17), (-13, 13), (0, 1, 2, 3, 4))
    found = point(read(spine), "L4L5.s2.INT")
    assert found.compared["marrow of"] == "L3"
    for name in ("L3", "L5", "S1"):
        spine.lesion(name, (-6, 6), (-6, 6), (0, 1, 2, 3, 4))
    found = point(read(spine), "L4L5.s2.INT")
    assert (found.grade, found.reason) == (None, "no body of the stack has a centre without oedema")


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.5, 1.0), (1.0, 0.5), (0.7, 0.7)], ids=str)
@pytest.mark.parametrize("tilt", [0, 25])
@pytest.mark.parametrize(("depth", "grade"), [(8.7, 0), (11.3, 1)])
def test_deep_is_1_cm_from_the_end_plate_in_mm(depth, grade, tilt, spacing):
    spine = DrawnSpine(top="L4", bottom="L5", tilt=tilt, spacing=spacing, slices=3)
    spine.lesion("L4", (0, 12), (-13, depth - 13), (1,))
    found = point(read(spine), "L4L5.s2.DEP")
    assert found.grade == grade
    assert found.value == pytest.approx(depth, abs=max(spacing) * 0.9)


def test_depth_is_measured_from_the_lower_bodys_upper_end_plate_too():
    spine = DrawnSpine(top="L4", bottom="L5", slices=3)
    spine.lesion("L5", (0, 12), (1.4, 13), (1,))
    found = point(read(spine), "L4L5.s2.DEP")
    assert (found.grade, found.compared["body"]) == (1, "L5")


def test_the_same_pixels_at_half_the_size_are_not_deep():
    spine = DrawnSpine(top="L4", bottom="L5", slices=3)
    spine.lesion("L4", (0, 12), (-13, 2), (1,))
    assert point(read(spine), "L4L5.s2.DEP").grade == 1
    small = replace(spine.image, spacing_mm=(0.5, 0.5))
    score = score_stack(small, spine.anatomy, spine.oedema)
    assert point(score, "L4L5.s2.DEP").value == pytest.approx(7.5, abs=0.5)
    assert point(score, "L4L5.s2.DEP").grade == 0


def test_a_lesion_away_from_the_end_plate_is_not_deep(spine):
    spine.lesion("L4", (0, 12), (-7, 8), (2,))
    assert point(read(spine), "L4L5.s2.DEP").grade == 0


def test_a_narrow_streak_is_not_deep(spine):
    spine.lesion("L4", (5, 6.4), (-13, 2), (2,))
    assert point(read(spine), "L4L5.s2.DEP").grade == 0


def test_two_lesions_one_behind_the_other_are_not_deep(spine):
    spine.lesion("L4", (0, 12), (-13, -9), (2,))
    spine.lesion("L4", (0, 12), (-4, 2), (2,))
    assert point(read(spine), "L4L5.s2.DEP").value == pytest.approx(4, abs=1)


def test_the_dark_line_of_an_end_plate_does_not_make_a_lesion_uneven(spine):
    spine.lesion("L4", (0, 12), (-13, -1), (2,))
    _, up = spine.own("L4")
    spine.frames[2, (spine.labels[2] == spine.label_of["L4"]) & (up < -11.5)] = 30.0
    assert point(read(spine), "L4L5.s2.DEP").grade == 1


def test_a_deep_lesion_must_be_homogeneous(spine):
    spine.lesion("L4", (0, 12), (-13, -7.2), (2,), signal=400.0)
    spine.lesion("L4", (0, 12), (-7.2, 1), (2,), signal=140.0)
    found = point(read(spine), "L4L5.s2.DEP")
    assert found.value >= 10
    assert (found.grade, found.compared["homogeneity"]) == (0, pytest.approx(40 / 300, abs=0.03))


def test_a_lesion_across_both_quadrants_is_deep_though_each_half_of_it_is_narrow(spine):
    spine.lesion("L4", (-2.5, 2.5), (-13, -1), (2,))
    assert point(read(spine), "L4L5.s2.DEP").grade == 1


@pytest.mark.parametrize(("side", "grade"), [(1.9, 0), (3.0, 1)])
def test_a_speck_below_the_smallest_area_is_no_oedema(spine, side, grade):
    spine = DrawnSpine(top="L4", bottom="L5", slices=3, spacing=(0.5, 0.5))
    spine.corner("L4", "lower anterior", (1,), side=side)
    found = point(read(spine), "L4L5.s2.UA")
    assert (found.grade, found.value) == (grade, pytest.approx((side + 0.25) ** 2, abs=2))
    free = point(read(spine, settings=Settings(min_oedema=0.2)), "L4L5.s2.UA")
    assert free.grade == 1


def test_oedema_outside_the_bodies_does_not_count(spine):
    forward, _ = spine.own("L4")
    spine.oedema[2][(spine.labels[2] == 0) & (np.abs(forward) < 40)] = True
    assert all(unit.total == 0 for unit in read(spine).units.values())


def test_every_point_keeps_its_pixels_its_limit_and_its_place(spine):
    spine.corner("L4", "lower anterior", (1, 2), signal=CSF)
    score = read(spine)
    table = score.table()
    assert len(table) == 18 * len(score.units)
    assert table["grade"].sum() == sum(unit.total for unit in score.units.values()) == 4
    for unit in score.units.values():
        for one in unit.points:
            if not one.grade:
                continue
            rows, columns = one.pixels.T
            assert spine.oedema[one.frame][rows, columns].all()
            assert (spine.labels[one.frame][rows, columns] == spine.label_of["L4"]).all()
            assert one.area == len(one.pixels) * 1.0
            assert one.value >= one.threshold
            assert one.place == -spine.image.positions_mm[one.frame][0]
            assert len(one.outline) >= 3
    finding = next(finding for finding in score.scored().findings if finding.site == "L4L5.s1.UA")
    box, pixels = finding.box, point(score, "L4L5.s1.UA").pixels
    assert (box.y0, box.x0) == tuple(pixels.min(axis=0))
    assert (box.y1, box.x1) == tuple(pixels.max(axis=0) + 1)


def test_an_absent_quadrant_shows_where_was_looked(spine):
    found = point(read(spine), "L4L5.s2.LP")
    assert found.grade == 0
    assert found.area == 0
    assert len(found.pixels) == pytest.approx(34 * 26 / 4, rel=0.1)


blotch = st.tuples(
    st.sampled_from(("L3", "L4", "L5", "S1")),
    st.floats(-17, 12), st.floats(2, 30), st.floats(-13, 8), st.floats(2, 26),
    st.sets(st.integers(0, 4), min_size=1), st.sampled_from((180.0, 300.0, 520.0)),
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(st.lists(blotch, max_size=4))
def test_intense_and_deep_need_oedema_in_a_quadrant_of_their_slice(blotches):
    spine = DrawnSpine(top="L3", bottom="S1", tilt=-15, slices=5, spacing=(1.2, 0.9))
    for level, ahead, width, up, height, frames, signal in blotches:
        spine.lesion(level, (ahead, ahead + width), (up, up + height), tuple(frames), signal)
    score = read(spine)
    for unit in score.units.values():
        places = [spine.image.positions_mm[frame][0] for frame in unit.frames]
        assert np.allclose(np.diff(places), -spine.step)
        for items in unit.slices:
            present = any(items[name].grade for name in ("UA", "UP", "LA", "LP"))
            for name in ("INT", "DEP"):
                assert present or items[name].grade == 0
        if unit.total is not None:
            assert 0 <= unit.total <= 18
