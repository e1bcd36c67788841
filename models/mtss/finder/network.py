"""The network of the site finder: one heat map for each scored site of each limb, and for each side marker.

A film at 0.6 mm a pixel goes in; each map says where on a grid of 2.4 mm its site lies, or that it is not on
the film. Limbs are told apart by how they look, not by name: a channel of ``L`` stands for the limb that
looks like a left one on an unturned PA film (thumb or great toe to its right).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from data.phantom.hands.state import units_of

INPUT_MM = 0.6
STRIDE = 4
MULTIPLE = 32  # input sides must be multiples of this
WIDTHS = {"demo": (16, 32, 64, 96), "full": (48, 96, 160, 224)}

HAND_SITES = tuple(unit[3:] for unit in units_of("hands") if unit.startswith("R"))  # 22
FOOT_SITES = tuple(unit[3:] for unit in units_of("feet") if unit.startswith("R"))  # 6
SITES_OF = {"H": HAND_SITES, "F": FOOT_SITES}
LIMBS = ("LH", "RH", "LF", "RF")
UNITS = tuple(f"{limb}.{site}" for limb in LIMBS for site in SITES_OF[limb[1]])  # 56, as they look
LETTERS = (("L", False), ("R", False), ("L", True), ("R", True))  # letter, whether it reads mirrored
CHANNELS = len(UNITS) + len(LETTERS)
NEAR = 2  # cells around the highest one that belong to a peak

OF_LIMB = {
    limb: np.array([i for i, unit in enumerate(UNITS) if unit.startswith(limb)]) for limb in LIMBS
}  # limb -> its channels


def turned_over() -> np.ndarray:
    """(60,) the channel that each channel becomes when the film is flipped."""
    names = [*UNITS, *(f"{letter}{mirrored}" for letter, mirrored in LETTERS)]
    other = [f"{'R' if unit[0] == 'L' else 'L'}{unit[1:]}" for unit in UNITS]
    other += [f"{letter}{not mirrored}" for letter, mirrored in LETTERS]
    return np.array([names.index(name) for name in other])


class Step(nn.Sequential):
    """Two convolutions, each with batch normalisation."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__(*_conv(inside, outside), *_conv(outside, outside))


def _conv(inside: int, outside: int, stride: int = 1) -> list[nn.Module]:
    return [
        nn.Conv2d(inside, outside, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(outside),
        nn.ReLU(inplace=True),
    ]


class FinderNet(nn.Module):
    """A slim U-Net behind two strided convolutions.

    (b, 1, rows, columns) grey in [0, 1] -> (b, 60, rows / 4, columns / 4) scores. ``absent`` (60,): the score
    of "not on this film"; a soft maximum over it and all cells gives chances. ``shape`` (56, 2) and
    ``spread`` (56,): mean limbs in mm and how far sites lie off them, from the training films.
    """

    shape: torch.Tensor
    spread: torch.Tensor

    def __init__(self, size: str = "demo") -> None:
        super().__init__()
        a, b, c, d = WIDTHS[size]
        self.stem = nn.Sequential(*_conv(1, a // 2, 2), *_conv(a // 2, a // 2), *_conv(a // 2, a, 2))
        self.down = nn.ModuleList([Step(a, a), Step(a, b), Step(b, c), Step(c, d)])
        self.up = nn.ModuleList([Step(d + c, c), Step(c + b, b), Step(b + a, 2 * a)])
        self.head = nn.Conv2d(2 * a, CHANNELS, 1)
        self.absent = nn.Parameter(torch.zeros(CHANNELS))
        self.register_buffer("shape", torch.zeros(len(UNITS), 2))
        self.register_buffer("spread", torch.ones(len(UNITS)))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        level, levels = self.stem(pixels), []
        for number, step in enumerate(self.down):
            level = step(functional.max_pool2d(level, 2) if number else level)
            levels.append(level)
        for step, beside in zip(self.up, levels[-2::-1], strict=True):
            wide = functional.interpolate(level, scale_factor=2.0, mode="nearest")
            level = step(torch.cat([wide, beside], dim=1))
        scores: torch.Tensor = self.head(level)
        return scores

    def chances(self, scores: torch.Tensor) -> torch.Tensor:
        """(b, 60, cells + 1) natural logarithms of the chance of each cell, and last of being absent."""
        absent = self.absent[None, :, None].expand(len(scores), -1, 1)
        return functional.log_softmax(torch.cat([scores.float().flatten(2), absent.float()], dim=2), dim=2)


def peaks(chances: np.ndarray, rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Where each site lies, (n, 2) x and y in pixels of the input, and how sure that is, (n,) 0 to 1.

    chances: (n, rows * columns + 1), not logarithms. The place is the mean over the cells around the most
    likely one, the surety their chance together.
    """
    maps = chances[:, :-1].reshape(len(chances), rows, columns)
    best = maps.reshape(len(maps), -1).argmax(axis=1)
    at, sure = np.zeros((len(maps), 2)), np.zeros(len(maps))
    for i, (one, cell) in enumerate(zip(maps, best, strict=True)):
        row, column = divmod(int(cell), columns)
        top, left = max(row - NEAR, 0), max(column - NEAR, 0)
        part = one[top : row + NEAR + 1, left : column + NEAR + 1].astype(float)
        sure[i] = part.sum()
        y = (part.sum(axis=1) @ np.arange(top, top + part.shape[0])) / max(sure[i], 1e-12)
        x = (part.sum(axis=0) @ np.arange(left, left + part.shape[1])) / max(sure[i], 1e-12)
        at[i] = x, y
    return (at + 0.5) * STRIDE - 0.5, np.minimum(sure, 1.0)
