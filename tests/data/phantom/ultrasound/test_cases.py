"""Scans of phantom patients: who they are, and that pictures and truth belong together."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from core.scores.synovitis import JOINTS as CODES
from data.phantom.seeds import StudyRole, StudySeed
from data.phantom.ultrasound.acquire import grid, scan
from data.phantom.ultrasound.body import CODE, layers, tissue_map
from data.phantom.ultrasound.cases import JOINTS, TISSUES, ScanCase, cases_of_patient
from data.phantom.ultrasound.machines import MACHINES, machines
from data.phantom.ultrasound.patients import BLOCK, SIZES, disease_of, make_patient, severity
from data.phantom.ultrasound.scans import body_of, draw_settings

STUDY = StudySeed(StudyRole.TEST, 5)


@pytest.fixture(scope="module")
def cases() -> list[ScanCase]:
    return [case for number in (1, 2, 3) for case in cases_of_patient(STUDY, "first", number)]


def test_diagnoses_come_in_the_sizes_of_the_paper():
    found = Counter(disease_of(STUDY, number) for number in range(1, BLOCK + 1))
    assert found == SIZES


def test_joints_are_codes_of_the_score_and_grades_come_as_often_as_published():
    assert set(JOINTS) <= set(CODES)
    bodies = [
        body_of(patient, *one, 0.0)
        for patient in (make_patient(STUDY, number) for number in range(1, 141))
        for one in patient.joints
    ]
    grades = np.array([(body.gs, body.pd) for body in bodies])
    share = np.bincount(grades.ravel(), minlength=4) / grades.size
    assert share == pytest.approx([0.702, 0.146, 0.126, 0.026], abs=0.06)
    assert (grades[grades[:, 0] == 0, 1] == 0).all()  # no flow without hypertrophy


def test_a_case_says_what_it_shows(cases):
    for case in cases:
        image = case.image
        assert image.colour.shape == (1, *case.tissue.shape, 3)
        assert image.colour.dtype == np.uint8
        assert image.mode in ("B", "PD")
        assert image.joint in JOINTS
        assert case.device == image.device in {one.device for one in machines("first")}
        assert case.grade == (case.pd if image.mode == "PD" else case.gs)
        assert (case.tissue == TISSUES.index("synovium")).any() or case.gs == 0
        assert image.areas[0].mm_per_pixel == image.spacing_mm
        assert [one.kind for one in image.areas] == ["tissue"] + ["doppler"] * (image.mode == "PD")


def test_pictures_of_a_mode_have_its_colours(cases):
    for case in cases:
        box = case.image.areas[0].box
        inside = (slice(int(box.y0), int(box.y1)), slice(int(box.x0), int(box.x1)))
        rgb = case.image.colour[0][inside][case.tissue[inside] != TISSUES.index("furniture")]
        coloured = np.ptp(rgb.astype(int), axis=1) > 25
        assert case.image.mode == "PD" or not coloured.any()


def test_the_same_patient_is_drawn_the_same(cases):
    again = cases_of_patient(STUDY, "first", 2)
    before = [case for case in cases if case.subject == again[0].subject]
    assert len(again) == len(before)
    assert all(
        np.array_equal(one.image.colour, two.image.colour) for one, two in zip(again, before, strict=True)
    )


def test_second_domain_is_another_machine():
    case = cases_of_patient(STUDY, "second", 1)[0]
    assert case.device == machines("second")[0].device
    assert case.device not in {one.device for one in machines("first")}


def test_joint_falls_more_on_the_active_arm_and_bones_stay():
    falls: dict[bool, list[float]] = {False: [], True: []}
    for number in range(1, 61):
        patient = make_patient(STUDY, number)
        side, joint = patient.joints[0]
        before, after = (patient.state(side, joint, week) for week in (0, 52))
        assert before.erosions == after.erosions
        falls[patient.answer > 0.6].append(before.hypertrophy - after.hypertrophy)
    assert np.mean(falls[True]) > np.mean(falls[False])
    assert min(falls[False]) < 0  # some rise


@pytest.mark.parametrize("latent", np.linspace(-3, 5, 9))
def test_severity_stays_in_its_range(latent):
    assert 0 <= severity(latent, (0.2, 1.0, 2.0)) <= 3.9


@pytest.mark.parametrize("machine", MACHINES, ids=lambda one: one.name)
def test_sound_makes_speckle_above_bone_and_shadow_below(machine):
    patient = replace(make_patient(STUDY, 1), machine=machine)
    body = body_of(patient, "R", "MCP2", 0.0)
    settings = draw_settings(np.random.default_rng(1), machine, "MCP", "B")
    settings = replace(settings, gain=0.0, tgc=(0.0, 0.0), contact=(np.nan, 1.0))
    cut = layers(body.joint, body.synovium, gel=settings.gel)
    z, x = grid(machine, settings)
    tissues = tissue_map(body.joint, cut, z, x)
    grey = scan(machine, settings, body.joint, cut, tissues)
    shadow = (tissues == CODE["bone"]) & (np.cumsum(tissues == CODE["bone"], axis=0) > 30)
    soft, bone = grey[tissues == CODE["fat"]], (tissues == CODE["bone"]).argmax(axis=0)
    surface = np.array(
        [grey[max(row - 6, 0) : row + 7, column].max() for column, row in enumerate(bone) if row]
    )
    assert grey[shadow].mean() < 0.35 * soft.mean()
    assert np.median(surface) > soft.mean() + 1.5 * soft.std()
    assert 0.03 < soft.std() < 0.3
    single = replace(machine, angles=(0.0,), smoothing=0.0)
    rough = scan(single, settings, body.joint, cut, tissues)[tissues == CODE["fat"]]
    assert rough.std() >= 0.95 * soft.std()  # compounding and smoothing take speckle away
