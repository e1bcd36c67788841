"""The latent course: reproducible patient by patient, monotone, bridges in pairs, damage as published."""

import json
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from data.phantom.seeds import StudyRole, StudySeed, split
from data.phantom.spine.course import ARMS, BLOCK, draw_patient, simulate, truth_frame
from data.phantom.spine.population import HOSPITAL, OASIS, SITES, UNITS

STUDY = StudySeed(StudyRole.TEST, 11)


@pytest.fixture(scope="module")
def course():
    return simulate(STUDY, 1200, 3)


def totals(course):
    grade = course.truth["grade"].to_numpy().reshape(course.severity.shape)
    return grade.sum(axis=2)


def test_same_seed_same_bytes():
    one, two = (simulate(STUDY, 12, 3) for _ in range(2))
    for name in ("subjects", "visits", "covariates", "truth"):
        assert getattr(one, name).to_csv() == getattr(two, name).to_csv()
    assert one.severity.tobytes() == two.severity.tobytes()


def test_patient_does_not_depend_on_how_many_there_are():
    few, many = simulate(STUDY, 5, 3), simulate(STUDY, 9, 3)
    alone = simulate(STUDY, 1, 3, first=4)
    np.testing.assert_array_equal(few.severity, many.severity[:5])
    np.testing.assert_array_equal(alone.severity[0], many.severity[3])
    assert few.subjects.equals(many.subjects.head(5))
    assert alone.subjects.iloc[0].equals(many.subjects.iloc[3].rename(0))


def test_earlier_visits_do_not_depend_on_later_ones():
    short, long = simulate(STUDY, 6, 2), simulate(STUDY, 6, 5)
    np.testing.assert_array_equal(short.severity, long.severity[:, :2])
    assert list(long.visits["visit"].unique()) == ["BL", "W52", "W104", "W156", "W208"]


def test_another_seed_gives_other_patients():
    one, two = (simulate(StudySeed(StudyRole.TEST, seed), 3, 2).severity for seed in (1, 2))
    assert not np.isclose(one, two).all(axis=(1, 2)).any()


def test_roles_never_share_a_patient():
    """Neither a code, nor a course, nor a reader's error, nor a film, over roles, seeds and patients."""
    seen: dict[str, set] = {}
    for role in StudyRole:
        studies = [split(seed)[role] for seed in (0, 1, 2, 4711)]
        seen[role] = {study.subject(number) for study in studies for number in range(1, 40)}
        seen[role] |= {study.film_seed() for study in studies}
        for study in studies:
            for number in range(1, 40):
                drawn = draw_patient(study, number, 1, OASIS)
                seen[role] |= {drawn["corner"].tobytes(), float(drawn["pace"])}
                seen[role] |= {
                    float(study.rng(number, stream).random()) for stream in ("R1", "R2", "conduct")
                }
    for one, two in combinations(StudyRole, 2):
        assert seen[one].isdisjoint(seen[two])
    assert all(len(found) == 39 + 4 + 4 * 39 * 5 for found in seen.values())


def test_true_damage_never_heals(course):
    assert (np.diff(course.severity, axis=1) >= 0).all()
    assert (np.diff(course.severity, axis=1) > 0).any()


def test_bridges_stand_in_both_facing_corners(course):
    pair = course.severity.reshape(*course.severity.shape[:2], UNITS, 2)
    bridged = pair >= 3.0
    assert bridged.any()
    np.testing.assert_array_equal(bridged[..., 0], bridged[..., 1])


def test_frames_say_what_severity_says(course):
    truth = course.truth
    assert truth["grade"].between(0, 3).all()
    assert truth["extent"].between(0, 1, inclusive="left").all()
    assert len(truth) == 1200 * 3 * 24 and not truth.duplicated(["subject", "visit", "site"]).any()
    np.testing.assert_allclose((truth["grade"] + truth["extent"]).to_numpy(), course.severity.ravel())
    row = truth_frame(["A"], ["BL"], np.full((1, 1, 24), 2.25)).iloc[3]
    assert (row["site"], row["grade"], row["extent"]) == (SITES[3], 2, 0.25)


def test_damage_at_baseline_is_that_of_oasis(course):
    baseline = totals(course)[:, 0]
    assert baseline.mean() == pytest.approx(11.6, abs=1.5)
    assert baseline.std(ddof=1) == pytest.approx(16.2, abs=1.5)
    assert np.median(baseline) < 0.6 * baseline.mean(), "skewed: most have little, a few have very much"


def test_change_is_skewed_with_a_long_right_tail(course):
    change = totals(course)[:, 2] - totals(course)[:, 0]
    assert np.median(change) <= 0.5 < change.mean()
    assert pd.Series(change).skew() > 2
    assert 0.4 < (change == 0).mean() < 0.75


def test_arms_are_balanced_in_every_block(course):
    arm = course.subjects["arm"].to_numpy().reshape(-1, BLOCK)
    assert set(arm.ravel()) == set(ARMS)
    assert ((arm == "Active").sum(axis=1) == BLOCK // 2).all()


def test_active_arm_and_women_progress_less(course):
    change = totals(course)[:, 2] - totals(course)[:, 0]
    by = course.subjects.assign(change=change)
    arm, sex = by.groupby("arm")["change"].mean(), by.groupby("sex")["change"].mean()
    assert arm["Active"] < 0.75 * arm["Placebo"]
    assert sex["M"] > 1.3 * sex["F"]


def test_baseline_syndesmophytes_predict_best(course):
    """Rank correlation with 2-year change: syndesmophytes above CRP above nothing."""
    change = pd.Series(totals(course)[:, 2] - totals(course)[:, 0])
    grown = pd.Series((course.severity[:, 0] >= 2).sum(axis=1))
    crp = course.covariates.query("name == 'CRP' and visit == 'BL'")["number"].reset_index(drop=True)
    by_damage, by_crp = change.corr(grown, "spearman"), change.corr(crp, "spearman")
    assert by_damage > 0.3 and by_damage > by_crp + 0.1
    assert by_crp > 0.05


def test_neighbouring_units_and_facing_corners_go_together(course):
    left = course.severity[:, 0] - course.severity[:, 0].mean(axis=1, keepdims=True)
    facing = np.mean([np.corrcoef(left[:, 2 * u], left[:, 2 * u + 1])[0, 1] for u in range(UNITS)])
    next_unit = np.mean([np.corrcoef(left[:, 2 * u], left[:, 2 * u + 2])[0, 1] for u in range(5)])
    far = np.corrcoef(left[:, 0], left[:, 23])[0, 1]
    assert facing > next_unit > far


@pytest.mark.real
def test_mix_of_grades_is_that_of_the_hospital_set(course, shared):
    """The hospital population against the 58 real patients, region by region and corner by corner."""
    counts = pd.read_csv(shared / "real/spine-radiograph-geometry/msasss_corner_counts.csv")
    real = counts.groupby(["region", "corner_of_pair", "reference_score"])["count"].sum()
    severity = simulate(STUDY, 800, 1, HOSPITAL).severity[:, 0]
    grade = np.minimum(np.floor(severity), 3).reshape(-1, 2, UNITS // 2, 2)
    for r, region in enumerate(("cervical", "lumbar")):
        for c, corner in enumerate(("up", "down")):
            found = np.bincount(grade[:, r, :, c].astype(int).ravel(), minlength=4) / grade[:, r, :, c].size
            expected = real[region, corner].to_numpy() / real[region, corner].sum()
            assert np.abs(found - expected).max() < 0.12, (region, corner, found.round(2), expected.round(2))


def test_covariates_are_plausible(course):
    wide = course.covariates[course.covariates["visit"].isna()].pivot(index="subject", columns="name")
    assert (wide[("text", "HLA-B27")] == "positive").mean() == pytest.approx(0.84, abs=0.04)
    assert wide[("number", "symptom duration")].between(0.5, 42).all()
    assert (wide[("number", "age")] > wide[("number", "symptom duration")]).all()
    crp = course.covariates.query("name == 'CRP'").merge(course.subjects, on="subject")
    middle = crp.groupby(["arm", "visit"])["number"].median()
    assert middle["Active", "W52"] < 0.7 * middle["Placebo", "W52"]
    assert json.loads(course.covariates.head(3).to_json(orient="records"))[0]["unit"] is None
