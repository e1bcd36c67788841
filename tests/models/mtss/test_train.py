"""All networks of hands and feet in one training: what is trained on what, and that it goes on."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from data.phantom.hands.conditions import POOR_KINDS, WRONG_KINDS
from data.phantom.seeds import StudyRole
from models import cards
from models.mtss import train
from models.mtss.system import MODEL
from models.mtss.train import Folders, odd_patients, render
from models.training import pipeline
from models.training.pipeline import Films, TrainRequest

DETECTORS = ("ankylosis", "luxation")


class FakeTuner:
    """Stands for grading and priors, of the scales whose true courses are known."""

    def __init__(self, card, films, request):
        self.films = films

    def tune(self):
        return {"grading": {"a": 1}, "tuning": {}}

    def paired(self):
        courses = train.true_courses(self.films)
        return {"paired": {scale: dict.fromkeys(cards.PRIOR_ENTRIES, 1) for scale in courses or ()}}


@pytest.fixture
def calls(monkeypatch, tmp_path):
    """Trainings that only write down what they were given, and files where networks would be."""
    asked = []

    def network(folder, system, what, films, recipe, size, **how):
        samples = [*films.training, *(films.odd if what.name == "finder" else ())]
        asked.append((what.name, tuple(one.name for one in samples), recipe.seed))
        return {"file": what.name, "sha256": what.name[0]}

    def folds(films, extra, chosen, recipe, out, *, size, processes, tell):
        asked.append(("folds", len(films), len(extra), tuple(chosen)))
        (out / "fold0").mkdir(exist_ok=True)
        entries = {name: {"file": f"{name}.safetensors", "sha256": name} for name in DETECTORS}
        for name, entry in entries.items():
            (out / "fold0" / entry["file"]).write_bytes(name.encode())
        cards.write_card({"networks": entries}, "mtss", size, out / "fold0")
        return {"detection": 1.0}

    def films(is_phantom):
        folders = Folders(tmp_path / "plain", (tmp_path / "damaged",), (tmp_path / "odd",))
        return lambda request, tell: Films(folders, is_phantom=is_phantom)

    fake = {"tuner": FakeTuner, "phantom": films(True), "labelled": films(False)}
    monkeypatch.setattr(train, "TRAINING", replace(train.TRAINING, **fake))
    monkeypatch.setattr(pipeline, "train_into", network)
    monkeypatch.setattr(train, "run_folds", folds)
    monkeypatch.setattr(train.tune_paired, "phantom_courses", lambda: {"jsn": []})
    monkeypatch.setattr(train, "hands_in", lambda folders: [f for f in folders for _ in range(3)])
    return asked


def train_all(tmp_path, **request):
    request = TrainRequest("demo", tmp_path / "out", **({"phantom": 1} | request))
    return pipeline.train(MODEL, request, tell=lambda text: None)


def test_every_network_is_trained_on_what_is_meant_for_it(calls, tmp_path):
    card = train_all(tmp_path, seed=3)
    assert calls == [
        ("finder", ("plain", "damaged", "odd"), 3),
        ("grader", ("plain", "damaged"), 3),
        ("folds", 3, 3, (0, 1, 2, 3, 4)),
    ]
    assert card["folds"] == {"detection": 1.0}
    assert "phantom" in card["note"]
    assert set(card["paired"]) == {"jsn"}


def test_the_card_holds_all_networks_and_the_first_folds_detectors(calls, tmp_path):
    train_all(tmp_path)
    card = cards.read_card("mtss", "demo", tmp_path / "out")
    assert set(card["networks"]) == {"finder", "grader", *DETECTORS}
    assert card["networks"]["luxation"]["fold"] == 0
    assert (tmp_path / "out" / "luxation.safetensors").read_bytes() == b"luxation"
    assert card["grading"] == {"a": 1}


def test_what_is_trained_is_not_trained_again(calls, tmp_path):
    train_all(tmp_path)
    train_all(tmp_path)
    assert [call[0] for call in calls] == ["finder", "grader", "folds", "folds"]


def test_labels_of_real_films_do_not_learn_from_simulated_courses(calls, tmp_path):
    card = train_all(tmp_path, data=tmp_path)
    assert card["paired"] == {}
    assert "phantom" not in card["note"]


def test_the_finder_sees_every_kind_of_film_that_it_must_tell_apart():
    patients = list(odd_patients(1, 20))
    kinds = {one.kind for one in patients} - {None}
    assert kinds == {*POOR_KINDS, *WRONG_KINDS} - {"foot_as_hand", "mirrored"}  # a foot; a film flipped
    numbers = [n for one in patients for n in range(one.first, one.first + one.count)]
    assert len(numbers) == len(set(numbers))


def test_rendered_training_and_tuning_patients_never_mix(monkeypatch, tmp_path):
    seen = {}

    def write(films, out):
        out.mkdir(parents=True)
        (out / "annotations.json").write_text(json.dumps({}))
        seen[out.name] = list(films)

    monkeypatch.setattr(train, "write_coco", write)
    monkeypatch.setattr(
        train, "limb_films", lambda who: [(who.role, n) for n in range(who.first, who.first + who.count)]
    )
    render(6, tmp_path, tell=lambda text: None)
    assert {role for role, _ in seen["tuning"]} == {StudyRole.TUNE}
    trained = [one for name in ("plain", "damaged", "odd") for one in seen[name]]
    assert {role for role, _ in trained} == {StudyRole.TRAIN}
    assert len(trained) == len(set(trained))
    seen.clear()
    render(6, tmp_path, tell=lambda text: None)
    assert seen == {}
