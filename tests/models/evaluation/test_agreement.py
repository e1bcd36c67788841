"""The tables of scores against the truth, from small grades whose figures are known."""

import json

import numpy as np
import pandas as pd
import pytest

from core.scores.msasss import MSASSS
from core.scores.mtss import MTSS
from models.evaluation.agreement import (
    MODEL,
    PAIRED,
    TRUTH,
    change,
    figures,
    grade_tables,
    graded,
    sdc_of_readers,
    site_change,
    status,
    totals,
)
from models.evaluation.markdown import as_terminal
from models.evaluation.report import blocks_of_set
from models.mtss.evaluate import joints
from models.mtss.evaluate_grades import grader_figures, with_true_places
from tests.helpers.paths import ROOT
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
    found = totals(grades, MTSS).set_index(["subject", "visit", "reader"])
    row = found.loc[("P5", "W104", TRUTH)]
    assert row["total"] == 86 * 2 + 2
    assert row["erosion"] == 44 * 2 + 1
    assert row["jsn"] == 42 * 2 + 1
    assert row["hands"] + row["feet"] == row["total"]


def test_status_of_a_perfect_and_of_an_erring_reader(grades):
    found = status(totals(grades, MTSS), draws=100)
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
    found = change(totals(grades, MTSS), draws=100)[MODEL]
    assert (found["n"], found["unchanged"]) == (8, 6)  # two of four cannot rise above 3
    assert found["false_change"]["estimate"] == pytest.approx(3 / 6)
    assert found["false_improvement"]["estimate"] == pytest.approx(1 / 6)
    assert found["same_way"]["estimate"] == 1
    low, high = found["same_way"]["ci"]
    assert low < 1 <= high  # Wilson, as no draw can change a share of 1
    assert change(totals(grades, MTSS), draws=100)["R1"]["false_change"]["estimate"] == 0


def test_features_and_joints_count_the_sites_graded(grades):
    found = grade_tables(grades, MTSS, draws=50)
    assert found["hand erosion"][MODEL]["n"] == 8 * 2 * 32
    assert found["hand erosion"][MODEL]["exact"]["estimate"] == pytest.approx(1 - 3 / 512)
    assert found["foot jsn"][MODEL]["exact"]["estimate"] == 1
    of_joint = joints(grades, draws=20)
    assert len(of_joint) == 43
    assert of_joint["H.E.PIP3"][MODEL]["n"] == 32
    assert of_joint["H.E.PIP3"][MODEL]["exact"]["estimate"] == pytest.approx(1 - 3 / 32)


def test_change_of_sites(grades):
    found = site_change(grades, MTSS, draws=50)[MODEL]
    assert found["changed"] == 4
    assert found["unchanged"] == 8 * 86 - 4
    assert found["false_change"]["estimate"] == pytest.approx(3 / (8 * 86 - 4))


def test_missing_sites_are_filled_and_special_findings_lift_grades(grades):
    gone = grades[~((grades["reader"] == MODEL) & (grades["site"] == "RH.J.RC"))]
    special = pd.DataFrame([["P0", "BL", MODEL, "LH.J.MCP2", "ankylosis", 1]], columns=list(grades.columns))
    both = pd.concat([gone, special])
    row = totals(both, MTSS).set_index(["subject", "visit", "reader"]).loc[("P0", "BL", MODEL)]
    assert row["jsn"] == pytest.approx(4 + 4 / 29)  # the missing site takes the mean of its block
    assert row["erosion"] == 5  # an ankylosed joint has the largest grade, whoever notices it
    assert grade_tables(both, MTSS, draws=20)["hand jsn"][MODEL]["n"] == 8 * 2 * 29


def test_sdc_needs_two_readers(grades):
    assert sdc_of_readers(totals(grades, MTSS)) == {}
    noisy = long(
        "R2", lambda p, v, site: true_grade(p, v, site) + (v * (p % 2) if site.code == "LH.E.MUL" else 0)
    )
    (pair,) = sdc_of_readers(totals(pd.concat([grades, noisy]), MTSS)).values()
    d = np.array([0, 1] * 4)
    assert pair["one_reader"]["estimate"] == pytest.approx(1.96 * d.std(ddof=1) / np.sqrt(2))


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
    found = grader_figures(with_true_places(Perfect()), folder, draws=20)
    assert found["status"]["total"][MODEL]["mean_absolute_error"]["estimate"] == pytest.approx(43)
    assert sum(row[MODEL]["n"] for row in found["grades"].values()) == 4 * 86
    assert (found["images"], found["real"], found["domain"]) == (8, None, "")
    text = as_terminal(blocks_of_set(found, MTSS))
    assert " 43.00" in text


def corner_grades(rows):
    """(subject, true, given[, visible]) as the long grades of the truth and of a model, a corner each."""
    codes = [site.code for site in MSASSS.sites]
    made = []
    for place, (subject, true, given, *visible) in enumerate(rows):
        site = codes[place % len(codes)]
        made += [
            (subject, "BL", TRUTH, site, "corner", true, True),
            (subject, "BL", MODEL, site, "corner", given, *(visible or [True])),
        ]
    columns = ["subject", "visit", "reader", "site", "feature", "grade", "visible"]
    return pd.DataFrame(made, columns=columns)


def test_each_class_against_the_rest_is_counted_as_by_hand():
    table = corner_grades(
        [("A", 0, 0)] * 6 + [("B", 0, 1)] * 2 + [("C", 1, 1)] * 3 + [("D", 1, 2)] + [("E", 3, 3)] * 2
    )
    found = grade_tables(table, MSASSS, draws=50)["corner"][MODEL]
    erosion = found["per_class"]["1"]
    assert erosion["n"] == 4
    assert erosion["sensitivity"]["estimate"] == pytest.approx(3 / 4)
    assert erosion["specificity"]["estimate"] == pytest.approx(8 / 10)
    assert erosion["accuracy"]["estimate"] == pytest.approx(11 / 14)
    assert found["per_class"]["2"]["sensitivity"]["estimate"] is None
    assert found["exact"]["estimate"] == pytest.approx(11 / 14)
    assert found["table_given_by_true"][1] == [2, 3, 0, 0]


def test_hidden_and_ungraded_corners_do_not_count_as_grades():
    table = corner_grades([("A", 0, 0), ("A", 3, 0, False), ("B", 1, None)])
    assert grade_tables(table, MSASSS, draws=10)["corner"][MODEL]["n"] == 1


def test_perfect_model_gets_perfect_figures_with_wilson_limits_over_patients():
    table = corner_grades([(subject, grade, grade) for subject in "ABCD" for grade in range(4)])
    found = grade_tables(table, MSASSS, draws=20)["corner"][MODEL]
    assert found["kappa_quadratic"]["estimate"] == 1
    assert all(one["sensitivity"]["estimate"] == 1 for one in found["per_class"].values())
    of_four = found["per_class"]["1"]["sensitivity"]
    assert of_four["ci"] == pytest.approx([0.5101, 1.0], abs=1e-4)  # Wilson, 4 of 4: corners do not count
    assert found["within_one"]["ci"] == of_four["ci"]


def test_change_and_false_change_by_hand():
    truth = pd.DataFrame({"subject": list("AABBCCDD"), "visit": ["BL", "W104"] * 4, "reader": TRUTH})
    model = truth.assign(reader=MODEL, total=[0, 1, 5, 4, 2, 5, 1, 1])
    found = pd.concat([truth.assign(total=[0, 0, 5, 5, 2, 6, 1, 1]), model])
    moved = change(found, draws=50)[MODEL]
    assert (moved["n"], moved["unchanged"]) == (4, 3)
    assert moved["true_mean"]["estimate"] == 1
    assert moved["false_change"]["estimate"] == pytest.approx(2 / 3)
    assert moved["false_improvement"]["estimate"] == pytest.approx(1 / 3)
    spread = np.std([1, -1, -1, 0], ddof=1)
    assert moved["sdc95_against_truth"]["estimate"] == pytest.approx(1.96 * spread / np.sqrt(2))
    still = status(found, draws=50)[MODEL]
    assert still["mean_absolute_error"]["estimate"] == pytest.approx(3 / 8)
    assert still["bias"]["estimate"] == pytest.approx(-1 / 8)


def test_change_of_sites_counts_only_corners_that_stay():
    pairs = {"C2I": (0, 0, 0, 1), "C3S": (1, 1, 1, 0), "C3I": (0, 1, 0, 0), "C4S": (2, 2, 2, 2)}
    rows = [
        ("A", visit, reader, site, "corner", grades[at])
        for site, grades in pairs.items()
        for visit, reader, at in (("BL", TRUTH, 0), ("W104", TRUTH, 1), ("BL", MODEL, 2), ("W104", MODEL, 3))
    ]
    table = pd.DataFrame(rows, columns=["subject", "visit", "reader", "site", "feature", "grade"])
    found = site_change(table, MSASSS, draws=5)[MODEL]
    assert (found["unchanged"], found["changed"]) == (3, 1)
    assert found["false_change"]["estimate"] == pytest.approx(2 / 3)
    assert found["false_improvement"]["estimate"] == pytest.approx(1 / 3)
    assert found["same_way"]["estimate"] == 0


def test_counts_of_classes_are_left_out_where_no_maximum_is_given():
    table = corner_grades([("A", 0, 0), ("B", 1, 1)])
    assert "per_class" not in graded(table, draws=5)[MODEL]


@pytest.mark.parametrize("system", [MSASSS, MTSS], ids=lambda system: system.name)
def test_figures_of_fixed_grades_are_those_frozen(system):
    """Shape and every number of ``tests/reference/evaluation-*.json``: grades drawn with a fixed seed."""
    assert flat(figures(fixed_grades(system), system, draws=50)) == pytest.approx(
        flat(json.loads(reference(system).read_text(encoding="utf-8"))), nan_ok=True, abs=1e-9
    )


def reference(system):
    return ROOT / "tests" / "reference" / f"evaluation-{system.name}.json"


def fixed_grades(system):
    """Six patients at two visits: the truth, a model in two readings and two readers who err at random."""
    rng, rows = np.random.default_rng(20), []
    spread = {TRUTH: 0.0, "R1": 0.2, "R2": 0.3, MODEL: 0.1, PAIRED: 0.05}
    for patient in range(6):
        start = rng.integers(0, 4, len(system.sites))
        for visit, added in (("BL", 0), ("W104", int(patient > 3))):
            true = np.minimum(start + added * (rng.random(len(start)) < 0.1), 3)
            for reader, chance in spread.items():
                wrong = rng.random(len(true)) < chance
                given = np.clip(true + wrong * rng.choice([-1, 1], len(true)), 0, 4)
                for site, grade in zip(system.sites, given, strict=True):
                    rows.append((f"P{patient}", visit, reader, site.code, site.feature,
                                 min(int(grade), site.maximum)))  # fmt: skip
    return pd.DataFrame(rows, columns=["subject", "visit", "reader", "site", "feature", "grade"])


def flat(value, path=""):
    """Path -> number of nested results; None as NaN."""
    if isinstance(value, dict):
        return {k: v for name, one in value.items() for k, v in flat(one, f"{path}/{name}").items()}
    if isinstance(value, list):
        return {k: v for name, one in enumerate(value) for k, v in flat(one, f"{path}/{name}").items()}
    return {path: float("nan") if value is None else float(value)}
