"""Who comes, which films are taken, what is sent by mistake."""

import datetime as dt

import numpy as np
import pytest

from data.phantom.schedule import conduct, visibility
from data.phantom.seeds import StudyRole, StudySeed
from data.phantom.spine.conditions import WRONG_KINDS
from data.phantom.spine.course import simulate

STUDY = StudySeed(StudyRole.TEST, 3)


@pytest.fixture(scope="module")
def course():
    return simulate(STUDY, 400, 3)


@pytest.fixture(scope="module")
def done(course):
    return conduct(STUDY, course)


def test_everybody_has_a_baseline_and_few_leave(done):
    assert done.came[:, 0].all()
    assert 0.85 < done.came[:, 2].mean() < 0.97
    rows = done.visits
    assert (rows["day"].isna().to_numpy() == ~done.came.ravel()).all()
    assert (rows.loc[rows["visit"] == "BL", "day"] == 0).all()
    last = rows.loc[rows["visit"] == "W104", "day"].dropna()
    assert last.between(728 - 21, 728 + 21).all() and last.nunique() > 10


def test_films_are_those_of_visits_that_took_place(done):
    asked = [film for film in done.films if film.kind is None]
    assert all(done.came[film.number, film.order] for film in done.films)
    assert 0.95 < len(asked) / (2 * done.came.sum()) < 1.0, "a few films are missing"
    assert len({(film.subject, film.name) for film in done.films}) == len(done.films)
    film = asked[3]
    day = done.visits.query("subject == @film.subject and visit == @film.visit")["day"].iloc[0]
    expected = done.start[film.number] + dt.timedelta(days=int(day))
    assert film.date == expected.strftime("%Y%m%d")


def test_a_few_wrong_films_come_beside_the_right_ones(done):
    wrong = [film for film in done.films if film.kind is not None]
    assert 0.01 < len(wrong) / done.came.sum() < 0.06
    assert {film.kind for film in wrong} <= set(WRONG_KINDS)
    assert all(film.name.endswith("_extra") and film.seed_visit != film.visit for film in wrong)


def test_a_patient_does_not_depend_on_the_others(course, done):
    few = conduct(STUDY, simulate(STUDY, 7, 3))
    assert few.films == [film for film in done.films if film.number < 7]
    np.testing.assert_array_equal(few.came, done.came[:7])


def test_visibility_stands_where_films_are(course, done):
    films = [film for film in done.films if film.number < 6]
    seen = visibility(STUDY, films, (6, 3, 24))
    taken = {(film.number, film.order, film.view) for film in films if film.kind is None}
    for number, order in np.ndindex(6, 3):
        for view, part in (("cervical", slice(0, 12)), ("lumbar", slice(12, 24))):
            assert np.isfinite(seen[number, order, part]).all() == ((number, order, view) in taken)
    assert ((seen >= 0) & (seen <= 1) | np.isnan(seen)).all()
