"""Words of a page for what a score is made from: films, or stacks of slices."""

from __future__ import annotations

from core.scores.system import ScoreSystem


def of_images(system: ScoreSystem, text: str) -> str:
    """A sentence about films, about stacks where the score is made from them."""
    if not system.of_stacks:
        return text
    title = system.image_title
    return text.replace("film", title).replace("Film", title.capitalize())
