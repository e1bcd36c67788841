"""A cohort of images that no model knows: each is abstained on with its reason, then nothing is left to do.

Real images where they are there; what is always there is drawn: noise, a ramp and a checked film, each filed
under a patient and a visit as if it were hands or a spine.
"""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from core.cli import cli
from data.store.cohort import CohortStore
from models.mtss.scorer import build
from models.ood.check import UNLIKE
from models.ood.real_images import beside_its_mirror, groups
from tests.helpers.small_films import as_bytes, film

PART = {"HAND": "PA", "FOOT": "AP", "CSPINE": "LL", "LSPINE": "LL"}


def drawn(seed):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:400, :320]
    return {
        "noise": rng.integers(0, 4000, (400, 320)).astype(np.uint16),
        "checked": (2000 * ((x // 20 + y // 20) % 2) + rng.integers(0, 9, y.shape)).astype(np.uint16),
        "ramp": (x * 10 + y + rng.integers(0, 9, y.shape)).astype(np.uint16),
    }


def score(path):
    done = CliRunner().invoke(cli, ["--cohort", str(path), "score", "--json", "--processes", "1"])
    assert done.exit_code in (0, 1), done.output
    return json.loads(done.stdout)


def cohort_of(folder, pictures):
    """pictures: name -> (pixels, body part); each of a visit of its own."""
    rows = ["file,subject,visit"]
    (folder / "films").mkdir()
    for number, (name, (pixels, part)) in enumerate(pictures.items()):
        made = film(pixels, bits=12, BodyPartExamined=part, ViewPosition=PART[part], PatientID=f"H{number}")
        (folder / "films" / f"{name}.dcm").write_bytes(as_bytes(made))
        rows.append(f"{name}.dcm,S{number // 2},V{number % 2}")
    (folder / "map.csv").write_text("\n".join(rows) + "\n")
    path = folder / "c.duckdb"
    args = [
        "--cohort",
        str(path),
        "ingest",
        str(folder / "films"),
        "--map",
        str(folder / "map.csv"),
        "--json",
    ]
    done = CliRunner().invoke(cli, args)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["ingested"] == len(pictures)
    return path


def nothing_is_scored_and_the_second_run_does_nothing(path, images):
    first = score(path)
    looked = {row["image"] for row in first["abstained"]}
    assert first["scored"] == 0 and len(looked) == images
    assert all(row["reason"] for row in first["abstained"])
    store = CohortStore(path)
    scores = store.query("SELECT grade, reason FROM main.site_score WHERE superseded_by IS NULL")
    assert len(scores) and scores["grade"].isna().all() and scores["reason"].notna().all()
    version = store.version()
    again = score(path)
    assert (again["images"], again["scored"], again["abstained"], store.version()) == (0, 0, [], version)


def test_films_that_show_nothing_known_are_abstained_on(tmp_path):
    kinds = zip(drawn(1).items(), drawn(2).items(), strict=True)
    pictures = {
        f"{name}-{part}": (pixels, part)
        for pair in kinds
        for (name, pixels), part in zip(pair, ("HAND", "LSPINE"), strict=True)
    }
    nothing_is_scored_and_the_second_run_does_nothing(cohort_of(tmp_path, pictures), len(pictures))


@pytest.fixture(scope="module")
def real(shared):
    """Name of a group of real images -> its films."""
    wanted = ("hand radiograph", "the same hand", "wrist")
    return {group.name: group.films for group in groups(shared / "real") if group.name.startswith(wanted)}


def small(film_of):
    """At most 900 pixels wide, 12 bits."""
    pixels = film_of.pixels.astype(np.float32)
    factor = min(1.0, 900 / pixels.shape[1])
    pixels = cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return np.round(4095 * pixels / max(float(pixels.max()), 1)).astype(np.uint16)


@pytest.mark.real
def test_a_cohort_of_real_images_only_ends_with_each_abstained_on(tmp_path, real):
    pictures = {
        "hand": (small(real["hand radiograph, full size"][0]), "HAND"),
        "both": (small(real["the same hand beside its mirror image, side marker erased"][0]), "HAND"),
        "wrist": (small(real["wrist radiograph"][0]), "HAND"),
        "wrists": (small(beside_its_mirror(real["wrist radiograph"][1])), "HAND"),
        "spine": (small(real["wrist radiograph"][2]), "LSPINE"),
    }
    nothing_is_scored_and_the_second_run_does_nothing(cohort_of(tmp_path, pictures), len(pictures))


@pytest.mark.real
def test_the_real_hand_beside_its_mirror_image_is_unlike_known_films(real):
    """Its joints are found, so only what they look like tells: texture and the networks' view both do."""
    scorer = build(threads=1)
    assert scorer.check is not None
    films = real["the same hand beside its mirror image, side marker erased"]
    for one in (films[0], films[3], films[-1]):
        features = scorer.ood_features(one)
        assert {"texture around the joints", "what the network sees"} <= set(scorer.check.beyond(features))
        reason = scorer.score_one(one).reason
        assert reason.startswith(UNLIKE) and "texture around the joints" in reason


@pytest.mark.real
def test_the_real_hand_alone_is_told_by_its_marker_and_unlike_known_films(real):
    (hand,) = real["hand radiograph, full size"]
    assert build(threads=1).score_one(hand).reason.startswith(UNLIKE)
