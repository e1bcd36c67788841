"""The networks learn, repeat themselves, and come back from disk; labels and splits are what they say."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from core.domain import Abstained, Image, Scored
from core.errors import InputError, ModelError
from models import cards
from models.msasss import augment, batches, networks, pixels, samples, scorer, tune
from models.msasss.grading import PLAIN, GradingRule
from models.msasss.labels import grade_of_class, read_folder
from models.msasss.sites import SITES
from models.registry import model_of
from models.system import Scorer
from models.training.folds import split_patients
from models.training.loop import Recipe

QUICK = Recipe(epochs=1, batch=4, average=0.9)


@pytest.fixture(scope="module")
def toy_samples(make_toy):
    return samples.prepare_all(
        make_toy(region, f"T{i}", i) for i in range(3) for region in ("cervical", "lumbar")
    )


@pytest.fixture(scope="module")
def untrained():
    torch.manual_seed(3)
    return scorer.MsasssScorer(
        networks.finder(), networks.grader(), PLAIN, scorer.Settings(), size="demo", weights_hash="none"
    )


@pytest.mark.parametrize(
    ("build", "classes", "shape"), [(networks.finder, 12, (96, 64)), (networks.grader, 4, (160, 128))]
)
def test_network_shapes_and_backward_pass(build, classes, shape):
    network = build()
    images = torch.rand(2, 1, *shape)
    raw = network.train()(images)
    anchors = shape[0] // 8 * (shape[1] // 8)
    assert raw["scores"].shape == (2, classes, anchors)
    raw["scores"].sum().backward()
    assert all(p.grad is not None for name, p in network.named_parameters() if ".cv3." in name)


def test_spatial_attention_is_in_both_graphs():
    for network in (networks.finder(), networks.grader()):
        kinds = [type(layer).__name__ for layer in network.model]
        assert kinds.count("SpatialAttention") == 2


def test_full_size_is_the_same_definition_made_larger():
    demo, full = networks.grader("demo"), networks.grader("full")
    assert [type(a).__name__ for a in demo.model] == [type(b).__name__ for b in full.model]
    count = [sum(p.numel() for p in n.parameters()) for n in (demo, full)]
    assert count[1] > 20 * count[0]


def test_importing_the_networks_stays_off_the_network():
    from ultralytics.utils import ONLINE, events

    assert ONLINE is False
    assert events.events.enabled is False


def test_training_lowers_the_loss_and_repeats_itself(toy_samples):
    def run():
        losses = []
        done = batches.GRADER.train(
            toy_samples.tiles,
            replace(QUICK, epochs=3, images=16),
            report=lambda progress: losses.append(progress.loss),
        )
        return losses, done.network.state_dict()

    torch.set_num_threads(1)
    (losses, first), (_, second) = run(), run()
    assert losses[-1] < losses[0]
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_interrupted_training_ends_in_the_same_weights(toy_samples, tmp_path):
    class Stop(Exception):
        pass

    def stop(progress):
        if progress.epochs == 2:
            raise Stop

    torch.set_num_threads(1)
    tiles, recipe = toy_samples.tiles, replace(QUICK, epochs=3, images=8)
    whole = batches.GRADER.train(tiles, recipe)
    with pytest.raises(Stop):
        batches.GRADER.train(tiles, recipe, checkpoint=tmp_path / "c", report=stop)
    resumed = batches.GRADER.train(tiles, recipe, checkpoint=tmp_path / "c")
    one, two = whole.network.state_dict(), resumed.network.state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_finder_trains_on_films_with_and_without_a_spine(toy_samples):
    empty = replace(toy_samples.finder[0], units=np.zeros((0, 5), np.float32))
    network = batches.FINDER.train([*toy_samples.finder[:3], empty], replace(QUICK, batch=2)).network
    assert all(torch.isfinite(p).all() for p in network.parameters())


def test_rare_grades_are_drawn_more_often(toy_samples):
    tile = toy_samples.tiles[0]

    def with_grade(grade):
        corners = tile.corners.copy()
        corners[:, 0] = grade
        return replace(tile, corners=corners)

    drawn = batches.tile_weights([with_grade(0)] * 9 + [with_grade(3)])
    assert drawn.sum() == pytest.approx(1)
    assert drawn[-1] > 2 * drawn[0]


def test_samples_survive_the_disk(toy_samples, tmp_path):
    samples.save(toy_samples, tmp_path / "s.npz")
    again = samples.load(tmp_path / "s.npz")
    assert again.patients == toy_samples.patients
    for one, two in zip(toy_samples.tiles, again.tiles, strict=True):
        assert (one.unit, one.patient) == (two.unit, two.patient)
        assert np.array_equal(one.image, two.image)
        assert np.array_equal(one.corners, two.corners)


def test_tile_labels_lie_on_the_corners(make_toy):
    film = make_toy("lumbar", "T1", 5, grades=dict.fromkeys(SITES["lumbar"], 0))
    _, tiles = samples.prepare(film)
    for tile in tiles:
        for _, x, y, _, _ in tile.corners:
            row, column = int(y), int(x)
            left, right = (
                tile.image[row - 3 : row + 4, column - 8],
                tile.image[row - 9 : row + 10, column + 12],
            )
            assert right.max() > left.max() + 60  # bone behind the corner, none in front of it


def test_plain_view_leaves_image_and_labels_in_place(toy_samples):
    tile = toy_samples.tiles[0]
    rows, columns = tile.image.shape
    image, labels = augment.view(
        tile.image, tile.corners, rows, columns, augment.NONE, np.random.default_rng(0)
    )
    assert image * 255 == pytest.approx(tile.image, abs=1)
    assert labels == pytest.approx(tile.corners, abs=1e-3)


def test_views_move_labels_with_the_image():
    image = np.zeros((200, 160), np.uint8)
    image[98:103, 78:83] = 255
    labels = np.array([[1, 80.5, 100.5, 20, 20]], np.float32)
    strength = replace(augment.TILE, noise=0, blur=0, gamma=0)
    for seed in range(20):
        seen, moved = augment.view(image, labels, 160, 128, strength, np.random.default_rng(seed))
        y, x = np.indices(seen.shape) + 0.5
        centre = (seen * x).sum() / seen.sum(), (seen * y).sum() / seen.sum()
        assert moved[0, 1:3] == pytest.approx(centre, abs=0.3)


def test_untrained_networks_find_nothing_and_say_so(untrained, make_toy):
    film = make_toy("lumbar", "T1", 5)
    result = untrained.score([Image("a", film.pixels, film.spacing_mm)])
    assert isinstance(result[0], Abstained)
    assert isinstance(untrained, Scorer)


@pytest.mark.parametrize(
    ("film", "reason"),
    [
        (Image("a", np.zeros((3, 500, 400), np.uint8)), "3 frames: not a single film"),
        (Image("a", np.arange(250000).reshape(500, 500), modality="CT"), "modality CT"),
        (Image("a", np.arange(250000).reshape(500, 500), modality="US"), "modality US"),
        (Image("a", np.arange(4096).reshape(64, 64)), "too small"),
        (Image("a", np.arange(250000).reshape(500, 500), spacing_mm=(0.1, 0.1)), "too small in millimetres"),
        (Image("a", np.full((500, 400), 7, np.uint16)), "blank"),
    ],
)
def test_what_cannot_be_a_spine_film_is_not_looked_at(untrained, film, reason):
    result = untrained.score_one(film)
    assert isinstance(result, Abstained)
    assert reason in result.reason


def test_seen_corners_become_findings_and_hidden_ones_say_why(untrained):
    chain = scorer.Chain(
        "lumbar", np.stack([np.full(6, 80.0), 60 + 40 * np.arange(6.0)], axis=1), np.full(6, 0.8), 12, 5
    )
    sites = {
        site: scorer.SiteReading(np.array([-4.0, 2.0, -4.0, -4.0]), 0.9, np.array([60.0, 50.0 + k]), 12.0)
        for k, site in enumerate(SITES["lumbar"][:-1])
    }
    plain = scorer.Reading(chain, sites, (0.2, 0.1), False, 200.0)
    scored = untrained.judge(plain)
    assert isinstance(scored, Scored)
    assert [finding.site for finding in scored.findings] == list(SITES["lumbar"][:-1])
    assert scored.unscorable.keys() == {"S1S"}
    first = scored.findings[0]
    assert first.grade == 1
    assert sum(first.grade_probabilities) == pytest.approx(1)
    assert first.box is not None
    assert first.box.centre == pytest.approx((600, 250))  # 60 mm at 0.1 mm, 50 mm at 0.2 mm
    mirrored = untrained.judge(replace(plain, mirrored=True))
    assert isinstance(mirrored, Scored)
    assert mirrored.findings[0].box.centre == pytest.approx((1400, 250))  # 200 - 60 mm


def test_rule_learns_to_trust_scores_and_keeps_rare_grades():
    rng = np.random.default_rng(0)
    grade = rng.choice(4, size=4000, p=[0.8, 0.1, 0.07, 0.03])
    logits = 3.0 * np.eye(4)[grade] + rng.normal(0, 1.2, (4000, 4)) - 3
    rule = tune.fit_rule(tune.TuningCorners(logits, grade, np.ones(4000)))
    probabilities = rule.probabilities(logits)
    assert probabilities.sum(axis=1) == pytest.approx(1)
    chosen = probabilities[np.arange(4000), grade]
    plain = PLAIN.probabilities(logits)[np.arange(4000), grade]
    assert np.log(chosen).mean() > np.log(plain).mean()
    given = rule.grades(probabilities)
    assert min((given[grade == k] == k).mean() for k in range(4)) > 0.5
    assert GradingRule.from_card(json.loads(json.dumps(rule.as_card()))) == rule


def test_quadratic_kappa_of_the_published_table():
    table = np.array([[10, 4, 1, 0], [5, 10, 12, 2], [2, 4, 12, 5], [0, 2, 6, 13]])  # SAS skin conditions
    given, true = np.nonzero(np.ones((4, 4)))
    assert tune.quadratic_kappa(given, true, table.ravel().astype(float)) == pytest.approx(0.660723, abs=1e-6)


def test_weights_come_back_and_damage_is_told(tmp_path):
    network = networks.grader()
    path = tmp_path / "msasss-demo-grader.safetensors"
    card = {"networks": {"grader": cards.save(network, path)}}
    cards.write_card(card, "msasss", "demo", tmp_path)
    again = networks.grader()
    cards.load_into(again, cards.read_card("msasss", "demo", tmp_path), "grader", tmp_path)
    one, two = network.state_dict(), again.state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)
    with pytest.raises(ModelError, match="does not fit the network"):
        cards.load_into(networks.finder(), card, "grader", tmp_path)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelError, match="damaged or of another training"):
        cards.load_into(again, card, "grader", tmp_path)
    path.unlink()
    with pytest.raises(ModelError, match="restore it or train again"):
        cards.load_into(again, card, "grader", tmp_path)
    with pytest.raises(ModelError, match="no weights of msasss in size full"):
        scorer.build(size="full", folder=tmp_path)


def test_unknown_system_has_no_model():
    with pytest.raises(InputError, match="a model exists for msasss, mtss, sparcc, synovitis"):
        model_of("gout")


def coco_folder(folder, films, names=("normal", "erosion", "syndesmophyte", "ankylosis"), sites=True):
    (folder / "images").mkdir(parents=True)
    images, annotations = [], []
    for number, film in enumerate(films):
        cv2.imwrite(str(folder / "images" / f"{film.name}.png"), film.pixels)
        about = {"id": number, "file_name": f"{film.name}.png", "spacing_mm": list(film.spacing_mm)}
        images.append(about | {"patient": film.patient, "view": film.region})
        for corner in film.corners:
            box = [corner.x - corner.width / 2, corner.y - corner.height / 2, corner.width, corner.height]
            extra = {"attributes": {"site": corner.site}} if sites else {}
            annotations.append({"image_id": number, "category_id": corner.grade, "bbox": box} | extra)
    categories = [{"id": grade, "name": name} for grade, name in enumerate(names)]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "labels.json").write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize("sites", [True, False])
def test_coco_folder_gives_the_labels_back(make_toy, tmp_path, sites):
    films = [make_toy(region, f"P{i}", i) for i in range(2) for region in ("cervical", "lumbar")]
    again = read_folder(coco_folder(tmp_path / "coco", films, sites=sites))
    for one, two in zip(films, again, strict=True):
        assert (one.patient, one.region, one.spacing_mm) == (two.patient, two.region, two.spacing_mm)
        assert np.array_equal(one.load(), two.load())
        wanted = {c.site: (round(c.x, 3), round(c.y, 3), c.grade) for c in one.corners}
        assert {c.site: (round(c.x, 3), round(c.y, 3), c.grade) for c in two.corners} == wanted


def test_yolo_folder_is_read_where_the_files_know_their_spacing(make_toy, tmp_path, monkeypatch):
    film = make_toy("lumbar", "P7", 1)
    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
    cv2.imwrite(str(tmp_path / "images" / "P7_lumbar.png"), film.pixels)
    (tmp_path / "data.yaml").write_text("names: [ankylosis, normal, erosion, syndesmophyte]")
    numbers = {3: 0, 0: 1, 1: 2, 2: 3}
    rows, columns = film.pixels.shape
    lines = [
        f"{numbers[c.grade]} {c.x / columns} {c.y / rows} {c.width / columns} {c.height / rows}"
        for c in film.corners
    ]
    (tmp_path / "labels" / "P7_lumbar.txt").write_text("\n".join(lines))
    with pytest.raises(InputError, match="millimetres per pixel are needed"):
        read_folder(tmp_path)
    monkeypatch.setattr("models.msasss.labels._spacing_of", lambda path: (0.4, 0.4))
    (again,) = read_folder(tmp_path)
    assert again.patient == "P7"
    assert [(c.site, c.grade) for c in again.corners] == [(c.site, c.grade) for c in film.corners]


def test_boxes_that_cannot_be_named_are_refused(make_toy, tmp_path):
    film = make_toy("lumbar", "P1", 1)
    film = replace(film, corners=film.corners[:7])
    with pytest.raises(InputError, match="with 7 boxes"):
        read_folder(coco_folder(tmp_path / "coco", [film], sites=False))


@pytest.mark.parametrize(
    ("name", "grade"),
    [("Normal", 0), ("erosions", 1), ("Syndesmophytes", 2), ("3 ankylosis", 3), ("grade 2", 2)],
)
def test_class_names_mean_grades(name, grade):
    assert grade_of_class(name) == grade


def test_unknown_class_name_is_refused():
    with pytest.raises(InputError, match="classes are normal, erosion"):
        grade_of_class("osteophyte-like")


def test_no_patient_is_on_both_sides_of_a_split(make_toy):
    films = [make_toy("lumbar", f"P{i // 2}", i) for i in range(12)]
    training, tuning = split_patients(films, 4, 0.3)
    assert len(training) + len(tuning) == 12
    assert tuning
    assert not {f.patient for f in training} & {f.patient for f in tuning}
    with pytest.raises(InputError, match="at least two patients"):
        split_patients(films[:2], 4, 0.3)


def test_tile_scale_is_fine_enough_for_an_erosion():
    for shape in pixels.TILES.values():
        assert shape.mm_per_pixel <= 0.3
        assert shape.rows % 16 == 0
        assert shape.columns % 16 == 0


@pytest.mark.parametrize(
    ("good", "wrong", "limit"),
    [
        ([10.0, 11, 12], [], 5.0),  # nothing to refuse: the floor
        ([10.0, 11, 12], [2.0, 6], 8.0),  # half way between the best foil and the worst good film
        ([7.0, 11, 12], [8.0], 5.0),  # one foil is not worth a good film
        ([7.0, 11, 12], [8.0, 8.5, 9, 9.5], 10.25),  # four are
        ([4.0, 11, 12], [], 3.2),  # a good film below the floor is kept
    ],
)
def test_limit_weighs_good_films_against_wrong_ones(good, wrong, limit):
    assert tune.limit_between(good, wrong, 5.0) == pytest.approx(limit)


def test_moved_patient_leaves_nothing_to_be_found(monkeypatch, toy_samples):
    tile = toy_samples.tiles[0]
    monkeypatch.setattr(augment, "SMEAR_SHARE", 1.0)
    image, labels = augment.smear(tile.image, tile.corners, 0.28, np.random.default_rng(2))
    assert image.shape == tile.image.shape
    assert len(labels) == 0
    assert len(tile.corners) == 2
    sharpness = [float(cv2.Laplacian(one, cv2.CV_32F).var()) for one in (image, tile.image)]
    assert sharpness[0] < 0.2 * sharpness[1]
