"""Which readings a page shows, and under which names."""

import pandas as pd

from core.reader_labels import (
    MODEL_PAIRED,
    label_kinds,
    models,
    people,
    people_campaigns,
    short_names,
    shown_readings,
    truths,
)

READINGS = pd.DataFrame(
    {
        "reader": ["R1", "R1", "R2", "M", "M", "truth", "R1"],
        "kind": ["human", "human", "human", "model", "model", "consensus", "human"],
        "campaign": ["paired", "early", "paired", "single", "pairs", "truth", "paired"],
        "read": [1, 1, 1, 1, 1, 1, 2],
    }
)


def test_people_of_one_campaign_and_everybody_else():
    shown = shown_readings(READINGS, "paired")
    assert shown["label"].tolist() == ["R1", "R2", "M (single)", "M (pairs)", "truth"]


def test_model_that_read_films_together_is_shown_by_these_reads_alone():
    also = pd.DataFrame({"reader": ["M"], "kind": ["model"], "campaign": [MODEL_PAIRED], "read": [1]})
    other = also.assign(reader="M2", campaign="model-single")
    shown = shown_readings(pd.concat([READINGS, also, other], ignore_index=True), "paired")
    of_models = shown[shown["kind"] == "model"]
    assert of_models[["label", "campaign"]].to_numpy().tolist() == [
        ["M", MODEL_PAIRED],
        ["M2", "model-single"],
    ]


def test_only_first_reads_stay():
    assert len(shown_readings(READINGS, "paired").query("reader == 'R1'")) == 1


def test_labels_stand_people_first_then_models_then_truth():
    kinds = label_kinds(shown_readings(READINGS, "paired"))
    assert list(kinds) == ["R1", "R2", "M (pairs)", "M (single)", "truth"]
    assert (people(kinds), len(models(kinds)), truths(kinds)) == (["R1", "R2"], 2, ["truth"])


def test_short_names_are_distinct():
    short = short_names(
        {"Reader A": "human", "Reader B": "human", "m1": "model", "m2": "model", "t": "consensus"}
    )
    assert list(short.values()) == ["Re", "Re2", "M", "M2", "T"]


def test_campaign_with_most_patients_comes_first():
    readers = pd.DataFrame(
        {
            "kind": ["human", "human", "human", "model"],
            "campaign": ["b", "a", "c", "m"],
            "patients": [5, 5, 9, 99],
        }
    )
    assert people_campaigns(readers) == ["c", "a", "b"]


def test_no_people_no_campaign():
    assert people_campaigns(pd.DataFrame({"kind": [], "campaign": [], "patients": []})) == []
