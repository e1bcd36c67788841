"""Table 1."""

import pandas as pd

from core.table_one import table_one

SUBJECTS = pd.DataFrame(
    {
        "subject": ["a", "b", "c", "d"],
        "arm": ["Placebo", "Active", "Active", None],
        "sex": ["M", "F", None, "F"],
        "birth_year": pd.array([1980, 1990, 1970, None], dtype="Int32"),
    }
)
COVARIATES = pd.DataFrame(
    {
        "subject": ["a", "b", "c", "a"],
        "name": ["CRP", "CRP", "CRP", "HLA-B27"],
        "number": [5.0, 10.0, None, None],
        "text": [None, None, None, "positive"],
        "unit": ["mg/L", "mg/L", None, None],
    }
)


def rows(by_arm=True):
    score = pd.Series({"a": 10.0, "b": 20.0})
    return table_one(SUBJECTS, COVARIATES, score, unit="mSASSS", by_arm=by_arm).set_index("")


def test_columns_are_arms_then_all():
    assert list(rows().columns) == ["Active", "No arm", "Placebo", "All"]
    assert list(rows(by_arm=False).columns) == ["All"]


def test_numbers_are_median_quartiles_and_missing():
    table = rows()
    assert table.loc["Year of birth", "All"] == "1980 (1975 to 1985) [1]"
    assert table.loc["CRP (mg/L)", "Active"] == "10.0 (10.0 to 10.0) [1]"
    assert table.loc["CRP (mg/L)", "No arm"] == "not known [1]"


def test_levels_are_shares_of_those_known():
    table = rows()
    assert table.loc["Sex: F", "All"] == "2 (67%) [1]"
    assert table.loc["HLA-B27: positive", "All"] == "1 (100%) [3]"


def test_score_at_baseline():
    assert rows().loc["mSASSS at baseline", "All"] == "15.0 (12.5 to 17.5) [2]"
