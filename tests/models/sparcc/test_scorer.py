"""The scorer on true masks of phantom stacks, and on what is no stack of the spine."""

from dataclasses import replace

import numpy as np
import pytest

from core.domain import Abstained, Image, Scored
from core.imaging.spine import UNITS
from data.phantom.mri.files import MriPlan, visit_truth
from models.sparcc.row import NO_ROW
from models.sparcc.rule.points import OEDEMA
from tests.helpers.true_masks import drawn, true_scorer

VIEWS = ("thoracic", "lumbar")


@pytest.fixture(scope="module")
def patient():
    return MriPlan(patients=1, seed=6, population="trial", views=VIEWS).people()[0]


@pytest.fixture(scope="module")
def stacks(patient):
    return drawn(patient, 0, VIEWS)


@pytest.fixture(scope="module")
def scorer(stacks):
    return true_scorer(stacks)


@pytest.fixture(scope="module")
def results(scorer, stacks):
    return scorer.score([image for image, _ in stacks])


def units(result):
    return {finding.site.partition(".")[0] for finding in result.findings}


def test_every_unit_is_scored_once_on_the_stack_in_whose_middle_it_lies(results):
    thoracic, lumbar = results
    assert isinstance(thoracic, Scored)
    assert isinstance(lumbar, Scored)
    assert not units(thoracic) & units(lumbar)
    assert units(lumbar) >= {"L1L2", "L2L3", "L3L4", "L4L5", "L5S1"}
    assert units(thoracic) >= {f"T{number}T{number + 1}" for number in range(1, 9)}
    sites = [finding.site for result in results for finding in result.findings]
    assert len(sites) == len(set(sites)) == 18 * len(units(thoracic) | units(lumbar))


def test_a_thoracic_stack_has_names_only_beside_its_neighbour(scorer, stacks, results):
    (alone,) = scorer.score([stacks[0][0]])
    assert isinstance(alone, Abstained)
    assert "has a name" in alone.reason
    assert units(results[0])


def test_the_total_is_near_the_truth(patient, results):
    truth = visit_truth(patient, 0, VIEWS).set_index("site")["grade"].astype(int)
    found = {finding.site: finding.grade for result in results for finding in result.findings}
    both = [(grade, truth[site]) for site, grade in found.items() if site in truth]
    read, true = np.array(both).T
    assert true.sum() >= 15
    assert abs(int(read.sum() - true.sum())) <= 0.25 * true.sum()


def test_what_is_missing_is_said_once_with_its_reason(results):
    missing = [site for result in results for site in result.unscorable]
    assert len(missing) == len(set(missing))
    graded = {unit for result in results for unit in units(result)}
    assert all(site.partition(".")[0] in UNITS.keys() - graded for site in missing)


def test_findings_keep_frame_and_measure_and_lie_on_their_unit(stacks, results):
    stack = stacks[1][1]
    for finding in results[1].findings:
        assert finding.measured.rule
        assert (finding.grade == 1) == (finding.measured.value >= finding.measured.limit) or (
            finding.measured.rule != OEDEMA
        )
        if finding.grade and finding.measured.rule == OEDEMA:
            x, y = np.mean(finding.polygon, axis=0).astype(int)
            around = stack.oedema[finding.frame][max(y - 4, 0) : y + 5, max(x - 4, 0) : x + 5]
            assert around.any()


def test_the_grade_given_is_never_the_less_likely_one(results):
    for result in results:
        for finding in result.findings:
            assert sum(finding.grade_probabilities) == pytest.approx(1)
            assert finding.grade_probabilities[finding.grade] >= 0.5
    sure = [f.grade_probabilities[1] for f in results[1].findings if f.grade and f.feature == "oedema"]
    assert sure == pytest.approx([0.9] * len(sure), abs=1e-3)


def test_outlines_are_few_points_around_the_masks(stacks, results):
    outlines = results[1].outlines
    assert {one.structure for one in outlines} == {"body", "disc", "oedema"}
    named = {one.name for one in outlines if one.structure == "body"}
    assert named >= {"L1", "L5", "S1"}
    assert "L4L5" in {one.name for one in outlines if one.structure == "disc"}
    assert max(len(one.polygon) for one in outlines) < 60
    assert np.mean([len(one.polygon) for one in outlines if one.structure == "body"]) < 25


def test_the_order_and_direction_of_frames_play_no_part(scorer, stacks, results):
    image, stack = stacks[1]
    turned = replace(image, frames=image.frames[::-1], positions_mm=image.positions_mm[::-1])
    other = true_scorer(
        [(turned, replace(stack, structures=stack.structures[::-1], oedema=stack.oedema[::-1]))]
    )
    (alone,) = scorer.score([image])
    (found,) = other.score([turned])
    last = len(image.frames) - 1
    assert {(one.site, one.grade, last - one.frame) for one in found.findings} == {
        (one.site, one.grade, one.frame) for one in alone.findings
    }


@pytest.mark.parametrize(
    "change, words",
    [
        ({"modality": "CR"}, "is CR, not MR"),
        ({"body_part": "knee"}, "shows the knee, not the spine"),
        ({"sequence": "T1"}, "its sequence is T1"),
        ({"spacing_mm": None}, "how large"),
        ({"orientation": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))}, "not sagittal"),
    ],
)
def test_what_is_handed_over_directly_is_abstained_on_with_a_reason(scorer, stacks, change, words):
    (result,) = scorer.score([replace(stacks[1][0], **change)])
    assert isinstance(result, Abstained)
    assert words in result.reason


def test_a_film_noise_and_a_bad_stack_cost_only_themselves(scorer, stacks):
    rng = np.random.default_rng(3)
    image = stacks[1][0]
    noise = replace(image, image="noise", frames=rng.integers(0, 900, image.frames.shape).astype(np.uint16))
    film = Image("film", image.frames[8], image.spacing_mm)
    found = scorer.score([noise, film, image, replace(image, spacing_mm=None)])
    assert [type(one) for one in found] == [Abstained, Abstained, Scored, Abstained]
    assert found[0].reason.startswith(NO_ROW)
    assert found[1].reason.startswith("one picture")
