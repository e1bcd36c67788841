"""Simulated readers: they agree about as published, and err where a lesion is hard to see."""

from functools import cache

import numpy as np

from data.phantom.mri.patients import REGIONS, make_patient
from data.phantom.mri.population import MIXED, TRIAL
from data.phantom.mri.readers import READERS, calls, evidence, read_visits, seen_at, slice_evidence
from data.phantom.mri.slices import oedema_of_slices
from data.phantom.mri.truth import Evidence
from data.phantom.seeds import StudyRole, StudySeed

PATIENTS, STUDY = 22, StudySeed(StudyRole.TUNE, 11)


@cache
def units_read():
    """Points of the units, shape (patients, readers, visits, 23)."""
    found = []
    for number in range(1, PATIENTS + 1):
        patient = make_patient(STUDY, number, population=TRIAL)
        seen = {week: seen_at(patient, week) for week in (0, 24)}
        reads = [read_visits(patient, seen, reader) for reader in READERS]
        found.append([[_units(visit) for visit in read.values()] for read in reads])
    return np.array(found)


def _units(frame):
    return frame["grade"].to_numpy(dtype=float).reshape(23, 18).sum(axis=1)


def _six_worst(units):
    return np.sort(units, axis=-1)[..., -6:].sum(axis=-1)


def _icc(scores):
    """ICC(A,1), patients x readers."""
    n, k = scores.shape
    grand, rows, columns = scores.mean(), scores.mean(1), scores.mean(0)
    bms, jms = k * ((rows - grand) ** 2).sum() / (n - 1), n * ((columns - grand) ** 2).sum() / (k - 1)
    ems = ((scores - rows[:, None] - columns + grand) ** 2).sum() / ((n - 1) * (k - 1))
    return (bms - ems) / (bms + (k - 1) * ems + k * (jms - ems) / n)


def test_readers_agree_on_units_about_as_experts_do():
    """Published: kappa 0.46-0.47, agreement 74-77%."""
    some = units_read()[:, :2] > 0
    first, second = some[:, 0].ravel(), some[:, 1].ravel()
    agreement = (first == second).mean()
    chance = first.mean() * second.mean() + (1 - first.mean()) * (1 - second.mean())
    assert 0.68 < agreement < 0.84
    assert 0.33 < (agreement - chance) / (1 - chance) < 0.6


def test_totals_agree_about_as_published_in_status_and_change():
    """Published: ICC 0.8-0.95 for status, 0.7-0.85 for change; here with the chance of few patients."""
    six = _six_worst(units_read())
    assert 0.7 < _icc(six[:, :, 0]) < 0.98
    change = _icc(six[:, :, 1] - six[:, :, 0])
    assert 0.5 < change < 0.95


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
    truth, called = [], []
    for number in range(1, 41):
        patient = make_patient(STUDY, number, population=MIXED)
        for view in REGIONS:
            scan = patient.scan(0, view)
            area, bright = oedema_of_slices(patient.plan(0, view), patient.lesions(0))
            truth.append(area > 0)
            called.append(calls(patient, 0, view, slice_evidence(area, bright, scan)))
    positive, says = np.concatenate(truth), np.concatenate(called)
    assert 0.65 < says[positive].mean() < 0.95
    assert 0.8 < 1 - says[~positive].mean() < 0.94
