"""Simulated readers: what they share over visits, where they fail, and the published agreement figures."""

from dataclasses import replace

import numpy as np
import pytest

from core.agreement.icc import icc
from core.domain import ReadMode
from data.phantom.seeds import StudyRole, StudySeed
from data.phantom.spine.course import simulate, visit_codes
from data.phantom.spine.population import SITES, UNITS
from data.phantom.spine.readers import READERS, Reader, grades_of, read_films, reads_frame

STUDY = StudySeed(StudyRole.TEST, 23)
PATIENTS = 1200
VISIBILITY = 0.83  # about the mean over films of the phantom


@pytest.fixture(scope="module")
def severity():
    return simulate(STUDY, PATIENTS, 3).severity


def totals(severity, reader, visibility=VISIBILITY, **options):
    seen = np.broadcast_to(visibility, severity.shape)
    return read_films(severity, seen, STUDY, reader, **options).sum(axis=2)


@pytest.fixture(scope="module")
def paired(severity):
    """Totals in paired reading, shape (patients, visits, readers)."""
    return np.stack([totals(severity, reader) for reader in READERS], axis=2)


def icc_a1(ratings):
    return icc(ratings)["forms"]["ICC(A,1)"]["estimate"]


def test_status_agreement_is_as_published(paired):
    assert 0.92 <= icc_a1(paired[:, 0]) <= 0.955


def test_change_agreement_is_far_below_status_agreement(paired):
    change = paired[:, 2] - paired[:, 0]
    assert 0.50 <= icc_a1(change) <= 0.74
    sdc = 0.98 * (change[:, 0] - change[:, 1]).std(ddof=1)
    assert sdc == pytest.approx(2.0, abs=0.25)


def test_bias_between_readers_is_small_but_there(paired):
    bias = (paired[:, 0, 0] - paired[:, 0, 1]).mean()
    assert 0.2 < bias < 1.5


def test_same_reader_agrees_with_himself_better_than_with_the_other(severity, paired):
    again = totals(severity, READERS[0], read=2)
    intra = icc_a1(np.stack([paired[:, 0, 0], again[:, 0]], axis=1))
    assert icc_a1(paired[:, 0]) < intra < 0.99


def test_reading_single_films_ruins_change(severity, paired):
    single = np.stack([totals(severity, reader, mode=ReadMode.SINGLE) for reader in READERS], axis=2)
    assert icc_a1(single[:, 2] - single[:, 0]) < 0.6 * icc_a1(paired[:, 2] - paired[:, 0])
    assert icc_a1(single[:, 0]) == pytest.approx(icc_a1(paired[:, 0]), abs=0.02)


def test_knowing_the_order_raises_the_change(severity, paired):
    """Wanders 2004: 2.1 (3.9) with known order, 1.0 (2.9) in pairs; improvement hardly ever scored."""
    known = np.stack([totals(severity, reader, mode=ReadMode.CHRONOLOGICAL) for reader in READERS], axis=2)
    blind, seen = ((x[:, 2] - x[:, 0]).mean() for x in (paired, known))
    assert 1.4 * blind < seen < 2.3 * blind
    assert ((known[:, 2] - known[:, 0]).mean(axis=1) < 0).mean() < 0.03
    assert ((paired[:, 2] - paired[:, 0]).mean(axis=1) < 0).mean() > 0.1, (
        "real negative changes in paired reading"
    )


def test_readers_hardly_ever_both_see_an_improvement(severity):
    """GESPIC, order blinded: 0.8% of corners worse and 0.1% better."""
    grade = [read_films(severity, np.full(severity.shape, VISIBILITY), STUDY, reader) for reader in READERS]
    change = np.stack([one[:, 2] - one[:, 0] for one in grade])
    assert 0.005 < (change > 0).all(axis=0).mean() < 0.03
    assert (change < 0).all(axis=0).mean() < 0.003


def test_what_is_shared_by_visits_cancels(severity):
    """A reader without visit error gives a patient who does not change the same grades at every visit."""
    still = np.repeat(severity[:, :1], 3, axis=1)
    steady = replace(READERS[0], visit=0.0)
    change = np.diff(totals(still, steady), axis=1)
    assert (change == 0).all()
    assert np.diff(totals(still, steady, mode=ReadMode.SINGLE), axis=1).std() > 2


def test_errors_grow_where_a_corner_is_hard_to_see(severity):
    truth = np.minimum(np.floor(severity), 3)
    wrong = [
        (read_films(severity, np.full(severity.shape, seen), STUDY, READERS[0]) != truth).mean()
        for seen in (1.0, 0.7, 0.45)
    ]
    assert wrong[0] < wrong[1] < wrong[2]
    assert 0.02 < wrong[0] < 0.25


def test_hidden_corners_get_no_grade_but_a_reason(severity):
    visibility = np.ones((2, 3, 24))
    visibility[0, 1, 11] = 0.1
    visibility[1, 2, :12] = np.nan
    grades = read_films(severity[:2], visibility, STUDY, READERS[0])
    rows = reads_frame(["A", "B"], visit_codes(3), grades, visibility)
    assert len(rows) == 2 * 3 * 24 - 12, "no rows where there is no film"
    hidden = rows[rows["grade"].isna()]
    assert hidden[["subject", "visit", "site", "reason"]].to_numpy().tolist() == [
        ["A", "W52", "T1S", "hidden by the shoulders"]
    ]
    assert rows["reason"].notna().sum() == 1
    assert set(rows.query("subject == 'B' and visit == 'W104'")["site"]) == set(SITES[12:])


def test_bridges_are_called_in_pairs():
    perceived = np.zeros((1, 24))
    perceived[0, :6] = (3.2, 2.9, 3.4, 1.5, 3.5, np.nan)
    grade = grades_of(perceived)[0]
    np.testing.assert_array_equal(grade[:6], [3, 3, 2, 1, 3, np.nan])
    pair = grades_of(np.random.default_rng(1).normal(1.8, 1.2, (500, 24))).reshape(-1, UNITS, 2)
    np.testing.assert_array_equal(pair[..., 0] == 3, pair[..., 1] == 3)


def test_a_perfect_reader_gives_the_truth(severity):
    perfect = Reader("R1", bias=0.0, patient=0.0, site=0.0, visit=0.0)
    grade = read_films(severity, np.ones(severity.shape), STUDY, perfect)
    np.testing.assert_array_equal(grade, np.minimum(np.floor(severity), 3))


def test_reads_are_reproducible_patient_by_patient(severity):
    seen = np.full((8, 3, 24), VISIBILITY)
    all_eight = read_films(severity[:8], seen, STUDY, READERS[1])
    last_three = read_films(severity[5:8], seen[5:], STUDY, READERS[1], first=6)
    np.testing.assert_array_equal(all_eight[5:], last_three)
    two_visits = read_films(severity[:8, :2], seen[:, :2], STUDY, READERS[1])
    np.testing.assert_array_equal(all_eight[:, :2], two_visits)
    other = read_films(severity[:8], seen, StudySeed(StudyRole.TRAIN, 23), READERS[1])
    assert (other != all_eight).any()
