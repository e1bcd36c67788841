"""Cases of the map tests, and a stored grade explained, with networks of random weights."""

import numpy as np
import pandas as pd
import pytest
import torch

from core.domain import Abstained
from core.errors import ModelError
from models.explain.checks import check, randomised
from models.synovitis.calibration import Calibration
from models.synovitis.explain import cases, stored
from models.synovitis.explain.explainer import METHOD, SynovitisExplainer
from models.synovitis.networks import Classifier, build
from models.synovitis.scorer import SynovitisScorer
from models.synovitis.tasks import TASKS, classes_of


@pytest.fixture(scope="module")
def scorer():
    torch.manual_seed(3)
    made = {
        task: Classifier(task, build(task).eval(), Calibration.plain(len(classes_of(task)))) for task in TASKS
    }
    weights = (0.001, 1.0, 1.0, 1.0)  # so that no scan is called normal
    made["grade"] = Classifier("grade", made["grade"].network, Calibration(1.0, (0.0,) * 4, weights))
    return SynovitisScorer(made)


def tools_of(scorer):
    networks = {task: one.network for task, one in scorer.classifiers.items()}
    return cases.Tools(SynovitisExplainer(networks), scorer)


def test_cases_are_scans_with_synovium_that_were_graded(scorer):
    left_out = {}
    explainer = tools_of(scorer)
    found = [
        case
        for number in range(1, 4)
        for case in cases.cases_of_patient(explainer, number, "first", False, left_out)
    ]
    assert found and all(case.true_grade and case.given_grade for case in found)
    for case in found:
        assert case.truth.shape == case.question.picture.grey.shape and case.truth.sum() >= 1
    row = check(explainer, found[0], {"all": randomised(explainer, "grade")["all"][:1]}, METHOD)
    assert row["area"] == pytest.approx(found[0].truth.mean())
    assert 0 <= row["share"] <= 1 and -1 <= row["random all"] <= 1 and -1 <= row["repeat"] <= 1


def test_stored_grade_is_explained_on_the_frame_that_gave_it(scorer, monkeypatch):
    case = next(cases.cases_of_patient(tools_of(scorer), 1, "first", False, {}), None) or next(
        cases.cases_of_patient(tools_of(scorer), 2, "first", False, {})
    )
    monkeypatch.setattr(stored, "build", lambda **settings: scorer)
    monkeypatch.setattr(stored, "load", lambda task, size: scorer.classifiers[task])
    reading = scorer.read(case.film)
    row = pd.Series({"site": reading.site, "grade": reading.grade})
    found = stored.explain_stored(case.film, row, "demo")
    assert found.grade == reading.grade and found.probabilities == pytest.approx(tuple(reading.probabilities))
    assert found.maps[0].heat.shape == found.tile.shape and np.ptp(found.tile) > 0
    assert f"grade {reading.grade}" in found.headline
    other = stored.explain_stored(case.film, pd.Series({"site": reading.site, "grade": 0}), "demo")
    assert any("read again now" in note for note in other.notes)
    with pytest.raises(ModelError, match="no longer read"):
        stored.explain_stored(case.film, pd.Series({"site": "L.KNEE.GS", "grade": 1}), "demo")
    monkeypatch.setattr(scorer, "read", lambda image: Abstained("too dark"), raising=False)
    with pytest.raises(ModelError, match="no longer read"):
        stored.explain_stored(case.film, row, "demo")
