"""The look of every page: the style sheet, and what a style sheet cannot do."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

HERE = Path(__file__).parent


def give_look() -> None:
    """Sizes, focus outlines, narrow windows and paper, for the page that is being opened."""
    st.html(_style())
    with st.sidebar:
        _script()(key="look")


@cache
def _style() -> str:
    return f"<style>{(HERE / 'look.css').read_text(encoding='utf-8')}</style>"


@cache
def _script() -> Any:
    js = (HERE / "look.js").read_text(encoding="utf-8")
    return st.components.v2.component("sharpline.look", html="<span hidden></span>", js=js)
