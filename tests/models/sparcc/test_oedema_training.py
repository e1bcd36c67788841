"""What the network of marrow oedema is shown, what it goes down, and that a step moves it."""

import numpy as np
import pytest
import torch

from models import cards
from models.sparcc.anatomy import network as bodies
from models.sparcc.oedema.finder import Point
from models.sparcc.oedema.network import MM, build, loss
from models.sparcc.oedema.samples import COLUMNS, ROWS, Choice, batches, sample_of, samples_of, view
from models.sparcc.oedema.training import TRAINING, begun_from_bodies, network_training, with_oedema
from models.sparcc.triples import Edge
from models.training.loop import Recipe
from tests.helpers.small_stacks import small_stack

RECIPE = Recipe(epochs=1, batch=4, images=4, half_precision=False, average=0.0, seed=3)


def test_the_loss_is_low_for_the_right_mask_and_high_for_a_missed_or_a_false_one():
    wanted = torch.zeros(2, 1, 16, 16)
    wanted[0, 0, 4:8, 4:8] = 1
    right, elsewhere = (wanted * 2 - 1) * 9, (wanted.flip(0) * 2 - 1) * 9
    nothing = torch.full_like(wanted, -9.0)
    assert loss(right, wanted) < 0.05
    assert loss(nothing, wanted) > 1
    assert loss(elsewhere, wanted) > loss(nothing, wanted)


def test_a_batch_without_oedema_pulls_the_network_to_say_nothing():
    wanted = torch.zeros(2, 1, 8, 8)
    scores = torch.zeros(2, 1, 8, 8, requires_grad=True)
    loss(scores, wanted).backward()
    assert (scores.grad > 0).all()
    assert loss(torch.full_like(wanted, -12.0), wanted) < 0.01


def test_the_network_is_small_and_says_little_before_it_is_trained():
    network = build("demo").eval()
    assert sum(value.numel() for value in network.state_dict().values()) * 4 < 12e6
    with torch.inference_mode():
        scores = network(torch.rand(1, 3, 32, 48))
    assert scores.shape == (1, 1, 32, 48)
    assert float(torch.sigmoid(scores).mean()) < 0.2


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.8, 0.8), (1.25, 1.25)])
def test_a_stack_is_brought_to_the_networks_pixels_with_its_mask(spacing):
    stack = small_stack(spacing=spacing)
    sample = sample_of(stack)
    assert sample.stir.shape == (6, round(40 / MM), round(30 / MM))
    assert sample.oedema.any(axis=(1, 2)).tolist() == [False, False, True, True, False, False]
    area = stack.oedema.sum() * spacing[0] * spacing[1]
    assert sample.oedema.sum() * MM**2 == pytest.approx(area, rel=0.2)
    assert sample.stir[sample.oedema].mean() > 2 * sample.stir[~sample.oedema].mean()
    assert sample.places.min() > 0


def test_a_view_shows_the_middle_slice_with_its_own_oedema():
    sample = sample_of(small_stack())
    views = [view(sample, 2, np.random.default_rng(seed)) for seed in range(20)]
    for pixels, wanted in views:
        assert pixels.shape == (3, ROWS, COLUMNS)
        assert wanted.shape == (1, ROWS, COLUMNS)
        assert 0 <= pixels.min() <= pixels.max() <= 1
    shown = [(pixels[1], wanted[0] > 0) for pixels, wanted in views if wanted.any()]
    assert len(shown) >= 15
    brighter = [pixels[mask].mean() > pixels[~mask & (pixels > 0.02)].mean() for pixels, mask in shown]
    assert np.mean(brighter) > 0.9
    assert not view(sample, 0, np.random.default_rng(0))[1].any()


def test_an_epoch_is_the_same_each_time_and_half_of_its_slices_have_oedema():
    samples = samples_of([small_stack("P1"), small_stack("P2", patch=())])
    first, again = (next(iter(batches(samples, RECIPE, None)(0))) for _ in range(2))
    assert torch.equal(first.pixels, again.pixels)
    assert torch.equal(first.targets, again.targets)
    assert not torch.equal(first.pixels, next(iter(batches(samples, RECIPE, None)(1))).pixels)
    many = Recipe(epochs=1, batch=64, images=64)
    with_oedema = next(iter(batches(samples, many, None)(0))).targets.amax(dim=(1, 2, 3)) > 0
    assert 0.25 < float(with_oedema.float().mean()) < 0.65


def test_patients_without_oedema_and_slices_at_the_ends_are_left_out_where_so_set():
    stacks = [small_stack("P1"), small_stack("P1", "thoracic", patch=()), small_stack("P2", patch=())]
    assert len(samples_of(stacks)) == 18
    inflamed = samples_of(stacks, Choice(negative_patients=False)).slices
    assert {one.stack for one in inflamed} == {"P1_lumbar", "P1_thoracic"}
    inner = samples_of(stacks, Choice(edge=Edge.DROP)).slices
    assert {one.frame for one in inner} == {1, 2, 3, 4}


def test_a_step_of_training_moves_the_weights_and_the_card_says_what_was_chosen():
    training = network_training(Choice(negative_patients=False, edge=Edge.DROP))
    samples = training.samples([small_stack("P1"), small_stack("P2", patch=())], 0)
    fitted = training.train(samples, RECIPE)
    torch.manual_seed(RECIPE.seed)
    before = build("demo").parameters()
    assert any(
        not torch.equal(old, new) for old, new in zip(before, fitted.network.parameters(), strict=True)
    )
    about = training.about(samples, fitted, RECIPE)
    assert (about["edge"], about["negative_patients"]) == ("drop", False)
    assert (about["stacks"], about["slices"], about["positive_slices"]) == (1, 4, 2)
    assert TRAINING.name == "oedema"


def test_it_can_begin_from_the_weights_of_bodies_with_a_last_layer_of_its_own(tmp_path):
    known = bodies.build("demo")
    entry = cards.save(known, tmp_path / "sparcc-demo-anatomy.safetensors")
    cards.write_card({"networks": {"anatomy": entry}}, "sparcc", "demo", tmp_path)
    folder = begun_from_bodies(tmp_path, "demo", tmp_path / "start")
    started = build("demo")
    about = {"sha256": cards.sha256(folder / "sparcc-demo-oedema.safetensors")}
    card = {"networks": {"oedema": about | {"file": "sparcc-demo-oedema.safetensors"}}}
    cards.load_into(started, card, "oedema", folder)
    assert torch.equal(started.down[0][0].weight, known.down[0][0].weight)
    assert started.head.weight.shape[0] == 1


def test_a_card_keeps_what_it_has_beside_the_network_of_oedema():
    card = {"networks": {"anatomy": {"sha256": "a"}}, "training": {"patients": ["VB2-04"]}}
    made = with_oedema(card, {"sha256": "b"}, Point(0.8, 0.4, 6.0), {"patients": 4}, {"TR2", "TR1"})
    assert made["networks"]["anatomy"] == {"sha256": "a"}
    assert made["networks"]["oedema"] == {
        "sha256": "b", "threshold": 0.8, "extent": 0.4, "min_area_mm2": 6.0,
    }  # fmt: skip
    assert made["training"].pop("learned_from") == [
        {"kind": "phantom", "patients": 2, "part": "marrow oedema", "things": "MRI"}
    ]
    assert made["training"] == {"patients": ["VB2-04"], "phantom_patients": ["TR1", "TR2"]}
    assert made["tuning"] == {"oedema": {"patients": 4}}
