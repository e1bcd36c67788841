"""Training on small invented pictures: what begins where, who is left out, what is kept."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file
from torchvision.models import resnet18

from core.errors import InputError
from models import cards
from models.synovitis import train as training
from models.synovitis.augment import Strength, view
from models.synovitis.fold_figures import DEVICE_LEFT_OUT, LEFT_OUT
from models.synovitis.networks import PARTS, build, load
from models.synovitis.pictures import Material, joined
from models.synovitis.predictions import ABOUT, of_task, read_predictions
from models.synovitis.start import begin_from
from models.synovitis.tasks import TASKS
from models.synovitis.train import parts_of, train_parts
from models.synovitis.training import Plan, network_training, samples_of
from models.training.loop import Recipe
from models.training.pipeline import Films, TrainRequest

SIDE = 32
SHORT = Recipe(epochs=1, batch=8, images=16)


def invented(patients=20):
    """Two pictures a patient, the brighter the higher the grade."""
    rng = np.random.default_rng(0)
    rows = [
        (f"I{n}{mode}", f"P{n:02d}", "BL", ("RA+", "RA-", "PsA", "SpA")[n % 4], "AB"[n // 4 % 2], "R", "MCP2",
         mode, n % 3)
        for n in range(patients) for mode in ("B", "PD")
    ]  # fmt: skip
    about = pd.DataFrame(rows, columns=list(ABOUT))
    noise = rng.integers(0, 60, (len(rows), SIDE, SIDE, 3))
    return Material((noise + 60 * about["grade"].to_numpy()[:, None, None, None]).astype(np.uint8), about)


@dataclass(frozen=True)
class Invented:
    def material(self):
        return invented()


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setitem(PARTS, "demo", 16)  # of a width that is quick to train
    monkeypatch.setattr(training, "NETWORKS", [replace(one, recipe=SHORT) for one in training.NETWORKS])


def test_every_picture_is_told_of_by_networks_that_never_saw_the_patient(tmp_path, short):
    plan = Plan(Invented(), tmp_path)
    everybody = frozenset(invented().about["patient"])
    request, card = TrainRequest("demo", tmp_path, processes=1), {"networks": {}}
    told = []
    train_parts(card, Films(plan, trained_on=everybody, is_phantom=True), request, told.append)
    table = read_predictions(folder=tmp_path)
    for scheme in ("folds", "device"):
        assert sorted(table[table["scheme"] == scheme]["image"]) == sorted(invented().about["image"])
    for part in parts_of(invented(), tmp_path, 0):
        own = table[(table["scheme"] == part.scheme) & (table["part"] == part.name)]
        assert set(own["patient"]) == part.left_out
        trained = cards.read_card("synovitis", "demo", part.folder)["networks"]
        assert trained["grade"]["patients"] == len(everybody - part.left_out)
        assert trained["ra_v_spa"]["begun_from"] == "synovitis-demo-grade.safetensors"
    assert {part.name for part in parts_of(invented(), tmp_path, 0)} == {"0", "1", "2", "3", "4", "A", "B"}
    first = of_task(table, "grade")
    kept = first.rows["part"] == "2"
    pictures = invented().of(set(first.rows["patient"][kept]))
    again = load("grade", fold=2, folder=tmp_path).predict(pictures.pictures)
    assert np.allclose(np.sort(again, axis=0), np.sort(first.probabilities[kept], axis=0), atol=1e-3)
    assert card["grading"].keys() == set(TASKS)
    assert card["evaluation"][LEFT_OUT]["grade"]["spearman"]["parts"] <= 5
    assert card["evaluation"][DEVICE_LEFT_OUT]["ra_v_spa"]["auc"].keys() == {"A", "B"}
    held = tmp_path / "fold0" / "held.npz"
    before = held.stat().st_mtime_ns
    train_parts(card, Films(plan, trained_on=everybody), request, told.append)  # nothing is trained again
    assert held.stat().st_mtime_ns == before


def test_a_network_of_a_diagnosis_begins_from_that_of_grades(tmp_path):
    torch.manual_seed(0)
    cards.save(build("grade"), tmp_path / "synovitis-demo-grade.safetensors", torch.float16)
    samples = samples_of("ra_v_spa", Plan(Invented(), tmp_path), 0)
    network = build("ra_v_spa")
    network_training("ra_v_spa").prepare(network, samples)
    torch.manual_seed(0)
    assert torch.allclose(network.layer4[1].conv2.weight, build("grade").layer4[1].conv2.weight, atol=1e-3)
    assert len(samples) == 40 and samples.truth.tolist()[:8] == [1, 1, 1, 1, 0, 0, 0, 0]


def test_a_task_asks_its_own_patients_less_those_left_out(tmp_path):
    plan = Plan(Invented(), tmp_path, left_out=frozenset({"P00", "P01"}))
    assert samples_of("rapos_v_raneg", plan, 0).patients == 8
    with pytest.raises(InputError, match="two classes are needed"):
        samples_of(
            "rapos_v_raneg", replace(plan, left_out=frozenset(f"P{n:02d}" for n in range(0, 20, 4))), 0
        )


def test_networks_learn_the_same_from_the_same_seed(tmp_path):
    one = network_training("grade")
    samples = samples_of("grade", Plan(Invented(), tmp_path, loss="ordinal"), 0)
    first, second = (one.train(samples, SHORT).network.state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("kind", ["pt", "safetensors"])
def test_imagenet_weights_are_taken_from_a_named_file(tmp_path, kind):
    theirs = resnet18(num_classes=1000).state_dict()
    path = tmp_path / f"weights.{kind}"
    save_file(theirs, path) if kind == "safetensors" else torch.save(theirs, path)
    network = build("grade", "full")
    begin_from(network, path)
    assert torch.equal(network.conv1.weight, theirs["conv1.weight"]) and network.fc.out_features == 4
    with pytest.raises(InputError, match="is 64x3x7x7, where the network has 32x3x7x7; ImageNet"):
        begin_from(build("grade", "demo"), path)


def test_a_file_that_is_no_such_weights_is_refused_in_words(tmp_path):
    network = build("grade")
    with pytest.raises(InputError, match="there is no such file"):
        begin_from(network, tmp_path / "absent.pth")
    for name, content in (("text.pth", b"not weights"), ("text.safetensors", b"not weights")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match="ResNet18 are needed"):
            begin_from(network, tmp_path / name)
    torch.save({"network": network}, tmp_path / "whole.pth")  # pickled code is not run
    with pytest.raises(InputError, match="more than tensors"):
        begin_from(network, tmp_path / "whole.pth")
    torch.save({"conv1.weight": torch.zeros(1)}, tmp_path / "part.pth")
    with pytest.raises(InputError, match="weight is 1, where"):
        begin_from(network, tmp_path / "part.pth")


def test_views_keep_depth_and_hue():
    rng = np.random.default_rng(0)
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[40:] = 120  # bone and what is below
    picture[12:38, 16:48] = (200, 80, 0)
    for _ in range(20):
        seen = view(picture, rng).astype(int)
        assert seen[50:60, 16:48].mean() > 30 > seen[2:8].mean()
        middle = seen[24, 32]
        assert middle[0] > middle[1] > middle[2]


def test_a_view_without_strength_is_the_picture_or_its_mirror():
    picture = np.random.default_rng(0).integers(0, 255, (32, 32, 3), np.uint8)
    none = Strength(0, 0, 0, 0, 0, 0, 0)
    seen = [view(picture, np.random.default_rng(seed), none) for seed in range(8)]
    same = [np.abs(one.astype(int) - picture).max() <= 1 for one in seen]
    mirrored = [np.abs(one[:, ::-1].astype(int) - picture).max() <= 1 for one in seen]
    assert all(a or b for a, b in zip(same, mirrored, strict=True)) and any(same) and any(mirrored)


def test_materials_are_joined_in_order():
    one = invented(4)
    both = joined([one, one.of({"P02"})])
    assert len(both) == 10 and both.about["patient"].tolist()[-1] == "P02"
    assert np.array_equal(both.pictures[-1], one.pictures[5])
