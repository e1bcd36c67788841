"""The loss of a network: plain, or one that knows that grade 3 is further from 0 than grade 1 is."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional

PLAIN, ORDINAL = LOSSES = ("plain", "ordinal")
SHARE = 2.0  # of the squared distance between distributions beside the cross entropy
MOST = 8.0  # of a class weight, times the smallest

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def loss_of(kind: str, class_weight: torch.Tensor) -> Loss:
    """Loss of logits (n, classes) and places of the right classes (n,).

    plain: cross entropy with class weights. ordinal: beside it the squared earth mover's distance between the
    probabilities and the truth, of which each class weighs as much (Hou, Yu and Samaras 2016,
    arXiv:1611.05916).
    """

    def plain(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(logits, truth, weight=class_weight)

    def ordinal(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        weight = class_weight[truth]
        away = (squared_distance(logits, truth) * weight).sum() / weight.sum()
        return plain(logits, truth) + SHARE * away

    return {PLAIN: plain, ORDINAL: ordinal}[kind]


def squared_distance(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """(n,) squared earth mover's distance: of the cumulative probabilities from those of the truth, 0 to
    classes - 1.
    """
    said = logits.softmax(dim=1).cumsum(dim=1)
    right = functional.one_hot(truth, logits.shape[1]).to(said.dtype).cumsum(dim=1)
    return ((said - right) ** 2).sum(dim=1)


def class_weights(truth: torch.Tensor, classes: int) -> torch.Tensor:
    """(classes,) inverse frequencies, the largest at most ``MOST`` times the smallest; mean over the pictures
    1.
    """
    counts = torch.bincount(truth, minlength=classes).clamp(min=1).float()
    weight = (counts.sum() / counts).clamp(max=MOST * float((counts.sum() / counts).min()))
    return weight / weight[truth].mean()


def draws(truth: torch.Tensor, classes: int) -> torch.Tensor:
    """(n,) how often each picture is drawn for every time that it would be drawn evenly: pictures of rare
    classes more often, a class as often as the square root of its frequency asks. Mean 1.
    """
    counts = torch.bincount(truth, minlength=classes).clamp(min=1).float()
    often = counts.rsqrt()[truth]
    return often / often.mean()
