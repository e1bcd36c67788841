"""The latent course of hands and feet: frequencies, order, independence of patients."""

from __future__ import annotations

import numpy as np
import pytest

from core.scores.mtss import MTSS
from data.phantom.hands.course import FINDING, UNITS, grades, simulate_hands
from data.phantom.hands.state import ANKYLOSIS
from data.phantom.seeds import StudyRole, StudySeed

STUDY = StudySeed(StudyRole.TEST, 11)
FINGER = np.array([unit[3:6] in ("MCP", "PIP") or unit == f"{unit[0]}H.IP1" for unit in UNITS])
LUXABLE = FINGER & ~np.array([unit.endswith("IP1") for unit in UNITS])


@pytest.fixture(scope="module")
def course():
    return simulate_hands(STUDY, 700, 3)


def test_findings_are_as_rare_as_in_the_paper(course):
    assert FINGER.sum() == 20 and LUXABLE.sum() == 18
    ankylosis = np.mean(course.finding[:, :, FINGER] == FINDING.index(ANKYLOSIS))
    luxation = np.mean(course.finding[:, :, LUXABLE] >= 2)
    assert 0.02 < ankylosis < 0.042
    assert 0.008 < luxation < 0.02


def test_totals_and_changes_are_those_of_a_modern_trial(course):
    total = sum(grades(course).values())
    low, median, high = np.quantile(total[:, 0], [0.25, 0.5, 0.75])
    assert 2 <= low <= 7 and 9 <= median <= 17 and 25 <= high <= 50
    change = total[:, 1] - total[:, 0]
    assert 0.6 <= np.mean(change <= 0.5) <= 0.9
    assert change.mean() > 1.0 and np.median(change) == 0


def test_grades_cover_the_score_and_never_fall(course):
    found = grades(course)
    assert set(found) == {site.code for site in MTSS.sites}
    for site in MTSS.sites:
        assert found[site.code].min() >= 0 and found[site.code].max() <= site.maximum
        assert (np.diff(found[site.code], axis=1) >= 0).all()


def test_a_patient_does_not_depend_on_the_others_and_roles_do_not_mix(course):
    alone = simulate_hands(STUDY, 1, 2, first=7)
    assert np.array_equal(alone.jsn[0], course.jsn[6, :2], equal_nan=True)
    other = simulate_hands(StudySeed(StudyRole.TRAIN, 11), 1, 2, first=7)
    assert not np.array_equal(alone.jsn, other.jsn, equal_nan=True)


def test_states_carry_what_the_arrays_hold(course):
    number = int(np.argmax((course.finding[:, 2] > 0).sum(axis=1)))
    states = course.states(number, 2)
    found = grades(course)
    for unit, state in states.items():
        if unit[1] == "H" and f"{unit[:2]}.J.{unit[3:]}" in found:
            assert state.jsn_grade == found[f"{unit[:2]}.J.{unit[3:]}"][number, 2]
