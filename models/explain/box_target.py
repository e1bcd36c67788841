"""What a detector is asked about: the class score at one chosen box.

A box that a scorer reports is a mean over several anchors; the score that is explained is the same mean of
their class logits, at anchors chosen once, so that it stays the same question when weights are randomised.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from models.common.boxes import cxcywh_to_xyxy, overlap
from models.common.yolo import decode

SAME_BOX = 0.6  # overlap from which an anchor's box counts as the chosen one


@dataclass(frozen=True)
class BoxTarget:
    """A class score at one box of a YOLO network: anchors (n,), their weights (n,), sum 1, and the class.

    against: another class whose score is taken off: what speaks for the one rather than for the other.
    """

    anchors: np.ndarray
    weights: np.ndarray
    column: int
    against: int | None = None

    def __call__(self, output: Any) -> torch.Tensor:
        every = output[1]["scores"][0, :, torch.as_tensor(self.anchors)]
        scores = every[self.column]
        if self.against is not None:
            scores = scores - every[self.against]
        return (scores * torch.as_tensor(self.weights, dtype=scores.dtype, device=scores.device)).sum()


def own_copy(network: torch.nn.Module) -> torch.nn.Module:
    """A copy to take gradients of; grids that a scorer cached in inference mode are made anew."""
    copied = deepcopy(network).eval()
    for module in copied.modules():
        if hasattr(module, "anchors") and hasattr(module, "shape"):
            setattr(module, "shape", None)  # noqa: B010 - a plain attribute that torch's types do not know
    return copied


def box_target(
    network: torch.nn.Module, pixels: torch.Tensor, box: np.ndarray, column: int, against: int | None = None
) -> BoxTarget:
    """The class score at a box, (x0, y0, x1, y1) in pixels of the picture.

    Anchors whose boxes overlap it by ``SAME_BOX`` count by their objectness, else the best overlapping one.
    """
    with torch.no_grad():
        boxes, logits = decode(network, pixels)
    shared = overlap(box, cxcywh_to_xyxy(boxes[0].cpu().numpy()))
    near = np.flatnonzero(shared >= SAME_BOX)
    if near.size == 0:
        near = np.array([int(np.argmax(shared))])
    objectness = 1 - np.prod(1 - logits[0, near].sigmoid().cpu().numpy().astype(float), axis=1)
    return BoxTarget(near, objectness / objectness.sum(), column, against)
