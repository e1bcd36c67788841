"""The whole model on a labelled folder: counted as joints and as scores, shown as text, page and card."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pandas as pd
import pytest

from core.domain import Abstained, Box, Finding, Scored
from core.scores.mtss import MTSS
from models.evaluation import report
from models.evaluation.run import Outcome, set_figures
from models.mtss import evaluate
from models.mtss.detectors.ensemble import Joints
from models.mtss.detectors.joints import UNITS
from models.mtss.detectors.naming import Named
from models.mtss.detectors.read import HandReading

LETTER = {"hands": "H", "feet": "F"}
PATIENTS, VISITS = ("P1", "P2", "P3"), ("BL", "W104")


def grade_of(patient: str, visit: str, code: str) -> int:
    """True grades: some damage in P2, which grows at one joint; more in P3."""
    if code == "LH.E.MCP2" and (patient, visit) == ("P2", "W104"):
        return 4
    return 1 if patient != "P1" and code.endswith(("MCP2", "MTP5", "RAD")) else 2 * (patient == "P3")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "images").mkdir()
    units = {
        view: [u for u in dict.fromkeys(s.unit for s in MTSS.sites) if u[1] == LETTER[view]]
        for view in LETTER
    }
    of_unit = {(site.unit, site.feature): site.code for site in MTSS.sites}
    images, boxes = [], []
    for patient in PATIENTS:
        for visit in VISITS:
            for view in LETTER:
                name = f"{patient}_{visit}_{view}.png"
                cv2.imwrite(str(tmp_path / "images" / name), np.zeros((40, 40), np.uint16))
                images.append({"id": len(images) + 1, "file_name": name, "patient": patient, "visit": visit,
                               "view": view, "spacing_mm": [0.15, 0.15]})  # fmt: skip
                for place, unit in enumerate(units[view]):
                    grades = {
                        feature: grade_of(patient, visit, of_unit[unit, feature])
                        if (unit, feature) in of_unit else None
                        for feature in ("erosion", "jsn")
                    }  # fmt: skip
                    about = {"unit": unit, "visibility": 1.0, "gap_mm": 1.0} | grades
                    where = {"image_id": len(images), "category_id": 1, "bbox": [200 * place, 0, 100, 100]}
                    boxes.append({"id": len(boxes) + 1, "attributes": about} | where)
    names = ("none", "ankylosis", "subluxation", "luxation")
    categories = [{"id": i, "name": name} for i, name in enumerate(names, 1)]
    content = {"images": images, "annotations": boxes, "categories": categories}
    (tmp_path / "annotations.json").write_text(json.dumps(content))
    return tmp_path


def truthful(film) -> Outcome:
    """A model that gives the true grades and finds every finger joint, but refuses the feet of P1 at BL."""
    if film.view == "feet" and (film.patient, film.visit) == ("P1", "BL"):
        return Outcome(Abstained("blurred"))
    findings = tuple(
        Finding(
            site.code,
            site.feature,
            grade_of(film.patient, film.visit, site.code),
            (1.0,),
            1.0,
            Box(0, 0, 1, 1),
        )
        for site in MTSS.sites
        if site.unit[1] == LETTER[film.view]
    )
    if film.view == "feet":
        return Outcome(Scored(findings))
    place = {unit: i for i, unit in enumerate(film.units)}
    boxes = np.array([film.boxes[place[unit]] for unit in UNITS])
    no, yes = np.zeros(len(UNITS), dtype=bool), np.ones(len(UNITS), dtype=bool)
    joints = Joints(boxes, np.full(len(UNITS), 0.99), no, no, yes, yes)
    single = evaluate.nothing_seen(Abstained("")).single
    named = Named({unit: i for i, unit in enumerate(UNITS)})
    return Outcome(Scored(findings), HandReading(single, joints, named, pd.DataFrame()))


@pytest.fixture
def result(folder):
    one = evaluate.read_test_folder(folder)
    outcomes = [truthful(image.label.graded) for image in one.images]
    found = set_figures(MTSS, one, outcomes, sections=evaluate.sections)
    return {"system": "mtss", "size": "demo", "weights": "0" * 64, "sets": [found]}


def test_a_model_that_says_the_truth_is_right(result):
    one = result["sets"][0]
    status = one["status"]["total"]["model"]
    assert status["mean_absolute_error"]["estimate"] == 0
    assert (status["n"], status["left_out"]) == (5, 1)  # the refused feet leave one total missing
    assert one["grades"]["hand erosion"]["model"]["exact"]["estimate"] == 1
    assert one["change"]["total"]["model"]["same_way"]["estimate"] == 1
    assert [row["reason"] for row in one["abstention"]["images"]] == ["blurred"]
    assert len(one["sections"]["joints"]) == 43


def test_joints_are_counted_on_films_of_hands(result):
    found = result["sets"][0]["sections"]["detectors"]
    assert found["detection"]["ankylosis"]["ensemble"] == 1.0
    assert found["detection"]["ankylosis"]["single"] == 0.0
    assert found["naming"]["films"] == len(PATIENTS) * len(VISITS)


def test_page_and_text_show_n_abstentions_and_both_findings(result):
    page, text = report.as_page(result), report.as_text(result)
    assert "Abstained on 1 of 12 images to be scored, 8.3% " in page and ": 1 x blurred." in page
    assert "| total | model, single | 5 |" in page
    assert "| joints found | 0.000 (0.000 to 0.561) | 1.000 (0.439 to 1.000) |" in page
    assert "<details><summary>Agreement joint by joint (both sides pooled)</summary>" in page
    assert "Totals against the truth" in text and "Luxation" in text and "joint by joint" not in text


def test_the_card_keeps_totals_in_short(result):
    short = report.summary(result)
    (one,) = short.values()
    assert (one["abstention"]["good"], one["abstention"]["good_abstained"][0]) == (12, 0.0833)
    assert one["status"]["model"]["mean_absolute_error"][0] == 0.0
