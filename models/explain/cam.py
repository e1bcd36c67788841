"""Class activation maps: where in a picture a layer speaks for one score of a network.

``heat_map`` is a plain function over a network, a layer, a picture and a target; the variants differ only in
how they weigh the activations by the gradients (docs/decisions/explain.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from models.common.hooks import layer_outputs

Target = Callable[[Any], torch.Tensor]  # a network's output -> the one score that is explained
Weighting = Callable[[torch.Tensor], torch.Tensor]  # gradients -> weights, same shape or (1, channels, 1, 1)


def by_channel(gradients: torch.Tensor) -> torch.Tensor:
    """Grad-CAM: one weight a channel, the mean gradient. Source: Selvaraju et al. 2017, ICCV."""
    return gradients.mean(dim=(2, 3), keepdim=True)


def by_place(gradients: torch.Tensor) -> torch.Tensor:
    """HiResCAM: every place keeps its own gradient. Source: Draelos and Carin 2020, arXiv:2011.08891."""
    return gradients


WEIGHTINGS: Mapping[str, Weighting] = {"Grad-CAM": by_channel, "HiResCAM": by_place}


def heat_map(
    network: torch.nn.Module,
    layer: torch.nn.Module,
    pixels: torch.Tensor,
    target: Target,
    weigh: Weighting = by_channel,
) -> np.ndarray:
    """What speaks for the target, float32 (rows, columns) of the layer's output, 0 and above.

    network: in evaluation mode; its weights are not changed. pixels: (1, channels, rows, columns). A target
    on which the layer has no influence gives a map of zeros. The same input gives the same map.
    """
    with layer_outputs(layer) as outputs, torch.enable_grad():
        score = target(network(pixels.detach().requires_grad_()))
        (gradients,) = torch.autograd.grad(score, outputs, allow_unused=True)
    if gradients is None:
        return np.zeros(tuple(outputs[0].shape[2:]), np.float32)
    heat = (weigh(gradients) * outputs[0]).sum(dim=1).clamp(min=0)[0]
    return np.asarray(heat.detach().float().cpu().numpy())
