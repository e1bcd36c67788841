"""From chances of pixels to masks of oedema, and the operating point."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.domain import Image
from core.errors import InputError
from models.sparcc.oedema.decisions import ImageRule, positive_images
from models.sparcc.oedema.finder import OedemaFinder, Point, patches
from models.sparcc.oedema.operating import AIM, Seen, choose, see, slices_of
from models.sparcc.triples import Edge
from tests.helpers.small_stacks import small_stack

POINT = Point(threshold=0.7, extent=0.4, min_area_mm2=3.0)


class Bright(torch.nn.Module):
    """Calls a pixel oedema as far as the middle slice is bright there and its neighbours are not."""

    multiple = 8

    def __init__(self):
        super().__init__()
        self.sides = []

    def forward(self, pixels):
        self.sides.append(tuple(pixels.shape[2:]))
        middle = pixels[:, 1:2] - 0.4 * (pixels[:, :1] - pixels[:, 2:])
        return (middle - 0.6) * 20


def finder(edge=Edge.REPLICATE, point=POINT):
    return OedemaFinder(Bright(), point, edge)


def drawn(*parts):
    """Chances of three slices of 20 x 20: parts (frame, row, column, side, chance)."""
    chances = np.full((3, 20, 20), 0.05, np.float16)
    for frame, row, column, side, chance in parts:
        chances[frame, row : row + side, column : column + side] = chance
    return chances


def test_a_patch_counts_with_its_peak_and_ends_where_chances_fall():
    chances = drawn((0, 3, 3, 4, 0.5), (0, 4, 4, 1, 0.8), (1, 3, 3, 4, 0.6))
    found = finder().masks_of(chances, (1.0, 1.0))
    assert found[0].sum() == 16
    assert not found[1:].any()


def test_a_patch_smaller_than_the_least_area_is_none_in_mm():
    chances = drawn((0, 3, 3, 2, 0.9))
    assert finder().masks_of(chances, (1.0, 1.0)).sum() == 4
    assert not finder().masks_of(chances, (0.8, 0.8)).any()


def test_pixels_that_touch_at_a_corner_are_one_patch():
    found = patches(drawn((0, 3, 3, 2, 0.9), (0, 5, 5, 2, 0.5), (2, 0, 0, 1, 0.6)), 0.4, (1.0, 2.0))
    assert [(one.frame, one.area_mm2, round(one.peak, 1)) for one in found] == [(0, 16.0, 0.9), (2, 2.0, 0.6)]


@pytest.mark.parametrize("columns", [1, -1])
@pytest.mark.parametrize("rows", [1, -1])
def test_masks_lie_on_the_images_own_frames_however_it_was_taken(rows, columns):
    stack = small_stack()
    straight = finder().masks(stack.image())
    order = np.array([3, 0, 5, 4, 2, 1])
    turned = replace(
        stack.image(),
        frames=stack.stir[order][:, ::rows, ::columns],
        orientation=((0.0, float(columns), 0.0), (0.0, 0.0, float(-rows))),
        positions_mm=tuple((-3.5 * place * rows * columns, 0.0, 0.0) for place in order),
    )
    assert np.array_equal(straight.any(axis=(1, 2)), stack.oedema.any(axis=(1, 2)))
    assert np.array_equal(finder().masks(turned), straight[order][:, ::rows, ::columns])


def test_the_network_sees_1_mm_and_chances_have_the_pixels_of_the_stack():
    stack = small_stack(spacing=(0.8, 1.25))
    looking = finder()
    chances = looking.chances(stack.image())
    assert set(looking.network.sides) == {(40, 32)}
    assert chances.shape == stack.stir.shape
    assert chances.dtype == np.float16
    assert chances[stack.oedema > 0].mean() > 0.5 > 10 * chances[stack.oedema == 0].mean()


def test_slices_at_the_ends_are_looked_at_only_where_the_card_says_so():
    stack = small_stack(patch=(0, 1, 5))
    assert finder().masks(stack.image()).any(axis=(1, 2)).tolist() == [True, True, False, False, False, True]
    inner = finder(Edge.DROP).masks(stack.image()).any(axis=(1, 2))
    assert inner.tolist() == [False, True, False, False, False, False]


def test_a_stack_that_cannot_be_looked_at_is_refused_with_the_reason():
    image = small_stack().image()
    with pytest.raises(InputError, match="how large its pixels are"):
        finder().masks(replace(image, spacing_mm=None))
    axial = replace(image, orientation=((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)))
    with pytest.raises(InputError, match="not sagittal"):
        finder().chances(axial)


def test_slices_by_overlap_are_those_of_the_decisions():
    rng = np.random.default_rng(5)
    chances = (rng.random((30, 12, 12)) ** 3).astype(np.float16)
    oedema = np.zeros(chances.shape, bool)
    oedema[:12, 4:7, 4:7] = True
    seen = [Seen("P1", chances, oedema, (1.0, 1.0))]
    point = Point(0.9, 0.6, 2.0)
    masks = finder(point=point).masks_of(chances, (1.0, 1.0))
    decided = positive_images(masks, ImageRule.OVERLAP, oedema)
    slices = slices_of(seen, [patches(chances, point.extent, (1.0, 1.0))], point.min_area_mm2)
    assert np.array_equal(slices.peak >= point.threshold, decided)
    assert 0 < decided.sum() < len(decided)


def made_up(seed, patients=12):
    """Stacks on which oedema is seen with a chance around 0.7 and false alarms come with 0.3 and less."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(patients):
        chances = np.zeros((18, 24, 24), np.float16)
        oedema = np.zeros(chances.shape, bool)
        for frame in range(18):
            chances[frame, 2:6, 2:6] = np.clip(rng.normal(0.3, 0.18), 0, 1)
            if number % 2 and frame in (7, 8):
                oedema[frame, 12:16, 12:16] = True
                chances[frame, 12:16, 12:16] = np.clip(rng.normal(0.75, 0.15), 0, 1)
        found.append(Seen(f"P{number}", chances, oedema, (1.0, 1.0)))
    return found


def test_the_point_is_the_one_nearest_to_the_aim():
    seen = made_up(1)
    point, figures = choose(seen)
    assert (figures["patients"], figures["stacks"], figures["slices"], figures["positive_slices"]) == (
        12, 12, 216, 12,
    )  # fmt: skip
    reached = np.array([figures["sensitivity"], figures["specificity"]])
    parts = [patches(one.chances, point.extent, one.spacing_mm) for one in seen]
    slices = slices_of(seen, parts, point.min_area_mm2)
    others = [np.hypot(*np.subtract(slices.at(one), AIM)) for one in slices.thresholds()]
    assert np.hypot(*(reached - AIM)) <= min(others) + 1e-3
    assert slices.at(point.threshold) == pytest.approx(tuple(reached), abs=1e-3)


def test_a_network_that_finds_nothing_has_no_operating_point():
    seen = made_up(1)
    blind = [replace(one, chances=np.zeros_like(one.chances)) for one in seen]
    with pytest.raises(InputError, match="a network that finds any"):
        choose(blind)
    healthy = [replace(one, oedema=np.zeros_like(one.oedema)) for one in seen]
    with pytest.raises(InputError, match="some with oedema, some without"):
        choose(healthy)


def test_tuning_stacks_are_seen_as_the_finder_sees_any_stack():
    stack = small_stack()
    (one,) = see(finder(), [stack])
    assert np.array_equal(one.chances, finder().chances(stack.image()))
    assert np.array_equal(one.oedema, stack.oedema > 0)
    assert one.patient == "P1"


def test_an_image_without_geometry_is_taken_as_it_is():
    stack = small_stack()
    plain = Image("plain", stack.stir, (1.0, 1.0), "MR")
    assert np.array_equal(finder().masks(plain), finder().masks(stack.image()))
