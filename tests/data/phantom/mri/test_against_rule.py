"""The truth from solids beside the rule on masks, which knows nothing of it: two ways to the same score."""

import numpy as np
import pytest

from core.domain import Image
from core.scores.sparcc import REGIONS as UNITS_OF
from data.phantom.mri.anatomy import BODY_LABEL
from data.phantom.mri.patients import make_patient
from data.phantom.mri.population import TRIAL
from data.phantom.mri.truth import sparcc_items
from data.phantom.seeds import StudyRole, StudySeed
from models.sparcc.rule.score import score_stack
from models.sparcc.rule.stack import Anatomy

LEVELS = {number: level for level, number in BODY_LABEL.items()}


@pytest.mark.parametrize("view", ["thoracic", "lumbar"])
def test_truth_and_rule_give_units_the_same_points(view):
    patient = make_patient(StudySeed(StudyRole.DEMO, 33), 1, population=TRIAL)
    stack = patient.stack(0, view)
    image = Image(
        "stack", stack.stir, stack.spacing_mm, "MR", orientation=stack.plan.orientation,
        positions_mm=stack.plan.positions_mm,
    )  # fmt: skip
    score = score_stack(image, Anatomy(stack.structures, LEVELS), stack.oedema)
    assert set(UNITS_OF[view]) <= set(score.units)
    truth = sparcc_items(stack.plan, UNITS_OF[view], patient.lesions(0)).groupby("unit")["grade"].sum()
    by_rule = np.array([score.units[unit].total for unit in UNITS_OF[view]])
    by_truth = truth[list(UNITS_OF[view])].to_numpy(int)
    assert by_truth.sum() > 0
    assert np.abs(by_rule - by_truth).max() <= 4
    assert by_rule.sum() == pytest.approx(by_truth.sum(), abs=6)
