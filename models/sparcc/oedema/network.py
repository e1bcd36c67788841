"""The network of marrow oedema: three neighbouring slices in, a score a pixel of the middle one out."""

from __future__ import annotations

import torch
from torch.nn import functional

from models.common.attention_unet import AttentionUNet

MM = 1.0  # a pixel of the network's
WIDTHS = {"demo": (16, 24, 48, 96, 128), "full": (48, 96, 192, 384, 512)}
RARE = -4.0  # score of a pixel before training: oedema is about one in a thousand
FOCUS = 2.0
FOCAL = 50.0  # weight of the focal part beside Dice, which looks at all of a batch


def build(size: str = "demo") -> AttentionUNet:
    """The network of a size, with random weights."""
    network = AttentionUNet(3, 1, WIDTHS[size])
    torch.nn.init.constant_(network.head.bias, RARE)  # type: ignore[arg-type]
    return network


def loss(scores: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Focal loss (Lin 2017, arXiv:1708.02002) and soft Dice, both for what is rare.

    Dice is that of the whole batch: a slice without oedema has none of its own. scores, wanted: (b, 1, rows,
    columns).
    """
    entropy = functional.binary_cross_entropy_with_logits(scores, wanted, reduction="none")
    sure = torch.sigmoid(scores)
    missed = torch.where(wanted > 0, 1 - sure, sure)
    focal = (missed**FOCUS * entropy).mean()
    dice = 1 - (2 * (sure * wanted).sum() + 1) / (sure.sum() + wanted.sum() + 1)
    return FOCAL * focal + dice
