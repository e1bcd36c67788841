"""Figures on a page: our look, SVG and PNG from the bar over the figure, and clicks as rows of customdata."""

from __future__ import annotations

from typing import Any

import streamlit as st

BAR: dict[str, Any] = {
    "displaylogo": False,
    "displayModeBar": "hover",
    "modeBarButtonsToAdd": ["toImage"],
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
    "scrollZoom": False,
}


def chart(figure: Any, name: str, *, alt: str) -> None:
    """A figure; ``name`` is the file name of its picture, ``alt`` says what it shows."""
    st.plotly_chart(figure, key=name, theme=None, config=_config(name), alt=alt)


def clickable(figure: Any, name: str, *, alt: str) -> list[Any] | None:
    """A figure whose points can be clicked; the customdata of the point clicked just now, else None.

    The same point counts once: a rerun for another reason does not repeat the click.
    """
    shown = st.plotly_chart(
        figure,
        key=name,
        theme=None,
        config=_config(name),
        alt=alt,
        on_select="rerun",
        selection_mode="points",
    )
    points = shown["selection"]["points"]
    found = points[0].get("customdata") if points else None
    clicked = list(found.values()) if isinstance(found, dict) else found
    before = st.session_state.get(f"{name}_clicked")
    st.session_state[f"{name}_clicked"] = clicked
    return clicked if clicked != before else None


def _config(name: str) -> dict[str, Any]:
    return BAR | {"toImageButtonOptions": {"format": "svg", "filename": f"sharpline_{name}"}}
