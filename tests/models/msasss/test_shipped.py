"""The weights in the repository: their card, what they make of a fresh phantom film, and what they refuse."""

from pathlib import Path

import numpy as np
import pytest

from core.domain import Abstained, Image, Scored
from data.phantom.seeds import PREFIX, StudyRole, StudySeed
from data.phantom.spine.films import make_film
from models import cards
from models.msasss import scorer as infer
from models.msasss.labels import LabelledFilm
from models.msasss.sites import SITES
from models.msasss.system import PAIRED_READING

LARGEST = 12_000_000  # bytes a network


@pytest.fixture(scope="module")
def scorer():
    return infer.build(threads=1)


@pytest.fixture(scope="module")
def card():
    return cards.read_card("msasss", "demo")


def test_card_says_phantom_and_research_and_the_scale(card):
    assert "phantom" in card["note"]
    assert "research only" in card["note"]
    assert card["networks"]["grader"]["mm_per_pixel"] == {"cervical": 0.17, "lumbar": 0.28}
    assert card["read_mode"] == "single"
    for network in card["networks"].values():
        assert network["bytes"] < LARGEST
        assert cards.sha256(cards.FOLDER / network["file"]) == network["sha256"]


def test_nothing_pickled_is_shipped():
    shipped = {path.suffix for path in cards.FOLDER.rglob("*") if path.is_file()}
    assert shipped <= {".safetensors", ".json", ".csv", ".md"}


def test_training_tuning_test_and_demo_patients_never_mix(card):
    trained, tuned = (set(card["training"][key]) for key in ("patients", "tuning_patients"))
    assert trained
    assert tuned
    assert not trained & tuned
    assert {code[:2] for code in trained} == {PREFIX[StudyRole.TRAIN]}
    assert {code[:2] for code in tuned} == {PREFIX[StudyRole.TUNE]}
    seeds = {role: StudySeed(role, seed).film_seed() for seed in (31, 2026, 4711) for role in StudyRole}
    assert len(set(seeds.values())) == len(seeds)


@pytest.mark.parametrize("view", ["cervical", "lumbar"])
def test_fresh_film_is_read_sensibly(scorer, view):
    states = dict.fromkeys(SITES[view], (0, 0.1)) | dict.fromkeys(SITES[view][4:6], (3, 0.8))
    film = make_film(987, "FRESH", "BL", view, states, kind="good")
    result = scorer.score_one(Image("a", film.pixels, film.spacing_mm, "DX"))
    assert isinstance(result, Scored)
    truth = film.corners.set_index("site")
    near = [
        np.hypot(*(np.array(f.box.centre) - truth.loc[f.site, ["x", "y"]].to_numpy(float)))
        * film.spacing_mm[0]
        for f in result.findings
    ]
    assert len(near) >= 9
    assert np.mean(np.array(near) < 3) > 0.9
    given = {finding.site: finding.grade for finding in result.findings}
    assert [given.get(site) for site in SITES[view][4:6]] == [3, 3]
    again = scorer.score_one(Image("a", film.pixels, film.spacing_mm, "DX"))
    assert again == result


def test_mirrored_film_gives_the_same_grades_on_the_other_side(scorer):
    film = make_film(987, "FRESH", "BL", "lumbar", {}, kind="good")
    plain = scorer.score_one(Image("a", film.pixels, film.spacing_mm))
    turned = scorer.score_one(Image("a", np.ascontiguousarray(film.pixels[:, ::-1]), film.spacing_mm))
    assert isinstance(plain, Scored)
    assert isinstance(turned, Scored)
    assert [f.site for f in plain.findings] == [f.site for f in turned.findings]
    same = np.mean([a.grade == b.grade for a, b in zip(plain.findings, turned.findings, strict=True)])
    assert same > 0.8
    width = film.pixels.shape[1]
    for one, other in zip(plain.findings, turned.findings, strict=True):
        assert one.box.centre[0] == pytest.approx(width - other.box.centre[0], abs=8)


def test_film_without_spacing_is_still_read(scorer):
    film = make_film(987, "FRESH", "BL", "lumbar", {}, kind="good")
    result = scorer.score_one(Image("a", film.pixels, None))
    assert isinstance(result, Scored)
    truth = film.corners.set_index("site")
    centres = [np.hypot(*(np.array(f.box.centre) - truth.loc[f.site, ["x", "y"]])) for f in result.findings]
    assert np.median(centres) * film.spacing_mm[0] < 3


def test_pair_of_films_is_read_together_in_either_order(scorer):
    """The same spine at two visits, a bridge grown in between: that unit changes, the others do not."""
    states = dict.fromkeys(SITES["lumbar"], (0, 0.1))
    before = make_film(987, "FRESH", "BL", "lumbar", states, kind="good")
    after = make_film(
        987, "FRESH", "W104", "lumbar", states | dict.fromkeys(SITES["lumbar"][4:6], (3, 0.8)), kind="good"
    )
    films = [Image(name, film.pixels, film.spacing_mm) for name, film in (("a", before), ("b", after))]
    seen, reader = scorer.score(films), PAIRED_READING.build("demo")
    there, back = reader.read(seen), reader.read(seen[::-1])
    assert there.results == back.results[::-1]
    for site, probability in there.change_probability.items():
        if (0, 1) in probability:
            assert (probability[0, 1] > 0.5) == (site in SITES["lumbar"][4:6]), site
    grades = {finding.site: finding.grade for finding in there.results[1].findings}
    assert [grades[site] for site in SITES["lumbar"][4:6]] == [3, 3]


@pytest.mark.parametrize("kind", ["ap_lumbar", "hand", "lateral_thoracic", "blank"])
def test_wrong_film_is_abstained_on(scorer, kind):
    film = make_film(987, "FRESH", "W52", "lumbar", {}, kind=kind)
    assert isinstance(scorer.score_one(Image("a", film.pixels, film.spacing_mm, "DX")), Abstained)


REAL = {
    "hand-radiograph/right-hand-pa.dcm": "CR",
    "dicom-conformance/RG3_J2KR.dcm": "CR",  # a lower leg
    "dicom-conformance/US1_J2KR.dcm": "US",
    "dicom-conformance/eCT_Supplemental.dcm": "CT",
    "dicom-conformance/MR2_J2KR.dcm": "MR",
}


@pytest.mark.real
@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("stated", [True, False])
def test_real_films_of_something_else_are_abstained_on(scorer, shared, name, stated):
    """With the modality that the file states, and by its pixels alone."""
    path: Path = shared / "real" / name
    pixels = LabelledFilm(path.name, "", "", (1.0, 1.0), path=path).load()
    for spacing in ((0.15, 0.15), None):
        film = Image(path.name, pixels, spacing, REAL[name] if stated else "")
        assert isinstance(scorer.score_one(film), Abstained)


@pytest.mark.real
def test_thumbnails_of_hands_and_chests_are_abstained_on(scorer, shared):
    paths = sorted((shared / "real" / "hand-thumbnails").rglob("*.jp*g"))[::8]
    assert paths
    for path in paths:
        pixels = np.kron(LabelledFilm(path.name, "", "", (1.0, 1.0), path=path).load(), np.ones((8, 8)))
        assert isinstance(scorer.score_one(Image(path.name, pixels, (0.4, 0.4))), Abstained)
