"""A map as a picture with all that is needed to judge it: crop, box, heat, probabilities, caption.

A map whose network failed its tests is struck through in red, one that was not tested in grey.
"""

from __future__ import annotations

from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np

from core.figures.style import LIGHT, grade_colour

if TYPE_CHECKING:
    from models.explain.stored import Explained

FAILED, UNTESTED = "#C1272D", "#5F6B76"
SCALE_MM = 5
WIDTH, HEIGHT = 10.0, 5.6  # inches
LINE = 136  # letters of a caption line


def write_picture(about: Explained, path: Path) -> Path:
    """The picture as PNG or SVG, by the ending; the same bytes for the same map."""
    import matplotlib

    matplotlib.rcParams["svg.hashsalt"] = "sharpline"
    made = "Software" if path.suffix.lower() == ".png" else "Creator"
    metadata: dict[str, Any] = {made: "Sharpline"} | ({} if made == "Software" else {"Date": None})
    draw(about).savefig(path, dpi=130, metadata=metadata)
    return path


def draw(about: Explained) -> Any:
    """The matplotlib figure."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, HEIGHT), facecolor=LIGHT.background)
    FigureCanvasAgg(figure)
    word = about.grades[about.grade]
    figure.text(
        0.03,
        0.945,
        f"{about.where}: grade {about.grade}, {word}",
        fontsize=14,
        color=LIGHT.text,
        weight="bold",
    )
    crop, heat, bars = (
        figure.add_axes(edges)
        for edges in ((0.03, 0.3, 0.27, 0.58), (0.33, 0.3, 0.27, 0.58), (0.74, 0.36, 0.23, 0.46))
    )
    _crop(crop, about, "What the network saw, with its box")
    _crop(heat, about, f"What speaks for grade {about.grade}")
    _heat(heat, about)
    _bars(bars, about)
    _caption(figure, about)
    return figure


def _crop(axes: Any, about: Explained, title: str) -> None:
    from matplotlib.patches import Rectangle

    rows, columns = about.tile.shape
    axes.imshow(
        about.tile, cmap="gray", vmin=0, vmax=1, extent=(0, columns, rows, 0), interpolation="bilinear"
    )
    x0, y0, x1, y1 = about.box
    edge = grade_colour(about.grade)
    axes.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, edgecolor=edge, linewidth=1.6))
    length = SCALE_MM / about.mm_per_pixel
    axes.plot([6, 6 + length], [rows - 7] * 2, color="white", linewidth=2.5, solid_capstyle="butt")
    axes.text(8 + length, rows - 7, f"{SCALE_MM} mm", color="white", fontsize=8, va="center")
    axes.set(xlim=(0, columns), ylim=(rows, 0), xticks=[], yticks=[])
    axes.set_title(title, fontsize=10, color=LIGHT.text, loc="left")


def _heat(axes: Any, about: Explained) -> None:
    """The map over the crop, as opaque as it is hot; struck through unless it passed its tests."""
    rows, columns = about.heat.shape
    axes.imshow(
        about.heat,
        cmap="inferno",
        vmin=0,
        vmax=1,
        alpha=np.clip(about.heat * 1.2, 0, 0.85),
        extent=(0, columns, rows, 0),
        interpolation="bilinear",
    )
    if about.verdict.passed:
        return
    colour = FAILED if about.verdict.tested else UNTESTED
    word = "failed its tests" if about.verdict.tested else "not tested"
    for ends in ((0, rows), (rows, 0)):
        axes.plot([0, columns], ends, color=colour, linewidth=2.2)
    box = {"facecolor": colour, "edgecolor": "none", "pad": 3}
    axes.text(columns / 2, 10, word, color="white", fontsize=9, ha="center", va="center", bbox=box)


def _bars(axes: Any, about: Explained) -> None:
    grades = range(len(about.probabilities))
    colours = [grade_colour(grade) if grade == about.grade else "#D5DCE3" for grade in grades]
    axes.barh(list(grades), about.probabilities, color=colours, height=0.65)
    for grade, value in enumerate(about.probabilities):
        axes.text(value + 0.03, grade, f"{value:.2f}", fontsize=9, va="center", color=LIGHT.text)
    labels = ["\n".join(wrap(f"{grade} {about.grades[grade]}", 18)) for grade in grades]
    axes.set_yticks(list(grades), labels, fontsize=8.5, color=LIGHT.text)
    axes.set(xlim=(0, 1.25), ylim=(len(labels) - 0.5, -0.5), xticks=[0, 0.5, 1])
    axes.tick_params(length=0, labelsize=8.5, colors=LIGHT.text)
    axes.set_title("Probability of each grade", fontsize=10, color=LIGHT.text, loc="left")
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def _caption(figure: Any, about: Explained) -> None:
    data = "phantom film, " if about.phantom else ""
    lines = [
        about.verdict.text[0].upper() + about.verdict.text[1:] + " (docs/explain.md).",
        f"{about.reader}, weights {about.weights_hash[:12]}, {about.method}. Film {about.image[:12]}, "
        f"{data}read alone.",
        f"Grade: {about.rule}." + "".join(f" {note[0].upper()}{note[1:]}." for note in about.notes),
        "Heat shows what raises this score in this network, not what is diseased. "
        "Research only, not a medical device.",
    ]
    wrapped = [part for line in lines for part in wrap(line, LINE)]
    first = len(wrap(lines[0], LINE))
    colour = LIGHT.text if about.verdict.passed else (FAILED if about.verdict.tested else UNTESTED)
    for number, line in enumerate(wrapped):
        tone = colour if number < first else LIGHT.muted
        figure.text(0.03, 0.225 - 0.04 * number, line, fontsize=8.8, color=tone)
