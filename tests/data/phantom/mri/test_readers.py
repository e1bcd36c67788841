"""Simulated readers: they agree about as published, and err where a lesion is hard to see."""

from functools import cache

import numpy as np

from core.agreement.icc import icc
from data.phantom.mri.patients import make_patient
from data.phantom.mri.population import TRIAL
from data.phantom.mri.readers import READERS, evidence, read_visits, seen_at
from data.phantom.mri.truth import Evidence
from data.phantom.mri.validation import read_slices, read_units, report, six_worst, unit_agreement
from data.phantom.seeds import StudyRole, StudySeed

STUDY = StudySeed(StudyRole.TUNE, 11)


@cache
def reads():
    """18 patients at baseline and 24 weeks, read by all."""
    return read_units(STUDY, 18, TRIAL, weeks=(0, 24))


def icc_of(ratings):
    return icc(ratings)["forms"]["ICC(A,1)"]["estimate"]


def test_readers_agree_on_units_about_as_experts_do():
    """Published: kappa 0.46-0.47, agreement 74-77%."""
    kappa, agreement = unit_agreement(reads().read)
    assert 0.36 < kappa < 0.58
    assert 0.69 < agreement < 0.83


def test_totals_agree_about_as_published_in_status_and_change():
    """Published: ICC about 0.8-0.95 for status, 0.7-0.85 for change; here with the chance of few patients."""
    six = six_worst(reads().read)
    assert 0.7 < icc_of(six[:, :, 0]) < 0.97
    assert 0.5 < icc_of(six[:, :, 1] - six[:, :, 0]) < 0.94


def test_readers_follow_the_truth():
    six, true = six_worst(reads().read)[:, 0, 0], six_worst(reads().true)[:, 0]
    assert np.corrcoef(six, true)[0, 1] > 0.7


def test_a_reading_is_the_same_whenever_it_is_made():
    patient = make_patient(STUDY, 1, population=TRIAL)
    seen = {0: seen_at(patient, 0)}
    first, again = (read_visits(patient, seen, READERS[1])[0] for _ in range(2))
    assert first.equals(again)


def test_no_reader_scores_brightness_or_depth_without_a_quadrant():
    patient = make_patient(STUDY, 2, population=TRIAL)
    for reader in READERS:
        items = (
            read_visits(patient, {0: seen_at(patient, 0)}, reader)[0]["grade"].to_numpy(int).reshape(-1, 6)
        )
        assert not items[items[:, :4].sum(axis=1) == 0, 4:].any()


def test_evidence_grows_with_area_contrast_and_clearness():
    def of(area, brightness, clear):
        one = Evidence(
            np.array([[area, 0, 0, 0]]), np.zeros(1), np.zeros(1), np.array([brightness]), np.ones(1, bool)
        )
        return evidence(one, clear)[0, 0]

    assert of(20, 0.6, 1.0) > of(10, 0.6, 1.0) > of(10, 0.45, 1.0) > of(10, 0.45, 0.5) > of(0, 0.0, 1.0)


def test_the_radiologist_of_slices_is_about_as_good_as_the_published_one():
    """S002: sensitivity 0.82, specificity 0.87 of single slices."""
    rows = np.concatenate([stack for own in read_slices(STUDY, 24) for stack in own]).astype(bool)
    positive, says = rows.T
    assert 0.6 < says[positive].mean() < 0.97
    assert 0.78 < 1 - says[~positive].mean() < 0.96


def test_the_report_has_every_table():
    text = report(4)
    for title in ("Readers who score units", "Course under treatment", "Slices, population `mixed`"):
        assert f"### {title}\n\n|" in text
    assert "nan" not in text
