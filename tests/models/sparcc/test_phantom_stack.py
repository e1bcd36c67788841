"""The rule on a drawn stack, against points worked out from the solids of its lesions and not from masks."""

import pytest

from core.domain import Image
from data.phantom.mri.anatomy import BODY_LABEL, DISC_LABEL
from data.phantom.mri.files import MriPlan, visit_truth
from data.phantom.mri.truth import VISIBLE
from models.sparcc.rule.score import score_stack
from models.sparcc.rule.settings import Settings
from models.sparcc.rule.stack import Anatomy
from models.sparcc.rule.units import QUADRANTS

VIEW = "thoracic"


@pytest.fixture(scope="module")
def compared():
    """Truth and the rule's points of the units of one stack, a row an item."""
    patient = MriPlan(patients=1, seed=6, population="trial", views=(VIEW,)).people()[0]
    stack = patient.stack(0, VIEW)
    image = Image(
        "phantom",
        stack.stir,
        stack.spacing_mm,
        "MR",
        orientation=stack.plan.orientation,
        positions_mm=stack.plan.positions_mm,
    )
    levels = {number: name for name, number in (BODY_LABEL | DISC_LABEL).items()}
    score = score_stack(image, Anatomy(stack.structures, levels), stack.oedema, Settings(min_oedema=VISIBLE))
    table = score.table()
    table["site"] = table["unit"] + "." + table["slice"] + "." + table["item"]
    truth = visit_truth(patient, 0, (VIEW,))
    both = truth.merge(table, on="site", suffixes=("_true", "_read"))
    return both.astype({"grade_true": int, "grade_read": int})


def test_every_unit_of_the_region_is_read_in_full(compared):
    assert len(compared) == 11 * 18
    assert compared["grade_true"].sum() >= 15


def test_quadrants_are_those_of_the_solids(compared):
    same = compared["slice_true"] == compared["frame"]
    quadrants = compared[same & compared["item"].isin(QUADRANTS)]
    assert len(quadrants) >= 100
    assert (quadrants["grade_true"] != quadrants["grade_read"]).sum() <= 3


def test_units_have_the_points_of_the_solids_in_quadrants_and_depth(compared):
    """Brightness is left out: a small lesion that is blurred is not as bright as what it was drawn with."""
    units = compared[compared["item"] != "INT"].groupby("unit_read")[["grade_true", "grade_read"]].sum()
    assert len(units) == 11
    assert (units["grade_true"] - units["grade_read"]).abs().max() <= 1
    assert units["grade_true"].corr(units["grade_read"]) > 0.9
