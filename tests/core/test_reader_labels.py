"""Which readings a page shows, and under which names."""

import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.names import plain
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


@pytest.mark.parametrize(
    "labels, short",
    [
        (["R1", "R10", "R12"], ["R1", "R10", "R12"]),
        (["R1", "R10", "R11", "R12", "R2"], ["R1", "R10", "R11", "R12", "R2"]),
        (["Reader 1", "Reader 10", "Reader 12", "Reader 2"], ["R1", "R10", "R12", "R2"]),
        (["Reader 12", "R12"], ["Re12", "R12"]),
        (["R1 (early)", "R1 (late)", "R2 (late)"], ["R1", "R1b", "R2"]),
        (["Anna", "Anneliese", "Antonia"], ["Anna", "An", "An2"]),
        (["reader A", "reader B", "reader 2"], ["re", "re3", "r2"]),
        (["Tom", "T"], ["Tom", "T"]),
    ],
)
def test_a_reader_whose_name_begins_with_anothers_keeps_its_own(labels, short):
    assert list(short_names(dict.fromkeys(labels, "human")).values()) == short


def test_models_keep_their_numbers_and_never_take_the_name_of_a_reader():
    kinds = {"M": "human", "M2": "human", "model:m1": "model", "model:m10": "model", "model:m2": "model"}
    short = short_names(kinds | {"T": "human", "truth": "consensus"})
    assert short["M"] == "M" and short["M2"] == "M2" and short["T"] == "T"
    assert short["model:m10"] == "M10" and short["model:m1"] == "M1"
    assert short["model:m2"] not in ("M", "M1", "M10", "M2") and short["truth"] != "T"


LABELS = st.one_of(
    st.builds(
        "{}{}".format,
        st.sampled_from(["R", "Reader ", "reader", "", "Rater-", "M", "T"]),
        st.integers(0, 130),
    ),
    st.builds("R{} ({})".format, st.integers(1, 20), st.sampled_from(["main", "wave 2", "early"])),
    st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=9),
)


@given(st.dictionaries(LABELS, st.sampled_from(["human", "model", "consensus"]), max_size=14))
def test_no_short_name_can_be_taken_for_another_reader(kinds):
    short = short_names(kinds)
    assert list(short) == list(kinds)
    assert len({plain(text) for text in short.values()}) == len(kinds)
    for label, text in short.items():
        others = [other for other in kinds if other != label]
        assert plain(text) not in {plain(other) for other in others}
        alike = [other for other in others if kinds[other] == kinds[label]]
        own, theirs = numbers(label), numbers(*alike)
        assert all(number in own or number not in theirs for number in numbers(text))


def numbers(*names):
    return {int(number) for name in names for number in re.findall("[0-9]+", name)}


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
