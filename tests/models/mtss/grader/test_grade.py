"""The grader: its probabilities, rules, tuning, and that it can be trained, stored and read again."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.domain import Image
from core.errors import InputError, ModelError
from core.scores.mtss import MTSS
from models.mtss.grader.grade import JointGrader, Seen, build_grader
from models.mtss.grader.network import cut_grades, erosion_grades, grader
from models.mtss.grader.rule import BLOCKS, BlockRule, film_damage, plain_rule
from models.mtss.grader.samples import NONE, draw_weights, prepare, view
from models.mtss.grader.train import GRADER
from models.mtss.grader.tune import TuningSites, calibrate, choose_thresholds
from models.mtss.labels import read_graded
from models.mtss.places import Place, Places
from models.mtss.system import MODEL
from models.mtss.train import TRAINING, Folders
from models.training.pipeline import Films, TrainRequest, nothing_further, train
from tests.models.mtss.grader.toys import layout, write_folder

TINY = replace(GRADER.recipe, epochs=1, batch=16, half_precision=False, images=32)
QUICK = replace(TRAINING, networks=(replace(GRADER, recipe=TINY),), further=nothing_further)
QUICK_MODEL = replace(MODEL, training=f"{__name__}:QUICK")


def test_ordinal_grades_follow_the_severity():
    levels = torch.tensor([[-3.0, -6.0], [1.0, -6.0], [1.7, -6.0], [4.9, -6.0], [9.0, -6.0]])
    chances = cut_grades(levels).exp()
    torch.testing.assert_close(chances.sum(dim=1), torch.ones(5))
    assert chances.argmax(dim=1).tolist() == [0, 1, 2, 5, 5]
    spread = cut_grades(torch.tensor([[1.0, 1.5]])).exp()[0]
    assert spread.max() < 0.5


def test_foot_erosion_is_the_sum_of_two_sides():
    severities = torch.randn(6, 4) * 3
    is_foot = torch.tensor([True] * 3 + [False] * 3)
    chances = erosion_grades(severities, is_foot).exp().numpy()
    one, other = cut_grades(severities[:, :2]).exp().numpy(), cut_grades(severities[:, 2:]).exp().numpy()
    for i in range(3):
        np.testing.assert_allclose(chances[i], np.convolve(one[i], other[i]), atol=1e-5)
    np.testing.assert_allclose(chances[3:, :6], one[3:], atol=1e-6)
    assert chances[3:, 6:].max() < 1e-6


def test_no_severity_gives_a_loss_without_slope():
    severities = torch.tensor([[60.0, -6.0, 60.0, -6.0]] * 2, requires_grad=True)
    loss = -erosion_grades(severities, torch.tensor([True, False]))[:, 0].sum()
    loss.backward()
    assert torch.isfinite(loss)
    assert severities.grad is not None
    assert severities.grad[1, 0] > 0.1


def fresh():
    torch.manual_seed(0)
    network = grader("demo").eval()
    return JointGrader(network, {block: plain_rule(block) for block in BLOCKS}, {"H.MCP2": [20.0, 30.0]})


def hand_film():
    pixels = np.random.default_rng(1).integers(0, 900, (400, 600)).astype(np.uint16)
    units = {unit: Place(x / 0.5, y / 0.5, 1.0) for unit, (x, y) in layout("hands").items()}
    return Image("f", pixels), Places("hands", units, {}, 0.5)


def test_every_site_of_a_placed_unit_is_graded():
    film, places = hand_film()
    found = fresh().grade(film, places)
    assert set(found) == {site.code for site in MTSS.sites if site.region == "hand"}
    for code, one in found.items():
        assert len(one.probabilities) == MTSS.by_code[code].maximum + 1
        assert sum(one.probabilities) == pytest.approx(1)
        assert 0 <= one.grade <= MTSS.by_code[code].maximum
    box = found["LH.E.MCP2"].box
    middle = places.units["LH.MCP2"]
    assert box.centre == pytest.approx((middle.x, middle.y))
    assert (box.x1 - box.x0, box.y1 - box.y0) == pytest.approx((40.0, 60.0))


def test_unit_without_place_has_no_grade_and_no_place_no_grades():
    film, places = hand_film()
    less = replace(places, units={u: p for u, p in places.units.items() if u != "RH.PIP3"})
    found = fresh().grade(film, less)
    assert "RH.E.PIP3" not in found
    assert "RH.J.PIP3" not in found
    assert fresh().grade(film, replace(places, units={})) == {}


def test_rule_cuts_the_cumulative_probability_and_tilts_by_the_film():
    rule = BlockRule(1.0, (0.0, 0.0, 0.0), 0.8, threshold=0.4, shift={"H.CMC5": -1.0})
    kinds = ["H.MCP2", "H.MCP2"]
    log_seen = np.log(np.array([[0.55, 0.25, 0.2], [0.65, 0.25, 0.1]]))
    plain = rule.probabilities(log_seen, np.zeros(2), kinds)
    np.testing.assert_allclose(plain, np.exp(log_seen))
    assert rule.grades(plain).tolist() == [1, 0]
    clean, worn = (rule.probabilities(log_seen, np.full(2, damage), kinds)[1, 0] for damage in (-1.0, 1.0))
    assert clean > 0.65 > worn
    shifted = rule.probabilities(log_seen, np.zeros(2), ["H.MCP2", "H.CMC5"])
    np.testing.assert_allclose(shifted[0], plain[0])
    assert shifted[1, 0] > plain[1, 0]
    assert BlockRule.from_card(rule.as_card()) == rule


def test_damage_of_a_film_grows_with_its_grades():
    clean = Seen(("LH.MCP2",), ("jsn",), (np.log(np.array([0.97, 0.02, 0.006, 0.003, 0.001])),))
    worn = Seen(("LH.MCP2",), ("jsn",), (np.log(np.array([0.1, 0.2, 0.3, 0.2, 0.2])),))
    assert clean.damage < 0 < worn.damage
    assert film_damage(np.zeros(0)) == 0.0


def tuning_block(rng, sharp, count=600):
    """Sites whose log probabilities are too flat by ``sharp``, on 60 readings."""
    grade = rng.choice(6, count, p=[0.6, 0.2, 0.1, 0.05, 0.03, 0.02])
    seen = np.stack([rng.dirichlet(0.3 + 2.5 * np.eye(6)[g]) for g in grade])
    log_seen = np.log(np.maximum(seen, 1e-6)) / sharp
    reading = np.array([f"P{i % 60}" for i in range(count)])
    kind = np.where(np.arange(count) % 2, "H.MCP2", "H.MCP3")
    return TuningSites(log_seen, rng.normal(size=count), grade, np.ones(count), reading, kind)


def test_calibration_sharpens_what_is_too_flat():
    sites = tuning_block(np.random.default_rng(0), 2.0)
    rule = calibrate(sites)
    assert rule.sharpness > 1.3
    assert abs(rule.tilt) < 0.3

    def loss(one):
        chance = one.probabilities(sites.log_seen, sites.damage, sites.kind)
        return -np.log(chance[np.arange(len(sites.grade)), sites.grade]).mean()

    assert loss(rule) < loss(plain_rule("hand erosion")) - 0.05


def no_sites(block):
    empty = np.zeros(0)
    grades = len(plain_rule(block).offset)
    return TuningSites(np.zeros((0, grades)), empty, empty.astype(int), empty, *[empty.astype(str)] * 2)


def test_thresholds_take_the_lean_out_of_sums():
    rng = np.random.default_rng(1)
    sites = {block: no_sites(block) for block in BLOCKS} | {"hand erosion": tuning_block(rng, 1.0)}
    rules = {block: plain_rule(block) for block in BLOCKS}
    rules["hand erosion"] = calibrate(sites["hand erosion"])
    chosen = choose_thresholds(sites, rules)["hand erosion"]
    one = sites["hand erosion"]
    chance = chosen.probabilities(one.log_seen, one.damage, one.kind)

    def lean(rule):
        return abs((rule.grades(chance) - one.grade).mean())

    assert lean(chosen) <= lean(replace(chosen, threshold=0.5))
    assert lean(chosen) < 0.02


def grade_of(patient, visit, unit, feature):
    return (int(patient[1:]) + len(unit) + (visit == "W104")) % (5 if feature == "jsn" else 6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("grader") / "toys", ("P1", "P2", "P3"), grade=grade_of)


def test_labels_of_a_folder(folder):
    films = read_graded(folder)
    assert [film.view for film in films[:2]] == ["hands", "feet"]
    hands = films[0]
    assert len(hands.units) == 44
    assert hands.grades["jsn"][hands.units.index("LH.RAD")] == -1
    assert hands.grades["erosion"][hands.units.index("LH.RAD")] == grade_of("P1", "BL", "LH.RAD", "erosion")
    exact, off = hands.places(), hands.places(np.random.default_rng(0), 1.0)
    away = [
        np.hypot(exact.units[u].x - off.units[u].x, exact.units[u].y - off.units[u].y) for u in hands.units
    ]
    assert 0.8 < np.mean(away) * hands.mm_per_pixel < 1.8


def test_tiles_of_a_folder_and_views(folder):
    samples = prepare(read_graded(folder))
    assert len(samples) == 3 * 2 * 56
    assert draw_weights(samples).sum() == pytest.approx(1)
    rng = np.random.default_rng(0)
    still = view(samples.image[0], 0.19, NONE, rng)
    middle = samples.image[0][20:148, 20:148].astype(float)
    assert np.corrcoef(still.ravel(), middle.ravel())[0, 1] > 0.99
    assert still.shape == (128, 128)


def test_training_gives_weights_and_card_that_grade_a_film(folder, tmp_path):
    found = train(QUICK_MODEL, TrainRequest("demo", tmp_path, data=folder), tell=lambda text: None)
    assert set(found["grading"]) == set(BLOCKS)
    assert found["tuning"]["films"] > 0
    assert set(found["paired"]) == {"hand erosion", "foot erosion", "jsn"}
    made = build_grader("demo", folder=tmp_path)
    film = read_graded(folder)[1]
    first = made.grade(film.as_film(), film.places())
    assert len(first) == 24
    assert first == build_grader("demo", folder=tmp_path).grade(film.as_film(), film.places())
    path = tmp_path / found["networks"]["grader"]["file"]
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelError, match="check sum"):
        build_grader("demo", folder=tmp_path)


def test_patient_on_both_sides_is_refused(folder, tmp_path, monkeypatch):
    both = Films(Folders(folder), [], frozenset({"P1", "P2"}), frozenset({"P2"}))
    monkeypatch.setattr(f"{__name__}.QUICK", replace(QUICK, labelled=lambda request, tell: both))
    with pytest.raises(InputError, match="for training and for tuning"):
        train(QUICK_MODEL, TrainRequest("demo", tmp_path, data=folder))
