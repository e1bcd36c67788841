"""A toy system goes through the whole training: films, network, card, tuning; it goes on where it stopped."""

import json
from dataclasses import replace

import pytest

from core.errors import InputError
from models import cards
from models.training.beside import beside
from models.training.loop import Recipe
from models.training.pipeline import TrainRequest, networks_of, train, without_patients
from tests.models.training import toy


def run(out, told=None, **request):
    request = TrainRequest("demo", out, **({"phantom": 8} | request))
    return train(toy.MODEL, request, (told if told is not None else []).append)


def test_a_system_of_a_few_lines_is_trained_and_tuned(tmp_path):
    told: list[str] = []
    card = run(tmp_path, told)
    assert card == cards.read_card("toy", "demo", tmp_path)
    assert card["grading"] == {"accuracy": 1.0}
    assert card["networks"]["brightness"]["images"] == 30 * 8
    assert card["note"] == "trained on phantom films, research only"
    assert "paired" not in card
    assert any(line.startswith("brightness epoch 30/30 loss") for line in told)
    assert not list(tmp_path.glob("*.checkpoint"))


def test_labelled_films_train_it_as_well(tmp_path):
    rows = [(f"P{i}", 0.3 + 0.4 * (i % 2), i % 2) for i in range(8)]
    (tmp_path / "films.json").write_text(json.dumps(rows))
    card = run(tmp_path / "out", data=tmp_path, phantom=None)
    assert "phantom" not in card["note"]


def test_what_is_there_is_not_trained_again(tmp_path):
    card, told = run(tmp_path), []
    weights = (tmp_path / card["networks"]["brightness"]["file"]).stat().st_mtime_ns
    assert run(tmp_path, told) == card
    assert (tmp_path / card["networks"]["brightness"]["file"]).stat().st_mtime_ns == weights
    assert told == [f"brightness: {tmp_path / 'toy-demo-brightness.safetensors'} is there already"]


def test_a_stopped_training_ends_in_the_same_weights(tmp_path):
    class Stop(Exception):
        pass

    def stop(line):
        if "epoch 3/" in line:
            raise Stop

    whole = run(tmp_path / "whole")
    request = TrainRequest("demo", tmp_path / "parts", phantom=8)
    with pytest.raises(Stop):
        train(toy.MODEL, request, stop)
    assert (tmp_path / "parts" / "brightness.checkpoint").is_file()
    assert run(tmp_path / "parts")["networks"] == whole["networks"]


def test_weights_to_begin_from_must_be_there(tmp_path):
    run(tmp_path / "one", epochs={"brightness": 1})
    run(tmp_path / "two", init=tmp_path / "one", epochs={"brightness": 1})
    with pytest.raises(InputError, match=r"it must hold toy-demo-brightness\.safetensors"):
        run(tmp_path / "three", init=tmp_path)


def test_work_beside_each_other_gives_what_it_gives_in_order():
    told: list[str] = []
    alone = list(beside(_double, [(1,), (2,)], 1, print))
    assert sorted(beside(_double, [(1,), (2,)], 2, told.append)) == alone == [(0, 2), (1, 4)]
    assert sorted(told) == ["doubling 1", "doubling 2"]
    assert list(beside(_double, [], 2, print)) == []


def _double(number, tell):
    tell(f"doubling {number}")
    return 2 * number


def test_a_patient_on_both_sides_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"1 patients for training and for tuning \(P1000 \.\.\.\)"):
        run(tmp_path, phantom=1, first=1000)


def test_an_option_that_a_system_lacks_is_refused_by_name():
    assert networks_of(toy.MODEL, "epochs") == ("brightness",)
    with pytest.raises(InputError, match=r"--finder-epochs; toy has no such option \(it has --epochs\)"):
        networks_of(toy.MODEL, "finder-epochs")
    with pytest.raises(InputError, match="its model is not trained here"):
        networks_of(replace(toy.MODEL, training=None), "epochs")


def test_a_request_changes_the_recipe_of_the_network_it_names():
    request = TrainRequest("demo", None, epochs={"brightness": 2}, learning_rates={"other": 1.0}, seed=5)
    assert request.recipe(toy.BRIGHTNESS) == replace(toy.BRIGHTNESS.recipe, epochs=2, seed=5)


def test_a_recipe_in_the_card_has_what_is_set():
    assert "seconds" not in Recipe(epochs=1, batch=2, seconds=float("inf")).as_card()
    budget = Recipe(epochs=1, batch=2, images=10).as_budget("crops")
    assert budget["crops"] == 10
    assert not {"epochs", "images", "seconds"} & budget.keys()


def test_printed_cards_count_patients():
    card = {"training": {"patients": ["A", "B"], "seed": 0}, "networks": {}}
    assert without_patients(card)["training"] == {"patients": 2, "seed": 0}
    assert without_patients({"networks": {}}) == {"networks": {}}
