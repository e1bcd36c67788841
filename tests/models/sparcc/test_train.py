"""The training of both networks on phantom stacks, with small ones in place of rendered ones."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from core.errors import InputError, ModelError
from models import cards
from models.sparcc import train as made
from models.sparcc.anatomy import network as anatomy_network
from models.sparcc.oedema.finder import build_finder
from models.sparcc.oedema.operating import Seen
from models.system import SystemModel
from models.training.loop import Recipe
from models.training.pipeline import TrainRequest, train
from tests.helpers.commands import run_command
from tests.helpers.small_stacks import small_stack

RECIPE = Recipe(epochs=1, batch=2, images=2, half_precision=False, average=0.0)
SMALL = replace(made.TRAINING, networks=tuple(replace(one, recipe=RECIPE) for one in made.TRAINING.networks))
MODEL = SystemModel(
    system="sparcc",
    body_parts=("spine",),
    networks=("anatomy", "oedema"),
    scorer="",
    training="tests.models.sparcc.test_train:SMALL",
)


@pytest.fixture
def rendered(monkeypatch):
    """Small stacks in place of rendered ones; how often each folder was asked for."""
    asked = []

    def stacks(who, folder):
        asked.append(folder.name)
        for patient in who.people():
            yield small_stack(patient.subject, patch=(2, 3) if patient.number % 2 else ())

    monkeypatch.setattr(made, "rendered", stacks)
    return asked


def test_both_networks_are_trained_and_the_operating_point_is_chosen(rendered, monkeypatch, tmp_path):
    def see(finder, stacks):
        return [seen(stack) for stack in stacks]

    monkeypatch.setattr(made, "see", see)
    card = train(MODEL, TrainRequest("demo", tmp_path, phantom=4), lambda text: None)
    about = card["networks"]["oedema"]
    assert about["min_area_mm2"] == 0.0
    assert 0 < about["extent"] <= about["threshold"] <= 1
    assert card["tuning"]["oedema"]["patients"] == 4
    assert card["training"]["patients"] == ["TR00001", "TR00002", "TR00003", "TR00004"]
    assert not set(card["training"]["patients"]) & set(card["training"]["tuning_patients"])
    kept = cards.read_card("sparcc", "demo", tmp_path)
    assert kept["networks"]["anatomy"]["classes"] == list(anatomy_network.CHANNELS)
    finder = build_finder("demo", tmp_path)
    assert finder.point.threshold == about["threshold"]
    assert finder.masks(small_stack().image()).shape == (6, 40, 30)
    before = (tmp_path / about["file"]).stat().st_mtime_ns
    train(MODEL, TrainRequest("demo", tmp_path, phantom=4), lambda text: None)
    assert (tmp_path / about["file"]).stat().st_mtime_ns == before


def test_where_no_bodies_are_found_yet_the_point_is_chosen_on_whole_slices(rendered, monkeypatch, tmp_path):
    asked = []

    def see(finder, stacks):
        asked.append(type(finder).__name__)
        return [] if asked == ["ColumnFinder"] else [seen(stack) for stack in stacks]

    monkeypatch.setattr(made, "see", see)
    card = train(MODEL, TrainRequest("demo", tmp_path, phantom=4), lambda text: None)
    assert asked == ["ColumnFinder", "OedemaFinder"] and card["tuning"]["oedema"]["patients"] == 4


def seen(stack):
    """What a network that finds all oedema, and a little more, would see."""
    chances = np.where(stack.oedema > 0, 0.9, 0.05).astype(np.float16)
    chances[1, :4, :4] = 0.6
    return Seen(stack.patient, chances, stack.oedema > 0, stack.spacing_mm)


def test_labelled_films_are_refused_with_the_way_that_there_is(tmp_path):
    with pytest.raises(InputError, match=r"anatomy\.training"):
        train(MODEL, TrainRequest("demo", tmp_path, data=tmp_path), lambda text: None)


def test_a_card_without_an_operating_point_gives_no_finder(tmp_path):
    cards.write_card({"networks": {"anatomy": {"sha256": "0"}}}, "sparcc", "demo", tmp_path)
    with pytest.raises(ModelError, match="a network of oedema and its operating point"):
        build_finder("demo", tmp_path)


def test_the_command_trains_a_few_patients_to_the_end_and_may_begin_from_other_weights(
    rendered, monkeypatch, tmp_path, capsys
):
    def run(out, *more):
        asked = ("train", "sparcc", "--phantom", 4, "--epochs", 1, "--out", out, "--json", *more)
        return run_command(capsys, *asked)

    monkeypatch.setattr(made, "TRAINING", SMALL)
    monkeypatch.setattr(made, "see", lambda finder, stacks: [seen(stack) for stack in stacks])
    first, second = tmp_path / "first", tmp_path / "second"
    status, out, _ = run(first)
    result = json.loads(out)
    assert not status
    assert result["networks"].keys() == {"anatomy", "oedema"}
    assert build_finder("demo", first).point.threshold == result["networks"]["oedema"]["threshold"]
    assert not list(first.glob("*.checkpoint"))
    again = json.loads(run(second, "--init", first, "--learning-rate", 1e-12)[1])
    for name in ("anatomy", "oedema"):
        own, begun = (
            load_file(folder / card["networks"][name]["file"])
            for folder, card in ((first, result), (second, again))
        )
        weights = [key for key in own if key.endswith("weight") and own[key].dim() == 4]
        assert weights and all(torch.allclose(own[key], begun[key], atol=1e-2) for key in weights)
    steps = cards.read_card("sparcc", "demo", second)["training"]["learned_from"]
    assert [step["kind"] for step in steps] == ["phantom", "phantom"]
    status, _, complaint = run(tmp_path / "third", "--init", tmp_path)
    assert status and "it must hold sparcc-demo-anatomy.safetensors" in complaint
