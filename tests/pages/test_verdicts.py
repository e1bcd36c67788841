"""The section on verdicts: no margin, no verdict; the numbers are those of the functions; drift by round."""

import pandas as pd

from core.agreement.verdicts.bias import bias_equivalence
from core.reader_labels import display_name
from pages.common.agreement.verdicts.section import drift_rows, verdict_rows
from tests.helpers import small_cohort
from tests.pages.test_3_agreement import PAGE, section, words


def tables(at, column):
    return [table.value for table in at.dataframe if column in table.value.columns]


def test_no_margin_no_verdict(open_app):
    at = section(open_app(PAGE), "Verdicts")
    assert words(at, "markdown").count("No margin, no verdict.") == 2
    assert "protocol" in words(at, "caption") and not tables(at, "verdict")


def test_margins_give_verdicts_of_bias_icc_and_kappa(open_app):
    at = section(open_app(PAGE), "Verdicts")
    at.number_input(key="agreement_margin_of_bias").set_value(3.0)
    at.number_input(key="agreement_margin_of_icc").set_value(0.2)
    at.number_input(key="agreement_margin_of_kappa").set_value(0.2).run()
    assert not at.exception
    found = tables(at, "verdict")
    assert len(found) == 2
    what = found[1]["what"].tolist()
    assert what[0] == f"bias, {display_name(small_cohort.MODEL)} minus mean of R1, R2"
    assert any(name.startswith("ICC(A,1)") for name in what) and any("kappa" in name for name in what)
    assert set(found[0]["verdict"]) == {"no verdict"}  # six patients
    assert "a verdict needs 24 patients, here are 6" in words(at, "caption")


def test_rows_are_numbers_with_their_verdict():
    table = pd.DataFrame({"a": range(20), "b": [x + (x % 3) * 0.1 for x in range(20)]}).to_numpy(float)
    found = bias_equivalence(table, ["a", "b"], margin=1.0)["rows"]
    rows = verdict_rows([{"what": "bias", "margin": 1.0} | row for row in found])
    assert rows.loc[0, "verdict"] == "equivalent" and rows.loc[0, "low"] < rows.loc[0, "estimate"]


def test_rows_of_drift_hold_both_tests():
    from core.agreement.verdicts.drift import drift

    found = {"rater": "R1", "first": "a", "second": "b", **drift([0, 1, 1], [1, 1, 2])}
    rows = drift_rows([found])
    assert rows.loc[0, "bowker_df"] == 2 and rows.loc[0, "stuart_maxwell_p"] <= 1
