"""Figures on a page: our look, clicks as rows of customdata, and under each the ways out of the page."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.figures.foreign_tags import without_foreign_tags
from core.figures.style import with_selection
from pages.common import session_keys as keys
from pages.common.ways_out.save import file_name, ways_out

BAR: dict[str, Any] = {
    "displaylogo": False,
    "displayModeBar": "hover",
    "modeBarButtonsToAdd": ["toImage"],
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
    "scrollZoom": False,
}


def chart(figure: Any, name: str, *, alt: str) -> None:
    """A figure; ``name`` is the file name of its picture, ``alt`` says what it shows."""
    drawn = _shown(figure)
    st.plotly_chart(drawn, key=name, theme=None, config=_config(name), alt=alt)
    ways_out(drawn, name, alt=alt)


def clickable(figure: Any, name: str, *, alt: str) -> list[Any] | None:
    """A figure whose points can be clicked; the customdata of the point clicked just now, else None.

    The same point counts once: a rerun for another reason does not repeat the click.
    """
    drawn = _shown(figure)
    shown = st.plotly_chart(
        drawn,
        key=name,
        theme=None,
        config=_config(name),
        alt=alt,
        on_select="rerun",
        selection_mode="points",
    )
    ways_out(drawn, name, alt=alt)
    points = shown["selection"]["points"]
    found = points[0].get("customdata") if points else None
    clicked = list(found.values()) if isinstance(found, dict) else found
    before = st.session_state.get(f"{name}_clicked")
    st.session_state[f"{name}_clicked"] = clicked
    return clicked if clicked != before else None


def _shown(figure: Any) -> Any:
    """The figure with the patients it is of, where a filter selects them."""
    words, _ = st.session_state.get(keys.SELECTION, ("", ""))
    return without_foreign_tags(with_selection(figure, words) if words else figure)


def _config(name: str) -> dict[str, Any]:
    return BAR | {"toImageButtonOptions": {"format": "svg", "filename": file_name(name)}}
