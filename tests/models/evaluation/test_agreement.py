"""The tables of scores against the truth, from small grades whose figures are known."""

import numpy as np
import pandas as pd
import pytest

from core.scores.mtss import MTSS
from models.evaluation.agreement import (
    MODEL,
    TRUTH,
    change,
    features,
    figures,
    joints,
    mean_by_patient,
    sdc_of_readers,
    site_change,
    status,
    totals,
)
from models.mtss.evaluate_grades import evaluate, folder_set, grades_of, with_true_places
from models.mtss.score_report import shown
from tests.models.mtss.grader.toys import write_folder


def long(reader, grade, patients=8, visits=("BL", "W104")):
    """Grades of all sites; grade(patient number, visit number, site) may be None for no row."""
    rows = []
    for patient in range(patients):
        for number, visit in enumerate(visits):
            for site in MTSS.sites:
                value = grade(patient, number, site)
                if value is not None:
                    rows.append((f"P{patient}", visit, reader, site.code, site.feature, value))
    return pd.DataFrame(rows, columns=["subject", "visit", "reader", "site", "feature", "grade"])


def true_grade(patient, visit, site):
    first = site.code in ("LH.E.MCP2", "LF.J.MTP1")
    return min(patient // 2 + (visit * (patient >= 4) if first else 0), 3)


def with_error(patient, visit, site):
    wrong = site.code == "RH.E.PIP3" and patient < 4 and visit == 1
    return (
        true_grade(patient, visit, site)
        + (1 if wrong and patient % 2 else 0)
        - (1 if wrong and patient == 2 else 0)
    )


@pytest.fixture(scope="module")
def grades():
    return pd.concat([long(TRUTH, true_grade), long(MODEL, with_error), long("R1", true_grade)])


def test_totals_and_components_of_known_grades(grades):
    found = totals(grades).set_index(["subject", "visit", "reader"])
    row = found.loc[("P5", "W104", TRUTH)]
    assert row["total"] == 86 * 2 + 2
    assert row["erosion"] == 44 * 2 + 1
    assert row["jsn"] == 42 * 2 + 1
    assert row["hands"] + row["feet"] == row["total"]


def test_status_of_a_perfect_and_of_an_erring_reader(grades):
    found = status(totals(grades), draws=100)
    assert list(found) == [MODEL, "R1"]
    assert found["R1"]["icc_a1"]["estimate"] == pytest.approx(1)
    assert found["R1"]["mean_absolute_error"]["estimate"] == 0
    model = found[MODEL]
    assert model["n"] == 16
    assert model["patients"] == 8
    assert model["mean_absolute_error"]["estimate"] == pytest.approx(3 / 16)
    assert model["bias"]["estimate"] == pytest.approx(1 / 16)
    low, high = model["mean_absolute_error"]["ci"]
    assert low < 3 / 16 < high


def test_false_change_is_counted_among_patients_who_stay(grades):
    found = change(totals(grades), draws=100)[MODEL]
    assert (found["n"], found["unchanged"]) == (8, 6)  # two of four cannot rise above 3
    assert found["false_change"]["estimate"] == pytest.approx(3 / 6)
    assert found["false_improvement"]["estimate"] == pytest.approx(1 / 6)
    assert found["same_way"]["estimate"] == 1
    low, high = found["same_way"]["ci"]
    assert low < 1 <= high  # Wilson, as no draw can change a share of 1
    assert change(totals(grades), draws=100)["R1"]["false_change"]["estimate"] == 0


def test_features_and_joints_count_the_sites_graded(grades):
    found = features(grades, draws=50)
    assert found["hand erosion"][MODEL]["n"] == 8 * 2 * 32
    assert found["hand erosion"][MODEL]["exact"]["estimate"] == pytest.approx(1 - 3 / 512)
    assert found["foot jsn"][MODEL]["exact"]["estimate"] == 1
    of_joint = joints(grades, draws=20)
    assert len(of_joint) == 43
    assert of_joint["H.E.PIP3"][MODEL]["n"] == 32
    assert of_joint["H.E.PIP3"][MODEL]["exact"]["estimate"] == pytest.approx(1 - 3 / 32)


def test_change_of_sites(grades):
    found = site_change(grades, draws=50)[MODEL]
    assert found["changed"] == 4
    assert found["unchanged"] == 8 * 86 - 4
    assert found["false_change"]["estimate"] == pytest.approx(3 / (8 * 86 - 4))


def test_missing_sites_are_filled_and_special_findings_lift_grades(grades):
    gone = grades[~((grades["reader"] == MODEL) & (grades["site"] == "RH.J.RC"))]
    special = pd.DataFrame([["P0", "BL", MODEL, "LH.J.MCP2", "ankylosis", 1]], columns=list(grades.columns))
    both = pd.concat([gone, special])
    row = totals(both).set_index(["subject", "visit", "reader"]).loc[("P0", "BL", MODEL)]
    assert row["jsn"] == pytest.approx(4 + 4 / 29)  # the missing site takes the mean of its block
    assert row["erosion"] == 5  # an ankylosed joint has the largest grade, whoever notices it
    assert features(both, draws=20)["hand jsn"][MODEL]["n"] == 8 * 2 * 29


def test_sdc_needs_two_people(grades):
    assert sdc_of_readers(totals(grades)) == {}
    noisy = long(
        "R2", lambda p, v, site: true_grade(p, v, site) + (v * (p % 2) if site.code == "LH.E.MUL" else 0)
    )
    (pair,) = sdc_of_readers(totals(pd.concat([grades, noisy]))).values()
    d = np.array([0, 1] * 4)
    assert pair["one_reader"]["estimate"] == pytest.approx(1.96 * d.std(ddof=1) / np.sqrt(2))


def test_mean_by_patient_draws_patients():
    subjects = np.repeat(["a", "b", "c", "d"], 50)
    wide = mean_by_patient(np.repeat([0.0, 0.0, 4.0, 4.0], 50), subjects, draws=500)["ci"]
    assert wide[0] < 1.2
    assert wide[1] > 2.8
    assert mean_by_patient(np.zeros(0), np.zeros(0, str))["estimate"] is None


def test_runner_scores_labelled_films_and_shows_the_tables(tmp_path):
    class Perfect:
        """Gives each place the grade 1."""

        def grade(self, film, places):
            from models.mtss.grader.grade import SiteGrade

            made = {}
            for site in MTSS.sites:
                if site.unit in places.units:
                    chances = np.eye(site.maximum + 1)[1]
                    made[site.code] = SiteGrade(1, tuple(chances), None)
            return made

    folder = write_folder(tmp_path / "toys", ("P1", "P2"), grade=lambda p, v, unit, feature: int(p[1:]) % 2)
    one = folder_set(folder)
    read = with_true_places(Perfect())
    results = [read(film) for film in one.films]
    assert len(grades_of(one.films, results, MODEL)) == 4 * 86
    found = evaluate(one, read, None, draws=20)
    assert found["status"]["total"][MODEL]["mean_absolute_error"]["estimate"] == pytest.approx(43)
    assert found["films"] == 8
    text = shown(found)
    assert "error 43.00" in text
    assert set(figures(pd.concat([one.truth, grades_of(one.films, results, MODEL)]), draws=20)) <= set(found)
