"""Grad-CAM of a detector at Conv7 and Conv9-2 for one joint and finding (Sci Rep 2024;14:7696).

The target is the finding's score in default boxes of that layer or of a later one over the joint. Boxes of an
earlier layer will not do: what Conv4-3 says of a joint does not pass through Conv7 at all, so its gradient
there is exactly zero.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.ssd import SSD

from models.common.boxes import overlap
from models.explain.cam import heat_map
from models.mtss.detectors.joints import AFFECTED
from models.mtss.detectors.network import LAYERS, channels
from models.mtss.detectors.windows import SIDE, cut

EXPLAINED = ("conv7", "conv9_2")
BOXES = 6  # default boxes whose scores are explained: those that overlap the joint most


class ClassScores(nn.Module):
    """A detector as a plain network: (b, c, 300, 300) in [0, 1] -> class logits (b, 8732, 3)."""

    def __init__(self, network: SSD) -> None:
        super().__init__()
        self.network = network
        scale, device = network.transform, next(network.parameters()).device
        self.mean = torch.tensor(scale.image_mean, device=device).view(1, -1, 1, 1)
        self.std = torch.tensor(scale.image_std, device=device).view(1, -1, 1, 1)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        maps = self.network.backbone((pixels - self.mean) / self.std)
        scores: torch.Tensor = self.network.head(list(maps.values()))["cls_logits"]
        return scores


def layer_of(network: SSD, name: str) -> nn.Module:
    """The module whose output is Conv7, Conv8-2, Conv9-2 ... Raises ValueError for another name."""
    if name not in LAYERS[1:]:
        raise ValueError(f"layer {name!r} is not one of {', '.join(LAYERS[1:])}")
    found: nn.Module = network.backbone.extra[LAYERS.index(name) - 1]  # type: ignore[index,union-attr,assignment]
    return found


@torch.inference_mode()
def default_boxes(network: SSD) -> tuple[np.ndarray, np.ndarray]:
    """(8732, 4) default boxes in pixels of a window, and (8732,) the place of their layer in ``LAYERS``."""
    pixels = torch.zeros(1, channels(network), SIDE, SIDE, device=next(network.parameters()).device)
    maps = list(network.backbone(pixels).values())
    boxes = network.anchor_generator(ImageList(pixels, [(SIDE, SIDE)]), maps)[0].cpu().numpy()
    each = network.anchor_generator.num_anchors_per_location()
    counts = [one.shape[-1] * one.shape[-2] * number for one, number in zip(maps, each, strict=True)]
    return boxes, np.repeat(np.arange(len(maps)), counts)


def boxes_over(network: SSD, joint: np.ndarray, earliest: str, latest: str = LAYERS[-1]) -> np.ndarray:
    """Indices of the default boxes of these layers that overlap the joint (4,) most, at most ``BOXES``."""
    boxes, level = default_boxes(network)
    shared = overlap(np.asarray(joint, float), boxes)
    shared[(level < LAYERS.index(earliest)) | (level > LAYERS.index(latest))] = 0
    best = np.argsort(-shared, kind="stable")[:BOXES]
    return np.asarray(best[shared[best] > 0])


def finding_score(places: np.ndarray) -> Callable[[torch.Tensor], torch.Tensor]:
    """The mean log probability of the finding over these default boxes, as the target of a heat map."""

    def target(logits: torch.Tensor) -> torch.Tensor:
        return logits[0, torch.as_tensor(places)].log_softmax(dim=1)[:, AFFECTED].mean()

    return target


def explain(
    network: SSD, film: np.ndarray, joint: np.ndarray, layer: str = "conv7"
) -> tuple[np.ndarray, np.ndarray]:
    """What speaks for the finding at one joint: a heat map (300, 300) from 0 to 1, and where it lies.

    film: half-size film in [0, 1]; joint (4,): its box there. The second value is x and y of the map's upper
    left corner on the half-size film. A layer without influence gives a map of zeros.
    """
    import cv2

    origin = np.round((joint[:2] + joint[2:]) / 2 - SIDE / 2).astype(int)
    window = cut(film, origin)
    inside = np.asarray(joint, float) - np.tile(origin, 2)
    pixels = torch.from_numpy(window)[None, None].expand(-1, channels(network), -1, -1)
    target = finding_score(boxes_over(network, inside, layer))
    heat = heat_map(ClassScores(network).eval(), layer_of(network, layer), pixels, target)
    heat = cv2.resize(heat, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    highest = float(heat.max())
    return (heat / highest if highest > 0 else heat), origin
