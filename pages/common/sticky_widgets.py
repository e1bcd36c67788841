"""Choices that last: seeded from what was kept, over page changes, reloads and links.

A key that begins with the name of its page, such as ``agreement_pair``, is also a parameter of that page's
address (``pages.common.views.choices``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from core.markdown import md
from core.scores.system import ScoreSystem
from pages.common import url_state
from pages.common.views import choices
from pages.common.views.notices import notice
from pages.common.ways_out.chosen import note

COMPONENT = choices.SHARED["score"]  # the part of the score that is looked at, on every page
TOTAL = "total"
ON = "yes"


def sticky(
    key: str,
    options: Sequence[str],
    default: str = "",
    title: str = "",
    shown: Callable[[str], Any] = str,
) -> None:
    """Seed a choice from what it was when it was drawn last, also before another page was looked at.

    It is set at every run: a widget that is drawn in another place would show its first option otherwise.
    shown: how a value reads.
    """
    value, lost = choices.settle(key, options, default, now=st.session_state.get(key))
    if lost:
        notice(f"{title or 'The link'}: {lost} is not known here, {shown(value)} is shown.")
    st.session_state[key] = value
    url_state.write()


def keep(key: str) -> Callable[[], None]:
    """The callback of a sticky choice."""

    def kept() -> None:
        value = st.session_state[key]
        choices.keep(key, *(value if isinstance(value, list | tuple) else [_text(value)]))

    return kept


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return ON if value else choices.NONE
    return value if isinstance(value, str) else choices.number_text(value)


def choose(key: str, value: str) -> None:
    """Set a sticky choice before it is drawn."""
    st.session_state[key] = value
    choices.keep(key, value)


def pick(title: str, options: Sequence[str], key: str, default: str = "", **more: Any) -> str:
    """A select box whose choice lasts."""
    sticky(key, options, default, title, more.get("format_func", str))
    value: str = st.selectbox(title, list(options), key=key, on_change=keep(key), **more)
    note(key, title, str(more.get("format_func", str)(value)))
    return value


def pick_one(
    title: str,
    options: Sequence[str],
    key: str,
    default: str = "",
    *,
    format_func: Callable[[str], str] = str,
    is_noted: bool = True,
    **more: Any,
) -> str:
    """Buttons beside each other of which one is on; the choice lasts.

    format_func: words of an option, as plain text. is_noted: whether it is a setting of what is shown.
    """
    sticky(key, options, default, title, format_func)
    value: str = st.segmented_control(
        title, list(options), key=key, on_change=keep(key), required=True,
        format_func=lambda one: md(format_func(one)), **more,
    )  # fmt: skip
    if is_noted:
        note(key, title, format_func(value))
    return value


def pick_many(
    title: str, options: Sequence[str], key: str, default: Sequence[str] = (), **more: Any
) -> list[str]:
    """Several of a list; the choice lasts."""
    now = st.session_state.get(key)
    chosen, lost = choices.settle_many(key, options, default, now=None if now is None else tuple(now))
    if lost:
        notice(f"{title}: {', '.join(lost)} is not known here.")
    st.session_state[key] = list(chosen)
    url_state.write()
    values: list[str] = st.multiselect(title, list(options), key=key, on_change=keep(key), **more)
    note(key, title, ", ".join(str(more.get("format_func", str)(one)) for one in values))
    return values


def pick_number(
    title: str, key: str, low: float, high: float | None, default: float, step: float, **more: Any
) -> float:
    """A box for a number that lasts; whole where its default is whole, as in Streamlit."""
    _seed_number(
        key, choices.Between(low, high), min(max(default, low), high or math.inf), title, type(default)
    )
    value: float = st.number_input(title, low, high, step=step, key=key, on_change=keep(key), **more)
    note(key, title, choices.number_text(value))
    return value


def pick_optional_number(
    title: str, key: str, low: float, high: float | None, step: float, **more: Any
) -> float | None:
    """A box for a number that may stay empty; it lasts."""
    _seed_number(key, choices.OptionalBetween(low, high), None, title)
    value: float | None = st.number_input(title, low, high, None, step, key=key, on_change=keep(key), **more)
    note(key, title, choices.number_text(value))
    return value


def pick_on_scale(title: str, key: str, low: float, high: float, default: float, step: float) -> float:
    """A slider that lasts."""
    _seed_number(key, choices.Between(low, high), default, title)
    value: float = st.slider(title, low, high, step=step, key=key, on_change=keep(key))
    note(key, title, choices.number_text(value))
    return value


def _seed_number(
    key: str, possible: choices.Between, default: float | None, title: str, kind: type[float] = float
) -> None:
    now = choices.number_text(st.session_state[key]) if key in st.session_state else None
    value, lost = choices.settle_number(key, possible, default, now=now)
    if lost:
        instead = choices.number_text(value) or "no number"
        notice(f"{title}: {lost} is no number that is possible here, {instead} is shown.")
    st.session_state[key] = None if value is None else kind(value)
    url_state.write()


def switch(title: str, key: str, **more: Any) -> bool:
    """Something that is on or off, off at first; it lasts."""
    now = st.session_state.get(key)
    value, _ = choices.settle(key, (choices.NONE, ON), now=None if now is None else _text(now))
    st.session_state[key] = value == ON
    url_state.write()
    is_on = st.toggle(title, key=key, on_change=keep(key), **more)
    note(key, title, "yes" if is_on else "no")
    return is_on


def components(system: ScoreSystem) -> list[str]:
    return [TOTAL, *(item.name for item in system.components)]


def pick_component(system: ScoreSystem) -> str:
    """The part of the score, chosen once for all pages."""
    named = (
        system.name_of if system.chooses_blocks else system.title_of
    )  # a rule that chooses changes the range
    return pick("Score", components(system), COMPONENT, format_func=named)
