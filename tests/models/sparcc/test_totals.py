"""Points of a stack as totals of the score system: full units, seven units, several visits."""

import pandas as pd
import pytest

from core.imaging.spine import UNITS
from core.scores.engine.totals import compute
from core.scores.sparcc import SPARCC
from models.sparcc.rule.score import score_stack
from tests.helpers.drawn_spine import CSF, DrawnSpine

SEVEN = ("C3C4", "C6C7", "T2T3", "T5T6", "T9T10", "L1L2", "L4L5")


def whole_spine(units, depth=11.9):
    """All 24 bodies, the units given filled with oedema as bright as CSF in three slices."""
    spine = DrawnSpine(top="C2", bottom="S1", slices=3, spacing=(1.4, 1.4))
    for unit in units:
        upper, lower = UNITS[unit]
        spine.lesion(upper, (-17, 17), (-13, depth - 13), (0, 1, 2), signal=CSF)
        spine.lesion(lower, (-17, 17), (13 - depth, 13), (0, 1, 2), signal=CSF)
    return spine


def reads(score, visit="BL"):
    scored = score.scored()
    rows = [("P1", visit, "model", one.site, one.grade) for one in scored.findings]
    rows += [("P1", visit, "model", site, None) for site in scored.unscorable]
    return pd.DataFrame(rows, columns=["subject", "visit", "reader", "site", "grade"])


def read(spine):
    return score_stack(spine.image, spine.anatomy, spine.oedema)


def total(frame, rule):
    frame = frame.reset_index(drop=True)
    frame.index += 1
    return compute(frame, SPARCC, f"sparcc.{rule}").totals.set_index("visit")["total"]


@pytest.fixture(scope="module")
def seven():
    return read(whole_spine(SEVEN))


def test_seven_full_units_are_108_of_six_and_126_of_all(seven):
    assert {unit for unit, one in seven.units.items() if one.total} == set(SEVEN)
    assert all(seven.units[unit].total == 18 for unit in SEVEN)
    frame = reads(seven)
    assert len(frame) == 23 * 18
    assert total(frame, "six_worst_each_visit")["BL"] == 108
    assert total(frame, "all_23")["BL"] == 126


def test_units_of_baseline_are_followed_and_units_of_each_visit_chosen_anew(seven):
    later = read(whole_spine(("T2T3", "T11T12")))
    frame = pd.concat([reads(seven), reads(later, "W12")])
    assert total(frame, "same_six_as_baseline").to_dict() == {"BL": 108, "W12": 18}
    assert total(frame, "six_worst_each_visit").to_dict() == {"BL": 108, "W12": 36}
    assert total(frame, "all_23").to_dict() == {"BL": 126, "W12": 36}


def test_a_unit_that_is_not_shown_leaves_all_23_without_a_sum(seven):
    spine = whole_spine(SEVEN)
    spine.labels[1][spine.labels[1] == spine.label_of["T11"]] = 0
    score = read(spine)
    assert set(score.missing) == {"T10T11", "T11T12"}
    frame = reads(score)
    assert pd.isna(total(frame, "all_23")["BL"])
    assert total(frame, "six_worst_each_visit")["BL"] == 108
