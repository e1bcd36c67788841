"""The scorer: which scale a picture is graded on, which frame of a cine, and what is not looked at."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.domain import Abstained, Box, Image, ScanArea, Scored
from models.ood import check as ood
from models.synovitis.calibration import Calibration
from models.synovitis.networks import Classifier, as_input, build, folded
from models.synovitis.scorer import SynovitisScorer, over_neighbours, why_not_looked_at
from models.synovitis.tasks import DIAGNOSES, GRADE, TASKS, classes_of

AREA = ScanArea(Box(0, 0, 64, 64), (0.5, 0.5))


class ByBrightness:
    """Grades a picture by how bright it is, in four steps."""

    calibration = Calibration.plain(4)

    def predict_and_pool(self, pictures):
        grade = np.clip(pictures.reshape(len(pictures), -1).max(axis=1) // 60, 0, 3)
        return np.full((len(pictures), 4), 0.1) + 0.6 * np.eye(4)[grade], np.ones((len(pictures), 8))

    def answers(self, probabilities):
        return probabilities.argmax(axis=1)


class ByMode:
    """A chance that says how red a picture is."""

    def predict(self, pictures):
        first = pictures[..., 0].max(axis=(1, 2)) / 255
        return np.stack([1 - first, first], axis=1)


@pytest.fixture
def scorer():
    return SynovitisScorer({GRADE: ByBrightness()} | dict.fromkeys(DIAGNOSES, ByMode()))


def scan(*levels, **fields):
    """Frames of speckle, each as bright as its level."""
    rng = np.random.default_rng(0)
    frames = np.stack([rng.uniform(0.5, 1, (64, 64)) * level for level in levels]).astype(np.uint8)
    about = {
        "modality": "US", "laterality": "R", "joint": "MCP2", "mode": "B", "areas": (AREA,),
        "colour": np.repeat(frames[..., None], 3, axis=3),
    }  # fmt: skip
    return Image("scan", frames.astype(np.uint16), **(about | fields))


def test_a_picture_is_graded_on_the_scale_of_its_mode(scorer):
    results = scorer.score([scan(100), scan(200, mode="PD", joint="WR", laterality="L")])
    found = [result.findings[0] for result in results]
    assert [(one.site, one.feature, one.grade, one.frame) for one in found] == [
        ("R.MCP2.GS", "gs", 1, 0), ("L.WR.PD", "pd", 3, 0),
    ]  # fmt: skip
    assert found[0].grade_probabilities == pytest.approx((0.1, 0.7, 0.1, 0.1))
    assert found[0].confidence == pytest.approx(0.7) and found[0].box == AREA.box
    assert results[0].chances.keys() == set(DIAGNOSES)
    assert all(0.3 < chance < 0.45 for chance in results[0].chances.values())


def test_the_frame_that_gave_the_grade_is_named_and_a_flash_of_one_frame_gives_none(scorer):
    cine = scan(*[50] * 5, 130, 130, 130, *[50] * 6, 250, *[50] * 5)
    finding = scorer.score([cine])[0].findings[0]
    assert (finding.grade, finding.frame) == (2, 6)


def test_all_frames_of_a_long_cine_are_looked_at_once(scorer):
    looked = []
    plain = ByBrightness.predict_and_pool

    def counting(pictures):
        looked.append(len(pictures))
        return plain(scorer.classifiers[GRADE], pictures)

    scorer.classifiers[GRADE].predict_and_pool = counting
    results = scorer.score([scan(*[50] * 198, 200, 200), scan(100), scan(50)])
    assert sum(looked) == 202 and results[0].findings[0].frame in (198, 199)
    assert [result.findings[0].grade for result in results] == [3, 1, 0]


def test_images_are_told_alike_alone_and_together(scorer):
    images = [scan(50), scan(130, 140), scan(200, mode="PD"), scan(100, joint="")]
    assert scorer.score(images) == [scorer.score([image])[0] for image in images]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"modality": "DX"}, "is DX, not ultrasound"),
        ({"modality": ""}, "is not known to be ultrasound"),
        ({"joint": ""}, "which joint it shows is not known"),
        ({"joint": "HIP"}, "its joint HIP is none of the score"),
        ({"laterality": ""}, "right or the left side"),
        ({"laterality": "B"}, "right or the left side"),
        ({"mode": ""}, "grey scale or power Doppler"),
        ({"mode": "CD"}, "grey scale or power Doppler"),
    ],
)
def test_what_is_not_known_is_not_graded(scorer, fields, reason):
    result = scorer.score([scan(100, **fields)])[0]
    assert isinstance(result, Abstained) and reason in result.reason and result.sites == ()


def test_a_joint_that_was_not_learned_is_said_with_its_site(scorer):
    image = scan(100, joint="KNEE")
    assert why_not_looked_at(image) == ""
    learned = SynovitisScorer(scorer.classifiers, ("MCP2", "WR"))
    assert learned.score([image]) == [
        Abstained("the model has not learned this joint (knee)", sites=("R.KNEE.GS",))
    ]


def test_a_picture_without_a_scan_is_refused(scorer):
    black = replace(scan(1), frames=np.zeros((1, 64, 64), np.uint16), colour=None, areas=())
    result = scorer.score([black])[0]
    assert result == Abstained("no scan is found in the picture", sites=("R.MCP2.GS",))


def test_a_scan_without_calibration_is_graded(scorer):
    image = replace(scan(100), areas=(ScanArea(AREA.box),))
    assert isinstance(scorer.score([image])[0], Scored)


def test_a_scan_unlike_the_others_is_refused(scorer):
    rng = np.random.default_rng(0)
    known = [scorer.ood_features(scan(level)) for level in rng.integers(40, 200, 60)]
    scorer.check = ood.fit([("B", one) for one in known[:30]], known[30:], alarm=0.2)
    assert isinstance(scorer.score([scan(100)])[0], Scored)
    flat = replace(
        scan(100), colour=np.full((1, 64, 64, 3), 90, np.uint8), frames=np.full((1, 64, 64), 90, np.uint16)
    )
    result = scorer.score([flat])[0]
    assert isinstance(result, Abstained) and result.reason.startswith(ood.UNLIKE)
    assert result.sites == ("R.MCP2.GS",)


def test_neighbouring_frames_are_seen_as_one():
    chances = np.eye(4)[[0, 0, 3, 0, 0]]
    smooth = over_neighbours(chances)
    assert np.allclose(smooth.sum(axis=1), 1) and smooth[2, 3] == pytest.approx(1 / 3)
    assert np.array_equal(over_neighbours(chances[1:3]), chances[1:3])


def test_folding_normalisation_changes_nothing_but_rounding():
    torch.manual_seed(0)
    network = build(GRADE)
    pictures = np.random.default_rng(0).integers(0, 255, (4, 64, 64, 3), np.uint8)
    network(as_input(pictures))
    plain = Classifier(GRADE, network.eval(), Calibration.plain(4))
    before = plain.predict(pictures)
    again, pooled = folded(plain).predict_and_pool(pictures)
    assert np.allclose(before, again, atol=1e-4) and pooled.shape == (4, 128)
    assert [len(classes_of(task)) for task in TASKS] == [4, 2, 2, 2, 2]
