"""The look of every figure: colours, symbols and layout, defined once.

Arms have one Okabe-Ito colour each, people are neutral and differ in tone and symbol, the model has the
accent, truth is the text colour and dashed. Source of the arm colours: Okabe and Ito 2008, Color Universal
Design. All pairs used together were chosen to differ in lightness as well as in hue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from core.domain import ReaderKind

ARM_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9", "#F0E442")
MODEL_COLOUR = "#C44D96"
GRADE_COLOURS = ("#8A99A8", "#F5D76E", "#F28E2B", "#C1272D", "#7B1FA2", "#4A148C")
NO_GRADE_COLOUR = "#B8BEC5"
STRUCTURE_COLOURS = {"oedema": "#FF8A5B", "body": "#7CC7F2", "disc": "#B8D96A", "unit": "#FFFFFF"}
DARK_INK = "#1F2933"
PERSON_SYMBOLS = ("circle", "square", "triangle-up", "diamond-tall", "pentagon", "hexagon")
MODEL_SYMBOL = "diamond"
TRUTH_SYMBOL = "cross-thin-open"


@dataclass(frozen=True)
class Look:
    """What depends on the background: text, lines, the tones of people."""

    dark: bool
    text: str
    muted: str
    grid: str
    band: str
    background: str
    people: tuple[str, ...] = field(default=())


LIGHT = Look(
    dark=False,
    text="#1F2933",
    muted="#5F6B76",
    grid="rgba(31,41,51,0.14)",
    band="rgba(95,107,118,0.16)",
    background="#FFFFFF",
    people=("#4A5560", "#8D98A3", "#6B7C8C", "#A9A294", "#5E574B", "#B3BCC6"),
)
DARK = Look(
    dark=True,
    text="#F2F4F7",
    muted="#A9B4BF",
    grid="rgba(242,244,247,0.16)",
    band="rgba(169,180,191,0.20)",
    background="#12171D",
    people=("#D5DCE3", "#8A97A4", "#B4BFCA", "#BDB5A4", "#7E8790", "#9FA9B3"),
)


def look(dark: bool = False) -> Look:
    """The look for a dark or a light background."""
    return DARK if dark else LIGHT


@dataclass(frozen=True)
class Mark:
    """How one reader is drawn."""

    colour: str
    symbol: str
    dash: str
    width: float


def arm_colours(arms: Sequence[str]) -> dict[str, str]:
    """Arm -> colour, by the alphabet: an arm keeps its colour whatever is selected of all ``arms``."""
    return {arm: ARM_COLOURS[i % len(ARM_COLOURS)] for i, arm in enumerate(sorted(set(arms)))}


def reader_marks(kinds: dict[str, str], on: Look = LIGHT) -> dict[str, Mark]:
    """Reader -> mark.

    kinds: reader -> kind (``human``, ``model``, ``consensus``). People take tones by the alphabet.
    """
    people = sorted(reader for reader, kind in kinds.items() if kind == ReaderKind.HUMAN)
    return {reader: _mark(reader, kind, people, on) for reader, kind in kinds.items()}


def _mark(reader: str, kind: str, people: list[str], on: Look) -> Mark:
    if kind == ReaderKind.MODEL:
        return Mark(MODEL_COLOUR, MODEL_SYMBOL, "solid", 2.5)
    if kind == ReaderKind.CONSENSUS:
        return Mark(on.text, TRUTH_SYMBOL, "dash", 1.5)
    place = people.index(reader)
    return Mark(on.people[place % len(on.people)], PERSON_SYMBOLS[place % len(PERSON_SYMBOLS)], "solid", 2)


def grade_colour(grade: int | None) -> str:
    """The colour of a grade on films and maps; grey where there is no grade.

    One scale for every site: the same number has the same colour on a hand and on a foot, and what is above
    the last colour (a foot's erosion goes to 10) has that one.
    """
    if grade is None:
        return NO_GRADE_COLOUR
    return GRADE_COLOURS[min(max(int(grade), 0), len(GRADE_COLOURS) - 1)]


def ink_on(colour: str) -> str:
    """Dark or white text, whichever stands out more on a grade's colour."""
    return DARK_INK if colour in GRADE_COLOURS[:3] or colour == NO_GRADE_COLOUR else "#FFFFFF"


def apply(figure: Any, on: Look = LIGHT, *, height: int = 380, note: str = "") -> Any:
    """Give a plotly figure the common look and return it.

    note: what must never be missing under a figure, above all n and what was left out; set above the axes.
    """
    figure.update_layout(
        height=height,
        margin={"l": 64, "r": 24, "t": 44, "b": 56},
        font={"color": on.text, "size": 14},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        hoverlabel={"bgcolor": on.background, "font": {"color": on.text}},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 1, "xanchor": "right"},
        modebar={"color": on.muted, "activecolor": on.text, "bgcolor": "rgba(0,0,0,0)"},
        dragmode=False,
    )
    axis = {
        "gridcolor": on.grid,
        "zerolinecolor": on.grid,
        "linecolor": on.muted,
        "tickcolor": on.muted,
        "tickfont": {"color": on.text},
        "automargin": True,
    }
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis)
    if note:
        figure.add_annotation(
            text=note, xref="paper", yref="paper", x=0, y=1.02, xanchor="left", yanchor="bottom",
            showarrow=False, font={"color": on.muted, "size": 13},
        )  # fmt: skip
    return figure


def with_selection(figure: Any, words: str) -> Any:
    """A copy of the figure that says on top which patients it is of; the figure itself may be kept."""
    marked = type(figure)(figure)
    top = (figure.layout.margin.t or 44) + 18
    font = {"size": 12, "color": figure.layout.font.color or LIGHT.text}
    across = {"x": 0, "xref": "container", "xanchor": "left"}
    down = {"y": 1, "yref": "container", "yanchor": "top", "pad": {"t": 4, "l": 8}}
    marked.update_layout(title={"text": words, "font": font, **across, **down}, margin={"t": top})
    return marked


def sdc_lines(figure: Any, sdc: float | None, on: Look) -> None:
    """Lines at 0 and, where it is known, at the smallest detectable change and at minus it."""
    figure.add_hline(y=0, line={"color": on.muted, "width": 1})
    if sdc is None:
        return
    for value, text in ((sdc, "+SDC"), (-sdc, "−SDC")):
        figure.add_hline(
            y=value,
            line={"color": on.muted, "width": 1, "dash": "dot"},
            annotation={"text": f"{text} {abs(value):.2f}", "font": {"color": on.muted, "size": 12}},
            annotation_position="bottom right" if value < 0 else "top right",
        )


def rgba(colour: str, alpha: float) -> str:
    """``#RRGGBB`` with an opacity, as plotly reads it."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"
