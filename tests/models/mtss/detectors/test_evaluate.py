"""From a labelled folder over one fold to the figures: who is trained on, what counts, what the card says."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from core.domain import Abstained, Image
from core.errors import InputError, ModelError
from models import cards
from models.mtss.detectors import evaluate, ship, train
from models.mtss.detectors import read as infer
from models.mtss.detectors.batches import BUDGET
from models.mtss.detectors.detections import Detections
from models.mtss.detectors.ensemble import ensemble
from models.mtss.detectors.labels import read_folder
from models.mtss.detectors.naming import Named
from models.mtss.detectors.read import HandReading
from models.mtss.detectors.report import as_text
from models.mtss.detectors.report import main as report_page
from models.mtss.detectors.samples import prepare
from models.mtss.detectors.special import special_findings

UNITS = ("LH.PIP2", "LH.MCP2", "LH.IP1")
BOXES = np.array([[40, 40, 100, 110], [200, 60, 260, 130], [300, 200, 360, 270]], float)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Six small films of five patients as a labelling tool writes them; the wrist's box is not looked for."""
    out = tmp_path_factory.mktemp("hands")
    (out / "images").mkdir()
    names = ["none", "ankylosis", "subluxation", "luxation"]
    images, annotations = [], []
    rng = np.random.default_rng(0)
    for number in range(6):
        pixels = rng.integers(0, 200, (400, 500)).astype(np.uint16)
        for x0, y0, x1, y1 in BOXES.astype(int):
            pixels[y0:y1, x0:x1] = 900
        cv2.imwrite(str(out / "images" / f"{number}.png"), pixels)
        image = {"id": number + 1, "file_name": f"{number}.png", "patient": f"P{number % 5}", "visit": "BL"}
        images.append(image | {"spacing_mm": [0.15, 0.15]})
        for unit, box in zip((*UNITS, "LH.RC"), [*BOXES, [0, 0, 9, 9]], strict=True):
            finding = names[number % 4] if unit == "LH.PIP2" else "none"
            hidden = unit == "LH.MCP2" and number == 3
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number + 1,
                    "category_id": names.index(finding) + 1,
                    "bbox": [box[0], box[1], box[2] - box[0], box[3] - box[1]],
                    "attributes": {"unit": unit, "visibility": 0.1 if hidden else 1},
                }
            )
    categories = [{"id": i, "name": name} for i, name in enumerate(names, 1)]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (out / "annotations.json").write_text(json.dumps(content))
    return out


def test_labels_are_read_as_they_were_drawn(folder, tmp_path):
    films = read_folder(folder)
    assert [film.patient for film in films] == ["P0", "P1", "P2", "P3", "P4", "P0"]
    assert films[0].units == UNITS
    assert films[0].boxes == pytest.approx(BOXES)
    assert films[1].affected("ankylosis").tolist() == [True, False, False]
    assert (
        films[2].affected("luxation").tolist()
        == films[3].affected("luxation").tolist()
        == [True, False, False]
    )
    assert films[3].visible.tolist() == [True, False, True]
    with pytest.raises(InputError, match=r"annotations\.json"):
        read_folder(tmp_path)


def test_each_detector_is_shown_its_own_joints_at_half_size(folder):
    film = read_folder(folder)[3]
    ankylosis, luxation = (prepare(film, finding) for finding in ("ankylosis", "luxation"))
    assert ankylosis.image.shape == (200, 250)
    assert ankylosis.boxes == pytest.approx(BOXES[[0, 2]] / 2)
    assert luxation.boxes == pytest.approx(BOXES[[0]] / 2)  # no thumb IP, and the hidden joint is left out
    assert (ankylosis.labels.tolist(), luxation.labels.tolist()) == ([1, 1], [2])


def reading(affected: bool = True) -> HandReading:
    """The ankylosis detector finds two joints, the other one the third as well."""
    one = Detections(BOXES[:2], np.array([0.95, 0.96]), np.array([affected, False]))
    two = Detections(BOXES[[0, 1]], np.array([0.97, 0.94]), np.array([False, False]))
    three = Detections(BOXES[[2]], np.array([0.99]), np.array([False]))
    joints = ensemble(one, Detections(*(np.concatenate(p) for p in zip(
        (two.boxes, two.scores, two.affected), (three.boxes, three.scores, three.affected), strict=True
    ))))  # fmt: skip
    place = {tuple(box): i for i, box in enumerate(joints.boxes)}
    named = Named({unit: place[tuple(box)] for unit, box in zip(UNITS, BOXES, strict=True)})
    return HandReading(
        {"ankylosis": one, "luxation": two}, joints, named, special_findings(joints, named.units)
    )


def test_the_ensemble_finds_what_either_detector_finds(folder):
    film = read_folder(folder)[1]
    rows = {(row["finding"], row["method"]): row for row in evaluate.count_reading(film, reading())}
    assert rows["ankylosis", "single"]["found"] == 2
    assert rows["ankylosis", "ensemble"]["found"] == 3
    assert rows["ankylosis", "ensemble"]["tp"] == 1
    assert rows["luxation", "ensemble"]["joints"] == 2
    assert rows["luxation", "ensemble"]["false_boxes"] == 1  # the thumb's IP is no joint of this finding


def test_names_count_as_right_where_their_box_is_that_joint(folder):
    film = read_folder(folder)[1]
    found = evaluate.count_names(film, reading())
    assert (found["named"], found["right"]) == (3, 3)
    swapped = reading()
    units = dict(zip(UNITS, list(swapped.named.units.values())[::-1], strict=True))
    found = evaluate.count_names(
        film, HandReading(swapped.single, swapped.joints, Named(units), swapped.findings)
    )
    assert (found["named"], found["right"]) == (3, 1)


def test_a_film_that_was_refused_counts_as_missed(folder):
    class Refusing:
        def read(self, film: Image) -> Abstained:
            return Abstained("too dark")

    films = read_folder(folder)
    counts, names = evaluate.evaluate_films(Refusing(), films)
    result = evaluate.figures(counts, names, planned_folds=5)
    assert result["folds"] == "1 of 5 folds"
    assert result["findings"]["ankylosis"]["ensemble"]["detection_rate"]["estimate"] == 0
    assert result["findings"]["ankylosis"]["ensemble"]["recall"]["estimate"] == 0
    assert {one["reason"] for one in result["naming"]["refused"]} == {"too dark"}


def test_a_fold_is_trained_tested_and_carded(folder, tmp_path):
    films = read_folder(folder)
    recipe = replace(BUDGET, images=4, batch=2, half_precision=False)
    result = train.run_folds(films, [], [1], recipe, tmp_path, processes=1)
    card = cards.read_card("mtss", "demo", tmp_path / "fold1")
    tested = set(card["training"]["test_patients"])
    assert len(tested) == 1
    assert len(card["training"]["patients"]) == 4
    assert card["training"]["fold"] == "2 of 5"
    assert "phantom" in card["note"]
    assert card["networks"]["ankylosis"]["crops"] == 4
    counts = result["findings"]["luxation"]["ensemble"]["counts"]
    shown = [film for film in films if film.patient in tested]
    assert counts["joints"] == sum(int(film.visible[:2].sum()) for film in shown)
    assert json.loads((tmp_path / "evaluation.json").read_text())["folds"] == "1 of 5 folds"
    text = as_text(result)
    assert "1 of 5 folds" in text
    assert "phantom" in text
    assert " 0.81\n" in text  # the paper's recall of ankylosis beside ours
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- detectors -->\nold\n<!-- /detectors -->\nafter\n")
    CliRunner().invoke(report_page, [str(tmp_path / "evaluation.json"), "--page", str(page)])
    lines = page.read_text().splitlines()
    assert (lines[0], lines[-1]) == ("before", "after")
    assert "old" not in lines
    assert any(line.startswith("| 2 |") for line in lines)  # the fold, numbered from 1
    assert any(line.startswith("| recall |") and line.endswith("| 0.81 |") for line in lines)
    stored = ship.store_fold(tmp_path / "fold1", tmp_path / "stored")
    assert stored["networks"]["ankylosis"]["bytes"] < 0.55 * card["networks"]["ankylosis"]["bytes"]
    assert "float32" in str(
        next(infer.build(folder=tmp_path / "stored").networks["luxation"].parameters()).dtype
    )
    read = infer.build(folder=tmp_path / "fold1").read(Image("x", films[0].load(), (0.15, 0.15)))
    assert isinstance(read, HandReading)


def test_patients_of_the_test_fold_may_not_hide_among_the_extra_films(folder, tmp_path):
    films = read_folder(folder)
    with pytest.raises(InputError, match="must not be trained on"):
        train.train_fold(films, films, 0, replace(BUDGET, images=2, batch=2), tmp_path, processes=1)


def test_folds_begin_from_a_start_that_saw_none_of_their_patients(folder, tmp_path):
    films = read_folder(folder)
    extra = [replace(film, patient=f"X{film.patient}") for film in films]
    recipe = replace(BUDGET, images=2, batch=2, half_precision=False)
    train.train_folds(films, extra, [0], recipe, tmp_path, processes=1, start_recipe=recipe)
    start, fold = (cards.read_card("mtss", "demo", tmp_path / name) for name in ("start", "fold0"))
    assert start["training"]["patients"] == sorted({film.patient for film in extra})
    assert fold["training"]["start"]["networks"] == start["networks"]
    assert not set(fold["training"]["patients"]) & set(fold["training"]["test_patients"])
    with pytest.raises(InputError, match="must not be trained on"):
        train.train_fold(extra, [], 0, recipe, tmp_path / "again", processes=1, start=tmp_path / "start")
    before = (tmp_path / "fold0" / "mtss-demo.json").stat().st_mtime_ns
    train.train_folds(films, extra, [0], recipe, tmp_path, processes=1, start_recipe=recipe)
    assert (tmp_path / "fold0" / "mtss-demo.json").stat().st_mtime_ns == before


def test_crossed_joints_are_those_that_suppression_would_part():
    boxes = np.array([[0, 0, 10, 10], [6, 0, 16, 10], [30, 0, 40, 10], [39, 0, 49, 10]], float)
    assert evaluate.crossed(boxes).tolist() == [True, True, False, False]
    assert evaluate.crossed(boxes[:1]).tolist() == [False]


@pytest.mark.parametrize(
    ("pixels", "body_part", "reason"),
    [
        (np.ones((400, 400), np.uint16), "HAND", "one grey"),
        (np.eye(400, dtype=np.uint16), "FOOT", "body part FOOT"),
        (np.eye(20, dtype=np.uint16), "", "64 x 64"),
    ],
)
def test_films_of_something_else_are_refused_before_they_are_scanned(pixels, body_part, reason):
    found = infer.HandDetectors({}).read(Image("x", pixels, body_part=body_part))
    assert isinstance(found, Abstained)
    assert reason in found.reason


def test_without_weights_the_model_says_so(tmp_path):
    with pytest.raises(ModelError, match="no weights of mtss"):
        infer.build(folder=tmp_path)


def test_a_stored_fold_is_shipped_and_other_networks_stay(folder, tmp_path):
    films = read_folder(folder)
    train.train_fold(films, [], 0, replace(BUDGET, images=2, batch=2), tmp_path / "fold0", processes=1)
    package = tmp_path / "package"
    package.mkdir()
    other = {"file": "mtss-demo-finder.safetensors", "sha256": "0" * 64}
    cards.write_card({"system": "mtss", "networks": {"finder": other}}, "mtss", "demo", package)
    ship.store_fold(tmp_path / "fold0", tmp_path / "stored")
    card = ship.ship_fold(tmp_path / "stored", package)
    assert card["networks"]["finder"] == other
    assert card["training"]["fold"] == "1 of 5"
    assert set(infer.build(folder=package).networks) == {"ankylosis", "luxation"}
