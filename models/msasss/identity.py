"""Who reads: the model's name as a reader and the hash of its weights, without loading a network."""

from __future__ import annotations

from models import cards


def reader_name(size: str) -> str:
    """``model:msasss-demo`` or ``model:msasss-full``."""
    return f"model:msasss-{size}"


def identity(size: str) -> tuple[str, str]:
    """Reader and weights hash. Raises ModelError where there are no weights of this size."""
    return reader_name(size), cards.weights_hash(cards.read_card("msasss", size))
