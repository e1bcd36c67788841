"""U-Net whose skip connections pass attention gates.

Oktay et al. 2018, "Attention U-Net: learning where to look for the pancreas" (arXiv:1804.03999). MONAI has
the same network, but importing it takes 12 s beside torch's 4 s: docs/decisions/spine-mri-model.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval


class Double(nn.Sequential):
    """Two 3 x 3 convolutions, each with batch normalisation and ReLU."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__(*_conv(inside, outside), *_conv(outside, outside))


def _conv(inside: int, outside: int) -> list[nn.Module]:
    return [
        nn.Conv2d(inside, outside, 3, padding=1, bias=False),
        nn.BatchNorm2d(outside),
        nn.ReLU(inplace=True),
    ]


class Gate(nn.Module):
    """Weights, 0 to 1, of a skip connection: what the coarser level finds worth passing on.

    skip (b, c, rows, columns) and signal (b, d, rows, columns) -> (b, 1, rows, columns).
    """

    def __init__(self, skip: int, signal: int) -> None:
        super().__init__()
        inner = max(skip // 2, 4)
        self.of_skip = nn.Conv2d(skip, inner, 1)
        self.of_signal = nn.Conv2d(signal, inner, 1)
        self.weight = nn.Conv2d(inner, 1, 1)

    def forward(self, skip: torch.Tensor, signal: torch.Tensor) -> torch.Tensor:
        joined = functional.relu(self.of_skip(skip) + self.of_signal(signal))
        return torch.sigmoid(self.weight(joined))


class AttentionUNet(nn.Module):
    """(b, inside, rows, columns) in [0, 1] -> (b, outside, rows, columns) scores before the sigmoid.

    widths: channels of each level, each half as fine as the one before. Rows and columns must be multiples of
    :attr:`multiple`.
    """

    def __init__(self, inside: int, outside: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.multiple = 2 ** (len(widths) - 1)
        pairs = list(pairwise(widths))
        self.down = nn.ModuleList([Double(inside, widths[0]), *(Double(a, b) for a, b in pairs)])
        self.gates = nn.ModuleList(Gate(a, b) for a, b in reversed(pairs))
        self.up = nn.ModuleList(Double(a + b, a) for a, b in reversed(pairs))
        self.head = nn.Conv2d(widths[0], outside, 1)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        level, skips = pixels, []
        for number, step in enumerate(self.down):
            level = step(functional.max_pool2d(level, 2) if number else level)
            skips.append(level)
        for gate, step, skip in zip(self.gates, self.up, skips[-2::-1], strict=True):
            wide = functional.interpolate(level, scale_factor=2.0, mode="nearest")
            level = step(torch.cat([skip * gate(skip, wide), wide], dim=1))
        scores: torch.Tensor = self.head(level)
        return scores


def folded(network: nn.Module) -> nn.Module:
    """The same network, changed in place, with each normalisation folded into the convolution before it: for
    use, no more for training. Scores differ by rounding alone.
    """
    network.eval()
    for double in [part for part in network.modules() if isinstance(part, Double)]:
        for place, (conv, norm) in enumerate(pairwise(double)):
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                double[place], double[place + 1] = fuse_conv_bn_eval(conv, norm), nn.Identity()
    return network
