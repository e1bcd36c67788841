"""The evaluation of the score: masks, visits and tables, with a scorer that reads the truth off a table."""

import json
from dataclasses import dataclass

import numpy as np
import pytest

from core.domain import Abstained, Finding, Scored
from core.scores.sparcc import SPARCC
from data.phantom.mri.anatomy import BODY_LABEL, DISC_LABEL
from models.evaluation.agreement import MODEL
from models.evaluation.markdown import as_markdown
from models.evaluation.run import Outcome, set_figures
from models.evaluation.test_set import TestImage, TestSet
from models.sparcc.anatomy.levels import Found, Named
from models.sparcc.anatomy.segment import Segmented
from models.sparcc.evaluation.masks import StackMasks, fates, masks_of, summed
from models.sparcc.evaluation.sparcc import EVALUATION, Visit, look, sections, together, without_points
from tests.models.sparcc.evaluation.test_units import cohort

SIZE = (3, 24, 12)


def structures():
    """L4, a disc, L5, each six rows high."""
    found = np.zeros(SIZE, np.uint8)
    found[:, 2:8, 2:10] = BODY_LABEL["L4"]
    found[:, 8:12, 2:10] = DISC_LABEL["L4L5"]
    found[:, 12:18, 2:10] = BODY_LABEL["L5"]
    return found


def segmented(labels, levels, named=None):
    bodies = tuple(Found(label, (0.0, 0.0), 6.0, 1.0) for label in (1, 2))
    return Segmented(labels, bodies, named or Named(levels, 0.9), levels, np.zeros(0))


def found_masks():
    """Both bodies, the lower one half as high; the disc."""
    labels = np.zeros(SIZE, np.uint16)
    labels[:, 2:8, 2:10], labels[:, 8:12, 2:10], labels[:, 12:15, 2:10] = 1, 3, 2
    return labels


def test_dice_is_of_bodies_discs_and_oedema():
    oedema, wanted = np.zeros(SIZE, bool), np.zeros(SIZE, bool)
    oedema[0, 3:5, 3:5], wanted[0, 3:5, 4:6] = True, True
    one = masks_of("lumbar", segmented(found_masks(), {1: "L4", 2: "L5"}), oedema, structures(), wanted)
    assert one.dice == pytest.approx({"body": 2 * 9 / (9 + 12), "disc": 1.0, "oedema": 0.5})
    assert one.bodies == {"right": 2, "wrong": 0, "unnamed": 0, "missed": 0}


def test_bodies_are_right_wrong_unnamed_or_missed():
    labels, true = found_masks(), structures()
    bodies = np.where(labels <= 2, labels, 0)
    assert fates(bodies, {1: "L3", 2: "L4"}, true)["wrong"] == 2
    assert fates(bodies, {}, true)["unnamed"] == 2
    bodies[:, 14:] = 0  # a third of L5 is left
    assert fates(bodies, {1: "L4"}, true) == {"right": 1, "wrong": 0, "unnamed": 0, "missed": 1}


def test_stacks_are_summed_by_segment_with_reasons():
    good = StackMasks("lumbar", dice={"body": 0.9, "disc": 0.8, "oedema": np.nan}, bodies={"right": 7})
    bad = StackMasks("thoracic", "its slices are not sagittal")
    found = summed([("A", good), ("B", good), ("A", bad)], draws=20)
    assert list(found) == ["lumbar", "thoracic", "all"]
    assert found["lumbar"]["dice"]["body"]["estimate"] == pytest.approx(0.9)
    assert found["lumbar"]["dice"]["oedema"]["estimate"] is None
    assert found["all"]["abstained"] == {"its slices are not sagittal": 1}
    assert (found["all"]["stacks"], found["all"]["patients"], found["all"]["bodies"]["right"]) == (3, 2, 14)


def findings(units, grade=1):
    return tuple(
        Finding(site.code, site.feature, grade, (1.0,), 1.0, None)
        for site in SPARCC.sites
        if site.unit in units
    )


def test_the_stacks_of_a_visit_are_one_result():
    lumbar = Scored(findings(("L4L5",)), {"L5S1.s1.UA": "S1 is cut off by the field of view"})
    cervical = Scored(findings(("C2C3",)), {"L4L5.s1.UA": "read on another stack"})
    whole = together([lumbar, Abstained("motion"), cervical])
    assert len(whole.findings) == 36
    assert whole.unscorable == {"L5S1.s1.UA": "S1 is cut off by the field of view"}
    lacking = without_points([lumbar, Abstained("motion"), cervical])
    assert len(lacking) == 21
    assert lacking["L5S1"] == "S1 is cut off by the field of view"
    assert lacking["T1T2"] == "no stack shows it by name"
    assert together([Abstained("motion"), Abstained("motion")]).reason == "motion"


@dataclass(frozen=True)
class Stack:
    view: str = "lumbar"

    def image(self):
        return self

    def mask(self, name):
        return structures() if name == "structures" else np.zeros(SIZE, np.uint8)


class Scorer:
    """Looks at the first stack of a visit only."""

    def read_visit(self, images):
        reading = type("Reading", (), {})()
        reading.anatomy, reading.oedema = (
            segmented(found_masks(), {}, Abstained("no body is L5")),
            np.zeros(SIZE, bool),
        )
        return [reading, *(Abstained("its slices are not sagittal") for _ in images[1:])]

    def judged(self, images, readings):
        return [one if isinstance(one, Abstained) else one.anatomy.named for one in readings]


def test_a_visit_without_names_is_abstained_on_and_its_masks_count():
    outcome = look(Scorer(), Visit((Stack(), Stack("thoracic"))))
    assert outcome.result == Abstained("no body is L5; its slices are not sagittal")
    first, second = outcome.seen.stacks
    assert first.unnamed == "no body is L5" and first.bodies["unnamed"] == 2
    assert second.abstained == "its slices are not sagittal"


def test_all_tables_of_a_set_stand_beside_the_papers():
    frame = cohort(np.random.default_rng(2), patients=6)
    model, truth = frame[frame["reader"] == MODEL], frame[frame["reader"] == "truth"]
    images, outcomes = [], []
    for (subject, visit), rows in model.groupby(["subject", "visit"]):
        images.append(TestImage(None, f"{subject}_{visit}", subject, visit))
        kept = rows[rows["unit"] != "L5S1"]
        made = [
            Finding(row.site, row.feature, int(row.grade), (1.0,), 1.0, None) for row in kept.itertuples()
        ]
        result = Scored(tuple(made), {"L5S1.s1.UA": "S1 is cut off by the field of view"})
        outcomes.append(Outcome(result, look_like(without_points([result]))))
    reads = frame[frame["reader"].str.startswith("R")]
    one = TestSet("first domain", images, truth, reads, "first", real=False)
    found = set_figures(SPARCC, one, outcomes, sections=sections, draws=20)
    json.dumps(found)
    own = found["sections"]
    assert own["rules"]["all_23"]["status"]["model with truth"]["n"] == 0  # a unit lacks at every visit
    assert own["rules"]["six_worst_each_visit"]["status"]["model with truth"]["n"] == 12
    assert own["unscorable"] == {
        "units": 276, "without_points": 12, "reasons": {"S1 is cut off by the field of view": 12},
    }  # fmt: skip
    assert found["grades"].keys() == {"oedema", "intensity", "depth"}
    text = as_markdown(EVALUATION.blocks(own))
    for said in ("paper: rule not stated", "0.46-0.47", "12 of 276 units", "readers with each other"):
        assert said in text, said
    assert EVALUATION.summary(own)["units_kappa"] == own["units"]["model with truth"]["kappa"]


def look_like(reasons):
    from models.sparcc.evaluation.sparcc import VisitSeen

    return VisitSeen((StackMasks("lumbar", "motion"),), reasons)
