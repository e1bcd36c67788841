"""The choice of how p-values allow for several arms against the reference."""

from __future__ import annotations

from core.progression.arms.multiplicity import METHODS, WORDS
from pages.common.page import Page
from pages.common.progression import results
from pages.common.progression.figures import Found
from pages.common.sticky_widgets import pick


def several_arms(page: Page, found: Found, key: str) -> str:
    """The method chosen, empty for none and where no more than two arms are in sight."""
    if not page.sees_arm or len(results.arms_in(found)) < 3:
        return ""
    return pick(
        "P-values for several arms",
        ["", *METHODS],
        key,
        format_func=lambda name: WORDS[name].partition(":")[0] if name else "as they are",
        help="Each arm against the reference; in a fixed sequence in the order of the arms.",
    )
