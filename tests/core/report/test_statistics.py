"""The numbers of the report are those of the commands: table F3 of domain.md, rules of the contract."""

import numpy as np
import pandas as pd
import pytest

from core.agreement.comparison import Interval, intervals
from core.agreement.reader_model import false_change, interchangeability
from core.report.statistics import (
    agreement,
    disagreements,
    imputed,
    left_out,
    models_as_readers,
    reader_error,
    sites,
)
from core.scores.display.layout import layout
from tests.core.report import samples


@pytest.fixture(scope="module")
def readings():
    return samples.readings()


@pytest.fixture(scope="module")
def pairs(readings):
    return agreement(readings)


def of(pairs, panel, statistic, first="R1", second="R2"):
    here = pairs[(pairs["panel"] == panel) & (pairs["statistic"] == statistic)]
    row = here[(here["first"] == first) & (here["second"] == second)]
    assert len(row) == 1
    return row.iloc[0]


def test_icc_of_status_and_change_are_the_printed_ones(pairs):
    change = of(pairs, "change", "ICC(A,1)")
    assert (change["estimate"], change["low"], change["high"]) == pytest.approx(
        (0.6667, 0.1288, 0.9044), abs=5e-5
    )
    status = of(pairs, "status", "ICC(A,1)")
    assert (status["estimate"], status["low"], status["high"]) == pytest.approx(
        (0.9901, 0.9629, 0.9975), abs=5e-5
    )


def test_bias_and_limits_of_change_are_the_printed_ones(pairs):
    assert of(pairs, "change", "bland_altman.bias")["estimate"] == pytest.approx(0.4)
    assert of(pairs, "change", "bland_altman.sd")["estimate"] == pytest.approx(1.429841, abs=5e-7)
    assert of(pairs, "change", "bland_altman.loa.lower")["estimate"] == pytest.approx(-2.402488, abs=5e-7)


def test_sdc_of_change_and_mdc_of_status_are_the_printed_ones(readings):
    (row,) = reader_error(readings)
    assert row["change"]["one"][0] == pytest.approx(1.981658, abs=5e-7)
    assert row["change"]["mean"][0] == pytest.approx(1.401244, abs=5e-7)
    assert row["change"]["mean80"][0] == pytest.approx(0.916242, abs=5e-7)
    assert row["change"]["bias"][0] == pytest.approx(0.4)
    assert (row["readers"], row["modes"], row["change"]["n"]) == (["R1", "R2"], ["paired"], 10)


def test_mdc_of_baseline_status_is_the_printed_one():
    single = samples.readings(samples.totals(visits=("BL",)), visits=("BL",))
    (row,) = reader_error(single)
    assert row["change"] is None
    assert row["status"]["one"][0] == pytest.approx(2.685828, abs=5e-7)
    assert row["status"]["mean"][0] == pytest.approx(1.899167, abs=5e-7)


def test_sdc_lies_in_its_interval_and_needs_two_readers():
    (row,) = reader_error(samples.readings(samples.totals(labels=("R1", samples.MODEL))))
    assert row["change"]["one"] is None and row["status"]["mean"] is None
    (row,) = reader_error(samples.readings())
    value, low, high = row["change"]["mean"]
    assert low < value < high


def test_model_is_judged_by_the_functions_of_the_command(readings):
    found = {row["panel"]: row for row in models_as_readers(readings, 3.0)}
    change = np.array(
        [np.subtract(*samples.TOTALS[label][::-1]) for label in ("R1", "R2", samples.MODEL)], float
    )
    expected = interchangeability(change[:2].T, change[2], margin=3.0)
    assert found["change"]["interchangeability"] == expected
    assert found["change"]["false_change"] == false_change(change[:2].T, change[2], ["R1", "R2"])
    assert found["change"]["interchangeability"]["equivalent"] is None
    assert "a verdict needs 24 patients" in expected["notes"]["equivalent"]
    assert "false_change" not in found["status"]


def test_margin_counts_for_the_total_only():
    part = samples.totals().assign(component="cervical")
    both = samples.readings(pd.concat([samples.totals(), part], ignore_index=True))
    both.components.append("cervical")
    found = models_as_readers(both, 5.0)
    margins = {row["component"]: row["interchangeability"]["margin"] for row in found}
    assert margins == {"total": 5.0, "cervical": None}


@pytest.mark.parametrize(
    ("visits", "expected"),
    [
        (["BL"], [("", "BL")]),
        (["BL", "W52"], [("BL", "W52")]),
        (["BL", "W52", "W104"], [("BL", "W52"), ("W52", "W104"), ("BL", "W104")]),
        (["A", "B", "C", "D", "E"], [("A", "B"), ("A", "C"), ("A", "D"), ("A", "E")]),
    ],
)
def test_the_longest_interval_stands_last(visits, expected):
    assert intervals(visits) == [Interval(*pair) for pair in expected]


def test_change_needs_both_visits_of_one_reading():
    frame = samples.totals()
    gone = (frame["subject"] == "P06") & (frame["visit"] == "BL") & (frame["label"] == "R2")
    table = samples.readings(frame.assign(total=frame["total"].mask(gone))).table("change")
    assert np.isnan(table.loc["P06", "R2"]) and table.loc["P06", "R1"] == 6


def test_largest_disagreement_of_the_model_is_against_the_mean_of_readers(readings):
    found = disagreements(readings, "change", samples.MODEL)
    assert found["subject"].iloc[0] == "P06" and found["difference"].iloc[0] == 11 - 5
    assert found["size"].is_monotonic_decreasing and len(found) == 10


def test_without_a_model_readers_disagree_among_themselves():
    both = samples.readings(samples.totals(labels=("R1", "R2")))
    found = disagreements(both, "change", None)
    assert found.set_index("subject")["size"]["P06"] == 2


def test_left_out_says_why():
    frame = samples.totals(labels=("R1", "R2"))
    frame.loc[(frame["subject"] == "P01") & (frame["label"] == "R1") & (frame["visit"] == "BL"),
              ["total", "missing_reason"]] = [None, "cervical: 5 of 12 missing"]  # fmt: skip
    frame = frame[~((frame["subject"].isin(["P02", "P03", "P04"])) & (frame["visit"] == "W104"))]
    attended = samples.attended()
    late = attended["visit"] == "W104"
    attended.loc[late & (attended["subject"] == "P02"), "films"] = 0
    attended.loc[late & (attended["subject"] == "P03"), "films"] = pd.NA
    found = left_out(samples.readings(frame), attended)
    reasons = found.set_index(["subject", "visit", "label"])["reason"].to_dict()
    assert reasons.pop(("P01", "BL", "R1")) == "cervical: 5 of 12 missing"
    assert {key[0]: reason for key, reason in reasons.items()} == {
        "P02": "no film", "P03": "there is no such visit", "P04": "not read"}  # fmt: skip
    assert len(reasons) == 6


def test_imputed_sites_are_counted_of_those_with_a_total():
    frame = samples.totals(labels=("R1", "R2"))
    frame.loc[0, "imputed_sites"] = 3
    frame.loc[1, ["total", "imputed_sites"]] = [None, 4]
    found = {row["label"]: row for row in imputed(samples.readings(frame), 24)}
    assert found["R1"] == {
        "label": "R1",
        "totals": 19,
        "missing": 1,
        "imputed": 3,
        "with_imputed": 1,
        "of": 456,
    }
    assert found["R2"]["imputed"] == 0


def test_sites_resample_patients_and_leave_the_truth_out(readings):
    found = sites(samples.grades(), readings, layout(samples.SYSTEM))
    assert set(found.by_site["interval"]) == {"patient bootstrap"}
    status = found.by_site[(found.by_site["panel"] == "status") & (found.by_site["site"] == "C5I")]
    assert set(status["n"]) == {20} and set(status["patients"]) == {10}
    same = found.pooled[
        (found.pooled["panel"] == "status") & (found.pooled["statistic"] == "exact_agreement")
    ]
    first = same[(same["first"] == "R1") & (same["second"] == "R2")].iloc[0]
    assert first["n"] == 40 and first["estimate"] == pytest.approx(37 / 40)
    with_truth = samples.readings(samples.totals(labels=("R1", "R2", "truth")))
    pairs = sites(samples.grades(("R1", "R2")), with_truth, layout(samples.SYSTEM)).by_site[
        ["first", "second"]
    ]
    assert "truth" not in set(pairs.to_numpy().ravel())
