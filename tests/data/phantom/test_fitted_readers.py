"""Simulated readers are fitted to reads: those who made the reads are found again."""

import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError
from data.phantom.fitted_readers import read_readers, simulated, write_readers
from data.phantom.generators import generators
from data.phantom.hands.course import simulate_hands
from data.phantom.hands.readers import HandsReader, read_joints, reads_frame
from data.phantom.reader_spreads import ErrorOf, parts_of
from data.phantom.seeds import StudyRole, StudySeed
from data.phantom.spine.readers import alike
from data.phantom.study import Study, StudyPlan, tables
from data.store.cohort import CohortStore
from data.tables.import_reads import ReadsRequest, import_reads
from tests.helpers.commands import run_command

READERS = (
    HandsReader("A", patient=0.15, site=0.3, visit=0.2, misses=0.0),
    HandsReader("B", bias=0.2, patient=0.15, site=0.5, visit=0.3, misses=0.0),
    HandsReader("C", bias=-0.1, patient=0.15, site=0.2, visit=0.15, misses=0.0),
)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """Forty patients at one visit, read by three people whose errors are known."""
    store = CohortStore.open(tmp_path_factory.mktemp("readers") / "cohort.duckdb")
    study = StudySeed(StudyRole.TUNE, 7)
    course = simulate_hands(study, 40, 1)
    filmed = np.ones(course.finding.shape, dtype=bool)
    tables = [
        reads_frame(course, read_joints(course, study, reader), filmed).assign(
            reader=reader.name, campaign="trial"
        )
        for reader in READERS
    ]
    table = pd.concat(tables, ignore_index=True)
    table.index = pd.RangeIndex(1, len(table) + 1)
    import_reads(store, table, ReadsRequest("mtss"))
    return store.path


def test_the_readers_who_made_the_reads_are_found_again(cohort, tmp_path, capsys):
    out = tmp_path / "readers.json"
    status, text, _ = run_command(
        capsys, "--cohort", cohort, "readers", "--system", "mtss", "--out", out, "--json"
    )
    found = json.loads(text)
    assert status == 0 and found["patients"] == 40
    for number, (reader, like) in enumerate(zip(READERS, found["simulated"], strict=True), start=1):
        assert like["name"] == f"R{number}"  # a simulated reader carries nobody's name
        assert like["bias"] == pytest.approx(reader.bias - 0.1 / 3, abs=0.06)  # from the mean of the readers
        whole = math.hypot(reader.patient, reader.site, reader.visit)
        # every place is clear here, so the growth of real films is taken out once too often
        assert 1.034 * math.hypot(like["patient"], like["site"], like["visit"]) == pytest.approx(
            whole, abs=0.06
        )
        assert like["patient"] == pytest.approx(reader.patient, abs=0.05)
    assert json.loads(out.read_text())["simulated"] == found["simulated"]
    system, errors = read_readers(out)
    assert system == "mtss" and [one.shift for one in errors] == [
        pytest.approx(found["readers"][name]["shift"]["estimate"], abs=1e-4) for name in "ABC"
    ]
    for row in found["kappa"]:
        assert row["fitted"] == pytest.approx(row["observed"]["estimate"], abs=0.03)
    status, text, _ = run_command(capsys, "--cohort", cohort, "readers", "--system", "mtss")
    assert status == 0 and "A: shift" in text and "erosion" in text


def test_without_two_readers_the_command_says_what_is_needed(cohort, tmp_path, capsys):
    for options, words in (
        (("--system", "msasss"), "those of two people are needed"),
        (("--system", "mtss", "--campaign", "other"), "0 read in it"),
        ((), "add --system"),
    ):
        status, _, err = run_command(capsys, "--cohort", cohort, "readers", *options)
        assert status == 2 and words in err


def test_the_parts_make_the_whole_error_at_a_place_as_films_show_it():
    error = ErrorOf("A", 0.1, 0.5, 0.2)
    patient, site, visit = parts_of(error, site=0.3, visit=0.1, growth=1.25)
    assert 1.25 * math.hypot(patient, site, visit) == pytest.approx(0.5)
    assert visit / site == pytest.approx(1 / 3) and 1.25 * patient == pytest.approx(0.2)
    all_of_patient = parts_of(ErrorOf("A", 0, 0.2, 0.3), site=0.3, visit=0.1, growth=1.0)
    assert all_of_patient == pytest.approx((0.2, 0, 0))
    (reader,) = alike([error])
    assert (reader.name, reader.bias) == ("A", 0.1) and reader.memory == 0.6


def test_a_system_whose_readers_err_otherwise_gets_none(tmp_path):
    found = {"system": "sparcc", "readers": {}, "same_over_a_patient": {"estimate": None}}
    made = simulated(found)
    assert made["simulated"] == [] and "sparcc" in made["why_none"]
    with pytest.raises(InputError, match="--out"):
        write_readers(found | made, tmp_path / "readers.json")


def test_a_study_is_read_by_fitted_readers_in_place_of_the_shipped_ones(tmp_path, capsys):
    errors = [
        {"name": f"R{n}", "shift": shift, "spread": 0.5, "patient": 0.2}
        for n, shift in ((1, 1.0), (2, -1.0), (3, 0.0))
    ]
    given = tmp_path / "readers.json"
    given.write_text(json.dumps({"system": "mtss", "errors": errors}))
    plain = StudyPlan(2, 1, 4711, systems=("msasss", "mtss"))
    plan = replace(plain, readers=(read_readers(given),))
    shipped, fitted = tables(Study(plain)), tables(Study(plan))
    assert set(fitted) - set(shipped) == {"reads_mtss_R3.csv", "rereads_mtss_R3.csv"}
    assert fitted["reads_R1.csv"].equals(shipped["reads_R1.csv"])  # another system's readers stay
    means = [fitted[f"reads_mtss_R{n}.csv"]["grade"].mean() for n in (1, 2, 3)]
    assert means[1] < means[2] < means[0]
    assert "readers" not in plain.about() and plan.about()["readers"]
    assert json.loads(json.dumps(plan.about()))["readers"][0][0] == "mtss"


def test_readers_of_two_scales_have_their_errors_in_both(tmp_path):
    people = {
        name: {"shift": {"estimate": shift}, "spread": {"estimate": 0.5}}
        for name, shift in (("A", 0.9), ("B", -0.9), ("C", 0.0))
    }
    found = {"system": "synovitis", "readers": people, "same_over_a_patient": {"estimate": 0.2}}
    about = {"campaign": "trial", "sites": 90, "patients": 9}
    write_readers(found | about | simulated(found), tmp_path / "readers.json")
    assert json.loads((tmp_path / "readers.json").read_text())["simulated"][0]["bias"] == [0.9, 0.9]
    readers = read_readers(tmp_path / "readers.json")
    for reader in generators()["synovitis"].readers_like(readers[1]):
        for scale in (0, 1):
            parts = reader.patient[scale], reader.joint[scale], reader.visit[scale]
            assert math.hypot(*parts) == pytest.approx(0.5) and parts[0] == pytest.approx(0.2)
    read = tables(Study(StudyPlan(3, 2, 4711, systems=("synovitis",), readers=(readers,))))
    means = [read[f"reads_us_R{n}.csv"]["grade"].mean() for n in (1, 2, 3)]
    assert means[1] < means[2] < means[0]


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "[]",
        json.dumps({"system": "mtss", "errors": []}),
        json.dumps({"system": "sparcc", "errors": [{"name": "R1", "shift": 0, "spread": 1, "patient": 0}]}),
        json.dumps({"system": "mtss", "errors": [{"name": "../R1", "shift": 0, "spread": 1, "patient": 0}]}),
        json.dumps({"system": "mtss", "errors": [{"name": "R1", "shift": 0, "spread": 0, "patient": 0}]}),
        json.dumps({"system": "mtss", "errors": [{"name": "R1", "shift": None, "spread": 1, "patient": 0}]}),
    ],
)
def test_a_file_that_holds_no_readers_is_refused_by_name(text, tmp_path, capsys):
    given = tmp_path / "readers.json"
    given.write_text(text)
    options = ("demo", "--patients", "1", "--readers", given)
    status, _, err = run_command(capsys, "--cohort", tmp_path / "c.duckdb", *options)
    assert status == 2 and "readers.json" in err and "sharpline readers" in err
    assert not (tmp_path / "c.study").exists()
