"""Under every figure: the figure as SVG or PNG, its table as CSV or XLSX, its text, and a large view."""

from __future__ import annotations

import io
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from core.figures.drawn_values import drawn_values
from core.figures.style import DARK, LIGHT
from core.markdown import md
from core.spreadsheet import safe_frame
from data.tables.xlsx import ILLEGAL
from pages.common import session_keys as keys
from pages.common.ways_out.described import Described, described

HERE = Path(__file__).parent
KINDS = ("svg", "png")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LARGER = 1.6  # letters of the large view
TALL = 720  # pixels of the large view
BUTTONS = "<div>" + "".join(
    f'<button type="button" data-kind="{kind}">{kind.upper()}</button>' for kind in KINDS
) + "</div>"  # fmt: skip


def ways_out(figure: Any, name: str, *, alt: str) -> None:
    """One button under a figure; what it opens is made only then.

    name: key of the figure. alt: what it shows, the heading of its files.
    """
    _ways_out(figure, name, alt, described())


@st.fragment
def _ways_out(figure: Any, name: str, alt: str, said: Described) -> None:
    key = f"ways_out_{name}"
    with st.popover(
        "Figure, table, text", icon=":material/download:", type="tertiary", key=key, on_change="rerun"
    ) as box:
        if not box.open:
            return
        _contents(figure, name, alt, said)


def _contents(figure: Any, name: str, alt: str, said: Described) -> None:
    file = file_name(name)
    st.markdown("**Figure**")
    _component()(key=f"save_{name}", data=_payload(figure, name, alt, said, file))
    st.markdown("**Table** of the numbers drawn")
    table = drawn_values(figure)
    with st.container(horizontal=True):
        st.download_button(
            "CSV", _csv(table), f"{file}.csv", "text/csv", key=f"csv_{name}", on_click="ignore"
        )
        st.download_button(
            "XLSX", _xlsx(table, alt, said), f"{file}.xlsx", XLSX, key=f"xlsx_{name}", on_click="ignore"
        )
    st.markdown("**Text**")
    st.code("\n".join([f"{alt}. {said.title}".strip(), *said.inside]), language=None, wrap_lines=True)
    if st.button("Large, for a talk", icon=":material/present_to_all:", key=f"talk_{name}"):
        _talk(figure, name, alt, said)


def file_name(name: str) -> str:
    """The name of a file without its ending; it says of how many patients it is."""
    _, short = st.session_state.get(keys.SELECTION, ("", ""))
    return f"sharpline_{name}_{short}" if short else f"sharpline_{name}"


def _payload(figure: Any, name: str, alt: str, said: Described, file: str) -> dict[str, Any]:
    dark = str(figure.layout.font.color) == DARK.text
    look = DARK if dark else LIGHT
    heading = escape(f"{alt}: {said.title}" if said.title else alt)
    return {
        "chart": name, "file": file, "heading": heading, "lines": [escape(line) for line in said.inside],
        "text": look.text, "muted": look.muted, "background": look.background,
    }  # fmt: skip


@cache
def _component() -> Any:
    css, js = (str((HERE / f"save.{kind}").read_text(encoding="utf-8")) for kind in ("css", "js"))
    return st.components.v2.component("sharpline.save_figure", html=BUTTONS, css=css, js=js)


def _csv(table: pd.DataFrame) -> bytes:
    return safe_frame(table).to_csv(index=False).encode()


def _xlsx(table: pd.DataFrame, alt: str, said: Described) -> bytes:
    """A workbook: the numbers, and a sheet that says what they are."""
    about = pd.DataFrame({"about": [alt, said.title, *said.inside]})
    stream = io.BytesIO()
    with pd.ExcelWriter(stream, engine="openpyxl") as book:
        for sheet, rows in (("numbers", table), ("about", about)):
            clean = rows.map(lambda cell: ILLEGAL.sub("", cell) if isinstance(cell, str) else cell)
            safe_frame(clean).to_excel(book, sheet_name=sheet, index=False)
    return stream.getvalue()


def _talk(figure: Any, name: str, alt: str, said: Described) -> None:
    """The figure in large letters, for a screen at the end of a room."""
    st.dialog(md(alt), width="large")(_large_view)(figure, name, alt, said)


def _large_view(figure: Any, name: str, alt: str, said: Described) -> None:
    st.plotly_chart(
        large(figure), key=f"talk_figure_{name}", theme=None, config={"displayModeBar": False}, alt=alt
    )
    st.caption("  \n".join([said.title, *said.inside]))


def large(figure: Any) -> Any:
    """A copy with larger letters, marks and lines."""
    copy = type(figure)(figure)
    size = LARGER * (figure.layout.font.size or 14)
    copy.update_layout(font={"size": size}, height=TALL)
    for axis in (*copy.select_xaxes(), *copy.select_yaxes()):
        axis.update(tickfont={"size": size}, title={"font": {"size": size}})
    for note in copy.layout.annotations:
        note.update(font={"size": LARGER * (note.font.size or 13)})
    if copy.layout.legend.font.size:
        copy.update_layout(legend={"font": {"size": size}})
    return copy
