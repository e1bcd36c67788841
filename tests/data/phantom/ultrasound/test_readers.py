"""Simulated readers of joint ultrasound agree about as published, in either setting."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from data.phantom.seeds import StudyRole, StudySeed
from data.phantom.ultrasound.patients import make_patient
from data.phantom.ultrasound.readers import DAILY, READERS, read_visits, true_grades
from data.phantom.ultrasound.validation import (
    MCP,
    TASKS,
    bodies_of,
    combined,
    diagnosis_auc,
    gloess,
    pair_agreement,
    pair_kappas,
    read_joints,
    scanned,
)

STUDY = StudySeed(StudyRole.TUNE, 11)


@cache
def reads(name):
    """MCP2-5 of both sides of 45 patients."""
    return read_joints(STUDY, 45, {"standardised": READERS, "daily": DAILY}[name])


@pytest.mark.parametrize(
    ("setting", "scale", "low", "high"),
    [
        ("standardised", "gs", 0.82, 0.92),  # published 0.87
        ("standardised", "pd", 0.73, 0.86),  # 0.79
        ("standardised", "combined", 0.81, 0.92),  # 0.86
        ("daily", "gs", 0.40, 0.70),  # 0.30-0.70
        ("daily", "pd", 0.53, 0.85),  # 0.53-1.0
    ],
)
def test_readers_agree_as_published(setting, scale, low, high):
    assert low < pair_kappas(reads(setting).read[scale]).mean() < high


def test_readers_are_seldom_more_than_one_grade_apart():
    for scale in ("gs", "pd"):
        assert pair_agreement(reads("standardised").read[scale], within=1) > 0.98
        assert pair_agreement(reads("daily").read[scale], within=1) > 0.90


def test_readers_follow_the_truth():
    found = reads("standardised")
    for scale in ("gs", "pd"):
        truth = np.broadcast_to(found.true[scale][:, None], found.read[scale].shape)
        assert np.abs(found.read[scale] - truth).mean() < 0.25


def test_flow_without_hypertrophy_is_rare_and_has_no_combined_grade():
    gs, flow = (reads("daily").read[scale] for scale in ("gs", "pd"))
    without = (gs == 0) & (flow > 0)
    assert 0 < without.mean() < 0.05
    assert (np.isnan(combined(gs, flow)) == without).all()


def test_a_second_reading_is_near_the_first_but_not_the_same():
    first, again, other = [], [], []
    for number in range(1, 21):
        patient = make_patient(STUDY, number, joints=MCP)
        bodies = bodies_of(patient, (0.0,))
        first.append(read_visits(patient, bodies, DAILY[0])["grade"])
        again.append(read_visits(patient, bodies, DAILY[0], read=2)["grade"])
        other.append(read_visits(patient, bodies, DAILY[1])["grade"])
    one, two, three = (np.concatenate(rows) for rows in (first, again, other))
    assert 0.02 < (one != two).mean() < (one != three).mean()


def test_reads_and_truth_have_the_same_sites():
    patient = make_patient(STUDY, 3)
    bodies = bodies_of(patient, (0.0, 52.0))
    read = read_visits(patient, bodies, READERS[0])
    assert sorted(read.loc[read["week"] == 52.0, "site"]) == sorted(true_grades(bodies[52.0].items())["site"])
    assert read["grade"].between(0, 3).all()


def test_treatment_takes_synovitis_away_in_some_and_not_in_others():
    change = {False: [], True: []}
    for number in range(1, 41):
        patient = make_patient(STUDY, number, joints=MCP)
        bodies = bodies_of(patient, (0.0, 52.0))
        change[patient.answer > 0.6].append(gloess(bodies[52.0]) - gloess(bodies[0.0]))
    assert np.mean(change[True]) < np.mean(change[False])
    assert max(change[False]) > 0


@pytest.fixture(scope="module")
def joints() -> pd.DataFrame:
    return scanned(STUDY, 340)


@pytest.mark.parametrize("task", TASKS)
def test_a_joint_says_little_about_the_diagnosis(joints, task):
    half = joints["patient"] % 2 == 0
    found = [diagnosis_auc(joints[one], joints[~one], *TASKS[task]) for one in (half, ~half)]
    assert 0.55 < np.mean(found) < 0.78
