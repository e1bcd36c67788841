"""Folds by image and by patient, compared with networks that take no training."""

import numpy as np
import pytest
import torch

from models.sparcc.oedema import leak
from models.sparcc.oedema.leak import auc, compared
from models.sparcc.oedema.samples import samples_of
from models.training.loop import Fitted, Recipe
from tests.helpers.small_stacks import small_stack

RECIPE = Recipe(epochs=1, batch=2, images=2)


class Remembers(torch.nn.Module):
    """Finds bright pixels if it has seen the patient, else nothing."""

    def __init__(self, known):
        super().__init__()
        self.known = known

    def forward(self, pixels):
        bright = (pixels[:, 1:2] - 0.7) * 20
        return bright if self.is_known(pixels) else torch.full_like(bright, -9.0)

    def is_known(self, pixels):
        return any(torch.allclose(pixels[0, 1, :40, :30], one, atol=1e-4) for one in self.known)


class Training:
    """A network that remembers all slices of every patient of whom it saw one."""

    def train(self, samples, recipe):
        patients = {one.patient for one in samples.slices}
        known = [
            torch.from_numpy(frame.astype(np.float32) / 255)
            for name, sample in samples.stacks.items()
            if name.split("_")[0] in patients
            for frame in sample.stir
        ]
        return Fitted(Remembers(known), 0, 0.0, 0.0)


def test_a_network_that_knows_its_patients_again_leaks_by_image_alone(monkeypatch):
    stacks = [small_stack(f"P{number}", seed=number) for number in range(4)]
    monkeypatch.setattr(leak, "small_training", Training)
    found = compared(samples_of(stacks), 2, RECIPE, draws=50)
    assert (found["patients"], found["slices"], found["positive_slices"]) == (4, 24, 8)
    assert found["patient"]["on_both_sides"] == 0
    assert found["image"]["on_both_sides"] == 4
    assert found["patient"]["auc"][0] == 0.5
    assert found["image"]["auc"][0] == 1.0
    assert found["leak"]["auc"] == [0.5, 0.5, 0.5]
    assert found["leak"]["dice"][0] > 0.9


@pytest.mark.parametrize("seed", range(3))
def test_auc_is_the_share_of_pairs_in_order(seed):
    rng = np.random.default_rng(seed)
    peaks, positive = rng.integers(0, 5, 40) / 5, rng.random(40) < 0.3
    pairs = [(a > b) + 0.5 * (a == b) for a in peaks[positive] for b in peaks[~positive]]
    assert auc(peaks, positive, np.ones(40)) == pytest.approx(np.mean(pairs))
    twice = np.concatenate([peaks, peaks[:20]])
    weight = np.where(np.arange(40) < 20, 2.0, 1.0)
    expected = auc(twice, np.concatenate([positive, positive[:20]]), np.ones(60))
    assert auc(peaks, positive, weight) == pytest.approx(expected)
