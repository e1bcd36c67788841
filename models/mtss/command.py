"""What ``sharpline train mtss`` does: from labelled folders, or rendered films."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from models.mtss.train import Folders, render, train_all

Tell = Callable[[str], None]


def train(
    data: Path | None, phantom: int, out: Path, *, first: int = 1, size: str = "demo", seed: int = 0,
    tell: Tell = print,
) -> dict[str, Any]:  # fmt: skip
    """All networks, from a labelled folder of hands and feet or rendered patients; the card, with ``folds``.

    Each fold's detectors and card lie in ``fold0`` and on; ``evaluation.json`` holds their pooled figures.
    """
    folders = Folders(data) if data is not None else render(phantom, out / "films", first=first, tell=tell)
    return train_all(folders, out, size=size, seed=seed, tell=tell)
