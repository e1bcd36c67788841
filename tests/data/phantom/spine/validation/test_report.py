"""The page that compares the phantom with published figures, made small."""

import re

import numpy as np
import pytest

from core.domain import ReadMode
from data.phantom.seeds import StudyRole, StudySeed
from data.phantom.spine.readers import READERS
from data.phantom.spine.validation import estimates, report
from data.phantom.spine.validation.readings import read_study, seg_mean_totals
from tests.helpers.paths import DOCS

PAGE = DOCS / "phantom-study.md"


@pytest.fixture(scope="module")
def page():
    return report.report(600, films=False)


def value(page, figure):
    row = next(line for line in page.splitlines() if line.startswith(f"| {figure} |"))
    return float(re.match(r"-?[\d.]+", row.split("|")[2].strip()).group())


@pytest.mark.parametrize(
    ("figure", "low", "high"),
    [
        ("mSASSS, mean of 2: mean", 9.5, 14.5),
        ("mSASSS, mean of 2: SD", 14.0, 18.5),
        ("order known, placebo, mean of 2: mean", 1.5, 2.6),
        ("order known, placebo, mean of 2: SD", 2.4, 4.2),
        ("order known, placebo, mean of 2: 5 or more", 8, 18),
        ("paired, placebo, R1: mean", 0.7, 1.7),
        ("paired: corners better for both readers", 0, 0.3),
        ("status at baseline, two readers: ICC(A,1)", 0.92, 0.96),
        ("change over 104 weeks, paired: ICC(A,1)", 0.5, 0.72),
        ("change over 104 weeks, paired: SDC95 (mean of 2)", 1.8, 2.3),
        ("12 years (13 visits), order known, placebo, mean of 2: mean change", 8, 14),
    ],
)
def test_key_figures_lie_where_published_ones_do(page, figure, low, high):
    assert low <= value(page, figure) <= high


def test_every_estimate_has_its_interval_and_n(page):
    rows = [line for line in page.splitlines() if re.match(r"\| \S", line) and " n " in line]
    assert len(rows) > 50
    estimates_of = [line.split("|")[2] for line in rows if not line.startswith("| figure")]
    assert all(re.search(r"\(-?[\d.]+ to -?[\d.]+\), n [\d,]+", text) for text in estimates_of)
    assert not re.search(r"\bnan\b", page)


def test_page_says_phantom_first(page):
    assert page.splitlines()[2].startswith("**Phantom data")


def test_page_in_docs_was_made_with_these_parameters(page):
    text = PAGE.read_text(encoding="utf-8")
    assert f"role `test`, seed {report.SEED}" in text
    assert [line.split("|")[1] for line in text.splitlines() if line.startswith("|")] == [
        line.split("|")[1] for line in page.splitlines() if line.startswith("|")
    ]
    # Twelve years are read without films and for as many patients in both: they must agree to the digit.
    figures = [line for line in text.splitlines() if line.startswith("| 12 years")]
    assert figures and all(figure in page.splitlines() for figure in figures)


def test_films_hide_corners_mostly_behind_the_shoulders():
    study = read_study(StudySeed(StudyRole.TEST, 5), 25, 2)
    hidden = np.isnan(study.grades(READERS[0])) & np.isfinite(study.seen)
    assert 0 < hidden.mean() < 0.08
    assert np.isnan(study.seen).any(), "some films are missing"
    assert study.seen[..., 11][np.isfinite(study.seen[..., 11])].mean() < np.nanmean(study.seen[..., 3])


def test_totals_follow_the_missing_rule():
    grades = np.ones((1, 1, 24))
    grades[0, 0, :3] = np.nan
    assert seg_mean_totals(grades)[0, 0] == 24
    grades[0, 0, 3] = np.nan
    assert np.isnan(seg_mean_totals(grades)[0, 0])


def test_single_reads_of_both_readers_are_kept(page):
    study = read_study(StudySeed(StudyRole.TEST, 5), 20, 2, films=False)
    assert study.both(ReadMode.SINGLE).shape == (20, 2, 2)
    assert study.grades(READERS[0]) is study.grades(READERS[0])


def test_texts_of_estimates():
    values = np.array([0.0, 1.0, 2.0, 3.0, np.nan])
    assert estimates.mean(values) == "1.50 (-0.55 to 3.55), n 4"
    assert estimates.part(values, ">=", 1 + 1e-12) == "75.0% (30.1 to 95.4), n 4"
    assert estimates.part(values, ">", 1 - 1e-12) == "50.0% (15.0 to 85.0), n 4"
    pairs = np.array([[0, 0], [4, 5], [12, 10], [22, 24], [2, 2], [35, 33], [0, 1], [8, 7], [16, 15], [5, 6]])
    assert estimates.icc_text(pairs).startswith("0.993 (0.972 to 0.998)")
    change = np.array(
        [[0, 1], [2, 1], [1, 3], [0, -1], [0, 0], [6, 4], [2, 0], [0, 1], [3, 1], [0, 0]], dtype=float
    )
    assert estimates.sdc_text(change, readers=2).startswith("1.40 ")
    assert estimates.sdc_text(change, readers=1).startswith("1.98 ")
