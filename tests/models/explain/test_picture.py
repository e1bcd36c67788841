"""The picture of a map: what stands on it, struck through unless its network passed, the same bytes."""

import re

import numpy as np
import pytest

from core.cli import main
from models.explain.explanation import Explanation
from models.explain.picture import write_picture
from models.explain.stored import Explained, Shown
from models.explain.verdict import Verdict
from models.msasss.explain import rule_text
from models.msasss.grading import PLAIN, GradingRule

GRADES = ("normal", "erosion, sclerosis or squaring", "syndesmophyte", "complete bony bridge")


def about(*verdicts):
    rng = np.random.default_rng(0)
    explanation = Explanation(
        headline="L3 superior anterior corner: grade 2, syndesmophyte",
        grade=2,
        labels=tuple(f"{number} {word}" for number, word in enumerate(GRADES)),
        probabilities=(0.02, 0.1, 0.8, 0.08),
        tile=rng.random((160, 128)).astype(np.float32),
        box=np.array([30.0, 60.0, 72.0, 102.0]),
        mm_per_pixel=0.28,
        maps=(),
        rule="Grade: the most probable grade",
    )
    heat = rng.random((160, 128)).astype(np.float32)
    return Explained(
        site="L3S",
        feature="corner",
        explanation=explanation,
        maps=tuple(Shown("What speaks for it", "HiResCAM, layer 4", heat, verdict) for verdict in verdicts),
        reader="model:msasss-demo",
        weights_hash="abcdef0123456789",
        image="0123456789abcdef",
        notes=("with the patient's films compared side by side: grade 1",),
        phantom=True,
    )


PASSED = Verdict(True, True)
FAILED = Verdict(True, False, ("the map moves when the picture is shifted a little",))
UNTESTED = Verdict(False, False)


def words(path):
    return " ".join(re.findall(r"<!-- (.*?) -->", path.read_text()))


def test_caption_names_model_weights_rule_and_verdict(tmp_path):
    text = words(write_picture(about(PASSED), tmp_path / "map.svg"))
    for part in (
        "L3 superior anterior corner: grade 2, syndesmophyte",
        "model:msasss-demo, weights abcdef012345, HiResCAM, layer 4",
        "Grade: the most probable grade.",
        "grade 1.",
        "passed their tests",
        "phantom film",
        "not a medical device",
        "0.80",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("verdict", "word", "reason"),
    [(FAILED, "failed its tests", "shifted a little"), (UNTESTED, "not tested", "has not been tested")],
)
def test_a_map_that_did_not_pass_is_struck_through_with_the_reason(tmp_path, verdict, word, reason):
    plain = words(write_picture(about(PASSED), tmp_path / "plain.svg"))
    struck = words(write_picture(about(verdict), tmp_path / "struck.svg"))
    assert word in struck and reason in struck
    assert word not in plain
    lines = [(tmp_path / f"{name}.svg").read_text().count('id="line2d_') for name in ("plain", "struck")]
    assert lines[1] == lines[0] + 2


def test_of_two_maps_only_the_one_that_failed_is_struck_through(tmp_path):
    one = words(write_picture(about(PASSED), tmp_path / "one.svg"))
    both = words(write_picture(about(PASSED, FAILED), tmp_path / "both.svg"))
    assert both.count("What speaks for it") == 2 and one.count("What speaks for it") == 1
    assert both.count("failed its tests") == 1
    assert "passed their tests" in both and "shifted a little" in both


def test_same_map_same_bytes(tmp_path):
    for ending in ("png", "svg"):
        first = write_picture(about(FAILED), tmp_path / f"a.{ending}").read_bytes()
        assert first == write_picture(about(FAILED), tmp_path / f"b.{ending}").read_bytes()


def test_rule_in_words():
    assert rule_text(PLAIN) == "the most probable grade"
    rule = GradingRule(PLAIN.matrix, PLAIN.offset, (1.0, 2.7, 1.0, 1.0))
    assert rule_text(rule) == "the largest of probability x 1, 2.7, 1, 1 (grades 0 to 3)"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--image", "x", "--site", "L3S", "--out", "map.jpg"), "ends in .png or .svg"),
        (("--image", "x", "--site", "L3S", "--out", "no/where/map.png"), "its folder does not exist"),
    ],
)
def test_what_cannot_be_explained_is_one_line(arguments, message, capsys):
    with pytest.raises(SystemExit) as end:
        main(["explain", *arguments])
    assert end.value.code == 2
    assert message in capsys.readouterr().err
