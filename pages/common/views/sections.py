"""The sections of a page: one is open, the others are not computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from pages.common.session_keys import OPEN_SECTION
from pages.common.sticky_widgets import pick_one
from pages.common.ways_out.chosen import chosen

Section = Callable[..., str]  # draws itself, and returns what it did in sentences for a paper, "" for nothing


def open_one(title: str, known: Mapping[str, Section], key: str, given: tuple[Any, ...], **more: Any) -> None:
    """The sections by name, and the one that is open, drawn with what is given."""
    name = pick_one(title, list(known), key, is_noted=False, **more)
    held = chosen()
    held.section = name
    with st.container(key=OPEN_SECTION):
        held.methods = known[name](*given)
