"""The shipped networks, and how bodies and discs are found on patients that were never seen."""

import numpy as np
import pandas as pd
import pytest

from models import cards
from models.sparcc.anatomy.evaluate import dice, figures, image_of, row_of
from models.sparcc.anatomy.levels import Named
from models.sparcc.anatomy.segment import build_segmenter
from models.sparcc.anatomy.volumes import read_folder, read_index, read_stack, without_copies
from models.sparcc.oedema.finder import build_finder
from models.sparcc.rule.score import score_stack
from tests.helpers.paths import REAL
from tests.helpers.small_stacks import small_stack

FOLDER = REAL / "spine-mri"


@pytest.fixture(scope="module")
def card():
    return cards.read_card("sparcc", "demo")


@pytest.mark.parametrize("name", ["anatomy", "oedema"])
def test_its_weights_are_those_of_the_card_and_small(card, name):
    about = card["networks"][name]
    path = cards.FOLDER / about["file"]
    assert cards.sha256(path) == about["sha256"]
    assert path.stat().st_size < 12e6


def test_its_card_says_what_it_was_trained_on_and_under_which_terms(card):
    training = card["training"]
    assert not set(training["patients"]) & set(training["test_patients"])
    assert "GPL-3.0" in training["sources"]["repository"]
    assert training["sources"]["cite"].count("doi:") == 4
    assert "phantom" in card["note"]
    assert "research only" in card["note"]


def test_oedema_has_an_operating_point_near_the_one_aimed_at(card):
    about, tuned = card["networks"]["oedema"], card["tuning"]["oedema"]
    assert 0 < about["extent"] <= about["threshold"] < 1
    assert abs(tuned["sensitivity"] - tuned["aim"][0]) < 0.1
    assert abs(tuned["specificity"] - tuned["aim"][1]) < 0.1
    assert all(code.startswith("TR") for code in card["training"]["phantom_patients"])


def test_the_shipped_finder_reads_a_stack_that_shows_nothing():
    stack = small_stack(patch=())
    masks = build_finder().masks(stack.image())
    assert masks.shape == stack.stir.shape
    assert masks.mean() < 0.05


def test_its_card_keeps_the_figures_of_patients_it_never_saw(card):
    found = card["evaluation"]["real patients never seen"]
    assert {source: one["patients"] for source, one in found.items()} == {
        "IVD": 1, "VB1": 1, "VB2": 4, "VB3": 7,
    }  # fmt: skip
    assert found["VB2"]["dice"][1] > 0.85
    assert found["VB3"]["dice"][1] > 0.85
    assert sum(one.get("bodies", {}).get("wrong", 0) for one in found.values()) == 0


@pytest.fixture(scope="module")
def unseen(card):
    """A volume of bodies of a patient that it never saw."""
    if not FOLDER.is_dir():
        pytest.skip(f"{FOLDER} is not here")
    index = read_index(FOLDER).set_index("file", drop=False)
    assert "VB3-14" in card["training"]["test_patients"]
    return read_stack(FOLDER, index.loc["VB3_14"])


@pytest.mark.real
def test_no_volume_of_its_test_patients_is_a_copy_of_one_it_was_trained_on(card):
    if not FOLDER.is_dir():
        pytest.skip(f"{FOLDER} is not here")
    stacks = read_folder(FOLDER)
    kept = {stack.file for stack in without_copies(stacks)}
    copies = {stack.patient for stack in stacks if stack.file not in kept}
    assert copies == {"VB3-19", "VB3-53"}
    assert not copies & set(card["training"]["test_patients"])


@pytest.mark.real
def test_bodies_of_a_real_patient_are_found_named_and_read_by_rule(unseen):
    image = image_of(unseen)
    found = build_segmenter().segment(image)
    assert isinstance(found.named, Named)
    row = row_of(unseen, found)
    assert row["dice"] > 0.88
    assert (row["right"], row["wrong"], row["missed"]) == (5, 0, 0)
    oedema = np.zeros(image.frames.shape, bool)
    score = score_stack(image, found.anatomy(), oedema)
    assert {"L1L2", "L2L3", "L3L4", "L4L5"} <= set(score.units)
    assert {unit.total for unit in score.units.values()} == {0}
    assert {one.confidence for one in score.scored().findings} == {found.named.confidence}


def test_figures_are_averaged_by_patient_and_carry_their_number():
    rows = pd.DataFrame(
        {
            "source": ["A", "A", "A"], "patient": ["1", "1", "2"], "dice": [0.8, 0.9, 0.95],
            "abstained": ["", "why", ""], "right": [5, 0, 4], "wrong": [0, 0, 1], "unnamed": [0, 5, 0],
            "missed": [0, 0, 0],
        }
    )  # fmt: skip
    found = figures(rows)["A"]
    assert (found["patients"], found["volumes"], found["abstained_on_names"]) == (2, 3, 1)
    assert found["dice"][0] == 0.9
    assert found["lowest"] == 0.85
    assert found["bodies"] == {"right": 9, "wrong": 1, "unnamed": 5, "missed": 0}


def test_dice_looks_only_where_labels_say_what_is_there():
    found, wanted = np.array([1, 1, 1, 0], bool), np.array([1, 1, 0, 0], bool)
    assert dice(found, wanted, np.ones(4, bool)) == pytest.approx(0.8)
    assert dice(found, wanted, np.array([1, 1, 0, 1], bool)) == 1
    assert np.isnan(dice(found, wanted, np.zeros(4, bool)))
