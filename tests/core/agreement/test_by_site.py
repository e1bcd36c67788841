"""Agreement about single sites, and the cases behind a square."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score

from core.agreement.by_site import all_sites, by_site, change_grades, graded_by_both, status_grades

VISITS = ("BL", "W104")
PAIR = ("R1", "R2")


def grades(patients=30, seed=3):
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(patients):
        for visit in VISITS:
            for site in ("C2I", "C3S"):
                truth = int(rng.integers(0, 4))
                for label in PAIR:
                    grade = int(np.clip(truth + rng.choice([-1, 0, 0, 0, 1]), 0, 3))
                    rows.append((f"P{number:02d}", visit, site, label, grade))
    frame = pd.DataFrame(rows, columns=["subject", "visit", "site", "label", "grade"]).astype(
        {"grade": "Int32"}
    )
    frame.loc[0, "grade"] = None
    return frame


def both(frame, site, visit):
    here = frame[(frame["site"] == site) & (frame["visit"] == visit)]
    return here.pivot(index="subject", columns="label", values="grade").dropna().astype(int)


def test_kappa_of_a_site_is_that_of_scikit_learn():
    frame = grades()
    found = by_site(status_grades(frame, "W104"), [PAIR])
    row = found[(found["site"] == "C3S") & (found["statistic"] == "kappa.quadratic")]
    wide = both(frame, "C3S", "W104")
    expected = cohen_kappa_score(wide["R1"], wide["R2"], weights="quadratic", labels=range(4))
    assert row["estimate"].item() == pytest.approx(expected, abs=1e-12)
    assert row["low"].item() < expected < row["high"].item()
    assert row["n"].item() == 30


def test_all_visits_count_each_patient_once_as_a_cluster():
    found = by_site(status_grades(grades()), [PAIR])
    row = found[(found["site"] == "C2I") & (found["statistic"] == "exact_agreement")]
    assert row["n"].item() == 59 and row["patients"].item() == 30


def test_change_is_formed_within_a_reading():
    frame = grades()
    change = change_grades(frame, *VISITS)
    before, after = (both(frame, "C3S", visit) for visit in VISITS)
    here = change[(change["site"] == "C3S") & (change["label"] == "R1")].set_index("subject")["grade"]
    assert (here == (after["R1"] - before["R1"])).all()


def test_cases_stand_largest_difference_first():
    frame = grades()
    found = graded_by_both(status_grades(frame), *PAIR)
    sizes = found["difference"].abs().tolist()
    assert sizes == sorted(sizes, reverse=True)
    assert list(found.columns) == ["subject", "visit", "site", "first", "second", "difference"]
    assert len(found) == 119
    assert "visit" not in graded_by_both(change_grades(frame, *VISITS), *PAIR)


def test_all_sites_together_count_every_grade():
    row = all_sites(status_grades(grades()), [PAIR]).set_index("statistic").loc["exact_agreement"]
    assert row["n"] == 119 and row["patients"] == 30
