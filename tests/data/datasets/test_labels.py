"""Labels of a set: by patient, boxes found, grades at their places."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError
from data.datasets.examine import examine
from data.datasets.frame import SPLITS, FilmFile
from data.datasets.labels import ANNOTATIONS, place_of, split_of_patients, write_labels
from data.datasets.registry import get
from tests.data.datasets import layouts

films = st.lists(st.tuples(st.integers(0, 30), st.sampled_from((*SPLITS, ""))), min_size=1, max_size=60).map(
    lambda rows: [FilmFile(f"{n}.bmp", f"P{p}", split=split) for n, (p, split) in enumerate(rows)]
)


@settings(max_examples=40, deadline=None)
@given(films)
def test_no_patient_is_on_both_sides_of_a_split(found):
    splits = split_of_patients(found)
    assert splits.keys() == {film.subject for film in found} and set(splits.values()) <= set(SPLITS)
    for film in found:
        if film.split == "test":
            assert splits[film.subject] == "test"


def test_without_splits_of_the_owner_most_patients_are_for_training():
    many = [FilmFile(f"{n}.png", f"P{n}") for n in range(2000)]
    counts = {split: list(split_of_patients(many).values()).count(split) for split in SPLITS}
    assert 300 < counts["test"] < 500 and 140 < counts["val"] < 260


def written(name, folder, out):
    contents = examine(get(name), folder)
    done = write_labels(get(name), folder, contents, out)
    found = {
        path.parent.name: json.loads(path.read_text(encoding="utf-8")) for path in out.rglob(ANNOTATIONS)
    }
    return done, found


def test_a_patient_of_two_splits_is_in_the_strictest_one(tmp_path):
    both = {
        "train": ["JP_AAAA_P0001_20120105_0101_L", "JP_AAAA_P0003_20120105_0101_L"],
        "test": ["JP_AAAA_P0001_20140105_0202_L"],
    }
    folder = layouts.ram_h1200(tmp_path / "set", both)
    contents = examine(get("ram-h1200"), folder)
    told = {one.file for one in contents.odd if "in the splits" in one.reason}
    assert told == {film.file for film in contents.films if film.subject.endswith("P0001")}
    done, found = written("ram-h1200", folder, tmp_path / "out")
    patients = {split: {image["patient"] for image in rows["images"]} for split, rows in found.items()}
    assert patients == {"train": {"JP_AAAA_P0003"}, "test": {"JP_AAAA_P0001"}}
    assert done.films == {"train": 1, "test": 2}


def test_crops_are_found_where_they_were_cut(tmp_path):
    done, found = written("ram-h1200", layouts.ram_h1200(tmp_path / "set"), tmp_path / "out")
    assert (done.boxes, done.unplaced) == (66, 0)
    film = next(image for image in found["test"]["images"])
    boxes = {row["attributes"]["unit"]: row for row in found["test"]["annotations"]}
    place = layouts.EROSION.index("BE_U")
    assert boxes["RH.ULN"]["bbox"] == [2 * place, 3 * place, 10, 12]
    assert boxes["RH.ULN"]["attributes"]["erosion"] == place % 6
    assert boxes["RH.MCP2"]["attributes"].keys() >= {"erosion", "jsn"}
    assert film["spacing_is"].startswith("about") and "a guess" in film["spacing_is"]
    assert found["test"]["info"]["phantom"] is False and "CC BY 4.0" in found["test"]["info"]["notice"]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 40), st.integers(0, 30), st.integers(0, 99))
def test_a_crop_is_found_pixel_for_pixel_or_not_at_all(row, column, seed):
    film = np.random.default_rng(seed).integers(0, 255, (60, 50)).astype(np.uint8)
    crop = film[row : row + 12, column : column + 9].copy()
    assert place_of(crop, film) == (column, row, 9, 12)
    crop[3, 4] ^= 1
    assert place_of(crop, film) is None


def test_a_crop_that_lies_at_two_places_has_none():
    film = np.zeros((30, 30), np.uint8)
    assert place_of(film[:5, :5], film) is None


def test_experts_become_their_rounded_mean(tmp_path):
    _, found = written("arise-2025", layouts.arise(tmp_path / "set"), tmp_path / "out")
    grades = {row["attributes"]["unit"]: row["attributes"] for row in found["train"]["annotations"]}
    assert grades["LH.PIP2"] == {"unit": "LH.PIP2", "erosion": 1, "jsn": 1}  # 0, 1 and 2
    assert grades["RH.MCP1"]["erosion"] == 1  # 0 and 1: a half goes upwards


def test_corners_become_boxes_without_a_grade(tmp_path):
    _, found = written("csxa", layouts.csxa(tmp_path / "set"), tmp_path / "out")
    (content,) = found.values()
    sites = {row["attributes"]["site"]: row["bbox"] for row in content["annotations"]}
    assert set(sites) == {"C2I", *(f"C{n}{e}" for n in range(3, 8) for e in "SI")}
    x, y, width, height = sites["C4S"]
    assert (x + width / 2, y + height / 2) == pytest.approx((20, 24))
    assert content["categories"] == [{"id": 1, "name": "not graded"}]
    assert content["images"][0]["spacing_mm"][0] == pytest.approx(22 / 12)


def test_labels_need_places_and_a_folder_of_their_own(tmp_path):
    dream = layouts.ra2_dream(tmp_path / "set")
    with pytest.raises(InputError, match="boxes or corners"):
        write_labels(get("ra2-dream"), dream, examine(get("ra2-dream"), dream), tmp_path / "out")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/other.txt").write_text("mine")
    spine = layouts.csxa(tmp_path / "spine")
    with pytest.raises(InputError, match="new folder"):
        write_labels(get("csxa"), spine, examine(get("csxa"), spine), tmp_path / "full")


def test_training_reads_the_labels_of_hands(tmp_path):
    from models.mtss.labels import read_graded

    written("ram-h1200", layouts.ram_h1200(tmp_path / "set"), tmp_path / "out")
    (film,) = read_graded(tmp_path / "out" / "test")
    units = dict(zip(film.units, film.grades["erosion"], strict=True))
    assert (film.patient, film.view, len(film.units)) == ("CN_BBBB_P0002", "hands", 22)
    assert units["RH.ULN"] == layouts.EROSION.index("BE_U") % 6 and units["RH.RC"] == -1
    assert film.load().shape == (96, 64)


def test_a_grader_is_not_trained_on_corners_without_grades(tmp_path):
    from models.msasss.labels import read_folder

    written("csxa", layouts.csxa(tmp_path / "set"), tmp_path / "out")
    with pytest.raises(InputError, match="not graded"):
        read_folder(tmp_path / "out")
