"""What a link asked for in vain, said at the top of the page."""

from __future__ import annotations

import streamlit as st

from core.markdown import md
from pages.common import session_keys as keys


def place_for_notices() -> None:
    """The place above the page; once at the start of every page."""
    st.session_state[keys.NOTICES] = st.container()


def notice(text: str) -> None:
    """Say it there; without a page that has the place, here."""
    place = st.session_state.get(keys.NOTICES) or st.container()
    place.warning(md(text), icon=":material/link_off:")
