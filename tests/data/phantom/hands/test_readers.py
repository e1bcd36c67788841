"""Simulated readers of hands and feet against the published error of the Sharp/van der Heijde score."""

from __future__ import annotations

import numpy as np
import pytest

from core.scores.mtss import MTSS
from data.phantom.hands.course import UNITS, grades, simulate_hands
from data.phantom.hands.readers import HANDS_READERS, read_joints
from data.phantom.seeds import StudyRole, StudySeed

STUDY = StudySeed(StudyRole.TEST, 21)


@pytest.fixture(scope="module")
def course():
    return simulate_hands(STUDY, 500, 2)


@pytest.fixture(scope="module")
def reads(course):
    return [read_joints(course, STUDY, reader).grades for reader in HANDS_READERS]


def test_the_error_of_change_is_the_published_one(reads):
    first, second = (sum(read.values()) for read in reads)
    difference = (first[:, 1] - first[:, 0]) - (second[:, 1] - second[:, 0])
    assert 1.96 * difference.std() / 2 == pytest.approx(3.1, abs=0.8)  # SDC95, mean of two readers
    assert np.corrcoef(first[:, 0], second[:, 0])[0, 1] > 0.95
    assert np.mean(first[:, 1] < first[:, 0]) > 0.05  # negative changes, as in every trial


def test_readers_read_every_site_within_its_range_and_near_the_truth(course, reads):
    truth = grades(course)
    for site in MTSS.sites:
        assert reads[0][site.code].min() >= 0 and reads[0][site.code].max() <= site.maximum
    agree = np.mean([np.mean(reads[0][code] == truth[code]) for code in truth])
    assert 0.75 < agree < 0.97


def test_a_joint_of_the_hand_is_graded_on_one_side_alone(course):
    """However blurred it is: a second side, as toes have, would lift a full grade above its range."""
    blurred = np.full(course.finding.shape, 0.4)
    read = read_joints(course, STUDY, HANDS_READERS[0], blurred).grades
    for site in MTSS.sites:
        assert np.nanmax(read[site.code]) <= site.maximum, site.code


def test_a_hidden_joint_has_no_grade_and_the_rest_stays(course, reads):
    seen = np.ones(course.finding.shape)
    hidden = UNITS.index("RH.PIP3")
    seen[:, 1, hidden] = 0.1
    read = read_joints(course, STUDY, HANDS_READERS[0], seen).grades
    assert np.isnan(read["RH.E.PIP3"][:, 1]).all() and np.isfinite(read["RH.E.PIP3"][:, 0]).all()
    assert np.array_equal(read["LH.E.MCP2"], reads[0]["LH.E.MCP2"])


def test_reads_do_not_depend_on_other_patients(course, reads):
    alone = read_joints(simulate_hands(STUDY, 1, 2, first=9), STUDY, HANDS_READERS[0], first=9).grades
    assert all(np.array_equal(alone[code][0], reads[0][code][8]) for code in alone)
