"""The figures of an evaluation: counted by hand on small tables, and the page that shows them."""

import math

import numpy as np
import pandas as pd
import pytest

from models.evaluation import intervals
from models.evaluation.markdown import shown
from models.msasss import measures
from models.msasss.report import as_text, into_page, summary


def corners(rows):
    columns = ["subject", "visit", "view", "site", "true", "visible", "given", "distance_mm"]
    return pd.DataFrame(rows, columns=columns)


def row(subject, true, given, *, visit="BL", site="C2I", visible=True, distance=1.0, view="cervical"):
    return (subject, visit, view, site, true, visible, given, distance)


def test_each_class_against_the_rest_is_counted_as_by_hand():
    table = corners(
        [row("A", 0, 0)] * 6
        + [row("B", 0, 1)] * 2
        + [row("C", 1, 1)] * 3
        + [row("D", 1, 2)]
        + [row("E", 3, 3)] * 2
    )
    found = measures.grading(table, draws=50)
    erosion = found["per_class"]["erosion"]
    assert erosion["n"] == 4
    assert erosion["sensitivity"]["estimate"] == pytest.approx(3 / 4)
    assert erosion["specificity"]["estimate"] == pytest.approx(8 / 10)
    assert erosion["accuracy"]["estimate"] == pytest.approx(11 / 14)
    assert found["per_class"]["syndesmophyte"]["sensitivity"]["estimate"] is None
    assert found["exact_agreement"]["estimate"] == pytest.approx(11 / 14)
    assert found["table_given_by_true"][1] == [2, 3, 0, 0]


def test_hidden_and_ungraded_corners_do_not_count_as_grades():
    table = corners([row("A", 0, 0), row("A", 3, 0, visible=False), row("B", 1, float("nan"))])
    assert measures.grading(table, draws=10)["corners"] == 1


def test_detection_needs_the_place_and_a_grade():
    table = corners(
        [
            row("A", 0, 0),
            row("A", 0, 0, distance=3.5),
            row("A", 0, float("nan"), distance=float("nan")),
            row("B", 0, float("nan"), distance=float("nan")),
            row("B", 0, 0, visible=False),
        ]
    )
    films = pd.DataFrame(
        {
            "subject": ["A", "B"],
            "visit": "BL",
            "view": "cervical",
            "is_wrong": False,
            "abstained": [False, True],
        }
    )
    found = measures.detection(table, films, draws=20)
    assert found["visible_corners"] == 4
    assert found["scored_films"]["estimate"] == pytest.approx(1 / 3)
    assert found["all_good_films"]["estimate"] == pytest.approx(1 / 4)


def test_abstention_is_counted_on_good_and_on_wrong_films():
    films = pd.DataFrame(
        {
            "subject": list("ABCDE"),
            "is_wrong": [False, False, False, True, True],
            "abstained": [True, False, False, True, False],
        }
    )
    found = measures.abstention(films, draws=20)
    assert found["good_films"]["estimate"] == pytest.approx(1 / 3)
    assert found["wrong_films"]["estimate"] == pytest.approx(1 / 2)


def test_change_and_false_change_by_hand():
    totals = pd.DataFrame(
        {
            "subject": ["A", "A", "B", "B", "C", "C", "D", "D"],
            "visit": ["BL", "W104"] * 4,
            "truth": [0, 0, 5, 5, 2, 6, 1, 1],
            "model": [0, 1, 5, 4, 2, 5, 1, 1],
        }
    )
    found = measures.change(totals, "model", draws=50)
    assert (found["n"], found["unchanged"]) == (4, 3)
    assert found["true_mean"] == 1
    assert found["false_change"]["estimate"] == pytest.approx(2 / 3)
    assert found["false_improvement"]["estimate"] == pytest.approx(1 / 3)
    spread = np.std([1, -1, -1, 0], ddof=1)
    assert found["sdc95_against_truth"]["estimate"] == pytest.approx(1.96 * spread / math.sqrt(2))
    status = measures.status(totals, "model", draws=50)
    assert status["mean_absolute_error"]["estimate"] == pytest.approx(3 / 8)
    assert status["bias"]["estimate"] == pytest.approx(-1 / 8)


def test_corner_change_counts_only_corners_that_stay():
    pairs = [("C2I", 0, 0, 0, 1), ("C3S", 1, 1, 1, 0), ("C3I", 0, 1, 0, 0), ("C4S", 2, 2, 2, 2)]
    rows = [
        row("A", true, given, visit=visit, site=site)
        for site, true_first, true_last, given_first, given_last in pairs
        for visit, true, given in (("BL", true_first, given_first), ("W104", true_last, given_last))
    ]
    found = measures.corner_change(corners(rows), draws=5)
    assert found["corners"] == 3
    assert found["false_change"]["estimate"] == pytest.approx(2 / 3)
    assert found["false_improvement"]["estimate"] == pytest.approx(1 / 3)
    assert found["changed_corners"] == 1
    assert found["true_change_found"]["estimate"] == 0


def test_interval_resamples_patients_not_rows():
    subjects = pd.Series(["A"] * 50 + ["B"] * 50)
    values = np.array([0.0] * 50 + [1.0] * 50)
    found = intervals.resampled(subjects, lambda rows: {"mean": float(values[rows].mean())}, draws=200)
    assert found["mean"]["ci"] == [0.0, 1.0]  # a draw holds both, or one patient twice
    alone = intervals.resampled(subjects[:50], lambda rows: {"mean": float(values[rows].mean())})
    assert alone["mean"]["ci"] == [None, None]


def test_share_of_all_or_none_gets_wilson_limits_over_patients():
    table = corners([row(s, g, g, distance=0.0) for s in "ABCD" for g in range(4) for _ in range(3)])
    of_four = measures.grading(table, draws=20)["per_class"]["erosion"]["sensitivity"]
    assert of_four["estimate"] == 1
    assert of_four["ci"] == pytest.approx([0.5101, 1.0], abs=1e-4)  # Wilson, 4 of 4: corners do not count
    none = intervals.resampled(
        pd.Series(list("AABC")), lambda rows: {"none": 0.0}, shares={"none": np.array([1, 1, 1, 0], bool)}
    )
    assert none["none"]["ci"] == pytest.approx([0.0, 0.6576], abs=1e-4)  # 0 of the 2 patients counted


def test_perfect_model_gets_perfect_figures():
    table = corners([row(s, g, g, distance=0.0) for s in "ABC" for g in range(4)])
    found = measures.grading(table, draws=20)
    assert found["kappa_quadratic"]["estimate"] == 1
    assert all(one["sensitivity"]["estimate"] == 1 for one in found["per_class"].values())


def result():
    table = corners([row(s, g, min(g, 2), site=f"C{g}I") for s in "ABC" for g in range(4)])
    films = pd.DataFrame({"subject": list("ABC"), "visit": "BL", "view": "cervical"})
    films = films.assign(is_wrong=False, abstained=False)
    totals = pd.DataFrame({"subject": list("ABC"), "visit": "BL", "truth": [1, 5, 9], "model": [1, 4, 9]})
    one = {
        "patients": 3,
        "films": 3,
        "abstention": measures.abstention(films, draws=10),
        "detection": measures.detection(table, films, draws=10),
        "grading": measures.grading(table, draws=10),
        "readers_grading": {},
        "status": {"model": measures.status(totals, "model", draws=10)},
        "change": {},
        "corner_change": {},
        "abstained": [],
    }
    return {"system": "msasss", "size": "demo", "note": "phantom data", "sets": {"first domain": one}}


def test_page_shows_the_figures_and_their_intervals():
    text = as_text(result())
    assert "phantom data" in text
    assert "| 1 erosion | 100.0% (43.9 to 100.0) |" in text
    assert "| 3 ankylosis | 0.0% (0.0 to 56.1) |" in text
    assert "| model, single films (n 3) | 0.9" in text
    assert shown(None) == "-"
    assert shown({"estimate": 0.5, "ci": [None, None]}, 2) == "0.50 (- to -)"


def test_page_keeps_what_stands_around_the_tables():
    page = "before\n<!-- evaluation -->\nold\n<!-- /evaluation -->\nafter\n"
    assert into_page(page, "evaluation", "new") == page.replace("old", "new")


def test_card_gets_the_figures_without_lists_of_films():
    short = summary(result())["first domain"]
    assert "abstained" not in short
    assert short["grading"]["per_class"]["erosion"]["sensitivity"] == [1.0, 0.4385, 1.0]
