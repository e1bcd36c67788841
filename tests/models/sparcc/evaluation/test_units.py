"""Units and totals of readers and model against answers worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from core.agreement.icc import icc
from core.progression.sdc import smallest_detectable_change
from core.scores.sparcc import SPARCC
from models.sparcc.evaluation.units import (
    any_oedema,
    by_rule,
    change_of,
    compared,
    false_change,
    pairs_of,
    totals,
    unit_points,
)

UNITS = SPARCC.total_blocks
SITES = pd.DataFrame([(site.code, site.feature, site.unit) for site in SPARCC.sites]).set_axis(
    ["site", "feature", "unit"], axis=1
)


def grades(points, visit="BL", subject="A"):
    """Reader -> {unit: points of 18}, as items; other units have none."""
    rows = []
    for reader, given in points.items():
        left = SITES.groupby("unit", sort=False).cumcount()
        grade = (left < SITES["unit"].map(given).fillna(0)).astype(int)
        rows.append(SITES.assign(subject=subject, visit=visit, reader=reader, grade=grade))
    return pd.concat(rows, ignore_index=True)


def test_a_unit_has_18_points_and_none_where_an_item_lacks():
    frame = grades({"truth": {"C2C3": 18, "L1L2": 5}, "model": {"C2C3": 18}})
    lacking = (frame["reader"] == "model") & (frame["site"] == "L1L2.s1.UA")
    frame.loc[lacking, "grade"] = np.nan
    found = unit_points(frame)
    assert found["truth"].sum() == 23
    assert found.loc[("A", "BL", "C2C3")].tolist() == [18, 18]
    assert np.isnan(found.loc[("A", "BL", "L1L2"), "model"])


def test_seven_full_units_make_108_of_six_and_126_of_all():
    frame = grades({"truth": dict.fromkeys(UNITS[3:10], 18)})
    assert totals(frame, "sparcc.six_worst_each_visit")["truth"].tolist() == [108]
    assert totals(frame, "sparcc.all_23")["truth"].tolist() == [126]


def cohort(rng, patients=12, visits=("BL", "W24")):
    parts = []
    for number in range(patients):
        true = {unit: int(rng.integers(0, 6)) for unit in UNITS[::3]}
        for visit in visits:
            seen = {
                reader: {
                    unit: max(0, value + int(rng.integers(-2, 3))) if reader != "truth" else value
                    for unit, value in true.items()
                }
                for reader in ("truth", "model", "R1", "R2", "R3")
            }
            parts.append(grades(seen, visit, f"P{number:02d}"))
            true = {unit: value // 2 for unit, value in true.items()}
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def several():
    return cohort(np.random.default_rng(1))


def test_figures_of_a_pair_are_those_of_the_icc_and_of_the_sdc(several):
    wide = totals(several, "sparcc.all_23")
    found = compared(wide, draws=50)
    forms = icc(wide[["model", "truth"]].to_numpy())["forms"]
    assert found["model with truth"]["icc_a1"]["estimate"] == pytest.approx(forms["ICC(A,1)"]["estimate"])
    assert found["model with truth"]["icc_c1"]["estimate"] == pytest.approx(forms["ICC(C,1)"]["estimate"])
    pearson = np.corrcoef(wide["model"], wide["truth"])[0, 1]
    assert found["model with truth"]["pearson"]["estimate"] == pytest.approx(pearson)
    assert found["model with truth"]["n"] == 24 and found["model with truth"]["patients"] == 12
    low, high = found["model with truth"]["icc_a1"]["ci"]
    assert low < found["model with truth"]["icc_a1"]["estimate"] < high
    changed = change_of(wide, ("BL", "W24"))
    of_change = by_rule(several, ("BL", "W24"), draws=50)["all_23"]["change"]
    sdc = smallest_detectable_change(changed[["R1", "R2"]].to_numpy())
    one = [compared(changed[["R1", "R2"]], {"sdc95": "sem.consistency"}, draws=20)]
    assert one[0]["readers with each other"]["sdc95"]["estimate"] == pytest.approx(sdc.limit())
    assert of_change["readers with each other"]["n"] == 12


def test_several_pairs_give_the_mean_of_their_figures(several):
    wide = totals(several, "sparcc.six_worst_each_visit")
    found = compared(wide, {"pearson": "pearson"}, draws=20)
    with_model = [np.corrcoef(wide["model"], wide[name])[0, 1] for name in ("R1", "R2", "R3")]
    assert found["model with readers"]["pearson"]["estimate"] == pytest.approx(np.mean(with_model))
    assert list(pairs_of(wide)) == [
        "model with truth", "R1 with truth", "R2 with truth", "R3 with truth", "model with readers",
        "readers with each other",
    ]  # fmt: skip


def test_a_model_without_totals_has_no_figures_and_says_how_many():
    wide = pd.DataFrame({"truth": [1.0, 2.0], "model": [np.nan, 2.0]}, index=_index("AB"))
    found = compared(wide, draws=20)["model with truth"]
    assert (found["n"], found["icc_a1"]["estimate"]) == (1, None)


def _index(subjects, units=("C2C3",)):
    rows = [(subject, "BL", unit) for subject in subjects for unit in units]
    return pd.MultiIndex.from_tuples(rows, names=["subject", "visit", "unit"])


def test_units_with_any_oedema_are_counted_against_the_truth():
    true = [3.0, 2, 1, 0, 0, 0, 0, 5]
    said = [1.0, 0, 4, 0, 2, 0, 0, np.nan]
    points = pd.DataFrame({"truth": true, "model": said}, index=_index("ABCDEFGH"))
    found = any_oedema(points, draws=50)["model with truth"]
    assert found["n"] == 7
    assert found["sensitivity"]["estimate"] == pytest.approx(2 / 3)
    assert found["specificity"]["estimate"] == pytest.approx(3 / 4)
    assert found["agreement"]["estimate"] == pytest.approx(5 / 7)
    chance = (3 / 7) ** 2 + (4 / 7) ** 2
    assert found["kappa"]["estimate"] == pytest.approx((5 / 7 - chance) / (1 - chance))


def test_false_change_is_of_those_who_truly_stay():
    changed = pd.DataFrame(
        {"truth": [0.0, 1, -2, 9, 0], "model": [0.0, 6, -5, 9, np.nan], "R1": [5.0, 0, 0, 0, 0]},
        index=pd.Index(list("ABCDE"), name="subject"),
    )
    found = false_change(changed, 4, 5, draws=50)
    assert found["model"] == {"n": 3, "false_change": found["model"]["false_change"]}
    assert found["model"]["false_change"]["estimate"] == pytest.approx(2 / 3)
    assert (found["R1"]["n"], found["R1"]["false_change"]["estimate"]) == (4, 0.25)
    assert "truth" not in found
