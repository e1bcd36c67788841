"""What a scorer of films is not handed: an image of several frames."""

from __future__ import annotations

from core.domain import Image


def not_a_film(image: Image) -> str:
    """Why a scorer of films cannot read a stack or a cine; ``""`` for a film, an image of one frame."""
    return "" if image.is_film else f"{len(image.frames)} frames: not a single film"
