"""Agreement within subgroups: who belongs where, and the plain statistics of those patients."""

import numpy as np
import pandas as pd
import pytest

from core.agreement.compare import Columns
from core.agreement.icc import icc
from core.agreement.subgroups import ALL, by_subgroup, levels, without_level

PATIENTS = [f"P{number:02d}" for number in range(12)]
COLUMNS = Columns("subject", "label", "total")


def subjects(**columns):
    return pd.DataFrame({"subject": PATIENTS, **columns})


def ratings(seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.poisson(8, len(PATIENTS)).astype(float)
    rows = [
        (subject, label, value + rng.integers(-1, 2))
        for label in ("R1", "R2", "M")
        for subject, value in zip(PATIENTS, truth, strict=True)
    ]
    return pd.DataFrame(rows, columns=["subject", "label", "total"])


def members(found, group):
    rows = found[found["group"] == group]
    return {level: sorted(part["subject"]) for level, part in rows.groupby("level")}


def test_levels_come_from_columns_and_text_covariates():
    covariates = pd.DataFrame(
        {
            "subject": PATIENTS,
            "name": "HLA-B27",
            "number": np.nan,
            "text": ["positive"] * 9 + ["negative"] * 3,
        }
    )
    found = levels(subjects(sex=["F", "M"] * 6), covariates)
    assert list(dict.fromkeys(found["group"])) == ["sex", "HLA-B27"]
    assert members(found, "HLA-B27")["negative"] == PATIENTS[9:]
    assert members(found, "sex")["F"] == PATIENTS[::2]


def test_hidden_arm_makes_no_group():
    assert "arm" not in set(levels(subjects(arm=[None] * 12, sex=["F", "M"] * 6))["group"])


def test_one_level_and_too_many_levels_make_no_group():
    assert levels(subjects(sex=["F"] * 12, centre=PATIENTS)).empty


def test_baseline_damage_is_split_at_the_median():
    damage = pd.Series([0, 0, 1, 2, 3, 4, 10, 20, 30, 40, 50, np.nan], index=PATIENTS)
    found = members(levels(subjects(), None, damage), "baseline damage")
    assert list(found) == ["4 or less", "above 4"]
    assert found["4 or less"] == PATIENTS[:6] and found["above 4"] == PATIENTS[6:11]


def test_a_median_that_is_the_largest_value_splits_below_it():
    damage = pd.Series([0] * 4 + [5] * 8, index=PATIENTS)
    found = members(levels(subjects(), None, damage), "baseline damage")
    assert len(found["below 5"]) == 4 and len(found["5 or more"]) == 8


def test_equal_damage_makes_no_group():
    assert levels(subjects(), None, pd.Series(3.0, index=PATIENTS)).empty


def test_numbers_are_those_of_the_patients_of_the_level():
    groups = levels(subjects(sex=["F"] * 5 + ["M"] * 7))
    frame = ratings()
    found = by_subgroup(frame, groups, [("R1", "R2"), ("M", "R1")], columns=COLUMNS)
    wide = frame.pivot(index="subject", columns="label", values="total")
    for level, rows in (("F", PATIENTS[:5]), ("M", PATIENTS[5:]), ("", PATIENTS)):
        expected = icc(wide.loc[rows, ["M", "R1"]].to_numpy())["forms"]["ICC(A,1)"]
        here = found[(found["level"] == level) & (found["first"] == "M") & (found["statistic"] == "ICC(A,1)")]
        assert here["estimate"].item() == pytest.approx(expected["estimate"], abs=1e-12)
        assert here["low"].item() == pytest.approx(expected["ci"][0], abs=1e-9)
        assert here["n"].item() == len(rows)
    assert found["group"].iloc[0] == ALL


def test_a_level_with_one_patient_has_no_number_and_says_n():
    groups = levels(subjects(sex=["F"] + ["M"] * 11))
    found = by_subgroup(ratings(), groups, [("R1", "R2")], columns=COLUMNS)
    row = found[(found["level"] == "F") & (found["statistic"] == "ICC(A,1)")]
    assert np.isnan(row["estimate"].item()) and row["n"].item() == 1


def test_who_has_no_level_is_counted():
    groups = levels(subjects(sex=["F"] * 5 + ["M"] * 5 + [None] * 2))
    assert without_level(PATIENTS, groups) == {"sex": 2}


def test_no_group_leaves_everybody():
    found = by_subgroup(ratings(), levels(subjects()), [("R1", "R2")], columns=COLUMNS)
    assert set(found["group"]) == {ALL}
