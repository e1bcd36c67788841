"""The grader: one slim network that sees the tile of a place and says how eroded and how narrowed it is.

A trunk that all places share, and heads that know which of the 28 kinds of place they look at. Erosion is
ordinal: a hidden severity with a spread, cut at whole numbers; a foot joint has two of them (metatarsal and
phalangeal side), whose grades add up. Narrowing is told by classes, as its highest grades (fused, dislocated)
look like no further narrowing. The joint space in millimetres is learned beside them.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from core.errors import InputError
from models.mtss.grader.tiles import KINDS, TILE

EROSION, JSN = 5, 4  # highest grade of one side of a joint, and of narrowing
FOOT_EROSION = 2 * EROSION
STEPS = 16  # of the trunk: pixels of a tile to one of its map
WIDTHS = {"demo": (16, 32, 64, 128), "full": (32, 64, 128, 256)}
LOOKS = 4  # places of the map that the heads attend to
NEVER = -20.0  # log probability of a grade that a place does not have


class Block(nn.Module):
    """Two 3 x 3 convolutions beside the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(*_conv(width, width, 1), *_conv(width, width, 1)[:2])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.relu(x + self.body(x))


def _conv(before: int, after: int, stride: int) -> list[nn.Module]:
    return [nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)]


class JointNetwork(nn.Module):
    """Tiles (n, 1, 128, 128) in [0, 1] -> maps by ``forward``; maps and kinds of place -> grades by
    ``heads``.
    """

    def __init__(self, widths: tuple[int, int, int, int], hidden: int = 128) -> None:
        super().__init__()
        first, second, third, last = widths
        self.trunk = nn.Sequential(
            *_conv(1, first, 2),
            *_conv(first, second, 2), Block(second),
            *_conv(second, third, 2), Block(third), Block(third),
            *_conv(third, last, 2), Block(last), Block(last),
        )  # fmt: skip
        cells = (TILE // STEPS) ** 2
        self.kind = nn.Embedding(len(KINDS), 32)
        self.scale = nn.Embedding(len(KINDS), 2 * last)
        self.where = nn.Embedding(len(KINDS), LOOKS * cells)
        nn.init.zeros_(self.scale.weight)
        nn.init.zeros_(self.where.weight)
        self.look = nn.Conv2d(last, LOOKS, 1)
        self.join = nn.Sequential(
            nn.Linear(LOOKS * last + 32, hidden), nn.ReLU(inplace=True), nn.Dropout(0.2),
            nn.Linear(hidden, hidden), nn.ReLU(inplace=True), nn.Dropout(0.2),
        )  # fmt: skip
        self.out = nn.Linear(hidden, 4 + JSN + 1 + 1)

    def forward(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"maps": self.trunk(2 * pixels - 1)}

    def heads(self, maps: torch.Tensor, kind: torch.Tensor) -> dict[str, torch.Tensor]:
        """kind (n,): index into ``KINDS``. erosion (n, 11) and jsn (n, 5): log probabilities of the grades;
        gap (n,): joint space in mm.
        """
        gain, shift = self.scale(kind).chunk(2, dim=1)
        maps = functional.relu(maps * (1 + gain)[:, :, None, None] + shift[:, :, None, None])
        looks = self.look(maps).flatten(2) + self.where(kind).reshape(len(kind), LOOKS, -1)
        seen = torch.einsum("nlp,ncp->nlc", looks.softmax(dim=2), maps.flatten(2)).flatten(1)
        found = self.out(self.join(torch.cat([seen, self.kind(kind)], dim=1)))
        return {
            "erosion": erosion_grades(found[:, :4], _is_foot(kind)),
            "jsn": found[:, 4 : 5 + JSN].log_softmax(dim=1),
            "gap": found[:, -1],
        }


def _is_foot(kind: torch.Tensor) -> torch.Tensor:
    feet = torch.tensor([name.startswith("F") for name in KINDS], device=kind.device)
    return feet[kind]


def erosion_grades(severities: torch.Tensor, is_foot: torch.Tensor) -> torch.Tensor:
    """(n, 4) mean and raw spread of two severities -> (n, 11) log probabilities of the grade.

    A hand joint has the first alone; the grade of a foot joint is the sum of both.
    """
    one, other = cut_grades(severities[:, :2]), cut_grades(severities[:, 2:])
    alone = functional.pad(one, (0, FOOT_EROSION - EROSION), value=NEVER)
    both = one.exp()[:, :, None] * other.exp()[:, None, :]
    place = torch.arange(EROSION + 1, device=one.device)
    added = torch.zeros(len(one), FOOT_EROSION + 1, device=one.device)
    added = added.index_add(1, (place[:, None] + place[None]).flatten(), both.flatten(1))
    return torch.where(is_foot[:, None], (added + 1e-8).log(), alone)


def cut_grades(severity: torch.Tensor) -> torch.Tensor:
    """(n, 2) mean and raw spread of a logistic severity -> (n, 6) log probabilities of its whole part."""
    spread = 0.06 + functional.softplus(severity[:, 1:])
    cuts = torch.arange(1, EROSION + 1, device=severity.device)
    above = (severity[:, :1] + 0.5 - cuts) / spread  # log odds that the grade is at least 1 ... 5
    least, most = functional.logsigmoid(above), functional.logsigmoid(-above)
    between = torch.log1p(-torch.exp(-1 / spread)).expand(-1, EROSION - 1)
    return torch.cat([most[:, :1], least[:, :-1] + most[:, 1:] + between, least[:, -1:]], dim=1)


def grader(size: str = "demo") -> JointNetwork:
    """The network in one of its two sizes. Raises InputError for another one."""
    if size not in WIDTHS:
        raise InputError(f"size {size!r}", f"one of {', '.join(WIDTHS)} is needed", "give one of these")
    return JointNetwork(WIDTHS[size])
