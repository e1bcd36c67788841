"""Figures of the Patient and Progression pages, and the one look of all."""

import pandas as pd
import pytest

from core import scores
from core.figures.patient.course import Band, course_figure
from core.figures.patient.site_map import site_map
from core.figures.progression.change import change_by_arm, cumulative_probability
from core.figures.style import (
    ARM_COLOURS,
    DARK,
    GRADE_COLOURS,
    LIGHT,
    MODEL_COLOUR,
    arm_colours,
    reader_marks,
)
from core.reader_labels import display_name

KINDS = {"R1": "human", "R2": "human", "model:x": "model", "truth": "consensus"}
TOTALS = pd.DataFrame(
    [
        (visit, day, label, 10.0 + day / 100 + place, 0)
        for visit, day in (("BL", 0.0), ("W52", 366.0), ("W104", 730.0))
        for place, label in enumerate(KINDS)
    ],
    columns=["visit", "day", "label", "total", "imputed_sites"],
)


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    a, b = sorted((luminance(one), luminance(other)), reverse=True)
    return (a + 0.05) / (b + 0.05)


@pytest.mark.parametrize("look", [LIGHT, DARK])
def test_text_and_first_colours_are_readable_on_the_background(look):
    assert contrast(look.text, look.background) > 7
    assert contrast(look.muted, look.background) > 4.5
    for colour in (MODEL_COLOUR, *ARM_COLOURS[:2], *look.people[:2]):
        assert contrast(colour, look.background) > 2.7, colour


def test_arm_keeps_its_colour_in_any_order():
    assert arm_colours(["Placebo", "Active"]) == arm_colours(["Active", "Placebo", "Placebo"])


def test_people_neutral_model_accent_truth_dashed():
    marks = reader_marks(KINDS, LIGHT)
    assert marks["model:x"].colour == MODEL_COLOUR
    assert marks["truth"].dash == "dash"
    assert marks["R1"].colour != marks["R2"].colour
    assert marks["R1"].symbol != marks["R2"].symbol


def test_course_has_one_line_a_reading_at_the_real_days():
    figure = course_figure(TOTALS, KINDS, unit="mSASSS")
    assert [trace.name for trace in figure.data] == [display_name(label) for label in KINDS]
    assert list(figure.data[0].x) == [0, 366, 730]
    assert list(figure.layout.xaxis.ticktext) == ["BL", "W52", "W104"]


def test_course_without_days_stands_at_equal_distances():
    figure = course_figure(TOTALS.assign(day=float("nan")), KINDS, unit="mSASSS")
    assert list(figure.data[0].x) == [0, 1, 2]


def test_visit_without_a_total_is_a_gap_with_a_dotted_bridge():
    gap = TOTALS["total"].where((TOTALS["label"] != "R1") | (TOTALS["visit"] != "W52"))
    bridge, line, *_ = course_figure(TOTALS.assign(total=gap), KINDS, unit="mSASSS").data
    assert (bridge.line.dash, list(bridge.x)) == ("dot", [0, 730])
    assert pd.isna(line.y[1])


def test_band_spans_baseline_plus_minus_sdc():
    figure = course_figure(TOTALS, KINDS, unit="mSASSS", band=Band(10.0, 2.5, "BL ± SDC"))
    band = next(shape for shape in figure.layout.shapes if shape.type == "rect")
    assert (band.y0, band.y1) == (7.5, 12.5)


def test_covariate_measured_twice_gets_a_row_and_one_measured_once_none():
    covariates = pd.DataFrame(
        {"name": ["CRP", "CRP", "age"], "visit": ["BL", "W52", "BL"], "day": [0.0, 366.0, 0.0],
         "number": [10.0, 5.0, 40.0], "unit": ["mg/L", "mg/L", "years"]}
    )  # fmt: skip
    figure = course_figure(TOTALS, KINDS, unit="mSASSS", covariates=covariates)
    extra = figure.data[len(KINDS) :]
    assert [trace.name for trace in extra] == ["CRP"]
    assert list(extra[0].x) == [0, 366]


def grades():
    rows = [
        ("C5I", "BL", "R1", 2, None),
        ("C5I", "W52", "R1", None, "behind the shoulders"),
        ("L1S", "BL", "R1", 0, None),
    ]
    frame = pd.DataFrame(rows, columns=["site", "visit", "label", "grade", "reason"])
    return frame.assign(grade=frame["grade"].astype("Int32"), feature="corner")


def test_site_map_cell_carries_site_visit_and_reader():
    figure = site_map(grades(), scores.get("msasss"), ["BL", "W52"], {"R1": "human"}, chosen="C5I")
    (cells,) = figure.data
    assert [list(row) for row in cells.customdata] == [
        ["C5I", "BL", "R1"], ["C5I", "W52", "R1"], ["L1S", "BL", "R1"],
    ]  # fmt: skip
    assert list(cells.text) == ["2", "×", "0"]
    assert cells.marker.color[0] == GRADE_COLOURS[2]
    assert "behind the shoulders" in cells.hovertext[1]


def test_site_map_stands_from_head_to_foot():
    figure = site_map(grades(), scores.get("msasss"), ["BL"], {"R1": "human"})
    assert (figure.layout.yaxis.ticktext[0], figure.layout.yaxis.ticktext[-1]) == ("C2I", "S1S")
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]


def test_cumulative_probability_says_n_and_marks_the_sdc():
    points = pd.DataFrame(
        {"arm": ["A", "A", None], "subject": ["1", "2", "3"], "x": [0.25, 0.75, 0.5], "y": [0.0, 3.0, -1.0]}
    )
    figure = cumulative_probability(points, unit="mSASSS", sdc=2.0, arms=["A", "B"])
    assert {trace.name for trace in figure.data} == {"A (n = 2)", "all (n = 1)"}
    assert {shape.y0 for shape in figure.layout.shapes} == {0, 2.0, -2.0}
    assert figure.data[0].customdata.ravel().tolist() == ["1", "2"]


def test_change_by_arm_uses_the_arms_colour():
    summary = pd.DataFrame(
        {"arm": ["B"], "sites": ["imputed"], "mean": [1.0], "low": [0.5], "high": [1.5], "n": [9]}
    )
    (trace,) = change_by_arm(summary, unit="mSASSS", arms=["A", "B"]).data
    assert trace.marker.color == ARM_COLOURS[1]
    assert (trace.error_y.array[0], trace.error_y.arrayminus[0]) == (0.5, 0.5)
