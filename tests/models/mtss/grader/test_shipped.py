"""The shipped grader on a rendered patient that it was not trained or tuned on: grades, and its card."""

import numpy as np
import pytest

from data.phantom.hands.labels import write_coco
from data.phantom.seeds import StudyRole
from models import cards
from models.mtss.evaluate_grades import with_true_places
from models.mtss.grader.grade import build_grader
from models.mtss.labels import read_graded
from models.mtss.phantom import Patients, limb_films
from models.mtss.system import PAIRED_READING


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shipped")
    who = Patients(
        9001,
        1,
        visits=(0,),
        damaged=True,
        role=StudyRole.TEST,
        spacing=None,
        views=("hands", "feet"),
        poor=0.0,
    )
    write_coco(limb_films(who), folder)
    return read_graded(folder)


def test_damaged_patient_is_graded_near_the_truth(films):
    read = with_true_places(build_grader())
    given, true = [], []
    for film in films:
        by_site = {finding.site: finding for finding in read(film).findings}
        for unit, erosion, jsn in zip(film.units, film.grades["erosion"], film.grades["jsn"], strict=True):
            for letter, grade in (("E", erosion), ("J", jsn)):
                code = f"{unit[:2]}.{letter}.{unit[3:]}"
                if grade >= 0 and code in by_site:
                    given.append(by_site[code].grade)
                    true.append(grade)
    given, true = np.array(given), np.array(true)
    assert len(true) == 86
    assert (np.abs(given - true) <= 1).mean() > 0.85
    assert abs(given.sum() - true.sum()) < 0.3 * true.sum()
    assert np.corrcoef(given, true)[0, 1] > 0.6


def test_card_says_what_the_grader_is():
    card = cards.read_card("mtss", "demo")
    about = card["networks"]["grader"]
    assert about["bytes"] < 5e6
    assert about["parameters"] < 1.5e6
    assert set(card["paired"]) == {"hand erosion", "foot erosion", "jsn"}
    assert PAIRED_READING.identify("demo") is not None
    assert PAIRED_READING.build("demo").priors["foot erosion"].frequency[0] > 0.5
