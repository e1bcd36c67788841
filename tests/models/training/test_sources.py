"""A model says what it learned from: "real films" only where the labels say whose they are."""

import json

import pytest

from core.learned_from import KEY, PHANTOMS_ONLY, in_words, notices, of_settings, only_phantoms
from data.phantom.coco import write_labels
from models import cards
from models.scoring import run as scoring
from models.scoring.paired import paired_run
from models.training.sources import learned_from, of_labels, steps_of
from tests.models.training.test_pipeline import run

SET = {
    "phantom": False, "data_set": "ram-w600", "title": "RAM-W600", "version": "1.0", "licence": "CC BY 4.0",
    "notice": "Made from RAM-W600.", "source": "doi:1",
}  # fmt: skip


def labels(folder, info, patients):
    folder.mkdir(parents=True)
    images = [{"id": n, "file_name": f"{n}.png", "patient": one} for n, one in enumerate(patients)]
    content = {"info": info, "images": images, "annotations": [], "categories": []}
    (folder / "annotations.json").write_text(json.dumps(content))
    return folder


def test_real_films_are_those_of_a_set_whose_owner_is_told(tmp_path):
    folder = labels(tmp_path / "train", SET, ["A", "A", "B", "kept"])
    (step,) = of_labels(folder, frozenset("AB"))
    assert step["kind"] == "real" and step["patients"] == 2 and step["films"] == 3
    assert in_words([step]) == "grades from real films: 2 patients, RAM-W600 1.0 (CC BY 4.0)"
    assert notices([step, step]) == ["Made from RAM-W600."]


@pytest.mark.parametrize("info", [{}, {"description": "films of our hospital"}, {"phantom": False}])
def test_labels_that_do_not_say_are_not_called_real(tmp_path, info):
    (step,) = of_labels(labels(tmp_path / "x", info, ["A"]), frozenset("A"))
    assert step["kind"] == "unstated"
    assert in_words([step]) == "grades from labelled films of a source that is not stated (1 patient)"


def test_labels_that_phantoms_were_exported_to_are_phantoms(tmp_path):
    write_labels([({"file_name": "a.png", "patient": "A"}, [])], ["x"], tmp_path, "phantoms")
    assert only_phantoms(of_labels(tmp_path, frozenset("A")))


def test_labels_without_a_file_of_images_are_unstated(tmp_path):
    assert of_labels(tmp_path, frozenset("AB")) == [{"kind": "unstated", "patients": 2}]


def test_several_sets_are_told_one_by_one(tmp_path):
    labels(tmp_path / "one", SET, ["A", "B"])
    labels(tmp_path / "two", SET | {"title": "Other", "version": "", "licence": "?"}, ["C"])
    words = in_words(of_labels(tmp_path, frozenset("ABC")))
    assert words == (
        "grades from real films: 2 patients, RAM-W600 1.0 (CC BY 4.0), then real films: 1 patient, Other (?)"
    )


def test_what_the_first_weights_learned_comes_before(tmp_path):
    run(tmp_path / "one", epochs={"brightness": 1})
    rows = [(f"P{i}", 0.3 + 0.4 * (i % 2), i % 2) for i in range(8)]
    data = labels(tmp_path / "data", SET, [f"P{i}" for i in range(8)])
    (data / "films.json").write_text(json.dumps(rows))
    card = run(
        tmp_path / "two", data=data, phantom=None, init=tmp_path / "one", epochs={"brightness": 1}
    )  # as the command does it: phantoms first, then real films
    kinds = [step["kind"] for step in card["training"][KEY]]
    assert kinds == ["phantom", "real"] and learned_from(card) == card["training"][KEY]
    assert in_words(learned_from(card)).startswith("grades from phantoms (8 patients), then real films: ")


def test_weights_without_a_card_are_not_called_phantoms(tmp_path):
    steps = steps_of("toy", "demo", data=None, patients=frozenset("AB"), init=tmp_path)
    assert [step["kind"] for step in steps] == ["unstated", "phantom"]


def test_shipped_graders_learned_from_phantoms():
    for system in ("msasss", "mtss"):
        assert only_phantoms(learned_from(cards.read_card(system, "demo")))


@pytest.mark.parametrize("settings", [None, float("nan"), "", "no JSON", "[1]", '{"size": "demo"}'])
def test_a_run_that_says_nothing_is_of_phantoms(settings):
    assert of_settings(settings) == PHANTOMS_ONLY


def test_a_run_keeps_what_its_weights_learned_and_so_does_its_paired_reading(monkeypatch):
    steps = [{"kind": "phantom", "patients": 8}, {"kind": "real", "patients": 2, "title": "RAM-W600"}]
    model, plain = scoring.model_of("msasss"), scoring.identify(scoring.model_of("msasss"), "demo")
    card = cards.read_card("msasss", "demo")
    card["training"][KEY] = steps
    monkeypatch.setattr(scoring.cards, "read_card", lambda *where: card)
    found = scoring.identify(model, "demo")
    assert of_settings(found.settings) == steps and found.run != plain.run
    assert of_settings(plain.settings) == PHANTOMS_ONLY and KEY not in plain.settings
    assert of_settings(paired_run(found, model.paired, "demo", "x").settings) == steps
    assert KEY not in paired_run(plain, model.paired, "demo", "x").settings
