"""What the check of unknown films is told of hands and feet, and that the scorer heeds it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.domain import Abstained, Image, Scored
from core.scores.mtss import MTSS
from data.phantom.seeds import StudyRole
from models.mtss import ood_films
from models.mtss.finder import ood_features
from models.mtss.finder.limb import Limb
from models.mtss.finder.limb_shape import Laid
from models.mtss.finder.locate import SiteFinder
from models.mtss.finder.network import INPUT_MM, OF_LIMB, FinderNet
from models.mtss.grader.grade import SiteGrade
from models.mtss.grader.ood_features import JOINTS
from models.mtss.phantom import Patients
from models.mtss.places import Place, Places
from models.mtss.scorer import MtssScorer
from models.ood import check as ood
from models.ood.check import Check, Part, Sites


def limb(name, *, size=1.0, tilt=0.0, away=2.0, sure=0.9, at=(100.0, 100.0)):
    count = len(OF_LIMB[name])
    laid = Laid(np.full(count, away), size, tilt, count)
    return Limb(name, np.tile(at, (count, 1)), np.full(count, sure), laid, np.ones(count, dtype=bool))


def test_anatomy_is_that_of_both_limbs():
    found = ood_features.anatomy(
        (limb("LH", size=1.2, tilt=5.0), limb("RH", away=4.0, sure=0.5, at=(400.0, 100.0)))
    )
    mean = np.log(1.2) / 2
    expected = [mean, np.log(1.2), 5.0, 0.0, np.log(2.0), np.log(4.0), np.log(0.1), np.log(0.5)]
    np.testing.assert_allclose(found[:-1], expected)
    assert found[-1] == pytest.approx(np.log(300 / np.exp(mean)))


def test_one_limb_has_no_anatomy():
    lost = Limb("RF", np.zeros((6, 2)), np.zeros(6), None, np.zeros(6, dtype=bool))
    assert ood_features.anatomy((limb("LF"), lost)) is None


def tiny():
    torch.manual_seed(0)
    return SiteFinder(FinderNet())


def picture(seed=0):
    return np.random.default_rng(seed).integers(0, 1023, (96, 128)).astype(np.uint16)


def test_any_image_is_told_of_without_anatomy():
    film = Image("noise", picture(), (INPUT_MM, INPUT_MM))
    finder = tiny()
    features = finder.see(film).ood_features()
    assert set(features) == {"exposure", "what the network sees"}
    assert features["what the network sees"].shape == (96,) and np.isfinite(features["exposure"]).all()
    again = finder.see(film).ood_features()["what the network sees"]
    np.testing.assert_array_equal(features["what the network sees"], again)  # a hook that stays would not


class Finder:
    def __init__(self, mean):
        units = dict.fromkeys(site.unit for site in MTSS.sites if site.unit[1] == "F")
        features = {"exposure": np.array([mean])}
        self.places = Places("feet", {u: Place(50.0, 50.0, 0.9) for u in units}, ood_features=features)

    def find(self, film):
        return self.places


class Grader:
    def ood_features(self, film, where):
        return {JOINTS: Sites(("F.MTP1",), np.array([[film.pixels.max()]], float))}

    def grade(self, film, where):
        return {
            site.code: SiteGrade(0, tuple([1.0] + [0.0] * site.maximum), None)
            for site in MTSS.sites
            if site.unit in where.units
        }


CHECK = Check({"exposure": Part(np.array([[0.0]]), np.eye(1), 1.0, limit=2.0)})
FILM = Image("f", np.zeros((100, 100), np.uint16), modality="DX")


@pytest.mark.parametrize(
    ("mean", "check", "scored"), [(1.0, CHECK, True), (5.0, CHECK, False), (5.0, None, True)]
)
def test_scorer_heeds_its_check_and_does_without(mean, check, scored):
    scorer = MtssScorer(Finder(mean), None, Grader(), size="demo", weights_hash="w", check=check)
    result = scorer.score_one(FILM)
    assert isinstance(result, Scored) == scored
    if isinstance(result, Abstained):
        assert result.reason.startswith(f"{ood.UNLIKE}: exposure 5.0 times")
    assert isinstance(scorer, ood.Checked)


def test_what_the_film_looks_like_around_its_joints_decides_too():
    check = Check({JOINTS: Part(np.array([[0.0]]), np.eye(1), 1.0, limit=2.0)})
    scorer = MtssScorer(Finder(1.0), None, Grader(), size="demo", weights_hash="w", check=check)
    assert isinstance(scorer.score_one(FILM), Scored)
    coarse = Image("f", np.full((100, 100), 3, np.uint16), modality="DX")
    assert scorer.score_one(coarse).reason == (
        f"{ood.UNLIKE}: texture around the joints 3.0 times the usual distance (2.0 is the limit)"
    )


def test_patients_of_a_role_are_told_apart_and_one_in_four_is_damaged():
    drawn = [ood_films.patients("train", number, "first") for number in range(1, 9)]
    assert [who.first for who in drawn] == [1001, 1002, 1003, 2001, 1004, 1005, 1006, 2002]
    assert [who.damaged for who in drawn] == [False, False, False, True] * 2
    test = ood_films.patients("test", 4, "first")
    assert (test.first, test.damaged, test.role) == (1004, False, StudyRole.TEST)
    assert ood_films.subject_of(ood_films.patients("test", 4, "second")) == "TE03004"


def test_films_of_a_folder_are_those_that_would_be_rendered(tmp_path):
    from data.phantom.hands.labels import write_coco
    from models.mtss.phantom import limb_films

    who = Patients(1001, 1, (0,), role=StudyRole.TUNE, spacing=0.6, views=("feet",))
    write_coco(limb_films(who), tmp_path)
    rendered, read = ood_films.Source("demo"), ood_films.Source("demo", [tmp_path])
    (one,), (other,) = rendered.films(who), read.films(who)
    assert one[:2] == other[:2] == ("TU01001", "feet")
    np.testing.assert_array_equal(one[2].pixels, other[2].pixels)
    assert (one[2].image, one[2].spacing_mm) == (other[2].image, other[2].spacing_mm)


def test_shipped_check_is_of_the_shipped_weights():
    stored = ood.read_stored("mtss", "demo")
    check = ood.read_check("mtss", "demo")
    assert stored is not None and check is not None
    assert set(check.parts) == {"exposure", "what the network sees", "anatomy", JOINTS}
    assert set(stored["measured"]) == {"first domain", "second domain"}
