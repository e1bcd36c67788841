"""Which band the cumulative probability plot shows, and what it says."""

from __future__ import annotations

from core.progression.probability import BAND_WORDS, POINTWISE, SIMULTANEOUS
from pages.common.sticky_widgets import pick_one

NONE = "no band"


def chosen_band() -> str:
    """The band that is shown: none, simultaneous or pointwise."""
    said = " \n\n".join(f"**{name}**: {text}" for name, text in BAND_WORDS.items())
    bands = [NONE, SIMULTANEOUS, POINTWISE]
    return pick_one("95% band", bands, "progression_band", label_visibility="collapsed", help=said)


def band_words(kind: str) -> str:
    """A sentence on what the band says."""
    return f" Band, {kind}: {BAND_WORDS[kind]}." if kind in BAND_WORDS else ""
