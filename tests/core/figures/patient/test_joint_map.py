"""The drawing of hands and feet with a mark for every site."""

from dataclasses import replace

import pandas as pd
import pytest

from core import scores
from core.figures.patient.joint_map import BETTER_COLOUR, QUERY_COLOUR, Shown, joint_map
from core.figures.patient.joint_marks import LARGEST, letters
from core.figures.patient.site_map import site_map
from core.figures.style import GRADE_COLOURS, NO_GRADE_COLOUR, grade_colour
from core.scores.display.groups import only, site_groups

MTSS = scores.get("mtss")
KINDS = {"R1": "human", "R2": "human", "model:m": "model"}
EARLY, LATE = "BL", "W52"


def grades(*rows):
    """(site, label, grade at first, grade at last, reason at last)."""
    long = []
    for site, label, before, after, *reason in rows:
        long.append((site, EARLY, label, before, None))
        long.append((site, LATE, label, after, *(reason or [None])))
    frame = pd.DataFrame(long, columns=["site", "visit", "label", "grade", "reason"])
    features = [MTSS.by_code[site].feature for site in frame["site"]]
    return frame.assign(grade=frame["grade"].astype("Int32"), feature=features)


NOTHING = pd.DataFrame(columns=["site", "visit", "label", "feature", "grade"])
SOME = grades(
    ("RH.E.PIP2", "R1", 1, 3),
    ("RH.E.PIP2", "R2", 1, 1),
    ("RH.J.PIP2", "R1", 2, 1),
    ("LF.E.MTP5", "R1", 7, 7),
    ("LH.J.RC", "R1", 0, None, "overlapped"),
)


def drawn(reading="R1", frame=SOME, special=NOTHING, **more):
    return joint_map(frame, special, MTSS, KINDS, Shown(EARLY, LATE, reading), **more)


def marks(figure):
    """Site -> (text, colour, x, y) of every mark that answers a click."""
    found = {}
    for trace in figure.data:
        if trace.name in ("erosion", "joint space narrowing") and trace.customdata is not None:
            cells = zip(trace.customdata, trace.text, trace.marker.color, trace.x, trace.y, strict=True)
            found |= {site: cell for (site,), *cell in cells}
    return found


def trace(figure, name):
    return next(one for one in figure.data if one.name == name)


def test_a_mark_is_the_readings_grade_in_the_colour_of_the_one_scale():
    found = marks(drawn())
    assert found["RH.E.PIP2"][:2] == ["3", GRADE_COLOURS[3]]
    assert found["RH.J.PIP2"][:2] == ["1", GRADE_COLOURS[1]]
    assert found["LF.E.MTP5"][:2] == ["7", GRADE_COLOURS[5]]
    assert found["LH.J.RC"][:2] == ["", NO_GRADE_COLOUR]
    assert marks(drawn("R2"))["RH.E.PIP2"][0] == "1"


def test_a_number_has_one_colour_on_hands_and_feet():
    assert grade_colour(10) == grade_colour(5) == GRADE_COLOURS[-1]
    assert [grade_colour(grade) for grade in range(6)] == list(GRADE_COLOURS)
    assert grade_colour(None) == NO_GRADE_COLOUR


def test_change_since_the_first_visit_is_marked():
    figure = drawn()
    worse, better = trace(figure, "worse than BL"), trace(figure, "better than BL")
    assert list(worse.x) == [marks(figure)["RH.E.PIP2"][2]]
    assert list(better.x) == [marks(figure)["RH.J.PIP2"][2]]


def test_largest_change_of_all_readers():
    found = marks(drawn(LARGEST))
    assert found["RH.E.PIP2"][:2] == ["+2", GRADE_COLOURS[2]]
    assert found["RH.J.PIP2"][:2] == ["−1", BETTER_COLOUR]
    assert found["LF.E.MTP5"][0] == ""


def test_what_is_not_gradable_is_a_cross_with_its_reason_on_hover():
    figure = drawn()
    cross = trace(figure, "not gradable")
    assert [list(row) for row in cross.customdata] == [["LH.J.RC"]]
    tips = " ".join(tip for one in figure.data if one.hovertext is not None for tip in one.hovertext)
    assert "not gradable: overlapped" in tips


def test_left_stands_left_and_two_features_beside_each_other():
    figure = drawn(frame=grades(*((site.code, "R1", 1, 1) for site in MTSS.sites)))
    found = marks(figure)
    assert set(found) == set(MTSS.codes)
    assert found["LH.E.MCP2"][2] < found["RH.E.MCP2"][2] < found["LF.E.MTP1"][2] < found["RF.E.MTP1"][2]
    assert found["LH.E.MCP5"][2] < found["LH.E.MCP2"][2], "the left thumb points to the right hand"
    assert found["RH.E.PIP2"][3] == found["RH.J.PIP2"][3] < found["RH.E.MCP2"][3]
    spots = {(round(x, 1), round(y, 1)) for _, _, x, y in found.values()}
    assert len(spots) == len(MTSS.codes), "no two marks lie on each other"


def special(*rows):
    frame = pd.DataFrame(rows, columns=["site", "label", "feature"])
    return frame.assign(visit=LATE, grade=1)


def test_findings_have_letters_and_what_must_be_resolved_a_question_mark():
    rows = special(
        ("RH.E.PIP2", "R1", "ankylosis"),
        ("LH.E.MCP1", "R2", "luxation"),
        ("LH.E.MCP2", "model:m", "luxation_unspecified"),
    )
    figure = drawn(special=rows)
    names = {one.name for one in figure.data}
    assert "A: bony ankylosis" in names
    assert "L: complete luxation" not in names, "that is R2's"
    query = trace(figure, "?: luxation, degree unknown")
    assert query.marker.color == QUERY_COLOUR
    assert "joint space narrowing at least 3" in query.hovertext[0]
    assert "A person has to resolve it" in query.hovertext[0]
    assert "L: complete luxation" in {one.name for one in drawn(LARGEST, special=rows).data}


def test_every_state_has_its_letter():
    assert len(set(letters(MTSS).values())) == len(MTSS.states)


def test_the_chosen_site_has_a_ring():
    ring = trace(drawn(chosen="RH.E.PIP2"), "chosen")
    assert list(ring.x) == [marks(drawn())["RH.E.PIP2"][2]]


def test_a_system_without_a_drawing_has_no_map():
    with pytest.raises(ValueError, match="no drawing"):
        joint_map(SOME, NOTHING, replace(MTSS, drawing=None), KINDS, Shown(EARLY, LATE, "R1"))


def test_a_long_score_is_listed_in_groups():
    groups = site_groups(MTSS)
    assert [group.name for group in groups][:2] == ["right hand, erosion", "left hand, erosion"]
    assert sum(len(group.codes) for group in groups) == 86
    (one,) = only(groups, {"RH.E.PIP2", "RH.E.RAD"})
    assert (one.name, one.codes) == ("right hand, erosion (2 of 16)", ("RH.E.PIP2", "RH.E.RAD"))
    figure = site_map(SOME, MTSS, [EARLY, LATE], KINDS, groups=(one,), chosen="RH.E.PIP2")
    assert list(figure.layout.yaxis.ticktext) == ["<b>PIP2</b>", "RAD"]
    assert "right hand, erosion (2 of 16)" in {note.text for note in figure.layout.annotations}
    assert {cell[0] for cell in figure.data[0].customdata} == {"RH.E.PIP2"}


SYNOVITIS = scores.get("synovitis")


def test_every_joint_that_is_scanned_has_a_place_in_the_drawing():
    assert {unit for unit, _, _ in SYNOVITIS.drawing.places} == set(SYNOVITIS.units)


def test_one_scale_of_a_joint_stands_in_its_middle_and_a_query_is_a_question_mark():
    rows = [
        ("R.MCP2.CS", EARLY, "R1", "combined", 2.0, ""),
        ("R.MCP2.CS", LATE, "R1", "combined", 1.0, ""),
        ("R.MCP3.CS", LATE, "R1", "combined", None, "query: power Doppler signal 2 with grey scale 0"),
        ("R.WR.CS", LATE, "R1", "combined", None, "no power Doppler signal"),
    ]
    frame = pd.DataFrame(rows, columns=["site", "visit", "label", "feature", "grade", "reason"])
    figure = joint_map(frame, NOTHING, SYNOVITIS, {"R1": "human"}, Shown(EARLY, LATE, "R1", "combined"))
    places = {unit: (x, y) for unit, x, y in SYNOVITIS.drawing.places}
    (asked,) = [trace for trace in figure.data if trace.name == "a query: to be resolved"]
    assert (asked.x[0], asked.y[0]) == places["R.MCP3"] and asked.text == ("?",)
    (crosses,) = [trace for trace in figure.data if trace.name == "not gradable"]
    assert (crosses.x[0], crosses.y[0]) == places["R.WR"]
