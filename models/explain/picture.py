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
    from models.explain.stored import Explained, Shown
    from models.explain.verdict import Verdict

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
    """The matplotlib figure: the crop, each map on it, the probabilities, the caption."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, HEIGHT), facecolor=LIGHT.background)
    FigureCanvasAgg(figure)
    figure.text(0.03, 0.945, about.explanation.headline, fontsize=14, color=LIGHT.text, weight="bold")
    pictures = 1 + len(about.maps)
    wide = 0.6 / pictures - 0.03 * (pictures > 2) / 2
    places = [(0.03 + number * (wide + 0.02), 0.3, wide, 0.58) for number in range(pictures)]
    seen = "What the network saw" + ("" if pictures > 2 else ", with its box")
    _crop(figure.add_axes(places[0]), about, seen)
    for shown, edges in zip(about.maps, places[1:], strict=True):
        axes = figure.add_axes(edges)
        _crop(axes, about, shown.title)
        _heat(axes, shown)
    _bars(figure.add_axes((0.77, 0.36, 0.2, 0.46)), about)
    _caption(figure, about)
    return figure


def _crop(axes: Any, about: Explained, title: str) -> None:
    from matplotlib.patches import Rectangle

    explanation = about.explanation
    rows, columns = explanation.tile.shape
    axes.imshow(
        explanation.tile, cmap="gray", vmin=0, vmax=1, extent=(0, columns, rows, 0), interpolation="bilinear"
    )
    x0, y0, x1, y1 = explanation.box
    edge = grade_colour(explanation.grade)
    axes.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, edgecolor=edge, linewidth=1.6))
    length = SCALE_MM / explanation.mm_per_pixel
    axes.plot([6, 6 + length], [rows - 7] * 2, color="white", linewidth=2.5, solid_capstyle="butt")
    axes.text(8 + length, rows - 7, f"{SCALE_MM} mm", color="white", fontsize=8, va="center")
    axes.set(xlim=(0, columns), ylim=(rows, 0), xticks=[], yticks=[])
    axes.set_title(title, fontsize=10 if len(about.maps) < 2 else 9, color=LIGHT.text, loc="left")


def _heat(axes: Any, shown: Shown) -> None:
    """The map over the crop, as opaque as it is hot; struck through unless it passed its tests."""
    rows, columns = shown.heat.shape
    axes.imshow(
        shown.heat,
        cmap="inferno",
        vmin=0,
        vmax=1,
        alpha=np.clip(shown.heat * 1.2, 0, 0.85),
        extent=(0, columns, rows, 0),
        interpolation="bilinear",
    )
    if not shown.heat.any():
        axes.text(
            columns / 2,
            rows * 0.86,
            "no heat in this layer",
            color="white",
            fontsize=8.5,
            ha="center",
        )
    if shown.verdict.passed:
        return
    colour = FAILED if shown.verdict.tested else UNTESTED
    word = "failed its tests" if shown.verdict.tested else "not tested"
    for ends in ((0, rows), (rows, 0)):
        axes.plot([0, columns], ends, color=colour, linewidth=2.2)
    box = {"facecolor": colour, "edgecolor": "none", "pad": 3}
    axes.text(columns / 2, rows / 16, word, color="white", fontsize=9, ha="center", va="center", bbox=box)


def _bars(axes: Any, about: Explained) -> None:
    explanation = about.explanation
    grades = range(len(explanation.probabilities))
    colours = [grade_colour(grade) if grade == explanation.grade else "#D5DCE3" for grade in grades]
    axes.barh(list(grades), explanation.probabilities, color=colours, height=0.65)
    for grade, value in enumerate(explanation.probabilities):
        axes.text(value + 0.03, grade, f"{value:.2f}", fontsize=9, va="center", color=LIGHT.text)
    labels = ["\n".join(wrap(label, 16)) for label in explanation.labels]
    axes.set_yticks(list(grades), labels, fontsize=8.5, color=LIGHT.text)
    axes.set(xlim=(0, 1.25), ylim=(len(labels) - 0.5, -0.5), xticks=[0, 0.5, 1])
    axes.tick_params(length=0, labelsize=8.5, colors=LIGHT.text)
    axes.set_title("Probability", fontsize=10, color=LIGHT.text, loc="left")
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def _caption(figure: Any, about: Explained) -> None:
    data = f"phantom {about.thing}, " if about.phantom else ""
    verdicts = dict.fromkeys(shown.verdict for shown in about.maps)
    methods = "; ".join(dict.fromkeys(shown.method for shown in about.maps))
    lines = [(f"{_upper(one.text)} (docs/explain.md).", _tone(one)) for one in verdicts]
    lines += [
        (text, LIGHT.muted)
        for text in (
            f"{about.reader}, weights {about.weights_hash[:12]}, {methods}. {_upper(about.thing)} "
            f"{about.image[:12]}, {data}read alone.",
            f"{about.explanation.rule}." + "".join(f" {_upper(note)}." for note in about.notes),
            f"{about.explanation.meaning} Research only, not a medical device.",
        )
    ]
    wrapped = [(part, tone) for line, tone in lines for part in wrap(line, LINE)]
    step = min(0.04, 0.2 / len(wrapped))
    for number, (line, tone) in enumerate(wrapped):
        figure.text(0.03, 0.225 - step * number, line, fontsize=8.8, color=tone)


def _upper(text: str) -> str:
    return text[0].upper() + text[1:]


def _tone(verdict: Verdict) -> str:
    if verdict.passed:
        return LIGHT.text
    return FAILED if verdict.tested else UNTESTED
