"""The benchmark of a set: readers against each other, models against the readers, corners against marks."""

import json

import pandas as pd
import pytest

from core.domain import ReaderKind
from data.datasets.corner_errors import corner_errors
from data.store.cohort import CohortStore
from data.tables.import_reads import ReadsRequest, import_reads
from tests.data.datasets import layouts
from tests.helpers.commands import run_command


def taken(name, tmp_path, capsys, *options):
    folder, cohort = layouts.LAYOUTS[name](tmp_path / "set"), tmp_path / "cohort.duckdb"
    command = ("dataset", name, folder, "--accept-terms", "--workers", "0", *options)
    status, _, _ = run_command(capsys, "--cohort", cohort, *command)
    assert status == 0
    return cohort


def test_experts_are_held_against_each_other_joint_by_joint(tmp_path, capsys):
    cohort = taken("arise-2025", tmp_path, capsys)
    status, out, _ = run_command(capsys, "--cohort", cohort, "benchmark", "--json")
    found = json.loads(out)
    assert (status, found["models"]) == (0, {}) and found["truth"] == "rounded mean of the readers"
    pairs = {(pair["given"], pair["true"]): pair["scales"]["hand erosion"] for pair in found["reader_pairs"]}
    assert sorted(pairs) == [("expert 1", "expert 2"), ("expert 1", "expert 3"), ("expert 2", "expert 3")]
    first_and_third = pairs["expert 1", "expert 3"]  # the third scored one joint, two grades higher
    assert first_and_third["overall"]["n"] == 1
    assert first_and_third["joints"]["H.E.PIP2"]["mae"] == 2.0
    assert pairs["expert 1", "expert 2"]["joints"].keys() == {"H.E.PIP2", "H.E.MCP1"}
    assert {row["what"]: row["value"] for row in found["published"]}["accuracy.jsn"] == 0.617


def test_a_model_is_held_against_the_published_reads(tmp_path, capsys):
    cohort = taken("ram-w600", tmp_path, capsys)
    store = CohortStore(cohort)
    reads = store.query("SELECT subject, visit, site, grade FROM main.site_score WHERE superseded_by IS NULL")
    wrong = reads["site"].str.endswith("LUN")  # true grade 3, given 1
    table = reads.assign(grade=reads["grade"].mask(wrong, 1), reader="model x", campaign="single")
    table.index = pd.RangeIndex(1, len(table) + 1)
    import_reads(store, table, ReadsRequest("mtss", kind=ReaderKind.MODEL, read_mode="single"))
    status, out, _ = run_command(capsys, "--cohort", cohort, "benchmark", "--json")
    found = json.loads(out)
    scale = found["models"]["model x (single)"]["scales"]["hand erosion"]
    assert (status, found["truth"]) == (0, "RAM-W600")
    assert scale["overall"]["n"] == 12 and scale["joints"]["H.E.LUN"]["mae"] == 2.0
    assert scale["overall"]["mae"]["estimate"] == pytest.approx(4 / 12)
    assert scale["overall"]["present.f1"]["estimate"] == 1.0
    assert found["models"]["model x (single)"]["sums"]["total"]["mae"] == 2.0
    status, out, _ = run_command(capsys, "--cohort", cohort, "benchmark")
    assert status == 0 and "model x (single) against RAM-W600" in out and "published" in out


def test_corner_errors_in_pixels_and_millimetres(tmp_path, capsys):
    labels = tmp_path / "labels"
    store = CohortStore(taken("csxa", tmp_path, capsys, "--labels", labels))
    image = store.query("SELECT image FROM main.image WHERE superseded_by IS NULL")["image"].iloc[0]
    seen = {"C3S": (23.0, 16.0), "C4S": (20.0, 24.0)}  # the first is 3 and 4 pixels off
    rows = [
        {
            "finding": site, "run": "r", "image": image, "system": "msasss", "site": site,
            "feature": "corner", "grade": 0, "confidence": 1.0,
            "geometry": json.dumps({"box": [x - 3, y - 3, x + 3, y + 3]}),
        }
        for site, (x, y) in seen.items()
    ]  # fmt: skip
    with store.write("test", "score") as transaction:
        transaction.insert("run", pd.DataFrame([{"run": "r", "reader": "model x"}]))
        transaction.insert("finding", pd.DataFrame(rows))
    found = corner_errors(store, labels)["model x"]
    corners = found["corners"]
    assert (corners["n"], corners["missed"]) == (11, 9)
    assert corners["mean_px"] == pytest.approx(2.5)
    assert corners["mean_mm"] == pytest.approx(2.5 * 22 / 12)
    assert found["by_site"]["C3S"]["median_px"] == pytest.approx(5)
    assert corners["within_one_percent_of_diagonal"] == 0.5


def test_a_cohort_without_reads_of_people_says_so(tmp_path, capsys):
    cohort = taken("csxa", tmp_path, capsys)
    status, _, err = run_command(capsys, "--cohort", cohort, "benchmark")
    assert status == 2 and "those of a person are needed" in err
