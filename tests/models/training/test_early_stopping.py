"""Training ends where films of other patients are read no better, and the best weights stay."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.errors import InputError
from models.msasss import batches, samples
from models.training.loop import Batch, Descent, Recipe, fit, loss_on
from models.training.pipeline import TrainRequest, train
from tests.models.training import toy
from tests.models.training.test_pipeline import run

RECIPE = replace(toy.BRIGHTNESS.recipe, epochs=40, learning_rate=0.1, average=0.0)


def test_the_best_epoch_stays_and_the_rest_is_not_trained():
    values = iter([5.0, 3.0, 4.0, 3.5, 1.0])
    weights: list[torch.Tensor] = []

    def watch(network):
        weights.append(network[-1].weight.detach().clone())
        return next(values)

    films = toy.simulated(8)
    network = toy.build("demo")
    views = toy.batches(films, RECIPE, network)
    patient = replace(RECIPE, patience=2)
    descent = Descent(torch.nn.functional.cross_entropy)
    fitted = fit(network, descent, views, patient, steps_per_epoch=2, watch=watch)
    assert fitted.best_epoch == 2 and len(weights) == 4 and fitted.images == 4 * 8
    assert torch.equal(fitted.network[-1].weight, weights[1])


def test_without_patience_all_epochs_are_trained():
    fitted = toy.BRIGHTNESS.train(toy.simulated(8), replace(RECIPE, epochs=3), held_out=toy.simulated(4, 50))
    assert fitted.images == 3 * 8 and fitted.best_epoch is None


def test_labels_that_other_patients_contradict_are_not_learned_by_heart():
    films = toy.simulated(8)
    held_out = [
        toy.Film(one.patient + "x", one.pixels, 1 - one.grade) for one in films
    ]  # the other way round
    stopped = toy.BRIGHTNESS.train(films, replace(RECIPE, patience=3), held_out=held_out)
    assert stopped.best_epoch <= 2 and stopped.images <= 8 * (stopped.best_epoch + 3)


def test_a_stopped_training_with_patience_goes_on_with_what_it_knew(tmp_path):
    films, held_out, recipe = toy.simulated(8), toy.simulated(4, 50), replace(RECIPE, epochs=6, patience=2)
    whole = toy.BRIGHTNESS.train(films, recipe, held_out=held_out)

    class Stop(Exception):
        pass

    def stop(done):
        if done.epochs == 4:
            raise Stop

    path = tmp_path / "a.checkpoint"
    with pytest.raises(Stop):
        toy.BRIGHTNESS.train(films, recipe, held_out=held_out, checkpoint=path, report=stop)
    again = toy.BRIGHTNESS.train(films, recipe, held_out=held_out, checkpoint=path)
    assert again.best_epoch == whole.best_epoch
    assert torch.equal(again.network[-1].weight, whole.network[-1].weight)


def test_looking_changes_nothing_and_leaves_chance_out():
    layers = torch.nn.Conv2d(1, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Dropout2d(0.5), torch.nn.Flatten()
    network = torch.nn.Sequential(*layers, torch.nn.Linear(144, 2)).eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    pixels = torch.from_numpy(np.random.default_rng(0).random((6, 1, 8, 8)).astype(np.float32))
    batch = Batch(pixels, torch.tensor([0, 1, 0, 1, 0, 1]))
    descent = Descent(torch.nn.functional.cross_entropy)
    first, second = (loss_on(network, descent, [batch]) for _ in range(2))
    assert first == second == pytest.approx(descent.loss(network(pixels), batch.targets).item(), rel=1e-5)
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert not network.training


def test_networks_that_lose_in_training_alone_are_looked_at_too(make_toy):
    films = samples.prepare_all(make_toy("lumbar", f"T{i}", i) for i in range(4)).finder
    network = batches.FINDER
    recipe = Recipe(epochs=2, batch=2, average=0.9, patience=1)
    fitted = network.train(films[:2], recipe, held_out=films[2:])
    assert fitted.best_epoch in (1, 2)


def test_one_long_epoch_is_cut_into_parts_to_look_between():
    long = replace(toy.BRIGHTNESS, recipe=Recipe(epochs=1, batch=4, images=4_405))
    cut = TrainRequest("demo", None, patience=2).recipe(long)
    assert (cut.epochs, cut.images, cut.patience) == (10, 441, 2)
    assert TrainRequest("demo", None).recipe(long).images == 4_405


def test_the_command_asks_for_films_to_tell_by(tmp_path):
    with pytest.raises(InputError, match=r"--patience; it needs labelled films \(--data\)"):
        train(toy.MODEL, TrainRequest("demo", tmp_path, phantom=8, patience=1), lambda line: None)
    rows = [(f"P{i}", 0.3 + 0.4 * (i % 2), i % 2) for i in range(8)]
    (tmp_path / "films.json").write_text(json.dumps(rows))
    card = run(tmp_path / "out", data=tmp_path, phantom=None, patience=3)
    assert card["networks"]["brightness"]["best_epoch"] >= 1
