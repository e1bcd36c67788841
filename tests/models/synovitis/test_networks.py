"""The networks: torchvision's ResNet18 and its half, weights, calibrated probabilities."""

import numpy as np
import pytest
import torch
from torchvision.models import resnet18

from core.errors import ModelError
from models import cards
from models.synovitis.calibration import Calibration, agreement, fit, softmax
from models.synovitis.losses import class_weights, draws, loss_of, squared_distance
from models.synovitis.networks import PIXELS, TASKS, as_input, build, load, seen_rows
from models.synovitis.tasks import DIAGNOSES, classes_of, truth_of
from models.synovitis.training import Samples


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_full_network_is_that_of_torchvision():
    own, theirs = build("grade", "full").eval(), resnet18(num_classes=4).eval()
    own.load_state_dict(theirs.state_dict())
    pixels = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(own(pixels), theirs(pixels))


def test_demo_network_has_every_layer_at_half_the_width():
    half, full = build("grade", "demo").state_dict(), build("grade", "full").state_dict()
    own = {name for name in half if "downsample" not in name}
    assert own == {name for name in full if "downsample" not in name}
    assert all(
        2 * half[name].shape[0] == full[name].shape[0] for name in own if name.endswith("conv1.weight")
    )
    assert 2 * sum(value.numel() for value in half.values()) < 12e6  # bytes as float16


def test_weights_and_calibration_come_back(tmp_path, rng):
    network = build("ra_v_spa")
    network(as_input(rng.integers(0, 255, (4, 64, 64, 3), np.uint8)))  # moves the running means
    calibration = Calibration(2.0, (0.5, -0.5), (1.0, 3.0))
    for fold in ("", "fold1"):
        entry = cards.save(network, tmp_path / fold / "synovitis-demo-ra_v_spa.safetensors", torch.float16)
        card = {"networks": {"ra_v_spa": entry}, "grading": {"ra_v_spa": calibration.as_card()}}
        cards.write_card(card, "synovitis", "demo", tmp_path / fold)
    assert (tmp_path / entry["file"]).stat().st_size < 6e6
    pictures = rng.integers(0, 255, (5, 64, 64, 3), np.uint8)
    for fold in (None, 1):
        read = load("ra_v_spa", fold=fold, folder=tmp_path)
        chances = read.predict(pictures)
        assert chances.shape == (5, 2) and np.allclose(chances.sum(axis=1), 1)
        with torch.inference_mode():
            raw = network.eval()(as_input(pictures)).numpy()
        assert np.allclose(read.logits(pictures), raw, atol=0.02)  # float16
        assert np.allclose(chances, softmax(read.logits(pictures) / 2 + [0.5, -0.5]))
    with pytest.raises(ModelError, match="networks of ra_v_spa"):
        load("grade", folder=tmp_path)
    with pytest.raises(ModelError, match="no weights of synovitis"):
        load("grade", fold=3, folder=tmp_path)


def test_one_picture_alone_is_told_as_among_others(rng):
    network = load_random()
    pictures = rng.integers(0, 255, (3, 64, 64, 3), np.uint8)
    together = network(as_input(pictures))
    alone = torch.cat([network(as_input(one[None])) for one in pictures])
    assert torch.allclose(together, alone, atol=1e-4)


def load_random():
    torch.manual_seed(0)
    return build("grade").eval().requires_grad_(False)


def test_a_diagnosis_asks_only_patients_of_its_two_groups():
    assert [truth_of(task, 2, "PsA") for task in TASKS] == [2, 0, None, 0, 0]
    assert [truth_of(task, 0, "RA-") for task in TASKS] == [0, 1, 0, None, 1]
    assert [truth_of(task, 0, "gout") for task in DIAGNOSES] == [None] * 4
    assert classes_of("rapos_v_spa") == ("SpA/PsA", "RA+")


def test_calibration_finds_the_temperature_and_shift_that_were_put_in(rng):
    true = rng.normal([1, 0, -1], 2, (4000, 3))
    right = [int(rng.choice(3, p=row)) for row in softmax(true)]
    found = fit(3 * true + [0.0, 2.0, -2.0], right)
    assert found.temperature == pytest.approx(3, rel=0.1)
    assert np.allclose(found.probabilities(3 * true + [0.0, 2.0, -2.0]), softmax(true), atol=0.05)
    assert Calibration.from_card(found.as_card()) == found


def test_answers_with_inverse_frequencies_find_rare_classes(rng):
    right = np.array([0] * 90 + [1] * 10)
    logits = np.stack([np.zeros(100), right * 1.0 + rng.normal(0, 0.5, 100)], axis=1)
    plain, even = fit(logits, right, 0.0), fit(logits, right, 1.0)
    found = [(one.answers(one.probabilities(logits))[right == 1] == 1).mean() for one in (plain, even)]
    assert found[1] > found[0]


def test_a_class_that_is_never_there_leaves_probabilities_finite(rng):
    found = fit(rng.normal(0, 1, (30, 4)), [0, 1] * 15)
    assert np.isfinite(found.probabilities(rng.normal(0, 50, (5, 4)))).all()


def test_agreement_is_kappa_with_quadratic_weights(rng):
    from sklearn.metrics import cohen_kappa_score

    one, other = rng.integers(0, 4, 60), rng.integers(0, 4, 60)
    assert agreement(one, other, 4) == pytest.approx(cohen_kappa_score(one, other, weights="quadratic"))


def test_ordinal_loss_counts_how_far_off_a_grade_is():
    def sure_of(grade):
        return torch.full((1, 4), -20.0).index_fill(1, torch.tensor([grade]), 20.0)

    truth = torch.tensor([0])
    far = [float(squared_distance(sure_of(grade), truth)) for grade in range(4)]
    assert far == pytest.approx([0, 1, 2, 3], abs=1e-4)
    even = torch.ones(4)
    plain, ordinal = (loss_of(kind, even) for kind in ("plain", "ordinal"))
    assert float(plain(sure_of(1), truth)) == pytest.approx(float(plain(sure_of(3), truth)))
    assert float(ordinal(sure_of(1), truth)) < float(ordinal(sure_of(3), truth))


def test_rare_grades_weigh_more_within_bounds():
    truth = torch.tensor([0] * 70 + [1] * 15 + [2] * 13 + [3] * 2)
    weight = class_weights(truth, 4)
    assert weight[1] / weight[0] == pytest.approx(70 / 15, rel=1e-4)
    assert weight[3] / weight[0] == pytest.approx(8)  # 35 would drown the rest
    assert float(weight[truth].mean()) == pytest.approx(1)


def test_rare_grades_are_drawn_more_often_and_weigh_as_much_in_all():
    truth = torch.tensor([0] * 64 + [1] * 16 + [2] * 16 + [3] * 4)
    often = draws(truth, 4)
    assert float(often.mean()) == pytest.approx(1)
    assert often[-1] / often[0] == pytest.approx(4) and often[70] / often[0] == pytest.approx(2)
    samples = Samples("grade", np.zeros((100, 1, 1, 3), np.uint8), truth.numpy(), 10, "plain", None)
    assert samples.chance.sum() == pytest.approx(1)
    in_all = np.bincount(truth, samples.chance) * samples.class_weight.numpy()  # chance x weight of a class
    asked = torch.bincount(truth) * class_weights(truth, 4) / 100
    assert in_all == pytest.approx(asked.numpy(), rel=1e-5)


def test_networks_look_at_the_upper_part_of_a_picture_alone(rng):
    pictures = rng.integers(0, 255, (2, PIXELS, PIXELS, 3), np.uint8)
    below = pictures.copy()
    below[:, seen_rows(PIXELS) :] = 255
    assert as_input(pictures).shape == (2, 3, 96, PIXELS)
    assert torch.equal(as_input(pictures), as_input(below))
    above = pictures.copy()
    above[:, seen_rows(PIXELS) - 1] = 255
    assert not torch.equal(as_input(pictures), as_input(above))
