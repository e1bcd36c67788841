"""The card of a model: one schema for every system, and cards of version 0.1.0 read as one of today."""

import json

import pytest

from core.errors import ModelError
from models import cards
from models.registry import models

NETWORKS = {"finder": {"file": "f", "sha256": "aa"}, "grader": {"file": "g", "sha256": "bb"}}
PRIOR = {"frequency": [1.0], "weights": [1.0], "change": 1.0}
OLD_PRIOR = PRIOR | {"kinds": [[1.0]], "trust": 0.7, "emphasis": [1.0]}
NEW_PRIOR = PRIOR | {"components": [[1.0]], "tempering": 0.7, "class_weight": [1.0]}


def read(folder, card, system="msasss"):
    cards.card_path(system, "demo", folder).write_text(json.dumps(card))
    return cards.read_card(system, "demo", folder)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"metrics": {}}, "unknown entry 'metrics'"),
        ({"training": []}, "'training' is list, not dict"),
        ({"system": "mtss"}, "'system' is mtss"),
        ({"schema": 3}, "schema is 3"),
        ({"networks": {"finder": {"file": "f"}}}, "no 'sha256' of 'finder'"),
        ({"paired": {"corner": OLD_PRIOR}}, "no 'components' of 'corner'"),
    ],
)
def test_a_card_that_cannot_be_used_says_which_entry_and_file(tmp_path, change, fault):
    with pytest.raises(ModelError, match=fault) as error:
        read(tmp_path, {"schema": 2, "networks": NETWORKS} | change)
    assert str(tmp_path / "msasss-demo.json") in str(error.value)
    assert "train again" in str(error.value)


def test_a_card_without_networks_or_json_is_refused(tmp_path):
    with pytest.raises(ModelError, match="no entry 'networks'"):
        read(tmp_path, {"schema": 2})
    (tmp_path / "mtss-demo.json").write_text("{")
    with pytest.raises(ModelError, match="cannot be read"):
        cards.read_card("mtss", "demo", tmp_path)


def test_an_unknown_entry_is_not_written(tmp_path):
    with pytest.raises(ModelError, match="unknown entry 'together'"):
        cards.write_card({"networks": NETWORKS, "together": {}}, "msasss", "demo", tmp_path)


def test_a_written_card_says_what_it_is_of_and_comes_back(tmp_path):
    cards.write_card({"networks": NETWORKS, "paired": {"corner": NEW_PRIOR}}, "msasss", "demo", tmp_path)
    card = cards.read_card("msasss", "demo", tmp_path)
    assert (card["schema"], card["system"], card["size"]) == (2, "msasss", "demo")
    assert card["paired"] == {"corner": NEW_PRIOR}


def test_a_prior_that_stood_alone_is_that_of_the_systems_feature(tmp_path):
    old = {"networks": NETWORKS, "training": {"patients": ["TR1"]}, "together": OLD_PRIOR}
    old["grading"] = {"offset": [0.0], "emphasis": [1.0]}
    card = read(tmp_path, old)
    assert card["paired"] == {"corner": NEW_PRIOR}
    assert card["training"] == {"patients": ["TR1"]}
    assert card["grading"] == {"offset": [0.0], "class_weight": [1.0]}
    assert cards.weights_hash(card) == cards.weights_hash(old)


def test_training_and_tuning_of_an_old_card_go_where_they_belong(tmp_path):
    data = {"films": 4, "patients": 2, "training_patients": ["TR1", "TR2"], "fold": "1 of 5"}
    start = {"recipe": {}, "data": data, "networks": {"grader": {}}}
    old = {
        "networks": NETWORKS, "classes": ["a", "b"], "data": data, "recipe": {"batch": 4}, "seed": 0,
        "start": start, "grading": {"jsn": {"offset": []}, "tuning": {"films": 3}},
        "together": {"jsn": OLD_PRIOR},
    }  # fmt: skip
    card = read(tmp_path, old, "mtss")
    learned = {"films": 4, "patients": ["TR1", "TR2"], "fold": "1 of 5"}
    begun = learned | {"recipe": {}, "networks": {"grader": {}}}
    assert card["training"] == learned | {"recipe": {"batch": 4}, "seed": 0, "start": begun}
    assert card["grading"] == {"jsn": {"offset": []}}
    assert card["tuning"] == {"films": 3}
    assert card["paired"] == {"jsn": NEW_PRIOR}
    assert card["networks"] == NETWORKS | {"grader": NETWORKS["grader"] | {"classes": ["a", "b"]}}


@pytest.mark.parametrize("system", models())
def test_shipped_cards_have_todays_schema(system):
    stored = json.loads(cards.card_path(system, "demo").read_text(encoding="utf-8"))
    assert stored == cards.read_card(system, "demo")
    optional = {"settings"} if models()[system].paired else {"settings", "grading", "paired", "read_mode"}
    assert set(stored) - optional == set(cards.ENTRIES) - optional
