"""The tests of the maps: figures computed by hand, a verdict for each way to fail, the phantom's truth."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from core.domain import Image
from data.phantom.spine.films import film_conditions, make_film
from data.phantom.spine.lesion_mask import changed_by
from models import cards
from models.common.frames import Frame
from models.evaluation.markdown import into_page
from models.explain import checks, report, verdict
from models.explain.checks import Case
from models.explain.question import Picture, Question, laid_on, spread
from models.msasss.explain import MsasssExplainer
from models.msasss.scorer import build
from models.registry import models


def frame(x=0.0, y=0.0, mm=0.5):
    return Frame(np.array([x, y]), np.array([mm, 0.0]), np.array([0.0, mm]))


def case(truth, box):
    picture = Picture(np.zeros(truth.shape, np.float32), frame(), (0.5, 0.5), False)
    question = Question("grader", "L3S", ((picture, np.array(box, float)),), 2)
    film = Image("x", np.zeros((4, 4)))
    return Case("P1", question, truth.astype(np.float32), 2, 2, film, SimpleNamespace())


def truth_at(rows, columns, shape=(40, 40)):
    truth = np.zeros(shape)
    truth[rows, columns] = 1
    return truth


def test_heat_on_the_finding_beats_chance_and_the_box():
    truth = truth_at(slice(10, 20), slice(10, 20))
    found = checks.place(truth.astype(np.float32), case(truth, [5, 5, 25, 25]))
    assert found["share"] == 1 and found["point"] == 1
    assert found["area"] == pytest.approx(100 / 1600)
    assert found["box_share"] == pytest.approx(100 / 400)
    assert found["centre_point"] == 1  # the middle of the box lies on the finding


def test_a_map_that_is_the_box_has_the_figures_of_the_box():
    truth = truth_at(slice(10, 20), slice(10, 20))
    asked = case(truth, [5, 5, 25, 25])
    heat = truth_at(slice(5, 25), slice(5, 25)).astype(np.float32)
    found = checks.place(heat, asked)
    assert found["share"] == pytest.approx(found["box_share"])


def test_tolerance_is_a_millimetre_for_map_and_rivals_alike():
    truth = truth_at(slice(10, 20), slice(10, 20))
    for away, hit in ((2, 1.0), (3, 0.0)):  # half a millimetre a pixel
        heat = truth_at(15, 19 + away).astype(np.float32)
        assert checks.place(heat, case(truth, [5, 5, 25, 25]))["point"] == hit


def test_a_map_without_heat_misses():
    truth = truth_at(slice(0, 5), slice(0, 5))
    found = checks.place(np.zeros((40, 40), np.float32), case(truth, [0, 0, 10, 10]))
    assert (found["share"], found["point"], found["empty"]) == (0, 0, 1)
    assert checks.similarity(np.zeros((40, 40)), np.ones((40, 40))) == 0


def test_likeness_is_one_for_the_same_map_and_rank_likeness_ignores_scale():
    rng = np.random.default_rng(0)
    heat = rng.random((40, 40)).astype(np.float32)
    assert checks.similarity(heat, heat) == pytest.approx(1)
    coarse = np.kron(rng.random((10, 10)), np.ones((4, 4))).astype(np.float32)
    assert checks.similarity(coarse, coarse**3, ranks=True) == pytest.approx(1)
    assert checks.similarity(coarse, coarse**3) < 1


def test_map_of_a_shifted_picture_is_laid_back_on_its_film_point():
    own = Picture(np.zeros((40, 40), np.float32), frame(2.0, -1.0), (0.5, 0.5), False)
    other = Picture(np.zeros((40, 40), np.float32), frame(), (0.5, 0.5), False)
    heat = truth_at(20, 10).astype(np.float32)
    assert np.unravel_index(laid_on(heat, own, other).argmax(), (40, 40)) == (18, 14)


def test_film_mask_lies_on_the_picture_where_the_film_lies():
    mask = np.zeros((60, 50), bool)
    mask[20:30, 8:18] = True
    straight = Picture(np.zeros((30, 25), np.float32), frame(1.0, 2.0, mm=1.0), (0.5, 0.5), False)
    assert straight.cut(mask).sum() == pytest.approx(25, rel=0.05)
    y, x = np.argwhere(straight.cut(mask) > 0.5).mean(axis=0) + 0.5
    assert (x, y) == pytest.approx((13 * 0.5 - 1, 25 * 0.5 - 2))
    mirrored = Picture(np.zeros((30, 25), np.float32), frame(0.0, 0.0, mm=1.0), (0.5, 0.5), True)
    x = np.argwhere(mirrored.cut(mask) > 0.5).mean(axis=0)[1] + 0.5
    assert x == pytest.approx((50 - 13) * 0.5)


def estimate(value, low, high):
    return {"estimate": value, "ci": [low, high]}


GOOD = {
    "cases": 10,
    "empty_maps": 0,
    "share_beyond_box": estimate(0.1, 0.05, 0.15),
    "point_beyond_box": estimate(0.5, 0.4, 0.6),
    "random all": estimate(0.2, 0.1, 0.3),
    "repeat": estimate(0.9, 0.85, 0.95),
}


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("share_beyond_box", estimate(0.1, -0.01, 0.2), "no more of the heat"),
        ("point_beyond_box", estimate(0.0, -0.1, 0.1), "no more often"),
        ("random all", estimate(0.45, 0.4, 0.55), "random weights"),
        ("repeat", estimate(0.8, 0.6, 0.9), "shifted"),
        ("empty_maps", 6, "no heat"),
    ],
)
def test_each_failed_limit_is_named(name, value, reason):
    assert verdict.judge(GOOD).passed
    judged = verdict.judge(GOOD | {name: value})
    assert not judged.passed and len(judged.reasons) == 1 and reason in judged.reasons[0]
    assert "FAILED" in judged.text


def test_verdict_holds_for_these_weights_and_this_method_only(tmp_path):
    card = {"networks": {"grader": {"sha256": "aa"}}}
    cards.write_card(card, "msasss", "demo", tmp_path)
    assert not verdict.read_verdict("msasss", "demo", "grader", "HiResCAM, layer 4", tmp_path).tested
    about = {"method": "HiResCAM, layer 4", "passed": True, "reasons": [], "sha256": "aa"}
    stored = {"weights_hash": cards.weights_hash(card), "networks": {"grader": about}}
    verdict.result_path("msasss", "demo", tmp_path).write_text(json.dumps(stored))
    assert verdict.read_verdict("msasss", "demo", "grader", "HiResCAM, layer 4", tmp_path).passed
    assert not verdict.read_verdict("msasss", "demo", "grader", "Grad-CAM, layer 12", tmp_path).tested
    cards.write_card({"networks": {"grader": {"sha256": "bb"}}}, "msasss", "demo", tmp_path)
    later = verdict.read_verdict("msasss", "demo", "grader", "HiResCAM, layer 4", tmp_path)
    assert not later.tested and not later.passed and "not been tested" in later.text


MAPS = {name: model.explanations for name, model in models().items() if model.explanations}
MEASURED = [system for system in MAPS if verdict.read_results(system, "demo") is not None]


@pytest.mark.parametrize(("system", "network"), [(s, n) for s in MEASURED for n in MAPS[s].methods])
def test_shipped_weights_have_a_verdict_for_every_network(system, network):
    method = MAPS[system].methods[network]
    assert method in MAPS[system].candidates[network]
    found = verdict.read_verdict(system, "demo", network, method.name)
    if f"{system} {network}: no map" in report.PAGE.read_text(encoding="utf-8"):
        assert not found.tested  # so its maps are struck through
        return
    assert found.tested, f"run: python -m models.explain.report --system {system} ({network})"
    assert found.passed == (not found.reasons)


def test_every_network_that_is_shipped_has_maps_or_says_why_not():
    """A network without a method would have a map that nobody tested, or none."""
    page = report.PAGE.read_text(encoding="utf-8")
    for system in MAPS:
        tested = {verdict.of_network(name) for name in MAPS[system].methods}
        for network in cards.read_card(system, "demo")["networks"]:
            assert network in tested or f"{system} {network}: no map" in page, f"{system} {network}"


@pytest.fixture(scope="module")
def rendered():
    states = {"L2I": (2, 0.9), "L3S": (1, 0.9), "L4I": (3, 1.0), "L5S": (3, 1.0)}
    film = make_film(5, "T1", "BL", "lumbar", states, kind="good")
    body, conditions = film_conditions(5, "T1", "BL", "lumbar", kind="good")
    return states, film, body, conditions


@pytest.mark.parametrize("site", ["L2I", "L3S", "L4I"])
def test_true_finding_lies_at_its_corner(rendered, site):
    states, film, body, conditions = rendered
    mask = changed_by(body, conditions, states, site)
    assert mask.shape == film.pixels.shape and mask.any()
    corner = film.corners.set_index("site").loc[site]
    y, x = np.argwhere(mask).mean(axis=0)
    away_mm = np.hypot(x - corner["x"], y - corner["y"]) * film.spacing_mm[0]
    assert away_mm < 12
    assert mask.sum() * film.spacing_mm[0] ** 2 < 400  # square millimetres: a finding, not a vertebra


def test_a_bridge_belongs_to_both_its_corners_and_a_normal_corner_has_no_finding(rendered):
    states, _, body, conditions = rendered
    np.testing.assert_array_equal(
        changed_by(body, conditions, states, "L4I"), changed_by(body, conditions, states, "L5S")
    )
    assert not changed_by(body, conditions, states, "L1S").any()


def test_one_film_through_all_checks_and_into_tables(rendered):
    states, film, body, conditions = rendered
    explainer = MsasssExplainer(build(threads=1))
    seen = Image("x", film.pixels, film.spacing_mm)
    reading = explainer.scorer.read(seen)
    question = explainer.about_site(seen, reading, "L2I", 2)
    truth = question.picture.cut(changed_by(body, conditions, states, "L2I"))
    stages = checks.randomised(explainer, "grader")
    method = MAPS["msasss"].methods["grader"]
    found = checks.check(explainer, Case("P1", question, truth, 2, 2, seen, reading), stages, method)
    assert 0 <= found["share"] <= 1 and found["method"] == MAPS["msasss"].methods["grader"].name
    assert set(report.SHOWN) - {"share_beyond_box", "point_beyond_box"} <= set(found)
    rows = pd.DataFrame([found | {"patient": f"P{n}"} for n in range(3)])
    table = report.figures(rows)
    assert (table["cases"], table["patients"]) == (3, 3)
    assert table["share"]["estimate"] == pytest.approx(found["share"])
    again = explainer.heat(question)
    np.testing.assert_array_equal(again, explainer.heat(question))
    assert again.shape == question.picture.grey.shape and again.max() == pytest.approx(1)
    assert spread(np.zeros((3, 3), np.float32), (9, 9)).max() == 0


def test_page_keeps_its_text_around_the_tables():
    page = "before\n<!-- tests -->\nold\n<!-- /tests -->\nafter\n"
    assert into_page(page, report.MARK, "new\n") == page.replace("old", "new")


def test_page_holds_the_tables_of_the_stored_results():
    assert report.all_tables().strip() in report.PAGE.read_text(encoding="utf-8")


def test_random_networks_differ_from_the_trained_one_from_their_stage_on(rendered):
    explainer = MsasssExplainer(build(threads=1))
    trained = explainer.networks["grader"]
    stages = checks.randomised(explainer, "grader")
    assert len(stages["all"]) == len(checks.RANDOM_SEEDS)
    first = {name: drawn[0].state_dict() for name, drawn in stages.items()}
    begins = {"last layer": 13, "head": 10, "deep half": 6, "all": 0}
    assert list(begins) == list(explainer.stages["grader"])
    for (stage, layer), deeper in zip(begins.items(), list(begins)[1:], strict=False):
        for name, value in trained.state_dict().items():
            number = int(name.split(".")[1])
            if number < layer:
                assert (first[stage][name] == value).all()
        assert any((first[stage][name] != first[deeper][name]).any() for name in first[stage])
    one, other = (net.state_dict() for net in stages["all"][:2])
    assert any((one[name] != other[name]).any() for name in one)
