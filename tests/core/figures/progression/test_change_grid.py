"""Where change happens in a long score."""

import pandas as pd

from core import scores
from core.figures.progression.change_grid import change_grid
from core.scores.display.layout import layout, narrowed

MTSS = scores.get("mtss")
CELLS = pd.DataFrame(
    [
        ("A", "RH.E.MCP2", 10, 5, 0, 0.6, 0.5, 0.2, 0.8),
        ("B", "RH.E.MCP2", 10, 0, 1, -0.1, 0.0, 0.0, 0.3),
        ("A", "LF.J.MTP1", 10, 1, 0, 0.1, 0.1, 0.0, 0.4),
        ("A", "LH.J.RC", 0, 0, 0, None, None, None, None),
    ],
    columns=["group", "site", "n", "worse", "better", "mean", "share", "low", "high"],
)


def test_a_square_is_a_joint_side_and_feature_in_every_group():
    figure = change_grid(CELLS, layout(MTSS), ["A", "B"])
    (squares,) = figure.data
    found = {tuple(key): text for key, text in zip(squares.customdata, squares.text, strict=True)}
    assert found == {("A", "RH.E.MCP2"): "50", ("B", "RH.E.MCP2"): "0", ("A", "LF.J.MTP1"): "10"}
    x = dict(zip(map(tuple, squares.customdata), squares.x, strict=True))
    assert x["B", "RH.E.MCP2"] - x["A", "RH.E.MCP2"] > len(layout(MTSS).columns)
    assert "5 of 10 worse" in squares.hovertext[0]
    assert {"<b>A</b>, n = 10", "<b>B</b>, n = 10"} <= {note.text for note in figure.layout.annotations}


def test_a_part_of_the_score_has_its_own_rows_and_columns():
    feet = narrowed(layout(MTSS), {site.code for site in MTSS.sites_of("feet")})
    assert len(feet.rows) == 6 and len(feet.columns) == 4
    erosion = narrowed(layout(MTSS), {site.code for site in MTSS.sites_of("erosion")})
    assert erosion.columns == ("R erosion", "L erosion")
    assert set(erosion.places) == {site.code for site in MTSS.sites if site.feature == "erosion"}
    assert len(set(erosion.places.values())) == 44
