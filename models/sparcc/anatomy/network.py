"""The network of bodies and discs: three neighbouring slices in, a score for each of ``CHANNELS`` out."""

from __future__ import annotations

import torch
from torch.nn import functional

from models.common.attention_unet import AttentionUNet
from models.sparcc.anatomy.targets import CHANNELS

WIDTHS = {"demo": (16, 24, 48, 96, 128), "full": (48, 96, 192, 384, 512)}


def build(size: str = "demo", maps: int = len(CHANNELS)) -> AttentionUNet:
    """The network of a size, with random weights. maps: the first so many of ``CHANNELS``."""
    return AttentionUNet(3, maps, WIDTHS[size])


def loss(scores: torch.Tensor, targets: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    """Cross-entropy and soft Dice of each channel, both weighted; what weighs 0 is not looked at.

    scores, and wanted and weight of targets: (b, channels, rows, columns).
    """
    wanted, weight = targets
    entropy = functional.binary_cross_entropy_with_logits(scores, wanted, weight=weight, reduction="sum")
    entropy = entropy / weight.sum().clamp(min=1)
    sure = torch.sigmoid(scores) * weight
    both = (sure * wanted).sum(dim=(0, 2, 3))
    either = (sure + wanted * weight).sum(dim=(0, 2, 3))
    dice = 1 - (2 * both + 1) / (either + 1)
    return entropy * 4 + dice.mean()
