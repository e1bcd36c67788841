"""Who reads: the model's name as a reader and the hash of its weights, without loading a network."""

from __future__ import annotations

from models import weights


def reader_name(size: str) -> str:
    """``model:mtss-demo`` or ``model:mtss-full``."""
    return f"model:mtss-{size}"


def identity(size: str) -> tuple[str, str]:
    """Reader and weights hash. Raises ModelError where there are no weights of this size."""
    return reader_name(size), weights.weights_hash(weights.read_card("mtss", size))
