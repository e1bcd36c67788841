"""Figures of agreement: clicks, n, colours, ties, gaps, and no fixed background."""

import numpy as np
import pandas as pd
import pytest

from core import reader_labels, scores
from core.agreement.grades.confusion import confusion as count
from core.agreement.reader_model import interchangeability as index_of
from core.agreement.table import Choices, agreement
from core.figures.agreement import forest as estimates
from core.figures.agreement import pairs as rated
from core.figures.agreement import sites, squares
from core.figures.style import DARK, LIGHT, MODEL_COLOUR
from core.scores.display.layout import layout


def rows(n: int = 40, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    first = rng.poisson(2, n)
    return pd.DataFrame(
        {
            "subject": [f"P{i}" for i in range(n)],
            "visit": "BL",
            "first": first.astype(float),
            "second": first + rng.integers(-1, 2, n).astype(float),
        }
    )


def limits(frame: pd.DataFrame, key: str = "bland_altman") -> dict:
    from core.agreement.long_table import collect

    long = frame.melt(["subject", "visit"], ["first", "second"], "rater", "rating")
    return agreement(collect(long), Choices())[key]


def notes(figure) -> str:
    return " ".join(str(annotation.text) for annotation in figure.layout.annotations)


PEOPLE = rated.Pair("R1", "R2", "mSASSS")
MODEL = rated.Pair("R1", "M", "mSASSS", "model")


def every_figure(on=LIGHT) -> dict:
    frame = rows()
    table, levels = count(frame["first"], frame["second"])
    reads = np.random.default_rng(0).normal(size=(20, 3))
    return {
        "scatter": rated.scatter(frame, PEOPLE, on=on),
        "bland_altman": rated.bland_altman(frame, limits(frame), PEOPLE, on=on),
        "sloping": rated.bland_altman(
            frame, limits(frame), PEOPLE, regression=limits(frame, "regression_limits"), on=on
        ),
        "forest": estimates.forest(forest_rows(), axis="ICC(A,1)", on=on),
        "confusion": squares.confusion(table, levels.tolist(), PEOPLE, on=on),
        "sites": sites.site_grid(site_rows(), layout(scores.get("msasss")), axis="kappa", on=on),
        "index": estimates.interchangeability(
            index_of(reads[:, :2], reads[:, 2], margin=1.0), unit="units", on=on
        ),
    }


def forest_rows() -> pd.DataFrame:
    return pd.DataFrame(
        [
            ("status", "total", "R1", "M", "model", 0.8, 0.7, 0.9, 40),
            ("status", "total", "R1", "R2", "human", 0.9, 0.85, 0.95, 40),
            ("change", "total", "R1", "R2", "human", 0.4, -0.2, 0.7, 38),
            ("change", "total", "R1", "M", "model", np.nan, np.nan, np.nan, 1),
        ],
        columns=["panel", "label", "first", "second", "kind", "estimate", "low", "high", "n"],
    )


def site_rows() -> pd.DataFrame:
    return pd.DataFrame(
        [("C2I", "R1", "R2", 0.9, 0.8, 1.0, 40), ("C3I", "R1", "R2", np.nan, np.nan, np.nan, 3)],
        columns=["site", "first", "second", "estimate", "low", "high", "n"],
    )


@pytest.mark.parametrize("on", [LIGHT, DARK], ids=["light", "dark"])
def test_every_figure_says_its_n_and_has_no_background_of_its_own(on):
    for name, figure in every_figure(on).items():
        assert "n = " in notes(figure), name
        assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0,0,0,0)"
        assert figure.layout.font.color == on.text
        figure.to_json()


def test_a_click_on_a_point_gives_subject_and_visit():
    frame = rows()
    for figure in (rated.scatter(frame, PEOPLE), rated.bland_altman(frame, limits(frame), PEOPLE)):
        (points,) = [trace for trace in figure.data if trace.customdata is not None]
        assert [list(row[:2]) for row in points.customdata] == frame[["subject", "visit"]].values.tolist()
    only = rated.scatter(frame, PEOPLE, keys=["subject"]).data[-1].customdata
    assert list(only[3]) == ["P3", frame["first"][3], frame["second"][3]]


def test_ties_lie_beside_each_other_and_near_their_place():
    frame = rows(200)
    points = rated.scatter(frame, PEOPLE).data[-1]
    places = set(zip(np.round(points.x, 6), np.round(points.y, 6), strict=True))
    assert len(places) == 200
    assert np.abs(np.subtract(points.x, frame["first"])).max() < 0.5
    assert np.abs(np.subtract(points.y, frame["second"])).max() < 0.5


def test_what_is_not_tied_is_not_moved():
    frame = rows(3).assign(first=[1.0, 5.0, 9.0], second=[2.0, 6.0, 8.0])
    points = rated.scatter(frame, PEOPLE).data[-1]
    assert list(points.x) == [1, 5, 9] and list(points.y) == [2, 6, 8]


def test_the_same_rows_give_the_same_bytes():
    frame = rows(200)
    assert rated.scatter(frame, PEOPLE).to_json() == rated.scatter(frame, PEOPLE).to_json()


def test_bland_altman_draws_bias_limits_and_their_intervals():
    frame = rows()
    block = limits(frame)
    figure = rated.bland_altman(frame, block, PEOPLE)
    lines = [shape.y0 for shape in figure.layout.shapes if shape.type == "line"]
    for value in (block["bias"], block["loa"]["lower"], block["loa"]["upper"]):
        assert value["estimate"] in lines
    bands = [(s.y0, s.y1) for s in figure.layout.shapes if s.type == "rect"]
    assert tuple(block["loa"]["upper"]["ci"]) in bands
    assert "intervals: exact" in notes(figure)
    assert figure.layout.yaxis.title.text == "R1 − R2 (mSASSS)"


def test_sloping_limits_take_the_place_of_flat_ones():
    frame = rows()
    figure = rated.bland_altman(frame, limits(frame), PEOPLE, regression=limits(frame, "regression_limits"))
    assert [t.name for t in figure.data if t.mode == "lines"] == ["lower limit", "bias", "upper limit"]


def test_one_subject_and_no_subject_still_draw():
    for n in (0, 1):
        frame = rows(n)
        block = (
            limits(rows(1)) if n else {"bias": {"estimate": None}, "loa": _no_loa(), "loa_ci_method": "exact"}
        )
        assert f"n = {n}" in notes(rated.bland_altman(frame, block, PEOPLE))
        assert f"n = {n}" in notes(rated.scatter(frame, PEOPLE))


def _no_loa() -> dict:
    return {"lower": {"estimate": None, "ci": [None, None]}, "upper": {"estimate": None, "ci": [None, None]}}


def test_gaps_are_left_out_of_n():
    frame = rows()
    frame.loc[3, "second"] = np.nan
    assert "n = 39" in notes(rated.scatter(frame, PEOPLE))


def test_many_points_are_drawn_by_the_graphics_card():
    assert rated.scatter(rows(2500), PEOPLE).data[-1].type == "scattergl"


def test_the_model_has_the_accent_and_people_do_not():
    frame = rows()
    assert rated.scatter(frame, MODEL).data[-1].marker.line.color == MODEL_COLOUR
    assert rated.scatter(frame, PEOPLE).data[-1].marker.line.color == LIGHT.people[0]


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [("R1", "R2", "human"), ("R1", "M", "model"), ("M", "R1", "model"), ("M", "truth", "consensus")],
)
def test_kind_of_a_pair(first, second, kind):
    kinds = {"R1": "human", "R2": "human", "M": "model", "truth": "consensus"}
    assert reader_labels.pair_kind(first, second, kinds) == kind


def test_forest_has_status_and_change_on_one_scale_people_first():
    figure = estimates.forest(forest_rows(), axis="ICC(A,1)")
    assert figure.layout.xaxis.range == figure.layout.xaxis2.range
    assert figure.layout.yaxis.ticktext == ("<b>total</b>   R1 – R2", "R1 – M")
    assert "status, n = 40" in notes(figure) and "change, n = 1 to 38" in notes(figure)
    assert "not computable (n = 1)" in notes(figure)
    assert list(figure.data[0].customdata[0]) == ["status", "total", "R1", "R2"]
    assert figure.data[0].error_x.array[0] == pytest.approx(0.05)
    assert figure.layout.xaxis.range[0] < -0.2


def test_one_panel_is_enough():
    figure = estimates.forest(forest_rows().query("panel == 'status'"), axis="ICC(A,1)")
    assert "status, n = 40" in notes(figure) and "change" not in notes(figure)


def test_confusion_squares_can_be_clicked_and_count():
    table = np.array([[5, 1], [0, 4]])
    figure = squares.confusion(table, [0, 3], PEOPLE)
    (cells,) = figure.data
    assert [list(cell) for cell in cells.customdata] == [[0, 0, 5], [0, 3, 1], [3, 0, 0], [3, 3, 4]]
    assert cells.text == ("5", "1", "", "4") and cells.marker.symbol == "square"
    assert "n = 10" in notes(figure)


@pytest.mark.parametrize("on", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("pair", [PEOPLE, MODEL])
def test_counts_can_be_read_on_their_squares(on, pair):
    figure = squares.confusion(np.array([[50, 1], [20, 20]]), [0, 1], pair, on=on)
    fills = [shape.fillcolor for shape in figure.layout.shapes]
    for fill, ink in zip(fills, figure.data[0].textfont.color, strict=True):
        assert _contrast(fill, ink) > 3.5


def _contrast(one: str, other: str) -> float:
    def light(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_site_map_keeps_the_order_of_sites_and_marks_gaps():
    figure = sites.site_grid(site_rows(), layout(scores.get("msasss")), axis="kappa")
    cells = figure.data[0]
    assert figure.layout.yaxis.ticktext[:2] == ("C2C3", "C3C4") and len(figure.layout.yaxis.ticktext) == 12
    assert [(x, y) for x, y in zip(cells.x, cells.y, strict=True)] == [(0, 0), (0, 1)]
    assert cells.text == ("0.90", "×")
    assert list(cells.customdata[1]) == ["C3I", "R1", "R2"]
    assert "n = 3 to 40" in notes(figure) and "R1 – R2" in notes(figure)
    assert len(figure.layout.shapes) == 2


def test_margin_is_drawn_only_where_somebody_set_one():
    reads = np.random.default_rng(0).normal(size=(20, 3))
    with_margin = estimates.interchangeability(index_of(reads[:, :2], reads[:, 2], margin=1.0), unit="u")
    assert "margin 1" in notes(with_margin)
    without = estimates.interchangeability(index_of(reads[:, :2], reads[:, 2]), unit="u")
    assert "margin" not in notes(without)
    nothing = estimates.interchangeability(index_of(reads[:0, :2], reads[:0, 2]), unit="u")
    assert "n = 0" in notes(nothing)
