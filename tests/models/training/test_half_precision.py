"""Half precision is computed in where the processor has it, and the card says which one it was."""

import pytest
import torch

from models.training import loop
from models.training.loop import Batch, Descent, Recipe


@pytest.mark.parametrize(("has_it", "wanted"), [(True, torch.bfloat16), (False, torch.float32)])
def test_half_precision_is_used_where_the_processor_computes_in_it(monkeypatch, has_it, wanted):
    seen = []

    def forward(network, batch):
        raw = network(batch.pixels)
        seen.append(raw.dtype)
        return raw

    monkeypatch.setattr(loop, "computes_in_half", lambda device="cpu": has_it)
    network = torch.nn.Conv2d(1, 1, 1)
    recipe = Recipe(epochs=1, batch=1)
    descent = Descent(lambda raw, targets: (raw - targets).square().mean(), forward)
    batch = Batch(torch.ones(1, 1, 2, 2), torch.zeros(1, 1, 2, 2))
    descent.step(network, batch, descent.optimizer(network, recipe), half=recipe.half_precision)
    assert seen == [wanted]
    assert recipe.as_card()["half_precision"] is has_it


def test_float32_asked_for_stays_float32(monkeypatch):
    monkeypatch.setattr(loop, "computes_in_half", lambda device="cpu": True)
    assert Recipe(epochs=1, batch=1, half_precision=False).as_card()["half_precision"] is False


def test_what_a_processor_can_do_is_told_by_its_instructions():
    assert loop.computes_in_half("cpu") in (True, False)
    assert loop.computes_in_half("mps") is False  # nothing is known of it, so float32
