"""The weights in the repository: their card, a fresh phantom film, and films that do not show both hands."""

import json

import numpy as np
import pytest

from core.domain import Abstained, Image
from data.phantom.hands.films import make_hand_film
from data.phantom.hands.state import JointState
from data.phantom.seeds import PREFIX, StudyRole
from models import cards as weights
from models.evaluation import detection
from models.mtss.detectors import read as infer
from models.mtss.detectors import scan
from models.mtss.detectors.evaluate import STORED, trained_folds
from models.mtss.detectors.joints import DETECTORS, UNITS
from models.mtss.detectors.report import as_page
from models.mtss.film_scale import HALF_SIZE_MM, half_size
from models.registry import model_of
from tests.helpers.paths import DOCS

LARGEST = 6_000_000  # bytes a network


@pytest.fixture(scope="module")
def detectors():
    return infer.build(threads=1)


@pytest.fixture(scope="module")
def card():
    return weights.read_card("mtss", "demo")


def film_of(kind: str, states=None):
    drawn = make_hand_film(77, "FRESH", "BL", "hands", states or {}, kind=kind, spacing=HALF_SIZE_MM)
    return drawn, Image(kind, drawn.pixels, drawn.spacing_mm)


def test_card_says_phantom_and_how_little_was_done(card):
    assert card["note"] == "trained on phantom films of hands and feet, research only"
    assert set(card["networks"]) == {*DETECTORS, "finder", "grader"}
    assert card["training"]["fold"] == "1 of 5"
    for network in card["networks"].values():
        assert network["bytes"] < LARGEST
        assert network.get("crops", 0) < 10_000
        assert weights.sha256(weights.FOLDER / network["file"]) == network["sha256"]


def test_no_patient_was_trained_on_and_tested(card):
    trained, tested = (set(card["training"][key]) for key in ("patients", "test_patients"))
    assert len(trained) == len(card["training"]["patients"]) == 174
    assert tested
    assert not trained & tested
    assert {code[:2] for code in trained | tested} == {PREFIX[StudyRole.TRAIN]}


def test_five_folds_are_stored_and_no_patient_is_trained_on_and_tested():
    cards = [weights.read_card("mtss", "demo", STORED / f"fold{fold}") for fold in trained_folds(STORED)]
    tested = [set(card["training"]["test_patients"]) for card in cards]
    assert len(cards) == 5
    assert sum(len(one) for one in tested) == len(set.union(*tested)) == 30
    for fold, card in enumerate(cards):
        before = set(card["training"]["start"]["patients"])
        assert not before & set.union(*tested)
        assert not set(card["training"]["patients"]) & tested[fold]
        for network in card["networks"].values():
            assert weights.sha256(STORED / f"fold{fold}" / network["file"]) == network["sha256"]
            assert network["bytes"] < 1_100_000


def test_the_package_reads_with_a_stored_fold(card):
    stored = weights.read_card("mtss", "demo", STORED / "fold0")
    for finding in DETECTORS:
        assert card["networks"][finding] == stored["networks"][finding]


def test_figures_of_the_folds_are_stored_with_them():
    """Joints found, pooled over every fold: more by the ensemble than by one detector, most with the hand."""
    result = json.loads((STORED / "evaluation.json").read_text(encoding="utf-8"))
    assert result["folds"] == "5 of 5 folds"
    for finding in DETECTORS:
        found = result["detection"][finding]
        assert found["folds_with_fewer_hand_model"] == 0
        assert found["single"] <= found["ensemble"] <= found["hand_model"]
        assert found["hand_model"] > 0.99
    named = result["naming"]
    assert named["named_right"] == named["named"] > 0.95 * named["joints"]
    page = (DOCS / "mtss-model.md").read_text(encoding="utf-8")
    assert as_page(result) in page


def test_the_reader_has_a_name_and_a_hash():
    reader, digest = model_of("mtss").identify("demo")
    assert reader == "model:mtss-demo"
    assert len(digest) == 64


def test_joints_of_a_fresh_film_are_found_and_named(detectors):
    drawn, film = film_of("good", {"RH.PIP3": JointState(jsn=3.9, finding="ankylosis")})
    read = detectors.read(film)
    rows = drawn.joints[drawn.joints["unit"].isin(UNITS)].set_index("unit")
    true = rows[["x0", "y0", "x1", "y1"]].to_numpy(float)
    hit = detection.hits(read.joints.boxes, true)
    assert (hit.box >= 0).sum() >= 19
    assert hit.iou[hit.box >= 0].mean() > 0.8
    assert len(read.joints) <= 20
    assert not isinstance(read.named, Abstained)
    right = [hit.box[list(rows.index).index(unit)] == at for unit, at in read.named.units.items()]
    assert np.mean(right) == 1
    assert len(right) >= 19


def test_batched_windows_of_the_package_give_the_boxes_of_one_window_at_a_time(detectors):
    """The fused networks in fp32, on a film whose joints they find: as many boxes, same places and calls."""
    small, _ = half_size(film_of("good")[1].pixels, (HALF_SIZE_MM, HALF_SIZE_MM))
    network = detectors.networks["luxation"]
    assert {one.dtype.itemsize for one in network.parameters()} == {4}
    one, many = (scan.scan(network, small, 18, batch=batch) for batch in (1, 7))
    assert len(one) == len(many) == 18
    assert many.boxes == pytest.approx(one.boxes, abs=1e-3)
    assert many.scores == pytest.approx(one.scores, abs=1e-5)
    assert (many.affected == one.affected).all()


@pytest.mark.parametrize("kind", ["one_hand", "foot_as_hand", "chest", "blank"])
def test_a_film_that_does_not_show_both_hands_is_abstained_on(detectors, kind):
    read = detectors.read(film_of(kind)[1])
    assert isinstance(read, Abstained) or isinstance(read.named, Abstained)
    if not isinstance(read, Abstained):
        assert read.findings.empty


@pytest.mark.real
def test_the_real_hand_alone_is_abstained_on(detectors, shared):
    import pydicom

    path = shared / "real/hand-radiograph/right-hand-pa.dcm"
    pixels = pydicom.dcmread(path).pixel_array
    read = detectors.read(Image("real", pixels, (0.115, 0.115)))
    assert isinstance(read.named, Abstained)
    assert read.findings.empty
    assert 8 <= len(read.joints) <= 12
