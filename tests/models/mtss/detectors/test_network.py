"""The detector in both sizes, crops with their boxes, one training step, and scanning in batches."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from models.mtss.detectors import batches, scan, windows
from models.mtss.detectors import network as networks
from models.mtss.detectors.joints import AFFECTED, PLAIN
from models.mtss.detectors.samples import HandSample, crop, drawing_weights

LUXATION = batches.TRAININGS["luxation"]


@pytest.fixture(scope="module")
def network():
    """A slim detector with random weights that proposes boxes everywhere."""
    torch.manual_seed(3)
    made = networks.detector("demo").eval()
    made.score_thresh = 0.36
    return made


@pytest.fixture
def sample():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 60, (500, 640), dtype=np.uint8)
    boxes = np.array([[100, 120, 140, 170], [300, 200, 345, 250], [500, 400, 540, 450]], float)
    for x0, y0, x1, y1 in boxes.astype(int):
        image[y0:y1, x0:x1] = 220
    return HandSample("film", "P1", image, boxes, np.array([PLAIN, AFFECTED, PLAIN]))


def test_both_sizes_look_at_the_same_maps():
    """38, 19, 10, 5, 3 and 1 pixels a side: 8732 default boxes, as in SSD300."""
    for size in networks.WIDTHS:
        made = networks.detector(size).eval()
        with torch.inference_mode():
            maps = made.backbone(torch.zeros(1, networks.channels(made), 300, 300))
        assert [one.shape[-1] for one in maps.values()] == [38, 19, 10, 5, 3, 1], size
        boxes = sum(
            one.shape[-1] ** 2 * per
            for one, per in zip(maps.values(), made.anchor_generator.num_anchors_per_location(), strict=True)
        )
        assert boxes == 8732
    with pytest.raises(ValueError, match="huge"):
        networks.detector("huge")


def test_the_slim_network_fits_in_a_repository():
    assert sum(p.numel() for p in networks.detector("demo").parameters()) * 4 < 6e6


def test_batches_give_the_same_boxes_as_one_window_at_a_time(network):
    film = np.random.default_rng(1).random((520, 610), dtype=np.float32)
    one = scan.proposals(network, film, batch=1)
    many = scan.proposals(network, film, batch=5)
    assert len(one) == len(many) > 20
    assert many.boxes == pytest.approx(one.boxes, abs=1e-2)
    assert many.scores == pytest.approx(one.scores, abs=1e-4)
    assert (many.affected == one.affected).all()


def test_the_fused_network_gives_the_same_maps(network):
    """Compared before suppression: the boxes of random weights are near ties."""
    pixels = torch.rand(2, 1, 300, 300)
    fast = networks.fused(network)
    assert not any(isinstance(layer, torch.nn.BatchNorm2d) for layer in fast.modules())
    assert any(isinstance(layer, torch.nn.BatchNorm2d) for layer in network.modules())
    with torch.inference_mode():
        one, other = (net.head(list(net.backbone(pixels).values())) for net in (network, fast))
    for name in ("cls_logits", "bbox_regression"):
        assert torch.allclose(one[name], other[name], atol=2e-3), name


def test_windows_of_air_are_not_computed(network, monkeypatch):
    film = np.full((600, 1200), 0.1, np.float32)
    film[60:290, 60:290] = 1.0
    seen = []
    real = scan.cut
    monkeypatch.setattr(scan, "cut", lambda f, place: (seen.append(tuple(place)), real(f, place))[1])
    scan.proposals(network, film)
    assert seen == [(0, 0), (150, 0), (0, 150), (150, 150)]
    assert len(scan.proposals(network, np.zeros((400, 400), np.float32))) == 0


def test_a_crop_without_augmentation_shows_its_joint_in_the_middle(sample):
    grey, boxes, labels = crop(sample, 1, np.random.default_rng(0), augment=False)
    assert grey.shape == (windows.SIDE, windows.SIDE)
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    nearest = int(np.argmin(np.abs(middle - 150).sum(axis=1)))
    assert middle[nearest] == pytest.approx([150, 150], abs=1)
    assert labels[nearest] == AFFECTED


def test_boxes_follow_the_picture_through_augmentation(sample):
    """Wherever a box is after turning, flipping and zooming, it lies on its bright square."""
    rng = np.random.default_rng(5)
    seen = 0
    for _ in range(60):
        grey, boxes, labels = crop(sample, int(rng.integers(3)), rng)
        assert len(boxes) == len(labels)
        assert 0 <= grey.min() <= grey.max() <= 1
        for box in boxes:
            x0, y0, x1, y1 = (box + np.array([8, 8, -8, -8])).astype(int)
            if x1 > x0 and y1 > y0:
                seen += 1
                assert np.median(grey[y0:y1, x0:x1]) > np.median(grey) + 0.2
    assert seen > 60


def test_rare_findings_are_drawn_more_often(sample):
    pairs, chance = drawing_weights([sample])
    assert pairs.tolist() == [[0, 0], [0, 1], [0, 2]]
    assert chance.sum() == pytest.approx(1)
    labels = np.repeat([PLAIN, AFFECTED, PLAIN], [20, 1, 39])
    many = HandSample("f", "P", sample.image, np.repeat(sample.boxes, 20, 0), labels)
    _, chance = drawing_weights([many])
    assert chance[20] == pytest.approx(1 / 3)


def test_the_same_seed_gives_the_same_weights(sample):
    recipe = replace(batches.BUDGET, images=4, batch=2, seed=1, half_precision=False)
    first, again = (LUXATION.train([sample], recipe) for _ in range(2))
    for one, other in zip(first.network.parameters(), again.network.parameters(), strict=True):
        assert torch.equal(one, other)
    assert first.images == 4


def test_training_lowers_the_loss(sample):
    torch.manual_seed(0)
    network = networks.detector("demo")
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    (batch,) = batches.batches([sample], replace(batches.BUDGET, images=2, batch=2), network)(0)
    network.train()
    losses = [batches.descent(network).step(network, batch, optimizer, half=False) for _ in range(8)]
    assert losses[-1] < 0.8 * losses[0]


def test_training_ends_at_its_budget(sample):
    done = LUXATION.train([sample], replace(batches.BUDGET, images=100_000, batch=2, seconds=0.2))
    assert done.images < 200
    assert not done.network.training
