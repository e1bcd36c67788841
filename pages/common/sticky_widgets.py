"""Choices that last: a widget forgets its value when the page changes, so it is seeded from what was kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from core.markdown import md
from core.scores.system import ScoreSystem

COMPONENT = "component"  # the part of the score that is looked at, on every page
TOTAL = "total"


def sticky(key: str, options: Sequence[str], default: str = "") -> None:
    """Seed a choice from what it was when it was drawn last, also before another page was looked at.

    It is set at every run: a widget that is drawn in another place would show its first option otherwise.
    """
    known = (st.session_state.get(key), st.session_state.get(f"{key}_kept"), default, *options)
    st.session_state[key] = next(value for value in known if value in options)


def keep(key: str) -> Callable[[], None]:
    """The callback of a sticky choice."""

    def kept() -> None:
        st.session_state[f"{key}_kept"] = st.session_state[key]

    return kept


def choose(key: str, value: str) -> None:
    """Set a sticky choice before it is drawn."""
    st.session_state[key] = st.session_state[f"{key}_kept"] = value


def pick(title: str, options: Sequence[str], key: str, **more: Any) -> str:
    """A select box whose choice lasts."""
    sticky(key, options)
    value: str = st.selectbox(title, list(options), key=key, on_change=keep(key), **more)
    return value


def pick_one(title: str, options: Sequence[str], key: str, default: str = "", **more: Any) -> str:
    """Buttons beside each other of which one is on; the choice lasts."""
    sticky(key, options, default)
    more.setdefault("format_func", md)
    value: str = st.segmented_control(
        title, list(options), key=key, on_change=keep(key), required=True, **more
    )
    return value


def components(system: ScoreSystem) -> list[str]:
    return [TOTAL, *(item.name for item in system.components)]


def pick_component(system: ScoreSystem) -> str:
    """The part of the score, chosen once for all pages."""
    return pick("Score", components(system), COMPONENT, format_func=system.title_of)
