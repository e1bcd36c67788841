"""Which band the cumulative probability plot shows, and what it says."""

from __future__ import annotations

import streamlit as st

from core.progression.probability import BAND_WORDS, POINTWISE, SIMULTANEOUS

NONE = "no band"


def chosen_band() -> str:
    """The band that is shown: none, simultaneous or pointwise."""
    said = " \n\n".join(f"**{name}**: {text}" for name, text in BAND_WORDS.items())
    kind: str | None = st.segmented_control(
        "95% band", [NONE, SIMULTANEOUS, POINTWISE], default=NONE, required=True, key="probability_band",
        label_visibility="collapsed", help=said,
    )  # fmt: skip
    return kind or NONE


def band_words(kind: str) -> str:
    """A sentence on what the band says."""
    return f" Band, {kind}: {BAND_WORDS[kind]}." if kind in BAND_WORDS else ""
