"""Pages and report of a pool: every patient is read by two of five readers."""

import numpy as np
import pytest

from core.agreement.comparison import Interval, Readings
from core.agreement.generalisability.pool_error import pool_error
from core.agreement.generalisability.study import d_study
from core.agreement.reader_pool import pool_icc
from core.progression.sdc import study_sdc
from core.report.statistics import reader_error
from core.report.status_change import pool_caption
from tests.helpers import pool_cohort

AGREEMENT, PATIENT, PROGRESSION = "pages/3_Agreement.py", "pages/2_Patient.py", "pages/4_Progression.py"


def words(at, kind):
    return " ".join(element.value for element in getattr(at, kind))


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    """30 patients, each read by two of five readers, the last by one."""
    rng = np.random.default_rng(5)
    seen = np.full((30, 5), np.nan)
    for row in seen:
        row[rng.permutation(5)[:2]] = rng.poisson(2) + rng.integers(-1, 2, 2)
    seen[29] = [2, *[np.nan] * 4]
    path = tmp_path_factory.mktemp("pool") / "pool.duckdb"
    pool_cohort.build(path, seen)
    return path, seen


def open_section(at, name):
    group = next(one for one in at.button_group if one.key == "agreement_section")
    group.set_value(name).run()
    return at


def test_a_patient_is_judged_by_the_sdc_of_as_many_readers(open_app, pool):
    path, seen = pool
    sdc = study_sdc(seen)
    assert sdc.is_pool
    one, two = (words(open_app(PATIENT, cohort=path, patient=name), "markdown") for name in ("P029", "P000"))
    assert f"SDC95 (one reader) {sdc.limit():.2f}, n = 29 of a pool of 5 readers" in one
    assert f"SDC95 (mean of 2 readers) {sdc.limit(2):.2f}" in two


def test_a_patient_of_one_reader_of_two_is_judged_by_that_one_and_told_so(open_app, tmp_path):
    """Two readers read all but one patient, whom one of them read: his change lies between the SDCs."""
    rng = np.random.default_rng(2)
    seen = rng.poisson(2, 24)[:, None] + rng.integers(-2, 3, (24, 2)).astype(float)
    sdc = study_sdc(seen[:23])
    between = float(np.floor(sdc.limit(2)) + 1)
    assert sdc.limit(2) < between < sdc.limit(1)
    seen[23] = [between, np.nan]
    path = tmp_path / "lacks.duckdb"
    pool_cohort.build(path, seen)
    said = words(open_app(PATIENT, cohort=path, patient="P023"), "markdown")
    assert "**within reading error**" in said and f"SDC95 (one reader) {sdc.limit(1):.2f}" in said
    assert f"counts of the study use {sdc.limit(2):.2f}, of the mean of 2" in said


def test_reading_error_of_a_pool_is_on_the_agreement_page(open_app, pool):
    path, seen = pool
    at = open_section(open_app(AGREEMENT, cohort=path), "Reading error")
    assert not at.exception
    found = pool_error(seen, is_change=True)
    assert found.block["one"][0] == pytest.approx(study_sdc(seen).limit())
    table = next(one.value for one in at.dataframe if "part" in one.value)
    assert f"{found.block['mean'][0]:.2f}" in table["SDC95, mean of 2"].iloc[0]
    assert "some of the readers, usually 2" in words(at, "caption")
    assert f"All readers as a pool: **{found.icc[0]:.2f}**" in words(at, "markdown")


def test_planning_says_how_many_readers(open_app, pool):
    path, seen = pool
    at = open_section(open_app(AGREEMENT, cohort=path), "Planning")
    assert not at.exception
    found = d_study(seen)
    size = found["by_readers"][3]["sdc95"]["estimate"]
    at.number_input(key="agreement_plan_sdc").set_value(float(np.ceil(size * 10) / 10)).run()
    assert "**4 readers** for an SDC95" in words(at, "markdown")
    table = next(one.value for one in at.dataframe if "varies by" in one.value)
    assert list(table["varies by"])[:5] == [
        "patient", "reader", "patient x reader", "patient x visit", "error",
    ]  # fmt: skip
    assert "Repeat reads" in words(at, "caption")


def test_progression_page_judges_a_pool(open_app, pool):
    path, _ = pool
    at = open_app(PROGRESSION, cohort=path)
    assert not at.exception
    assert "SDC" in words(at, "markdown") + words(at, "caption")


def long(seen):
    import pandas as pd

    rows = [
        (f"P{p}", visit, "total", f"R{r}", "human", 10.0 + (seen[p, r] if visit == "V1" else 0))
        for p, r in np.argwhere(~np.isnan(seen))
        for visit in ("V0", "V1")
    ]
    names = ["subject", "visit", "component", "label", "kind", "total"]
    return Readings(pd.DataFrame(rows, columns=names), ["V0", "V1"], ["total"], "points", {})


def test_report_has_the_error_of_the_pool_and_says_so(pool):
    row = next(one for one in reader_error(long(pool[1])) if one["interval"] == Interval("V0", "V1").label)
    assert row["averaged"] == 2 and row["change"]["bias"] is None and row["change"]["n"] == 29
    assert row["change"]["mean"][0] == pytest.approx(study_sdc(pool[1]).limit(2))
    expected = pool_icc(pool[1])["forms"]["ICC(A,1)"]
    assert row["pool"]["change"][0] == pytest.approx(expected["estimate"])
    assert "usually 2" in pool_caption(row["averaged"], row["pool"])


def test_a_study_whose_readers_read_all_is_no_pool():
    seen = np.random.default_rng(1).integers(0, 5, (12, 3)).astype(float)
    assert pool_error(seen, is_change=True) is None
    assert reader_error(long(seen))[-1]["pool"] is None and reader_error(long(seen))[-1]["averaged"] == 3
