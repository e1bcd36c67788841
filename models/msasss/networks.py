"""The two networks of the mSASSS model, in both sizes from one definition each."""

from __future__ import annotations

from pathlib import Path

import torch

from models.common.yolo import build_network
from models.msasss.sites import ALL_UNITS, GRADE_NAMES

HERE = Path(__file__).parent


def finder(size: str = "demo") -> torch.nn.Module:
    """Whole film -> boxes of the twelve vertebral units."""
    return build_network(HERE / "finder.yaml", size, len(ALL_UNITS))


def grader(size: str = "demo") -> torch.nn.Module:
    """Tile of one unit -> boxes of its corners with four grades."""
    return build_network(HERE / "grader.yaml", size, len(GRADE_NAMES))
