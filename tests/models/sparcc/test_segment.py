"""From chances of pixels to bodies and discs with names, and the network's way to chances."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.domain import Abstained, Image
from models.sparcc.anatomy.levels import Named
from models.sparcc.anatomy.parts import bodies_of
from models.sparcc.anatomy.segment import Segmenter
from tests.helpers.drawn_spine import DrawnSpine


def chances_of(spine, spread=0.98):
    """Chances of body, disc, L5 and C2 as a network would give them for a drawn spine."""
    made = np.full((4, *spine.labels.shape), 1 - spread, np.float16)
    made[0][spine.labels > 0] = spread
    for upper, lower in zip(spine.levels, spine.levels[1:], strict=False):
        _, below_upper = spine.own(upper)
        forward, above_lower = spine.own(lower)
        between = (below_upper < -spine.height / 2) & (above_lower > spine.height / 2)
        made[1][:, between & (np.abs(forward) < spine.width / 2)] = spread
    if "L5" in spine.label_of:
        made[2][spine.labels == spine.label_of["L5"]] = spread
    if "C2" in spine.label_of:
        made[3][spine.labels == spine.label_of["C2"]] = spread
    return made


@pytest.fixture(scope="module")
def spine():
    return DrawnSpine(top="L1", bottom="S1", tilt=8, slices=5)


class Given(torch.nn.Module):
    """Gives the scores of fixed chances for the slice in the middle channel, whose pixels say its number."""

    multiple = 16

    def __init__(self, chances):
        super().__init__()
        self.scores = torch.logit(torch.from_numpy(chances.astype(np.float32)).clip(0.01, 0.99))

    def forward(self, pixels):
        rows, columns = pixels.shape[2:]
        numbers = (pixels[:, 1, 0, 0] * (self.scores.shape[1] - 1)).round().long()
        padded = torch.nn.functional.pad(
            self.scores, (0, columns - self.scores.shape[3], 0, rows - self.scores.shape[2])
        )
        return padded[:, numbers].swapaxes(0, 1)


def segmented(spine, chances, **changed):
    image = Image("drawn", numbered(spine), (1.0, 1.0))
    return Segmenter(Given(chances)).segment(replace(image, **changed))


def numbered(spine):
    """Slices whose every pixel is the slice's number."""
    numbers = np.arange(spine.slices, dtype=np.float32)[:, None, None]
    return np.array(np.broadcast_to(numbers, spine.labels.shape))


def test_bodies_and_discs_get_their_names(spine):
    found = segmented(spine, chances_of(spine))
    assert isinstance(found.named, Named)
    for name, number in spine.label_of.items():
        label = next(label for label, said in found.levels.items() if said == name)
        assert np.array_equal(found.labels == label, spine.labels == number)
    discs = [said for label, said in found.levels.items() if (found.labels == label).any()][6:]
    assert discs == ["L1L2", "L2L3", "L3L4", "L4L5", "L5S1"]
    for upper, lower in (("L2", "L3"), ("L5", "S1")):
        label = next(label for label, said in found.levels.items() if said == upper + lower)
        rows = np.argwhere(found.labels == label)[:, 1].mean()
        assert spine.centres[upper][1] < rows < spine.centres[lower][1]


def test_a_sacrum_that_looks_like_l5_has_nothing_below_and_gives_no_names():
    spine = DrawnSpine(top="L1", bottom="L5", slices=5)
    found = segmented(spine, chances_of(spine))
    assert found.named == Abstained("nothing lies below the body that looks like L5, so it may be the sacrum")
    chances = chances_of(spine)
    forward, up = spine.own("L5")
    chances[1][:, (up < -13) & (up > -20) & (np.abs(forward) < 16)] = 0.9
    found = segmented(spine, chances)
    assert list(found.levels.values())[-1] == "L5S1"
    label = max(found.levels)
    assert np.argwhere(found.labels == label)[:, 1].mean() > spine.centres["L5"][1] + 13


def test_bodies_without_l5_keep_their_masks_and_get_no_names(spine):
    chances = chances_of(spine)
    chances[2] = 0.02
    found = segmented(spine, chances)
    assert isinstance(found.named, Abstained)
    assert found.levels == {}
    assert len(found.bodies) == 6
    assert len(np.unique(found.labels)) == 1 + 6 + 5


def test_bodies_of_the_neck_are_counted_from_c2():
    spine = DrawnSpine(top="C2", bottom="T1", slices=5, height=14, gap=5, width=18)
    for filed in ({"region": "cervical"}, {"body_part": "cervical spine"}, {}):
        found = segmented(spine, chances_of(spine), **filed)
        for name, number in spine.label_of.items():
            label = next(label for label, said in found.levels.items() if said == name)
            assert np.array_equal(found.labels == label, spine.labels == number)
    assert segmented(spine, chances_of(spine), region="lumbar").levels == {}


def test_a_network_without_a_map_of_c2_still_names_from_l5(spine):
    assert segmented(spine, chances_of(spine)[:3]).levels == segmented(spine, chances_of(spine)).levels


def test_a_stack_filed_as_cervical_gets_no_lumbar_names(spine):
    found = segmented(spine, chances_of(spine), body_part="cervical spine")
    assert found.levels == {}


def test_parts_off_the_column_and_specks_are_no_bodies(spine):
    chances = chances_of(spine)
    chances[0, :, 100:130, :25] = 0.9
    chances[0, 2, 5:9, 60:64] = 0.9
    labels, bodies = bodies_of(chances, (1.0, 1.0), 4.0)
    assert len(bodies) == 6
    assert not labels[:, 100:130, :25].any()
    assert not labels[2, 5:9, 60:64].any()
    assert sorted(np.unique(labels)) == [0, 1, 2, 3, 4, 5, 6]


def test_what_lies_far_beyond_an_end_of_the_column_is_no_body():
    spine = DrawnSpine(top="L1", bottom="L5", slices=5, size=(420, 200))
    chances = chances_of(spine)
    row, column = (round(value) for value in spine.centres["L5"][::-1])
    chances[0, 1:4, row + 75 : row + 100, column - 12 : column + 12] = 0.9
    assert len(bodies_of(chances, (1.0, 1.0), 4.0)[1]) == 5
    chances[0, 1:4, row + 36 : row + 60, column - 12 : column + 12] = 0.9
    assert len(bodies_of(chances, (1.0, 1.0), 4.0)[1]) == 7


def test_bodies_that_touch_at_an_osteophyte_are_told_apart(spine):
    chances = chances_of(spine)
    column = int(spine.centres["L3"][0] - 14)
    rows = slice(int(spine.centres["L3"][1]), int(spine.centres["L4"][1]))
    chances[0, 2, rows, column : column + 3] = 0.9
    chances[1, 2, rows, column : column + 3] = 0.0
    _, bodies = bodies_of(chances, (1.0, 1.0), 4.0)
    assert len(bodies) == 6


def test_nothing_found_is_no_body(spine):
    labels, bodies = bodies_of(np.zeros((3, *spine.labels.shape), np.float16), (1.0, 1.0), 4.0)
    assert bodies == []
    assert not labels.any()
    found = segmented(spine, np.zeros((3, *spine.labels.shape), np.float16))
    assert found.named == Abstained("0 vertebral bodies were found, names need at least 2")


def test_a_stack_without_pixel_size_is_not_segmented(spine):
    found = segmented(spine, chances_of(spine), spacing_mm=None)
    assert found == Abstained("the files do not say how large its pixels are")


@pytest.mark.parametrize("columns", [1, -1])
@pytest.mark.parametrize("rows", [1, -1])
def test_a_stack_is_turned_for_the_network_and_its_masks_are_turned_back(spine, rows, columns):
    straight = segmented(spine, chances_of(spine))
    order = np.array([3, 0, 4, 2, 1])
    places = np.array(spine.image.positions_mm)[order]
    image = Image(
        "turned",
        numbered(spine)[order][:, ::rows, ::columns],
        (1.0, 1.0),
        orientation=((0.0, float(columns), 0.0), (0.0, 0.0, float(-rows))),
        positions_mm=tuple((x * rows * columns, y, z) for x, y, z in places),
    )
    found = Segmenter(Given(chances_of(spine))).segment(image)
    assert np.array_equal(found.labels, straight.labels[order][:, ::rows, ::columns])
    assert found.levels == straight.levels


@pytest.mark.parametrize(
    ("orientation", "reason"),
    [
        (((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)), "its slices are not sagittal"),
        (((0.0, 0.0, -1.0), (0.0, 1.0, 0.0)), "its rows do not run from front to back"),
    ],
)
def test_a_stack_that_does_not_lie_as_it_should_is_not_segmented(spine, orientation, reason):
    assert segmented(spine, chances_of(spine), orientation=orientation) == Abstained(reason)


class Bright(torch.nn.Module):
    """Calls bright pixels body, whatever the size of the picture."""

    multiple = 16

    def __init__(self):
        super().__init__()
        self.sides = []

    def forward(self, pixels):
        self.sides.append(pixels.shape[2:])
        return torch.stack([pixels[:, 1] * 8 - 4] * 3, dim=1)


def test_the_network_sees_1_mm_and_the_mask_lies_on_the_stacks_own_pixels():
    frames = np.zeros((3, 120, 60), np.float32)
    frames[:, 40:80, 20:40] = 1.0
    network = Bright()
    found = Segmenter(network).chances(frames, (0.5, 2.0))
    assert network.sides == [(64, 128)]
    assert found.shape == (3, 3, 120, 60)
    assert np.abs((found[0] > 0.5).astype(int) - frames).mean() < 0.02
